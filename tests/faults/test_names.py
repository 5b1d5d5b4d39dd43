"""Names of every kind, for input and output: spaces, all languages, bytes that are no text, links, and places."""

import os

import pytest

HEAT = ("--method", "heat", "--sigma", "20")

NAMES = (
    "with space.png", "größe-é.png", "中文.png", "🙂🙂.png", "new\nline.png", "-dash.png", "bad\udcff.png",
    "tab\t\x1b[31m.png", "[a]*?.png", "'\"$(x)`.png",
    "n" * 251 + ".png", "中" * 83 + "ab.png", "🙂" * 62 + "xyz.png",
)  # fmt: skip


def only_line(said, *words):
    """One line that says what is wrong."""
    assert said.code == 1, said
    assert said.err.startswith("noiseless: ")
    assert said.err.count("\n") == 1, said.err
    for word in words:
        assert word in said.err
    return said


def test_names_of_every_kind(series, inputs, tmp_path):
    image = (inputs / "a.png").read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name in NAMES:
        assert len(os.fsencode(name)) <= 255
        (tmp_path / "in" / name).write_bytes(image)
    os.link(tmp_path / "in" / "-dash.png", tmp_path / "-dash.png")
    alone = [{"words": ["denoise", f"in/{name}", "-o", f"out/{name}", *HEAT]} for name in NAMES]
    dash = {"words": ["denoise", *HEAT, "--", "-dash.png"]}
    together, again = ({"words": ["denoise", "in", "-o", "all", *HEAT]} for _ in range(2))
    *each, dashed, first, second = series([*alone, dash, together, again], tmp_path)
    results = set()
    for name, said in zip(NAMES, each, strict=True):
        assert said.code == 0, (name, said.err)
        results.add(said.left[f"out/{name}"])
    assert len(results) == 1, "the name is of no account"
    assert (dashed.code, "-dash.denoised.png" in dashed.left) == (0, True)
    assert (first.code, f"{len(NAMES)} denoised" in first.err) == (0, True)
    assert (second.code, f"{len(NAMES)} skipped" in second.err) == (0, True)
    assert {first.left[f"all/{name}"] for name in NAMES} == results
    assert first.left == second.left


def test_places_that_are_none(series, inputs, tmp_path):
    (tmp_path / "a.png").write_bytes((inputs / "a.png").read_bytes())
    (tmp_path / "there.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    os.symlink("loop.png", tmp_path / "loop.png")
    os.symlink("a.png", tmp_path / "same.png")
    os.symlink("nowhere/x.png", tmp_path / "dangling.png")
    long = "n" * 252 + ".png"
    cases = [
        (("denoise", "a.png", "-o", long), (repr(long), "File name too long; choose a shorter name")),
        (("denoise", long), ("File name too long; choose a shorter name",)),
        (("denoise", "a.png", "-o", "b.png", "--report", f"{'n' * 252}.html"), ("choose a shorter name",)),
        (("denoise", "a.png", "-o", "b.png", "--save-recipe", f"{'n' * 252}.toml"), ("choose a shorter name",)),
        (("denoise", "", "-o", "b.png"), ("names no file",)),
        (("denoise", "a.png", "-o", "a.png", "--force"), ("would overwrite itself",)),
        (("denoise", "a.png", "-o", "./x/../a.png", "--force"), ("would overwrite itself",)),
        (("denoise", "a.png", "-o", "same.png", "--force"), ("would overwrite itself",)),
        (("denoise", "loop.png", "-o", "b.png"), ("'loop.png'",)),
        (("denoise", "a.png", "-o", "loop.png"), ("'loop.png'", "link")),
        (("denoise", "a.png", "-o", "dangling.png"), ("'dangling.png'", "No such file or directory")),
        (("denoise", "a.png", "-o", "pipe.png", "--force"), ("'pipe.png' exists and is not a file",)),
        (("denoise", "a.png", "-o", "/dev/null", "--force"), ("/dev/null",)),
        (("denoise", "a.png/b.png", "-o", "b.png"), ("'a.png/b.png'",)),
        (("denoise", "a.png", "-o", "a.png/b.png"), ("'a.png/b.png'",)),
        (("denoise", "new\nline.png", "-o", "b.png"), (r"'new\nline.png'",)),
    ]
    said = series([{"words": [*words, *(HEAT if words[0] == "denoise" else ())]} for words, _ in cases], tmp_path)
    before = said[0].left
    for (words, told), answer in zip(cases, said, strict=True):
        only_line(answer, *told)
        assert answer.left == before, words


def test_a_name_of_a_checkpoint_that_leaves_no_room_for_its_resume_file(series, inputs, tmp_path):
    pytest.importorskip("torch")
    name = f"{'m' * 240}.safetensors"
    words = ["train", str(inputs / "a.png"), "--gray", "--model", "tiny", "--steps", "1", "--patch", "16", "-o", name]
    (said,) = series([{"words": words}], tmp_path)
    assert said.code == 1
    assert said.err.splitlines()[-1].endswith("File name too long; choose a shorter name")
    assert said.left == {}


def test_links_and_pipes(noiseless_run, series, inputs, tmp_path):
    image = (inputs / "a.png").read_bytes()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(image)
    os.symlink("real", tmp_path / "folder")
    os.symlink("../real", tmp_path / "real" / "loop")
    os.symlink("real/target.png", tmp_path / "link.png")
    (tmp_path / "real" / "target.png").write_bytes(b"old")
    linked, walked, cased = series(
        [
            {"words": ["denoise", "folder/a.png", "-o", "link.png", "--force", *HEAT]},
            {"words": ["denoise", "folder", "-o", "out", *HEAT]},
            {"words": ["denoise", "real/a.png", "-o", "real/A.png", *HEAT]},
        ],
        tmp_path,
    )
    assert linked.code == walked.code == cased.code == 0
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real" / "target.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "out").glob("*")) == [
        ".noiseless", "a.png", "manifest.jsonl", "target.png",
    ]  # fmt: skip
    assert (tmp_path / "real" / "a.png").read_bytes() == image, "A.png is another file"
    with (inputs / "a.png").open("rb") as stream:
        said = noiseless_run("denoise", "-", "-o", "std.png", *HEAT, cwd=tmp_path, stdin=stream)
    assert (said.code, (tmp_path / "std.png").is_file()) == (0, True)
