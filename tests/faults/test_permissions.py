"""Permission that was never there, or is lost on the way: one line, and nothing is lost."""

import subprocess

import pytest

HEAT = ("--method", "heat", "--sigma", "20")
BOUND = {"bound": True}  # modes bind, though these tests may run as root
REMEDY = "Permission denied; change its permissions, or choose another place"


@pytest.fixture
def places(inputs, tmp_path):
    """Folders and files with the modes that their names say."""
    for name in ("readonly", "closed", "in", "sealed"):
        (tmp_path / name).mkdir()
    image = (inputs / "a.png").read_bytes()
    for name in ("in/good.png", "in/unreadable.png", "closed/a.png", "readonly/old.png", "kept.png", "readonly/a.png"):
        (tmp_path / name).write_bytes(image)
    (tmp_path / "in/unreadable.png").chmod(0)
    (tmp_path / "kept.png").chmod(0o440)
    (tmp_path / "readonly").chmod(0o555)
    (tmp_path / "closed").chmod(0)
    yield tmp_path
    for name in ("readonly", "closed", "sealed"):
        (tmp_path / name).chmod(0o755)


def test_each_is_told_in_a_line_and_leaves_everything_as_it_was(series, places):
    image = (places / "kept.png").read_bytes()
    cases = [
        ("denoise kept.png -o readonly/out.png", f"cannot write in the folder of 'readonly/out.png': {REMEDY}"),
        ("denoise kept.png -o readonly/old.png --force", f"cannot write in the folder of 'readonly/old.png': {REMEDY}"),
        ("denoise readonly/a.png", f"cannot write in the folder of 'readonly/a.denoised.png': {REMEDY}"),
        ("denoise in/unreadable.png -o a.png", "cannot read 'in/unreadable.png': Permission denied"),
        ("denoise closed/a.png -o a.png", f"'closed/a.png': {REMEDY}"),
        ("denoise closed -o out", REMEDY),
        ("denoise kept.png -o closed/a.png", f"'closed/a.png': {REMEDY}"),
        ("denoise in -o readonly", f"cannot make 'readonly/.noiseless/begun': {REMEDY}"),
        ("denoise in -o readonly/sub", f"cannot make 'readonly/sub/.noiseless/begun': {REMEDY}"),
        ("noise kept.png -o readonly/out.png", f"cannot write in the folder of 'readonly/out.png': {REMEDY}"),
        ("tune kept.png -o readonly/t.toml --budget 0.2", f"cannot write in the folder of 'readonly/t.toml': {REMEDY}"),
        ("stream in --to readonly/f --no-follow --model none", f"cannot make the folder 'readonly/f': {REMEDY}"),
        ("info closed/a.png", f"'closed/a.png': {REMEDY}"),
    ]
    said = series([{"words": [*words.split(), *(HEAT if words.startswith("denoise") else ())]} for words, _ in cases],
                  places, BOUND)  # fmt: skip
    for (words, line), answer in zip(cases, said, strict=True):
        assert answer.code == 1, words
        assert answer.err.count("\n") == 1, answer.err
        assert line in answer.err, words
        assert answer.err.startswith("noiseless: ")
    assert (places / "readonly" / "old.png").read_bytes() == image
    assert sorted(path.name for path in (places / "readonly").iterdir()) == ["a.png", "old.png"]
    assert not (places / "a.png").exists()


def test_in_a_folder_the_rest_is_done_and_the_mode_of_what_is_replaced_stays(series, places):
    folder, again, kept, lost = series(
        [
            {"words": ["denoise", "in", "-o", "out", *HEAT]},
            {"words": ["denoise", "in", "-o", "out", *HEAT]},
            {"words": ["denoise", "in/good.png", "-o", "kept.png", "--force", *HEAT]},
            {"words": ["denoise", "in", "-o", "kept.png", *HEAT]},
        ],
        places,
        BOUND,
    )
    assert (folder.code, again.code) == (3, 3)
    assert "'in/unreadable.png': Permission denied" in folder.err
    assert "1 denoised, 0 skipped (done before), 1 failed" in folder.err
    assert "0 denoised, 1 skipped (done before), 1 failed" in again.err
    assert again.left["out/good.png"] == folder.left["out/good.png"]
    assert kept.code == 0
    assert (places / "kept.png").stat().st_mode & 0o777 == 0o440
    assert (lost.code, "name a folder" in lost.err) == (1, True)


def test_a_folder_that_is_locked_in_the_middle(launch_paused, inputs, places, noiseless_run):
    (places / "sealed" / "out.png").write_bytes(b"old")
    words = ("denoise", inputs / "a.png", "-o", "sealed/out.png", "--force", *HEAT)
    with launch_paused(*words, cwd=places, faults=BOUND) as process:
        assert process.stdout.readline() == "written\n"
        (places / "sealed").chmod(0o555)
        _, err = process.communicate("go on\n", timeout=60)
    assert process.returncode == 1
    assert err == f"noiseless: cannot write 'sealed/out.png': {REMEDY}\n"
    assert (places / "sealed" / "out.png").read_bytes() == b"old"
    (places / "sealed").chmod(0o755)
    assert noiseless_run(*words, cwd=places).code == 0
    assert [path.name for path in (places / "sealed").iterdir()] == ["out.png"], "what could not be removed then is now"


def test_a_folder_that_is_removed_in_the_middle(launch_paused, inputs, tmp_path):
    (tmp_path / "out").mkdir()
    words = ("denoise", inputs / "a.png", "-o", "out/out.png", *HEAT)
    with launch_paused(*words, cwd=tmp_path) as process:
        assert process.stdout.readline() == "written\n"
        subprocess.run(["rm", "-r", str(tmp_path / "out")], check=True)
        _, err = process.communicate("go on\n", timeout=60)
    assert process.returncode == 1
    assert err.startswith("noiseless: cannot write 'out/out.png': No such file or directory; check")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
