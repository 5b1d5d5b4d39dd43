"""Runs over a folder: what is done is left, what is ours is replaced, what is not is kept, and a kill does no harm."""

import json
import os
import subprocess
import sys

import pytest

from noiseless import UnreadableFile, UnwritableFile
from noiseless.atomic import replacing
from noiseless.batches import DONE, FAILED, NAME, SKIPPED, InProcess, Lost, Task, open_run


class Work:
    """Stands for denoising: the content of the source in capital letters goes to every output; counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, task, overwrite):
        self.calls += 1
        text = task.sources[0].read_text()
        if text == "bad":
            raise UnreadableFile("bad content")
        if text == "odd":
            raise ZeroDivisionError("of nothing")
        for output in task.outputs:
            with replacing(output, overwrite=overwrite) as temporary:
                if text == f"half {output.name}":
                    raise UnreadableFile("half way")
                temporary.write_text(text.upper())
        return [{"noise": "gaussian", "parameters": {"sigma": 2.0}, "method": "heat", "audit": {}, "warnings": ["w"]}]


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def places(tmp_path):
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / name).write_text(name)
    return tmp_path / "in", tmp_path / "out"


def tasks_of(source, results, names="abc", outputs=("",)):
    for name in names:
        task = Task(name, (source / name,), tuple(results / f"{name}{end}" for end in outputs), None)
        yield Task(task.name, task.sources, task.outputs, task)


def run(work, source, results, *, key="k", force=False, **which):
    """The states of the inputs, and the reports of those that failed."""
    tasks = list(tasks_of(source, results, **which))
    states, errors = {}, {}
    with open_run(results, key, [path for task in tasks for path in task.outputs], force=force) as begun:
        for task, result in InProcess().map(begun.once(work, force=force), map(begun.task, tasks)):
            outcome = begun.finish(task, result)
            states[task.name] = outcome.state
            errors |= {report["input"]: report["error"] for report in outcome.reports if "error" in report}
    assert list((results / ".noiseless" / "begun").iterdir()) == []
    return states, errors


def lines(results):
    return [json.loads(line) for line in (results / NAME).read_text().splitlines()]


def test_a_second_run_leaves_all_as_it_is(work, places):
    _, results = places
    assert run(work, *places)[0] == dict.fromkeys("abc", DONE)
    before = (results / NAME).read_bytes(), (results / "a").stat().st_mtime_ns
    assert run(work, *places)[0] == dict.fromkeys("abc", SKIPPED)
    assert work.calls == 3
    assert ((results / NAME).read_bytes(), (results / "a").stat().st_mtime_ns) == before


def test_a_line_says_what_was_done(work, places):
    run(work, *places, names="a")
    (line,) = lines(places[1])
    seconds, when = line.pop("seconds"), line.pop("time")
    assert 0 <= seconds < 10
    assert when.endswith("+00:00")
    assert (len(line.pop("source")), len(line["result"][0]), line.pop("result") is None) == (32, 32, False)
    assert line == {
        "input": "../in/a", "output": ["a"], "state": DONE, "recipe": "k", "noise": "gaussian",
        "parameters": {"sigma": 2.0}, "method": "heat", "predicted_psnr": None, "warnings": ["w"], "error": None,
    }  # fmt: skip


@pytest.mark.parametrize("change", ["source", "recipe", "removed"])
def test_what_changed_is_done_anew(work, places, change):
    source, results = places
    run(work, *places)
    if change == "source":
        (source / "b").write_text("new")
    if change == "removed":
        (results / "b").unlink()
    states, _ = run(work, *places, key="other" if change == "recipe" else "k")
    assert states == ({"a": SKIPPED, "b": DONE, "c": SKIPPED} if change != "recipe" else dict.fromkeys("abc", DONE))
    assert (results / "b").read_text() == ("NEW" if change == "source" else "B")
    assert run(work, *places, key="other" if change == "recipe" else "k")[0] == dict.fromkeys("abc", SKIPPED)


def test_a_source_that_was_only_touched_or_moved_is_not(work, places):
    source, results = places
    run(work, *places)
    os.utime(source / "a", (1, 1))
    source.rename(source.with_name("moved"))
    assert run(work, source.with_name("moved"), results)[0] == dict.fromkeys("abc", SKIPPED)


def test_an_output_that_somebody_changed_is_kept_until_force(work, places):
    _, results = places
    run(work, *places)
    (results / "b").write_text("mine")
    for _ in range(2):
        states, errors = run(work, *places)
        assert states == {"a": SKIPPED, "b": FAILED, "c": SKIPPED}
        assert "was changed since it was written; replace it with --force" in errors["b"]
        assert (results / "b").read_text() == "mine"
    assert run(work, *places, force=True)[0] == {"a": SKIPPED, "b": DONE, "c": SKIPPED}
    assert (results / "b").read_text() == "B"


def test_the_result_of_another_input_of_that_name_is_kept(work, places, tmp_path):
    _, results = places
    run(work, *places)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("else")
    states, errors = run(work, tmp_path / "elsewhere", results, names="a")
    assert states == {"a": FAILED}
    assert "was made of another input, '../in/a'" in errors["a"]
    assert (results / "a").read_text() == "A"
    assert run(work, *places)[0] == dict.fromkeys("abc", SKIPPED), "what was done before still counts"


def test_an_output_of_which_nothing_is_known_is_refused_first(work, places):
    _, results = places
    results.mkdir()
    (results / "c").write_text("mine")
    with pytest.raises(UnwritableFile, match="exists; replace it with --force"):
        run(work, *places)
    assert work.calls == 0
    assert list(results.iterdir()) == [results / "c"], "and no trace is left"
    assert run(work, *places, force=True)[0] == dict.fromkeys("abc", DONE)
    (results / "d").write_text("mine")
    (places[0] / "d").write_text("d")
    with pytest.raises(UnwritableFile, match="exists; replace it with --force"):
        run(work, *places, names="abd")


def test_what_fails_is_told_and_tried_again(work, places):
    source, results = places
    (source / "a").write_text("bad")
    (source / "b").write_text("odd")
    states, errors = run(work, *places)
    assert states == {"a": FAILED, "b": FAILED, "c": DONE}
    assert errors["a"] == "bad content"
    assert errors["b"].startswith("unforeseen ZeroDivisionError (test_folder_run.py, line ")
    assert [line["error"] is None for line in lines(results)] == [False, False, True]
    (source / "a").write_text("good")
    assert run(work, *places)[0] == {"a": DONE, "b": FAILED, "c": SKIPPED}
    (source / "a").unlink()
    states, errors = run(work, *places)
    assert states["a"] == FAILED
    assert "No such file" in errors["a"]
    assert (results / "a").read_text() == "GOOD"


def test_what_failed_half_way_is_replaced_when_it_can_be(work, places):
    source, results = places
    (source / "a").write_text("half a.2")
    which = {"names": "a", "outputs": (".1", ".2")}
    assert run(work, *places, **which)[0] == {"a": FAILED}
    assert (results / "a.1").exists()
    assert not (results / "a.2").exists()
    (source / "a").write_text("whole")
    assert run(work, *places, **which)[0] == {"a": DONE}
    assert {(results / f"a.{number}").read_text() for number in (1, 2)} == {"WHOLE"}
    (results / "a.2").unlink()
    assert run(work, *places, **which)[0] == {"a": DONE}


def test_a_source_that_changes_while_it_is_read_is_done_again(work, places):
    source, _ = places

    def changing(task, overwrite):
        reports = work(task, overwrite)
        (source / "a").write_text("later")
        return reports

    run(changing, *places, names="a")
    assert run(work, *places, names="a")[0] == {"a": DONE}
    assert (places[1] / "a").read_text() == "LATER"


class Killed(BaseException):
    """Stands for SIGKILL: nothing is tidied up after it."""


def killed_in(moment, places, name="b", outputs=("",)):
    """A run that ended at a moment of the work on an input, with a temporary left in its place."""

    def dying(task, overwrite):
        if task.name == name and moment == "before":
            raise Killed
        reports = Work()(task, overwrite)
        if task.name == name:
            raise Killed
        return reports

    with pytest.raises(Killed):
        run(dying, *places, outputs=outputs)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_run_goes_on(work, places, moment):
    _, results = places
    killed_in(moment, places)
    assert (results / "b").exists() == (moment == "after")
    assert run(work, *places)[0] == {"a": SKIPPED, "b": DONE, "c": DONE}
    done = [line["output"] for line in lines(results) if line["state"] == DONE]
    assert sorted(done) == [["a"], ["b"], ["c"]]


def test_what_was_written_before_the_kill_stays_ours_though_it_fails_now(work, places):
    source, _ = places
    killed_in("after", places)
    (source / "b").write_text("bad")
    assert run(work, *places)[0]["b"] == FAILED
    (source / "b").write_text("good")
    assert run(work, *places)[0]["b"] == DONE
    source.joinpath("b").unlink()
    assert run(work, *places)[0]["b"] == FAILED


def test_a_mark_stays_until_the_manifest_accounts_for_all(work, places):
    source, results = places
    killed_in("after", places)
    content = (source / "b").read_text()
    (source / "b").unlink()
    with open_run(results, "k", [results / "b"]) as begun:
        (_, task, _) = map(begun.task, tasks_of(*places))
        assert begun.finish(task, begun.once(work)(task)).state == FAILED, "before anything was looked at"
    (source / "b").write_text(content)
    assert run(work, *places)[0]["b"] == DONE


def test_only_temporaries_of_what_was_begun_are_removed(work, places):
    _, results = places
    killed_in("before", places, outputs=(".png", ".zarr"))
    mine = [".b-0123456789ab.png", ".b.partial-0123456789ab.png"]
    kept = [
        ".a-0123456789ab.png", ".b-0123456789ab.jpg", ".b-0123456789.png", ".b-0123456789AB.png", "b-0123456789ab.png",
        ".b-x-0123456789ab.png",
    ]  # fmt: skip
    for name in (*mine, *kept):
        (results / name).write_text("")
    for folder in (".b-0123456789ab.zarr", ".b-0123456789ab.former", ".b.mp4.parts"):
        (results / folder).mkdir()
        (results / folder / "file").write_text("")
    with open_run(results, "k", []):
        pass
    names = {path.name for path in results.iterdir()} - {NAME, ".noiseless", "a.png", "a.zarr"}
    # Nothing tells whether the former was of b.png or of b.zarr, so it stays.
    assert names == {*kept, ".b.mp4.parts", ".b-0123456789ab.former"}


def test_a_store_that_was_put_aside_comes_back(work, places):
    _, results = places
    killed_in("after", places, outputs=(".zarr",))
    (results / "b.zarr").unlink()
    (results / ".b-0123456789ab.former").mkdir()
    (results / ".b-0123456789ab.former" / "zarr.json").write_text("former")
    with open_run(results, "k", []):
        pass
    assert (results / "b.zarr" / "zarr.json").read_text() == "former"


def test_a_lost_worker_is_told_and_what_it_wrote_stays_ours(work, places):
    _, results = places
    killed_in("after", places)
    with open_run(results, "k", []) as begun:
        (_, task, _) = map(begun.task, tasks_of(*places))
        outcome = begun.finish(task, Lost("it was killed"))
    assert (outcome.state, outcome.reports) == (FAILED, [{"input": "b", "error": "b: it was killed"}])
    assert lines(results)[-1]["error"] == "b: it was killed"
    assert run(work, *places)[0] == {"a": SKIPPED, "b": DONE, "c": DONE}


def test_one_run_at_a_time(work, places):
    _, results = places
    with open_run(results, "k", []):
        code = (
            "import sys, pathlib, noiseless\nfrom noiseless.batches import open_run\n"
            "with open_run(pathlib.Path(sys.argv[1]), 'k', []): pass"
        )
        finished = subprocess.run([sys.executable, "-c", code, str(results)], capture_output=True, text=True)
        assert "UnwritableFile: another run writes to" in finished.stderr
    finished = subprocess.run([sys.executable, "-c", code, str(results)], capture_output=True, text=True)
    assert finished.returncode == 0


def test_a_place_that_is_none_is_one_clear_line(places, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableFile, match="cannot make"), open_run(tmp_path / "file" / "out", "k", []):
        pass
