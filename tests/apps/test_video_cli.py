"""Videos from the command line: denoised, gone on with, refused, described."""

import json
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import main

av = pytest.importorskip("av")

from noiseless.files.video import writing  # noqa: E402  it imports av

SIGMA, COUNT, RATE = 20.0, 24, Fraction(25)


def clean_pixels(height=48, width=64):
    rows, columns = np.mgrid[:height, :width]
    return 110 + 60 * np.sin(rows / 7) * np.cos(columns / 9)


def make(path, form="gray"):
    rng = np.random.default_rng(0)
    deep = form.endswith("10le")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=RATE)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.time_base = 64, 48, form, 1 / RATE
        for number in range(COUNT):
            noisy = clean_pixels() + SIGMA * rng.standard_normal((48, 64))
            values = np.rint(noisy * (1023 / 255 if deep else 1)).clip(0, 1023 if deep else 255)
            frame = av.VideoFrame.from_ndarray(values.astype(np.uint16 if deep else np.uint8), format=form)
            frame.pts, frame.time_base = number, 1 / RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


class Averaging:
    """A stand-in that keeps the mean of all frames so far."""

    told = None

    def __init__(self, *, sigma=None, model="base", motion="auto", strength=1.0):
        type(self).told = {"sigma": sigma, "model": model, "strength": strength}
        self.sum, self.count = np.zeros(1, np.float32), 0

    def push(self, frame):
        assert frame.dtype == np.float32
        assert 0.0 <= frame.min() <= frame.max() <= 1.0
        self.sum = self.sum + frame
        self.count += 1
        return self.sum / np.float32(self.count)

    def state(self):
        return {"sum": self.sum, "count": np.array(self.count)}

    def resume(self, state):
        self.sum, self.count = state["sum"], int(state["count"])

    def report(self):
        sigma = self.told["sigma"] or SIGMA / 255
        return {"frames": self.count, "noise": {"kind": "gaussian", "sigma": [sigma]}, "cuts": 0, "warnings": []}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    make(tmp_path / "clip.mkv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def averaging(monkeypatch):
    monkeypatch.setattr(noiseless, "TemporalDenoiser", Averaging, raising=False)
    return Averaging


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def frames_of(path):
    return [frame.pixels for frame in noiseless.files.open_video(path)]


def test_a_video_is_denoised_beside_the_input(folder, capfd):
    code, out, err = run(capfd, "denoise", "clip.mkv", "--model", "tiny", "-s", SIGMA)
    assert code == 0
    assert out.startswith("clip.denoised.mkv: gaussian, sigma 20 of 255, 24 frames")
    assert err == ""
    before, after = (frames_of(folder / name)[-1] for name in ("clip.mkv", "clip.denoised.mkv"))
    assert after.dtype == np.uint8
    assert noiseless.psnr(after, clean_pixels()) > noiseless.psnr(before, clean_pixels()) + 6
    history = noiseless.files.open_video(folder / "clip.denoised.mkv").metadata
    assert "removed noise (gaussian, sigma 20 of 255) by tiny" in history["COMMENT"]


def test_the_report_is_one_object_a_line(folder, capfd, averaging):
    code, out, _ = run(capfd, "denoise", "clip.mkv", "-o", "out.mp4", "--strength", 0.5, "--json")
    assert code == 0
    report = json.loads(out)
    assert (report["input"], report["output"], report["frames"], report["resumed_at"]) == ("clip.mkv", "out.mp4", 24, 0)
    assert report["noise"]["sigma"] == [SIGMA]
    assert report["video"] == {"width": 64, "height": 48, "bits": 8, "damaged": 0}
    assert averaging.told == {"sigma": None, "model": "base", "strength": 0.5}


def test_sigma_is_in_the_levels_of_the_video(folder, capfd, averaging):
    make(folder / "deep.mkv", "gray10le")
    assert run(capfd, "denoise", "deep.mkv", "-o", "out.mkv", "-s", 80)[0] == 0
    assert averaging.told["sigma"] == pytest.approx(80 / 1023)
    assert frames_of(folder / "out.mkv")[0].dtype == np.uint16
    np.testing.assert_array_equal(frames_of(folder / "out.mkv")[0], frames_of(folder / "deep.mkv")[0])


def test_codec_and_quality(folder, capfd, averaging):
    assert run(capfd, "denoise", "clip.mkv", "-o", "a.mp4", "--codec", "hevc", "--quality", 30)[0] == 0
    assert noiseless.files.open_video("a.mp4").codec == "hevc"
    code, _, err = run(capfd, "denoise", "clip.mkv", "-o", "b.mp4", "--codec", "vhs")
    assert code == 1
    assert "unknown codec 'vhs'" in err


def test_a_run_that_broke_off_goes_on(folder, capfd, averaging, monkeypatch, caplog):
    monkeypatch.setattr(writing, "PART_SECONDS", 0.19)
    assert run(capfd, "denoise", "clip.mkv", "-o", "whole.mkv")[0] == 0
    push = Averaging.push

    def breaking(self, frame):
        if self.count == 17:
            raise KeyboardInterrupt
        return push(self, frame)

    with monkeypatch.context() as patch:
        patch.setattr(Averaging, "push", breaking)
        assert run(capfd, "denoise", "clip.mkv", "-o", "out.mkv")[0] == 130
    assert "first 17 frames are kept in 'out.partial.mkv'; the same command goes on from there" in caplog.text
    assert len(frames_of("out.partial.mkv")) == 17
    assert not (folder / "out.mkv").exists()
    code, out, _ = run(capfd, "denoise", "clip.mkv", "-o", "out.mkv", "--json")
    assert code == 0
    assert json.loads(out)["resumed_at"] == 15
    for one, other in zip(frames_of("out.mkv"), frames_of("whole.mkv"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert sorted(path.name for path in folder.iterdir()) == ["clip.mkv", "out.mkv", "whole.mkv"]


def test_a_folder_gives_its_images_and_videos(folder, capfd, averaging):
    (folder / "in").mkdir()
    make(folder / "in" / "b.mkv")
    Image.fromarray(clean_pixels().astype(np.uint8)).save(folder / "in" / "a.png")
    code, out, _ = run(capfd, "denoise", "in", "-o", "out", "--json")
    assert code == 0
    assert [json.loads(line)["output"] for line in out.splitlines()] == ["out/a.png", "out/b.mkv"]
    assert len(frames_of(folder / "out" / "b.mkv")) == COUNT


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--samples", "2", "--steps", "10", "-s", "20"], "--samples"),
        (["--error", "e.tif"], "--error"),
        (["--plot", "p.png"], "--plot"),
        (["--predict"], "--predict"),
        (["--device", "cuda"], "--device"),
        (["--steps", "3"], "--steps"),
        (["--budget", "9"], "--budget"),
        (["--bound", "3"], "--bound"),
        (["--memory", "2"], "--memory"),
        (["--method", "edge-enhancing"], "method edge-enhancing"),
        (["--noise", "rician"], "noise rician"),
        (["--noise", "poisson:gain=2"], "noise Poisson"),
        (["--quality", "99"], "0 (best) to 51"),
        (["-o", "-"], "name it with -o"),
        (["-o", "out.png"], "no video is written to 'out.png'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(folder, capfd, averaging, arguments, named):
    if "--quality" in arguments:
        arguments = [*arguments, "--codec", "h264"]
    code, _, err = run(capfd, "denoise", "clip.mkv", *arguments)
    assert code == 1
    assert named in err
    assert err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["clip.mkv"]


def test_gaussian_noise_and_a_preset_are_taken(folder, capfd, averaging):
    assert run(capfd, "denoise", "clip.mkv", "-o", "a.mkv", "--noise", "gaussian:sigma=10")[0] == 0
    assert averaging.told["sigma"] == pytest.approx(10 / 255)
    assert run(capfd, "denoise", "clip.mkv", "-o", "b.mkv", "--preset", "cctv")[0] == 0
    assert averaging.told["sigma"] is None


def test_codec_is_refused_for_images(folder, capfd):
    Image.fromarray(clean_pixels().astype(np.uint8)).save(folder / "a.png")
    code, _, err = run(capfd, "denoise", "a.png", "--codec", "h264")
    assert code == 1
    assert "--codec is for videos" in err


def test_a_damaged_file_among_others_is_told(folder, capfd, averaging):
    (folder / "broken.mp4").write_bytes(b"nothing here")
    code, out, err = run(capfd, "denoise", "clip.mkv", "broken.mp4", "-o", "out")
    assert code == 3
    assert "clip.mkv" in out
    assert "broken.mp4' is not a video" in err


def test_info_says_what_a_video_is(folder, capfd):
    code, out, _ = run(capfd, "info", "clip.mkv")
    assert code == 0
    assert "64 x 48, 25 frames a second, 0.96 s, 24 frames, ffv1, gray, 8 bits, 1 channel(s)" in out
    assert "streams: none besides" in out
    code, out, _ = run(capfd, "info", "clip.mkv", "--json")
    fields = json.loads(out)
    assert (fields["codec"], fields["size"], fields["frames"], fields["rate"]) == ("ffv1", [64, 48], 24, 25.0)
