"""What ``noiseless denoise`` writes beside the result: errors, samples, a picture; and presets."""

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import main


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    rows, columns = np.mgrid[0:48, 0:56]
    clean = 110 + 60 * np.sin(rows / 9) * np.cos(columns / 7)
    for name in ("a.png", "b.png"):
        noisy = np.clip(np.rint(clean + 20 * rng.standard_normal(clean.shape)), 0, 255)
        Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def denoise(capfd, *arguments):
    code = main(["denoise", *map(str, arguments)])
    return code, *capfd.readouterr()


def test_error_and_samples_are_files_and_equal_the_python_call(folder, capfd):
    options = ("--sigma", 20, "--error", "error.tif", "--samples", 2, "--steps", 4, "--seed", 1)
    assert denoise(capfd, "a.png", "-o", "out.png", *options)[0] == 0
    recipe = noiseless.Recipe(samples=2, steps=4, seed=1, error=True)
    restored = noiseless.restore(np.asarray(Image.open(folder / "a.png")), recipe, sigma=20.0)
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "out.png")), restored.image)
    for number in (1, 2):
        sample = np.asarray(Image.open(folder / f"out.sample{number}.png"))
        np.testing.assert_array_equal(sample, restored.samples[number - 1])
    error = noiseless.read(folder / "error.tif").stored()
    assert error.dtype == np.float32
    np.testing.assert_array_equal(error[0], restored.error.half68)


@pytest.mark.parametrize("samples", [0, 7])
def test_the_picture_is_drawn_with_and_without_samples(folder, capfd, samples):
    options = ("--samples", samples, "--steps", 2) if samples else ()
    assert denoise(capfd, "a.png", "-o", "out.png", "-s", 20, "--plot", "picture.png", *options)[0] == 0
    assert np.asarray(Image.open(folder / "picture.png")).std() > 10


def test_a_preset_bounds_the_change_and_an_option_goes_before_it(folder, capfd):
    before = np.asarray(Image.open(folder / "a.png")).astype(float)
    for options, most in ((("--preset", "ct"), 60), (("--preset", "ct", "--bound", 0.5), 10)):
        assert denoise(capfd, "a.png", "-o", "out.png", "-s", 20, "--force", *options)[0] == 0
        moved = np.abs(np.asarray(Image.open(folder / "out.png")) - before).max()
        assert moved <= most + 0.5  # rounding to whole numbers
    assert moved > 9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a.png", "--samples", "3", "--steps", "5"), "give sigma or noise"),
        (("a.png", "-s", "20", "--samples", "3"), "steps is 1"),
        (("a.png", "-s", "20", "--steps", "0"), "steps is 0"),
        (("a.png", "-s", "20", "--error", "error.png"), "must end in .tif"),
        (("a.png", "b.png", "-s", "20", "--error", "e.tif"), "--error names one file"),
        (("a.png", "b.png", "-s", "20", "--plot", "e.png"), "--plot names one file"),
        (("a.png", "-s", "20", "--error", "a.png"), "must end in .tif"),
        (("a.png", "-o", "x.tif", "-s", "20", "--error", "x.tif"), "two results"),
        (("a.png", "-s", "20", "--preset", "cd"), "did you mean 'ct'"),
        (("a.png", "-s", "20", "--plot", "picture.bmp"), "cannot draw"),
        (("-", "-s", "20", "--samples", "3", "--steps", "5"), "standard output is none"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(folder, capfd, arguments, words):
    before = sorted(folder.iterdir())
    code, _, err = denoise(capfd, *arguments)
    assert code in (1, 2)
    assert words in err
    assert sorted(folder.iterdir()) == before
