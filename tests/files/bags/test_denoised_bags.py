"""Bags that are denoised: a denoiser for each stream of pictures, in the levels that it has."""

import re

import numpy as np
import pytest

import noiseless
from noiseless.apps.cli import bags as bags_cli
from noiseless.apps.work import denoise_bag
from noiseless.errors import UnwritableFile
from noiseless.files import is_bag

from .recordings import like, make, pixels_of, raw, read_back


class HalfAsBright:
    """Stands for the temporal denoiser."""

    def __init__(self, *, sigma, model, strength):
        self.options, self.frames = (sigma, model, strength), []

    def push(self, frame):
        assert frame.dtype == np.float32
        assert frame.ndim == 3
        self.frames.append(frame)
        return frame / 2

    def report(self):
        return {"frames": len(self.frames), "noise": self.options, "cuts": [], "warnings": []}


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(noiseless, "TemporalDenoiser", HalfAsBright, raising=False)


def test_the_command_line_has_a_denoiser_for_each_stream(tmp_path, random, stand_in):
    colour, deep, mosaic = random((6, 8, 3)), random((6, 8), np.uint16), random((6, 8))
    contents = [("/a", raw(colour, "bgr8")), ("/b", raw(deep, "mono16")), ("/c", raw(mosaic, "bayer_rggb8"))]
    bag = make(tmp_path, "ros1", contents * 2)
    reports = denoise_bag(bag, like(bag), sigma=25.0, strength=0.5)
    assert [(each["topic"], each["frames"]) for each in reports] == [
        ("/a", 2), ("/b", 2), *((f"/c#{number}", 2) for number in range(4)),
    ]  # fmt: skip
    assert reports[0]["noise"] == (25.0 / 255.0, "base", 0.5)
    assert reports[0]["levels"] == [0.0, 255.0]
    assert reports[1]["levels"] == [deep.min(), deep.max()]
    assert reports[1]["noise"][0] == pytest.approx(25.0 / (int(deep.max()) - int(deep.min())))
    assert (reports[0]["input"], reports[0]["output"]) == (str(bag), str(like(bag)))
    assert np.abs(pixels_of(read_back(like(bag), "/a")[1], np.uint8, (3,)) - colour / 2).max() <= 0.5
    # The frames are float32 to the denoiser: 2^-24 of a range of 2^16.
    assert np.abs(pixels_of(read_back(like(bag), "/b")[1], np.uint16) - half_above(deep)).max() <= 0.5 + 2**-8
    with pytest.raises(UnwritableFile):
        denoise_bag(bag, like(bag))
    reports = denoise_bag(bag, like(bag), topics=["/b"], force=True)
    assert [each["noise"][0] for each in reports] == [None]


def half_above(deep):
    """What the stand-in makes of it: half as far above the darkest level."""
    low = float(deep.min())
    return (deep - low) / 2 + low


def test_frames_of_few_levels_among_65536_have_a_range_of_their_own(tmp_path, random, stand_in):
    """A thermal camera: levels about 8000; then its shutter, and all begins anew."""
    warm = (8000 + random((6, 8)).astype(np.uint16)).astype(np.uint16)
    shutter = np.full((6, 8), 30_000, np.uint16)
    bag = make(tmp_path, "mcap", [("/thermal", raw(frame, "mono16")) for frame in (warm, warm + 100, shutter)])
    (report,) = denoise_bag(bag, like(bag), sigma=2.0)
    assert (report["frames"], report["levels"]) == (3, [30_000.0, 30_255.0])
    first, second, third = (pixels_of(each, np.uint16) for each in read_back(like(bag), "/thermal"))
    low = float(warm.min())
    assert np.abs(first - half_above(warm)).max() <= 0.5
    assert np.abs(second - ((warm + 100 - low) / 2 + low)).max() <= 0.5
    assert np.array_equal(third, shutter)


def test_a_bag_of_noise_comes_out_cleaner(tmp_path, rng):
    """With the denoiser itself, and the noise to be found."""
    y, x = np.mgrid[:48, :64]
    clean = 110 + 60 * np.sin(x / 7) + 40 * (y > 20)
    frames = [np.clip(np.rint(clean + 12 * rng.standard_normal(clean.shape)), 0, 255).astype(np.uint8) for _ in "123"]
    bag = make(tmp_path, "sqlite", [("/cam", raw(frame)) for frame in frames])
    (report,) = denoise_bag(bag, like(bag), model="tiny")
    assert report["frames"] == 3
    assert re.fullmatch(r".*clean /cam: 3 frames, sigma 1[123](\.\d)?, \d+\.\d\d s", bags_cli.in_words(report))
    for message in read_back(like(bag), "/cam"):
        assert np.std(pixels_of(message, np.uint8) - clean) < 12 / 2


def test_results_are_named_after_their_sources(tmp_path, contents):
    ros1, ros2 = make(tmp_path, "ros1", contents), make(tmp_path, "sqlite", contents)
    assert is_bag(ros1)
    assert bags_cli.result_of(ros1).name == "run.denoised.bag"
    assert bags_cli.result_of(ros2).name == "run.denoised"
