"""A process that is ended in the middle: what was there stays, nothing half-written, and the next one goes on.

Of folders of images, training and the service see also the tests of those.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from noiseless.atomic import replacing, replacing_folder

HEAT = ("--method", "heat", "--sigma", "20")
TINY = ("--model", "tiny", "--sigma", "20")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}
PAUSED = str(Path(__file__).with_name("paused.py"))


@pytest.fixture
def ended(tmp_path):
    """``ended(number, *words)``: the code and the words of a run that a signal reaches when its result is whole."""

    def run(number, *words):
        process = subprocess.Popen(
            [sys.executable, PAUSED, *map(str, words)], cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout.readline() == "written\n"
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
        return process.returncode, err

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("number", CODES)
def test_of_one_image_nothing_is_left_and_the_next_run_completes(ended, inputs, tmp_path, noiseless_run, number):
    (tmp_path / "out.png").write_bytes(b"old")
    words = ("denoise", inputs / "a.png", "-o", "out.png", "--force", *HEAT)
    code, err = ended(number, *words)
    assert code == CODES[number]
    assert (tmp_path / "out.png").read_bytes() == b"old"
    if number == signal.SIGKILL:
        assert len(names(tmp_path)) == 2, "it could not tidy up"
        assert noiseless_run(*words, cwd=tmp_path).code == 0
        assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    else:
        told = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
        assert err == f"noiseless: {told}\n"
    assert names(tmp_path) == ["out.png"]


def test_a_second_signal_waits_for_nothing_and_one_that_is_ignored_stays_so(inputs, tmp_path, command):
    program = (
        "import signal, time; from noiseless.apps.cli.ending import signals_raised\n"
        "with signals_raised():\n"
        "    try:\n"
        "        print('in', flush=True); time.sleep(60)\n"
        "    finally:\n"
        "        print('out', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        for word in ("in\n", "out\n"):
            assert process.stdout.readline() == word
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        from noiseless.apps.cli.ending import signals_raised

        with signals_raised():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_video_goes_on(ended, inputs, tmp_path, noiseless_run):
    pytest.importorskip("av")
    words = ("denoise", inputs / "clip.mkv", "-o", "out.mkv", *TINY)
    code, err = ended(signal.SIGTERM, *words)
    assert code == 143
    assert not (tmp_path / "out.mkv").exists()
    assert "Traceback" not in err
    said = noiseless_run(*words, "--json", cwd=tmp_path)
    assert (said.code, '"frames": 24' in said.out) == (0, True)
    assert names(tmp_path) == ["out.mkv"]
    straight = noiseless_run("denoise", inputs / "clip.mkv", "-o", "straight.mkv", *TINY, cwd=tmp_path)
    assert straight.code == 0
    pixels = [decoded(tmp_path / name) for name in ("out.mkv", "straight.mkv")]
    np.testing.assert_array_equal(*pixels)


def decoded(path):
    import av

    with av.open(str(path)) as video:
        return np.stack([frame.to_ndarray(format="gray") for frame in video.decode(video=0)])


def test_a_folder_that_is_terminated_leaves_no_process_and_goes_on(inputs, tmp_path, command, noiseless_run):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        (many / f"{number:02}.png").write_bytes((inputs / "many" / f"{number % 4}.png").read_bytes())
    words = ("denoise", many, "-o", tmp_path / "out", "--jobs", "2", *HEAT)
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()[-1]) == (143, "noiseless: ended by SIGTERM")
    assert "Traceback" not in err
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert list((tmp_path / "out").glob(".*-*.png")) == []
    said = noiseless_run("denoise", many, "-o", tmp_path / "out", *HEAT, cwd=tmp_path)
    assert said.code == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 30


def test_a_worker_that_is_killed_costs_nothing(inputs, tmp_path, command):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        (many / f"{number:02}.png").write_bytes((inputs / "many" / f"{number % 4}.png").read_bytes())
    words = ("denoise", many, "-o", tmp_path / "out", "--jobs", "2", "--json", *HEAT)
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(int(workers[0]), signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "30 denoised" in err) == (0, True), err
    reports = [json.loads(line) for line in (first + out).splitlines()]
    assert sorted(report["input"] for report in reports) == sorted(str(path) for path in many.iterdir())
    assert {report["state"] for report in reports} == {"done"}
    by_content = {}
    for path in (tmp_path / "out").glob("*.png"):
        by_content.setdefault(int(path.stem) % 4, set()).add(path.read_bytes())
    assert [len(by_content[number]) for number in range(4)] == [1] * 4
    assert list((tmp_path / "out" / ".noiseless" / "begun").iterdir()) == []
    assert list((tmp_path / "out").glob(".*-*.png")) == []


def test_a_stream_that_is_terminated_reports_and_its_frames_are_whole(inputs, tmp_path, command):
    words = ("stream", inputs / "many", "--to", tmp_path / "out", "--model", "none", "--timeout", "60")
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "out").glob("0*.png"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "noiseless: ended by SIGTERM\n")
    assert out.startswith("4 frames")
    assert names(tmp_path / "out") == [f"00000{number}.png" for number in range(4)]


# What killed writers leave is cleared away by the next of the same name, and nothing else.

KILLED = """
import os, signal, sys
from pathlib import Path
from noiseless import atomic
path, kind = Path(sys.argv[1]), sys.argv[2]
if kind == "file":
    with atomic.replacing(path, overwrite=True) as temporary:
        temporary.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
with atomic.replacing_folder(path, overwrite=True, kind="store", is_kind=lambda path: True) as temporary:
    (temporary / "half").touch()
    if kind == "folder":
        os.kill(os.getpid(), signal.SIGKILL)
    Path.rename, real = lambda self, to: (real(self, to), os.kill(os.getpid(), signal.SIGKILL)), Path.rename
"""


def killed(path, kind):
    assert subprocess.run([sys.executable, "-c", KILLED, str(path), kind], check=False).returncode == -signal.SIGKILL


def folder_at(path):
    return replacing_folder(path, overwrite=True, kind="store", is_kind=lambda path: True)


def test_the_temporary_of_a_killed_writer_goes_and_that_of_one_at_work_stays(tmp_path):
    path = tmp_path / f"{'long-name-' * 6}1.png"
    other = path.with_name(path.name.replace("1.png", "2.png"))
    killed(path, "file")
    killed(other, "file")
    assert len(names(tmp_path)) == 2
    with replacing(path, overwrite=True) as first, replacing(path, overwrite=True) as second:
        first.write_bytes(b"first")
        second.write_bytes(b"second")
        assert first != second
        assert len(names(tmp_path)) == 3, "the one of the other file is not ours to clear"
    with replacing(path, overwrite=True) as third:
        third.write_bytes(b"third")
        other.write_bytes(b"kept")
    assert path.read_bytes() == b"third"
    with replacing(other, overwrite=True) as last:
        last.write_bytes(b"last")
    assert names(tmp_path) == [path.name, other.name]


def test_what_lies_in_the_way_of_a_temporary_is_not_touched(tmp_path):
    with replacing(tmp_path / "a.png") as usual:
        usual.write_bytes(b"")
    (tmp_path / "a.png").unlink()
    (tmp_path / "else").write_bytes(b"else")
    usual.symlink_to(tmp_path / "else")
    with replacing(tmp_path / "a.png") as temporary:
        temporary.write_bytes(b"ours")
    assert (tmp_path / "else").read_bytes() == b"else"
    assert names(tmp_path) == [usual.name, "a.png", "else"]


def test_a_folder_that_was_put_aside_by_a_killed_writer_is_taken_back(tmp_path):
    path = tmp_path / "s.ome.zarr"
    path.mkdir()
    (path / "old").touch()
    killed(path, "folder")
    assert names(path) == ["old"]
    assert len(names(tmp_path)) == 2
    killed(path, "between")
    assert not path.exists(), "it was put aside"

    def fail():
        with folder_at(path) as temporary:
            (temporary / "new").touch()
            assert names(path) == ["old"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (names(tmp_path), names(path)) == ([path.name], ["old"])
    with folder_at(path) as temporary:
        (temporary / "new").touch()
    assert (names(tmp_path), names(path)) == ([path.name], ["new"])
