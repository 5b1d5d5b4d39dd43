"""Manifests: later lines win, a torn line does no harm, and a line is a line."""

import json

import pytest

from noiseless import UnwritableFile
from noiseless.batches import DONE, FAILED, Manifest, Record


def line(name="a.png", source="s", state=DONE, result="r"):
    return {
        "input": f"../in/{name}", "output": [name], "state": state, "source": source, "recipe": "k", "result": [result],
    }  # fmt: skip


def written(path, *lines):
    with Manifest(path) as manifest:
        for fields in lines:
            manifest.add(fields)


def records(path):
    with Manifest(path) as manifest:
        return manifest.records


def test_later_lines_of_an_output_win(tmp_path):
    path = tmp_path / "m.jsonl"
    written(path, line(), line("b.png"), line(source="other"))
    written(path, line("c.png"))
    assert records(path).keys() == {"a.png", "b.png", "c.png"}
    assert records(path)["a.png"] == Record("../in/a.png", ("a.png",), DONE, "other", "k", ("r",))


def test_a_line_that_tells_of_no_writing_takes_nothing_from_the_one_before(tmp_path):
    path = tmp_path / "m.jsonl"
    written(path, line(), line(source="other", state=FAILED, result=None), line("b.png", state=FAILED, result=None))
    assert records(path).keys() == {"a.png"}
    assert records(path)["a.png"].source == "s"


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_torn_last_line_counts_as_never_written(tmp_path, share):
    path = tmp_path / "m.jsonl"
    written(path, line())
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: max(1, int(share * len(whole)) - 1)])
    assert records(path).keys() == {"a.png"}
    assert path.read_bytes() == whole
    written(path, line("b.png"))
    assert [json.loads(text)["output"] for text in path.read_text().splitlines()] == [["a.png"], ["b.png"]]


def test_a_torn_line_longer_than_what_is_read_at_once(tmp_path):
    path = tmp_path / "m.jsonl"
    written(path, line())
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"warnings": "' + b"x" * 200_000)
    assert records(path).keys() == {"a.png"}
    assert path.read_bytes() == whole


def test_a_whole_last_line_without_an_end_gets_one(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(line()))
    written(path, line("b.png"))
    assert records(path).keys() == {"a.png", "b.png"}


def test_strange_lines_are_passed_over_and_told(tmp_path, caplog):
    path = tmp_path / "m.jsonl"
    path.write_text('{"input": 1}\n[]\nnot JSON\n\x00\n' + json.dumps({**line(), "result": []}) + "\n")
    written(path, line())
    assert records(path).keys() == {"a.png"}
    assert "line 2 of" in caplog.text
    assert "line 5 of" in caplog.text


def test_numbers_that_json_cannot_hold_become_null(tmp_path):
    written(tmp_path / "m.jsonl", {**line(), "parameters": {"sigma": [float("nan"), 2.0, float("inf")]}})
    text = (tmp_path / "m.jsonl").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["parameters"] == {"sigma": [None, 2.0, None]}


def test_a_full_disk_leaves_the_manifest_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "m.jsonl"
    with Manifest(path) as manifest:
        manifest.add(line())
        whole = path.read_bytes()
        write = __import__("os").write
        with monkeypatch.context() as patch:
            patch.setattr("noiseless.batches.manifest.os.write", lambda file, data: write(file, data[:20]))
            with pytest.raises(UnwritableFile, match="make room"):
                manifest.add(line("b.png"))
        assert path.read_bytes() == whole
        manifest.add(line("c.png"))
    assert records(path).keys() == {"a.png", "c.png"}


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path):
    with pytest.raises(UnwritableFile, match="cannot write the manifest"):
        Manifest(tmp_path / "none" / "m.jsonl")
