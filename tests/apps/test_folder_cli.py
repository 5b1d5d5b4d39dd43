"""Folders of images from the command line: walked, gone on with, by several processes, and killed."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import console, main
from noiseless.apps.cli.jobs import jobs_of

OPTIONS = ("-s", 20, "-m", "heat")
INTERRUPTED = Path(__file__).parents[2] / "benchmarks" / "interrupted_folder.py"


def picture(path, seed=0, side=48):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(60, 190, (side, side), dtype=np.uint8)
    Image.fromarray(values).save(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with pictures in ``in``, and two levels below it."""
    for seed, name in enumerate(("b.png", "a.png", "y/c.png", "x/d.jpg", "x/deep/a.png")):
        picture(tmp_path / "in" / name, seed)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def shown_in(path):
    """The files below a folder that are not hidden, by their names relative to it."""
    names = [item.relative_to(path).as_posix() for item in Path(path).rglob("*") if item.is_file()]
    return sorted(name for name in names if not name.startswith(".") and "/." not in name)


def lines_of(path):
    return [json.loads(line) for line in (path / "manifest.jsonl").read_text().splitlines()]


def is_gone(group, within_s=5.0):
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_folder_is_walked_and_mirrored(folder, capfd):
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *OPTIONS, "--json")
    assert code == 0
    outputs = [json.loads(line)["output"] for line in out.splitlines()]
    assert outputs == [f"out/{name}" for name in ("a.png", "b.png", "x/d.jpg", "x/deep/a.png", "y/c.png")]
    assert shown_in("out") == ["a.png", "b.png", "manifest.jsonl", "x/d.jpg", "x/deep/a.png", "y/c.png"]
    assert err.splitlines()[-1] == "5 denoised, 0 skipped (done before), 0 failed; manifest out/manifest.jsonl"
    single = noiseless.denoise(np.asarray(Image.open("in/x/deep/a.png")), sigma=20, method="heat")
    np.testing.assert_array_equal(np.asarray(Image.open("out/x/deep/a.png")), single)
    assert [line["input"] for line in lines_of(folder / "out")][3] == "../in/x/deep/a.png"


def test_what_is_hidden_and_the_output_are_left_out_and_links_do_no_harm(folder, capfd):
    for name in (".hidden/h.png", "x/.h.png", "in/results/old.png"):
        picture(folder / "in" / name)
    picture(folder / "other" / "o.png")
    (folder / "in" / "x" / "loop").symlink_to(folder / "in")
    (folder / "in" / "x" / "deep" / "up").symlink_to("..")
    (folder / "in" / "again").symlink_to("y")
    (folder / "in" / "elsewhere").symlink_to(folder / "other")
    (folder / "other" / "back").symlink_to(folder)
    (folder / "in" / "none.png").symlink_to("nothing")
    assert run(capfd, "denoise", "in", "-o", "in/in/results", *OPTIONS, "--force")[0] == 0
    shown = shown_in("in/in/results")
    assert shown == sorted(
        ["a.png", "b.png", "elsewhere/o.png", "manifest.jsonl", "old.png", "x/d.jpg", "x/deep/a.png", "y/c.png"]
    )


def test_without_an_output_a_folder_is_what_lies_in_it(folder, capfd):
    assert run(capfd, "denoise", "in", *OPTIONS)[0] == 0
    assert shown_in("in") == sorted(
        ["a.denoised.png", "a.png", "b.denoised.png", "b.png", "x/d.jpg", "x/deep/a.png", "y/c.png"]
    )


def test_a_series_is_sought_within_each_folder(folder, capfd, monkeypatch):
    asked = []
    monkeypatch.setattr(noiseless.files, "gathered", lambda paths: asked.append(list(paths)) or [tuple(paths)])
    jobs = list(jobs_of(["in"], Path("out")))
    assert [[str(path) for path in paths] for paths in asked] == [
        ["in/a.png", "in/b.png"], ["in/x/d.jpg"], ["in/x/deep/a.png"], ["in/y/c.png"],
    ]  # fmt: skip
    assert jobs[0].targets == (Path("out/a.png"), Path("out/b.png"))


def test_names_that_collide_are_refused_first(folder, capfd):
    code, _, err = run(capfd, "denoise", "in", "in/x/deep", "-o", "out", *OPTIONS)
    assert (code, err) == (1, "noiseless: two results would both be written to 'out/a.png'; rename one\n")
    assert not (folder / "out").exists()


def test_a_second_run_skips_what_is_done(folder, capfd):
    run(capfd, "denoise", "in", "-o", "out", *OPTIONS)
    picture(folder / "in" / "a.png", 77)
    (folder / "in" / "new.png").write_bytes((folder / "in" / "b.png").read_bytes())
    code, out, err = run(capfd, "denoise", folder / "in", "-o", folder / "out", *OPTIONS, "--json")
    assert code == 0
    states = {report["output"]: report["state"] for report in map(json.loads, out.splitlines())}
    done = {name for name, state in states.items() if state == "done"}
    assert done == {str(folder / "out" / name) for name in ("a.png", "new.png")}
    assert list(states.values()).count("skipped") == 4
    assert err.splitlines()[-1].startswith("2 denoised, 4 skipped (done before), 0 failed; manifest ")
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *OPTIONS)
    assert (code, out) == (0, "")
    assert err.startswith("0 denoised, 6 skipped")
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *OPTIONS, "--strength", 0.5)
    assert err.splitlines()[-1].startswith("6 denoised, 0 skipped")


def test_a_foreign_output_is_refused_before_any_work(folder, capfd):
    picture(folder / "out" / "y" / "c.png", 9)
    before = (folder / "out" / "y" / "c.png").read_bytes()
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *OPTIONS)
    assert (code, out) == (1, "")
    assert "'out/y/c.png' exists; replace it with --force" in err
    assert err.count("\n") == 1
    assert [path.name for path in (folder / "out").rglob("*") if path.is_file()] == ["c.png"]
    assert run(capfd, "denoise", "in", "-o", "out", *OPTIONS, "--force")[0] == 0
    assert (folder / "out" / "y" / "c.png").read_bytes() != before


@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_files_end_nothing(folder, capfd, jobs):
    (folder / "in" / "bad.png").write_bytes(b"nothing")
    (folder / "in" / "x" / "cut.png").write_bytes((folder / "in" / "a.png").read_bytes()[:200])
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *OPTIONS, "--jobs", jobs, "--json")
    assert code == 3
    reports = {report["input"]: report for report in map(json.loads, out.splitlines())}
    assert {name for name, report in reports.items() if report["state"] == "failed"} == {"in/bad.png", "in/x/cut.png"}
    assert "noiseless: 2 of 7 inputs failed" in err
    assert err.splitlines()[-1] == "5 denoised, 0 skipped (done before), 2 failed; manifest out/manifest.jsonl"
    failed = [line for line in lines_of(folder / "out") if line["state"] == "failed"]
    assert sorted(line["output"] for line in failed) == [["bad.png"], ["x/cut.png"]]
    assert all(line["error"] and line["result"] == [None] for line in failed)
    only = folder / "only"
    only.mkdir()
    (folder / "in" / "bad.png").rename(only / "bad.png")
    assert run(capfd, "denoise", "only", "-o", "out2", *OPTIONS, "--jobs", jobs)[0] == 1


def test_the_prediction_is_in_the_manifest(folder, capfd):
    options = ("-s", 20, "--model", "tiny", "--predict", "--json")
    code, out, _ = run(capfd, "denoise", "in/a.png", "in/b.png", "-o", "out", *options)
    assert code == 0
    for report, line in zip(map(json.loads, out.splitlines()), lines_of(folder / "out"), strict=True):
        assert line["predicted_psnr"] == report["audit"]["predicted_psnr"] > 20
        assert line["warnings"] == report["warnings"]
        assert (line["noise"], line["parameters"], line["method"]) == ("gaussian", {"sigma": 20.0}, "score")


def test_samples_are_outputs_too(folder, capfd):
    options = ("-s", 20, "--model", "tiny", "--samples", 2, "--steps", 2)
    assert run(capfd, "denoise", "in/a.png", "in/b.png", "-o", "out", *options)[0] == 0
    (line, _) = lines_of(folder / "out")
    assert line["output"] == ["a.png", "a.sample1.png", "a.sample2.png"]
    (folder / "out" / "a.sample2.png").unlink()
    _, _, err = run(capfd, "denoise", "in/a.png", "in/b.png", "-o", "out", *options)
    assert err.splitlines()[-1].startswith("1 denoised, 1 skipped")


def test_stores_and_large_files_and_videos_are_done_once_too(folder, capfd):
    zarr, av = pytest.importorskip("zarr"), pytest.importorskip("av")
    tifffile = pytest.importorskip("tifffile")
    rng = np.random.default_rng(0)
    group = zarr.open_group(folder / "in" / "y" / "s.zarr", mode="w", zarr_format=3)
    array = group.create_array("0", shape=(40, 50), chunks=(16, 16), dtype="uint16")
    array[...] = rng.integers(0, 4000, (40, 50))
    axes = [{"name": letter, "type": "space"} for letter in "yx"]
    scale = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": scale}]}
    tifffile.imwrite(folder / "in" / "y" / "t.tif", rng.integers(0, 999, (50, 60), dtype=np.uint16), tile=(16, 16))
    with av.open(str(folder / "in" / "x" / "v.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "gray"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(rng.integers(0, 255, (24, 32), dtype=np.uint8), "gray")))
        out.mux(stream.encode())
    options = ("--model", "tiny", "-s", 20, "--jobs", 2)
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *options)
    assert (code, err.splitlines()[-1].split(";")[0]) == (0, "8 denoised, 0 skipped (done before), 0 failed"), err
    by_output = {line["output"][0]: line for line in lines_of(folder / "out")}
    assert {"y/s.zarr", "y/t.tif", "x/v.mkv"} < by_output.keys()
    assert by_output["x/v.mkv"]["noise"] == "gaussian"
    assert by_output["x/v.mkv"]["parameters"]["sigma"] == [20.0]
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *options)
    assert (code, out, err.split(";")[0]) == (0, "", "0 denoised, 8 skipped (done before), 0 failed")
    (folder / "out" / "y" / "s.zarr" / "zarr.json").write_text("{}")
    code, out, err = run(capfd, "denoise", "in", "-o", "out", *options)
    assert code == 3
    assert "s.zarr' was changed since it was written" in err


def test_processes_give_what_one_gives(folder, capfd):
    options = ("-s", 20, "--model", "tiny")
    assert run(capfd, "denoise", "in", "-o", "one", *options)[0] == 0
    assert run(capfd, "denoise", "in", "-o", "two", *options, "--jobs", 2)[0] == 0
    for name in set(shown_in("one")) - {"manifest.jsonl"}:
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()
    by_output = [{line["output"][0]: line for line in lines_of(folder / name)} for name in ("one", "two")]
    for name, line in by_output[0].items():
        for field in ("source", "recipe", "result", "state"):
            assert line[field] == by_output[1][name][field]


def test_processes_work_beside_the_inputs_too(folder, capfd):
    assert run(capfd, "denoise", "in/a.png", "in/b.png", *OPTIONS, "--jobs", 2)[0] == 0
    assert (folder / "in" / "a.denoised.png").exists()
    assert not (folder / "in" / "manifest.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("in/a.png", "--jobs", 2), 1, "--jobs 2 is for several inputs, and 'in/a.png' is one; leave it out"),
        (("-", "--jobs", 2), 1, "--jobs 2 is for several inputs, and '-' is one"),
        (("in", "-o", "out", "--jobs", 0), 2, "--jobs"),
        (("in", "-o", "out", "--max-pixels", 0), 1, "max_pixels is 0"),
        (("in", "-o", "in"), 1, "would overwrite itself"),
        (("in", "-o", "in/a.png"), 1, "name a folder with -o"),
    ],
)
def test_what_makes_no_sense_is_refused(folder, capfd, arguments, code, words):
    before = sorted(folder.rglob("*"))
    found, out, err = run(capfd, "denoise", *OPTIONS, *arguments)
    assert (found, out) == (code, "")
    assert words in err
    assert sorted(folder.rglob("*")) == before


def test_the_bar_says_how_far_it_is(folder, capfd, monkeypatch):
    shown = []

    class Bar:
        def update(self, share, text):
            shown.append((share, text))

    monkeypatch.setattr(console, "progress", lambda title: nullcontext(Bar()))
    run(capfd, "denoise", "in", "-o", "out", *OPTIONS)
    (folder / "in" / "b.png").write_bytes(b"nothing")
    (folder / "out" / "y" / "c.png").unlink()
    shown.clear()
    run(capfd, "denoise", "in", "-o", "out", *OPTIONS)
    assert shown[0] == (0.0, "0 of 5: in/a.png")
    assert (0.4, "2 of 5, 1 skipped, 1 failed") in shown
    assert shown[-1] == (1.0, "5 of 5, 3 skipped, 1 failed")
    shares = [share for share, _ in shown]
    assert shares == sorted(shares)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")
def test_ctrl_c_ends_all_of_it_soon(folder, capfd):
    for seed in range(40):
        picture(folder / "many" / f"{seed}.png", seed, 320)
    # A shell lets what it runs in the background ignore Ctrl-C, and so would all that these tests begin there.
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from noiseless.apps.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "denoise", "many", "-o", "out", "--jobs", "2", *map(str, OPTIONS)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    end = time.monotonic() + 60
    while not list((folder / "out").glob("*.png")) and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert "Traceback" not in err.decode()
    assert is_gone(process.pid), "no process of its group is left"
    assert list((folder / "out").glob(".*-*.png")) == [], "who was at work tidied up"
    assert run(capfd, "denoise", "many", "-o", "out", *OPTIONS)[0] == 0
    assert sum(line["state"] == "done" for line in lines_of(folder / "out")) == 40


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")
@pytest.mark.skipif(not INTERRUPTED.exists(), reason="no benchmarks beside these tests")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path, jobs):
    spec = importlib.util.spec_from_file_location("interrupted_folder", INTERRUPTED)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    rows, faults = benchmark.interrupted(tmp_path, images=9, side=128, kills=3, jobs=jobs)
    assert faults == []
    assert [row[2:] for row in rows] == [(0, 0, 0)] * 3
    assert all(row[1] >= row[0] for row in rows), "no output is lost"
