"""What the command line says and does about noise: simulation, estimation and removal by kind."""

import json

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import main

SIGMA = 15


@pytest.fixture
def clean():
    rows, columns = np.mgrid[0:128, 0:160]
    return np.uint8(np.rint(110 + 40 * np.sin(rows / 17) * np.cos(columns / 23) + 30 * (columns > 80)))


@pytest.fixture
def folder(tmp_path, clean, rng, monkeypatch):
    """A working folder with clean.png, dark.png and noisy.png."""
    Image.fromarray(clean).save(tmp_path / "clean.png")
    Image.fromarray(np.full((64, 80), 5, np.uint8)).save(tmp_path / "dark.png")
    noisy = np.rint(clean + SIGMA * rng.standard_normal(clean.shape))
    Image.fromarray(np.uint8(np.clip(noisy, 0, 255))).save(tmp_path / "noisy.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    """Exit code, standard output and standard error of one command."""
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize(
    "words",
    [
        "rician:sigma=10",
        "poisson:gain=2",
        "speckle:looks=20",
        "correlated:sigma=10,width=1",
        "camera:gain=0.005,sigma=0.01",
        "gaussian:5+stripes:stripe=3",
        "poisson-gaussian:gain=0.5,sigma=2+hot-pixels:density=0.01",
    ],
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_noise_writes_what_it_did_into_the_file(folder, capfd, clean, words, suffix):
    code, out, _ = run(capfd, "noise", "clean.png", "-o", f"out.{suffix}", "--noise", words, "--seed", 7)
    assert code == 0
    (line,) = noiseless.files.history(noiseless.read(folder / f"out.{suffix}"))
    said, _, seed = line.removeprefix(f"noiseless {noiseless.__version__}: added noise ").rpartition(", seed ")
    # what is written can be read as the same law, and so be repeated
    assert noiseless.noise.parse_noise(said) == noiseless.noise.parse_noise(words)
    assert seed == "7"
    assert said in out
    assert (pixels(f"out.{suffix}") != clean).mean() > 0.5


def test_the_history_grows_by_a_line_each_time(folder, capfd):
    run(capfd, "noise", "clean.png", "-o", "a.png", "--noise", "gaussian:3")
    run(capfd, "noise", "a.png", "-o", "b.png", "--noise", "rician:sigma=2")
    first, second = noiseless.files.history(noiseless.read(folder / "b.png"))
    assert "gaussian:sigma=3.0" in first
    assert "rician:sigma=2.0" in second


def test_floats_are_neither_rounded_nor_clipped(folder, capfd):
    code, _, err = run(capfd, "noise", "dark.png", "-o", "out.tif", "--noise", "gaussian:50", "--float")
    assert code == 0
    assert err == ""
    written = noiseless.read(folder / "out.tif").in_stored_units()[0]
    assert noiseless.read(folder / "out.tif").stored_dtype == "float32"
    added = written - 5.0
    assert (written < 0).mean() > 0.3
    # 4 standard errors of a mean and of a standard deviation; clipped at 0 the mean would be 18 higher
    assert abs(added.mean()) < 4 * 50 / added.size**0.5
    assert added.std() == pytest.approx(50, rel=4 / (2 * added.size) ** 0.5)
    assert (written != np.rint(written)).any()


def test_clipping_is_told_with_its_share(folder, capfd):
    code, _, err = run(capfd, "noise", "dark.png", "-o", "out.png", "--noise", "gaussian:50")
    assert code == 0
    assert "clipped" in err
    share = float(err.split("warning: ")[1].split(" %")[0])
    # Clipped are values below -0.51, 5.5 of 50 below the mean: 45.6 %; 4 standard errors of a share
    assert abs(share - 45.6) < 100 * 4 * (0.25 / 5120) ** 0.5 + 0.1


def test_noise_that_fits_the_file_is_not_warned_about(folder, capfd):
    assert run(capfd, "noise", "clean.png", "-o", "out.png", "--noise", "gaussian:5")[2] == ""


@pytest.mark.parametrize("verb", ["noise", "denoise"])
@pytest.mark.parametrize(
    ("words", "meant"), [("ricean:sigma=5", "rician"), ("poison:2", "poisson"), ("speckel:looks=3", "speckle")]
)
def test_an_unknown_kind_suggests_the_nearest(folder, capfd, verb, words, meant):
    code, out, err = run(capfd, verb, "clean.png", "-o", "out.png", "--noise", words)
    assert code == 1
    assert f"did you mean '{meant}'" in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (folder / "out.png").exists()


def test_a_missing_number_is_asked_for_by_its_name(folder, capfd):
    code, _, err = run(capfd, "noise", "clean.png", "-o", "out.png", "--noise", "rician")
    assert code == 1
    assert "lacks sigma" in err


def test_estimate_tells_kind_parameters_and_trust(folder, capfd):
    code, out, _ = run(capfd, "estimate", "noisy.png", "--json")
    assert code == 0
    told = json.loads(out)
    assert {"input", "noise", "parameters", "confidence", "trust", "reason", "warnings"} <= set(told)
    assert told["input"] == "noisy.png"
    assert told["noise"] == "gaussian"
    assert told["parameters"]["sigma"] == pytest.approx(SIGMA, rel=0.1)  # as test_cli asks of estimates
    assert 0 < told["confidence"] <= 1
    assert told["trust"] in {"high", "moderate", "low"}
    assert isinstance(told["reason"], str)
    assert isinstance(told["warnings"], list)
    assert told["reason"] in run(capfd, "estimate", "noisy.png")[1]


def test_the_map_holds_sigma_at_every_pixel(folder, capfd, clean):
    assert run(capfd, "estimate", "noisy.png", "--map", "out.tif")[0] == 0
    written = noiseless.read(folder / "out.tif")
    assert written.stored_dtype == "float32"
    level = written.in_stored_units()
    assert level.shape == (1, *clean.shape)
    assert np.isfinite(level).all()
    # 10 % is what test_cli asks of one sigma for the image; a local one of 100 pixels has a standard error of 7 %, its
    # median over the image much less.
    assert np.median(level) == pytest.approx(SIGMA, rel=0.1)


def test_the_map_follows_noise_that_is_stronger_on_one_side(folder, capfd, clean, rng):
    level = np.where(np.arange(160) < 80, 5, 25)
    Image.fromarray(np.uint8(np.clip(np.rint(clean + level * rng.standard_normal(clean.shape)), 0, 255))).save(
        "two.png"
    )
    assert run(capfd, "estimate", "two.png", "--map", "out.tif")[0] == 0
    found = noiseless.read(folder / "out.tif").in_stored_units()[0]
    assert np.median(found[:, :40]) < 0.5 * np.median(found[:, -40:])


def test_a_map_that_exists_is_not_replaced_without_force(folder, capfd):
    (folder / "out.tif").write_bytes(b"mine")
    code, _, err = run(capfd, "estimate", "noisy.png", "--map", "out.tif")
    assert code == 1
    assert "--force" in err
    assert (folder / "out.tif").read_bytes() == b"mine"
    assert run(capfd, "estimate", "noisy.png", "--map", "out.tif", "--force")[0] == 0
    assert noiseless.read(folder / "out.tif").stored_dtype == "float32"


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_plot_is_a_picture(folder, capfd, mode):
    pytest.importorskip("matplotlib")
    Image.open("noisy.png").convert(mode).save("in.png")
    code, out, _ = run(capfd, "estimate", "in.png", "--plot", "out.png")
    assert code == 0
    assert "in.png: " in out
    with Image.open("out.png") as drawn:
        assert drawn.format == "PNG"
        assert drawn.size == (1560, 504)  # 13 by 4.2 inches of 120 dots
        assert np.asarray(drawn.convert("L")).std() > 10


def test_a_plot_of_an_unknown_kind_is_refused(folder, capfd):
    pytest.importorskip("matplotlib")
    code, _, err = run(capfd, "estimate", "noisy.png", "--plot", "out.gif")
    assert code == 1
    assert ".svg" in err
    assert not (folder / "out.gif").exists()


@pytest.mark.parametrize("option", ["--plot", "--map"])
def test_one_plot_or_map_of_two_inputs_is_refused(folder, capfd, option):
    code, out, err = run(capfd, "estimate", "noisy.png", "clean.png", option, "out.png")
    assert code == 1
    assert "one image, not 2" in err
    assert out == ""
    assert not (folder / "out.png").exists()


def test_denoise_removes_the_noise_it_is_told_of_and_names_it(folder, capfd, clean):
    words = "poisson-gaussian:gain=2,sigma=5"
    assert run(capfd, "noise", "clean.png", "-o", "in.png", "--noise", words)[0] == 0
    code, out, err = run(capfd, "denoise", "in.png", "-o", "out.png", "--noise", words, "-m", "perona-malik")
    assert code == 0
    assert "out.png: poisson-gaussian, gain 2, sigma 5" in out
    assert err == ""
    assert noiseless.psnr(pixels("out.png"), clean) > noiseless.psnr(pixels("in.png"), clean) + 6
    command = ("denoise", "in.png", "-o", "again.png", "--noise", words, "-m", "perona-malik", "--json")
    report = json.loads(run(capfd, *command)[1])
    assert report["noise"] == "poisson-gaussian"
    assert report["parameters"] == {"gain": 2.0, "sigma": 5.0, "offset": 0.0}
    np.testing.assert_array_equal(pixels("again.png"), pixels("out.png"))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("rician:sigma=15", "rician, sigma 15"),
        ("correlated:sigma=15,width=1", "correlated, sigma 15"),
        ("salt-and-pepper:density=0.1", "salt-and-pepper, density 0.1"),
        ("gaussian:10+hot-pixels:density=0.01", "gaussian + hot-pixels, sigma 10, density 0.01"),
    ],
)
def test_every_sort_of_noise_can_be_named_to_denoise(folder, capfd, clean, words, named):
    run(capfd, "noise", "clean.png", "-o", "in.png", "--noise", words)
    code, out, _ = run(capfd, "denoise", "in.png", "-o", "out.png", "--noise", words, "-m", "perona-malik")
    assert code == 0
    assert named in out
    assert noiseless.psnr(pixels("out.png"), clean) > noiseless.psnr(pixels("in.png"), clean) + 6
