"""``noiseless stream`` as a person runs it, with a stand-in for the denoiser."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import noiseless
from noiseless.apps.cli.application import main

RUN = """
import sys
import noiseless
class Same:
    def __init__(self, *, sigma, model, motion, strength):
        self.model, self.motion, self.sigma = model, motion, sigma
    def push(self, frame): return frame
    def reset(self): pass
    def report(self): return {"noise": {"sigma": [self.sigma or 0.1]}}
noiseless.restoration.TemporalDenoiser = Same
from noiseless.apps.cli.application import main
sys.exit(main(sys.argv[1:]))
"""


def arguments(*words):
    return [sys.executable, "-c", RUN, "stream", *map(str, words)]


@pytest.fixture
def stand_in(monkeypatch, make_denoiser):
    monkeypatch.setattr(noiseless.restoration, "TemporalDenoiser", lambda **options: make_denoiser(), raising=False)


@pytest.mark.parametrize("samples", ["gray8", "bgr24", "gray16le"])
def test_raw_frames_go_through_a_pipe(samples, rng):
    data = rng.bytes(5 * 8 * 6 * {"gray8": 1, "bgr24": 3, "gray16le": 2}[samples])
    command = arguments("-", "--raw", f"8x6:{samples}@30", "--to", "-", "--json", "--sigma", "10")
    run = subprocess.run(command, input=data, capture_output=True, check=True, timeout=60)
    assert run.stdout == data
    report = json.loads(run.stderr)
    assert (report["frames"], report["dropped"], report["efforts"]) == (5, 0, {"base/flow": 5})
    assert report["sigma"] == pytest.approx(10.0)


def test_the_keyboard_ends_it_cleanly_with_the_report(tmp_path):
    command = arguments("-", "--raw", "64x48:rgb24@25", "--to", tmp_path / "clean.mkv", "--json")
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for number in range(20):
        run.stdin.write(np.full((48, 64, 3), 10 * number, np.uint8).tobytes())
    run.stdin.flush()
    deadline = time.monotonic() + 30.0
    while not (tmp_path / "clean.mkv").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)  # for the rest of the frames; that they are all there is not what is asked below
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (0, b"")
    report = json.loads(out)
    assert report["frames"] >= 1
    played = list(noiseless.streams.open_source(str(tmp_path / "clean.mkv")).pictures(5.0))
    assert len(played) == report["frames"]


def test_a_reader_that_has_had_enough_is_no_traceback(tmp_path):
    (tmp_path / "frames").write_bytes(bytes(64 * 48 * 50))
    reader, writer = os.pipe()
    os.close(reader)
    command = arguments("-", "--raw", "64x48:gray8", "--to", "-")
    with (tmp_path / "frames").open("rb") as frames:
        run = subprocess.run(command, stdin=frames, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert run.returncode == 1
    assert b"Traceback" not in run.stderr


def test_a_video_file_into_another_keeps_its_rate(stand_in, clip, tmp_path, capsys):
    import av

    assert main(["stream", str(clip("noisy.mkv")), "--to", str(tmp_path / "clean.mkv"), "--sigma", "5"]) == 0
    with av.open(str(tmp_path / "clean.mkv")) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(25.0, rel=0.01)
        assert len(list(container.decode(video=0))) == 12
    said = capsys.readouterr()
    assert said.out.startswith("12 frames, ")
    assert "latency" in said.out
    assert said.err == ""


def test_a_folder_into_a_folder(stand_in, tmp_path, frames, capsys):
    (tmp_path / "noisy").mkdir()
    for number, frame in enumerate(frames):
        noiseless.write(noiseless.from_array(frame), tmp_path / "noisy" / f"{number}.png")
    options = ["--to", str(tmp_path / "clean"), "--no-follow", "--frames", "3", "--json"]
    assert main(["stream", str(tmp_path / "noisy"), *options]) == 0
    assert sorted(os.listdir(tmp_path / "clean")) == ["000000.png", "000001.png", "000002.png"]
    assert json.loads(capsys.readouterr().out)["frames"] == 3


def test_a_wrong_output_is_said_before_the_source_is_opened(stand_in, tmp_path, clip, capsys):
    (tmp_path / "old.mkv").touch()
    arguments = ["stream", str(clip("noisy.mkv")), "--to", str(tmp_path / "old.mkv")]
    assert main(arguments) == 1
    assert "replace it with --force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0


def test_a_lost_source_still_reports(stand_in, tmp_path, capsys):
    assert main(["stream", "tcp://127.0.0.1:1", "--timeout", "1", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["frames"] == 0
    assert "cannot read 'tcp://127.0.0.1:1'" in said.err


def test_the_status_shows_only_on_a_terminal(stand_in, clip, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["stream", str(clip("noisy.mkv"))]) == 0
    said = capsys.readouterr().err
    assert "\r" in said
    assert "fps" in said
