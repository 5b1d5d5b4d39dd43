"""The command line as a person uses it, in-process."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import main

SIGMA = 20
VERBS = "denoise estimate noise diffuse compare train models export info doctor demo bench".split()  # noqa: SIM905


@pytest.fixture
def clean():
    rows, columns = np.mgrid[0:96, 0:120]
    return np.uint8(np.rint(110 + 60 * np.sin(rows / 17) * np.cos(columns / 23) + 30 * (columns > 60)))


@pytest.fixture
def noisy(clean, rng):
    return np.uint8(np.clip(np.rint(clean + SIGMA * rng.standard_normal(clean.shape)), 0, 255))


@pytest.fixture
def folder(tmp_path, clean, noisy, monkeypatch):
    """A working folder with clean.png, noisy.png and a colour photo.jpg."""
    Image.fromarray(clean).save(tmp_path / "clean.png")
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    Image.fromarray(np.stack([noisy, noisy[::-1], noisy], axis=-1)).save(tmp_path / "photo.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    """Exit code, standard output and standard error of one command."""
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def shown_in(folder):
    """The names in a folder that are not hidden."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def pixels(path):
    return np.asarray(Image.open(path))


def test_denoise_writes_the_same_kind_beside_the_input(folder, capfd, clean, noisy):
    code, out, err = run(capfd, "denoise", "noisy.png")
    assert code == 0
    assert "noisy.denoised.png: gaussian, sigma" in out
    result = pixels(folder / "noisy.denoised.png")
    assert result.dtype == np.uint8
    assert noiseless.psnr(result, clean) > noiseless.psnr(noisy, clean) + 6
    assert err == ""


def test_denoise_predicts_how_good_it_is(folder, capfd, clean):
    code, out, err = run(capfd, "denoise", "noisy.png", "--sigma", SIGMA, "--predict", "-o", "a.png")
    assert code == 0
    likely, low, high = (float(number) for number in re.findall(r"([\d.]+) dB", err))
    assert low < likely < high
    assert low < noiseless.psnr(pixels("a.png"), clean) < high
    _, out, _ = run(capfd, "denoise", "noisy.png", "--sigma", SIGMA, "--predict", "-o", "b.png", "--json")
    assert json.loads(out)["audit"]["predicted_psnr"] == pytest.approx(likely, abs=0.005)


def test_denoise_equals_the_python_call(folder, capfd, noisy):
    run(capfd, "denoise", "noisy.png", "-o", "out.png", "--sigma", SIGMA)
    np.testing.assert_array_equal(pixels(folder / "out.png"), noiseless.denoise(noisy, sigma=SIGMA))
    run(capfd, "denoise", "noisy.png", "-o", "two.png", "--noise", f"gaussian:{SIGMA}")
    np.testing.assert_array_equal(pixels(folder / "two.png"), pixels(folder / "out.png"))


@pytest.mark.parametrize("method", ["heat", "perona-malik", "score"])
def test_every_method_can_be_named(folder, capfd, method, clean, noisy):
    assert run(capfd, "denoise", "noisy.png", "-o", "out.png", "-s", SIGMA, "-m", method)[0] == 0
    assert noiseless.psnr(pixels(folder / "out.png"), clean) > noiseless.psnr(noisy, clean) + 3


def test_json_is_one_object_a_line(folder, capfd):
    code, out, _ = run(capfd, "denoise", "noisy.png", "photo.jpg", "-o", "results", "--json")
    assert code == 0
    reports = [json.loads(line) for line in out.splitlines()]
    assert [report["input"] for report in reports] == ["noisy.png", "photo.jpg"]
    assert abs(reports[0]["sigma"] - SIGMA) < 0.1 * SIGMA
    assert (folder / "results" / "photo.jpg").exists()


def test_a_folder_and_a_pattern_name_their_images(folder, capfd):
    assert run(capfd, "denoise", ".", "-o", "a", "-s", 5)[0] == 0
    assert shown_in("a") == ["clean.png", "manifest.jsonl", "noisy.png", "photo.jpg"]
    assert run(capfd, "denoise", "*.png", "-o", "b", "-s", 5)[0] == 0
    assert shown_in("b") == ["clean.png", "manifest.jsonl", "noisy.png"]


def test_a_batch_goes_past_a_bad_file_and_says_so(folder, capfd):
    (folder / "bad.png").write_bytes(b"not a picture")
    code, out, err = run(capfd, "denoise", "bad.png", "noisy.png", "-o", "results", "-s", SIGMA)
    assert code == 3
    assert "noisy.png" in out
    assert "bad.png" in err
    assert "1 of 2 inputs failed" in err
    assert shown_in("results") == ["manifest.jsonl", "noisy.png"]


def test_standard_input_goes_to_standard_output(folder):
    command = [sys.executable, "-m", "noiseless", "denoise", "-", "-s", str(SIGMA)]
    finished = subprocess.run(command, input=(folder / "noisy.png").read_bytes(), capture_output=True, check=True)
    (folder / "piped.png").write_bytes(finished.stdout)
    np.testing.assert_array_equal(
        pixels(folder / "piped.png"), noiseless.denoise(pixels(folder / "noisy.png"), sigma=SIGMA)
    )


def test_estimate_tells_sigma_and_confidence(folder, capfd):
    code, out, _ = run(capfd, "estimate", "noisy.png")
    assert code == 0
    assert re.search(r"noisy.png: gaussian, sigma [\d.]+, confidence 0\.\d+ \(high\)", out)
    _, out, _ = run(capfd, "estimate", "noisy.png", "--json")
    assert abs(json.loads(out)["sigma"] - SIGMA) < 0.1 * SIGMA


def test_noise_adds_what_it_says_and_the_seed_repeats_it(folder, capfd, clean):
    assert run(capfd, "noise", "clean.png", "-o", "a.png", "--noise", "gaussian:10", "--seed", 4)[0] == 0
    assert run(capfd, "noise", "clean.png", "-o", "b.png", "--noise", "gaussian:10", "--seed", 4)[0] == 0
    assert run(capfd, "noise", "clean.png", "-o", "c.png", "--noise", "gaussian:10", "--seed", 5)[0] == 0
    added = pixels("a.png").astype(float) - clean
    # rounding adds 1/12; a variance over n pixels has the relative standard error sqrt(2 / n)
    expected = 100 + 1 / 12
    assert abs(added.var() - expected) < 4 * expected * (2 / added.size) ** 0.5
    np.testing.assert_array_equal(pixels("a.png"), pixels("b.png"))
    assert (pixels("a.png") != pixels("c.png")).any()


def test_diffuse_smooths_by_time_or_by_sigma(folder, capfd, noisy):
    assert run(capfd, "diffuse", "noisy.png", "-o", "heat.png", "-k", "heat", "--time", 2)[0] == 0
    assert run(capfd, "diffuse", "noisy.png", "-o", "pm.png")[0] == 0
    for name in ("heat.png", "pm.png"):
        smooth = pixels(name).astype(float)
        assert np.abs(np.diff(smooth, axis=0)).mean() < 0.5 * np.abs(np.diff(noisy.astype(float), axis=0)).mean()
        assert abs(smooth.mean() - noisy.mean()) < 0.5  # diffusion keeps the mean; rounding does not move it far


def test_compare_prints_psnr_and_ssim(folder, capfd, clean, noisy):
    _, out, _ = run(capfd, "compare", "clean.png", "noisy.png", "clean.png", "--json")
    first, second = map(json.loads, out.splitlines())
    assert first["psnr"] == pytest.approx(noiseless.psnr(noisy, clean), abs=1e-4)
    assert second["ssim"] == pytest.approx(1.0)
    assert second["psnr"] is None  # infinite


def test_info_names_what_a_file_holds(folder, capfd):
    _, out, _ = run(capfd, "info", "photo.jpg", "--json")
    fields = json.loads(out)
    assert fields["format"] == "JPEG"
    assert fields["shape"] == [3, 96, 120]


def test_models_shows_the_cards(capfd):
    _, out, _ = run(capfd, "models")
    assert "base-gray" in out
    assert "base-colour" in out
    assert "licence not stated" not in out


def test_doctor_finds_a_healthy_installation(capfd):
    code, out, _ = run(capfd, "doctor")
    assert code == 0
    assert "all is well" in out


def test_demo_writes_a_picture_of_all_steps(folder, capfd):
    code, out, _ = run(capfd, "demo", "photo.jpg", "-o", "demo.png", "--steps", 2)
    assert code == 0
    for step in ("1 noise", "2 diffusion", "3 score", "4 generation"):
        assert step in out
    assert pixels("demo.png").shape[1] == 3 * 120
    psnr = [float(line[32:41]) for line in out.splitlines() if re.match(r"\d ", line)]
    assert psnr[0] < psnr[1] < psnr[2]


def test_bench_prints_a_table(folder, capfd):
    (folder / "sets" / "mine").mkdir(parents=True)
    (folder / "clean.png").rename(folder / "sets" / "mine" / "clean.png")
    code, out, _ = run(capfd, "bench", "sets", "--sets", "mine", "--sigmas", "25", "--methods", "heat,score", "--json")
    assert code == 0
    heat, score = (json.loads(line) for line in out.splitlines())
    assert 25 < heat["psnr"] < score["psnr"] < 45
    assert score["seconds"] > 0


def test_train_writes_a_model_that_denoise_takes(folder, capfd):
    pytest.importorskip("torch")
    command = ("train", ".", "-o", "own.safetensors", "--model", "tiny", "--gray", "--steps", 3, "--batch", 1)
    assert run(capfd, *command, "--patch", 16)[0] == 0
    assert run(capfd, "denoise", "noisy.png", "--model", "own.safetensors", "-s", SIGMA, "-o", "own.png")[0] == 0
    code, _, err = run(capfd, *command)
    assert (code, "exists" in err) == (1, True)


def test_version_and_help(capfd):
    assert run(capfd, "--version")[1] == f"noiseless {noiseless.__version__}\n"
    code, out, _ = run(capfd, "--help")
    assert code == 0
    for verb in [
        "denoise",
        "estimate",
        "noise",
        "diffuse",
        "compare",
        "train",
        "models",
        "export",
        "info",
        "doctor",
        "demo",
        "bench",
    ]:
        assert f"  {verb} " in out


BAD = {
    "missing file": (["denoise", "absent.png"], 1, "absent.png"),
    "directory without images": (["denoise", "empty"], 1, "empty"),
    "directory to estimate": (["estimate", "empty"], 1, "empty"),
    "zero bytes": (["denoise", "zero.png"], 1, "zero.png"),
    "truncated PNG": (["denoise", "cut.png"], 1, "cut.png"),
    "truncated JPEG": (["denoise", "cut.jpg"], 1, "cut.jpg"),
    "truncated TIFF": (["denoise", "cut.tif"], 1, "cut.tif"),
    "NaN pixels": (["denoise", "nan.tif"], 1, "NaN"),
    "one pixel": (["denoise", "one.png"], 1, "give sigma"),
    "negative sigma": (["denoise", "noisy.png", "--sigma", "-3"], 1, "-3"),
    "sigma that is no number": (["denoise", "noisy.png", "--sigma", "much"], 2, "--sigma"),
    "unknown method": (["denoise", "noisy.png", "-m", "perona-malk"], 1, "did you mean 'perona-malik'"),
    "unknown model": (["denoise", "noisy.png", "--model", "bsae"], 1, "did you mean 'base'"),
    "unknown noise": (["denoise", "noisy.png", "--noise", "gausian:3"], 1, "did you mean 'gaussian'"),
    "unknown option": (["denoise", "noisy.png", "--sigmaa", "3"], 2, "--sigma"),
    "unknown verb": (["denoize", "noisy.png"], 2, "denoise"),
    "sigma twice": (["denoise", "noisy.png", "-s", "3", "--noise", "gaussian:3"], 1, "one of them"),
    "output exists": (["denoise", "noisy.png", "-o", "clean.png"], 1, "--force"),
    "output is the input": (["denoise", "noisy.png", "-o", "noisy.png", "--force"], 1, "overwrite itself"),
    "unknown suffix": (["denoise", "noisy.png", "-o", "out.xyz", "-s", "3"], 1, ".png"),
    "folder that cannot be written": (["denoise", "noisy.png", "-o", "clean.png/out.png", "-s", "3"], 1, "clean.png"),
    "folder that is missing": (["denoise", "noisy.png", "-o", "no/where/out.png", "-s", "3"], 1, "no/where"),
    "many inputs to one file": (["denoise", "noisy.png", "photo.jpg", "-o", "clean.png"], 1, "folder"),
    "corrupt checkpoint": (["denoise", "noisy.png", "-s", "3", "--model", "bad.safetensors"], 1, "bad.safetensors"),
    "missing checkpoint": (["denoise", "noisy.png", "-s", "3", "--model", "no.safetensors"], 1, "no.safetensors"),
    "images of two sizes": (["compare", "clean.png", "one.png"], 1, "shape"),
    "folder to train on": (["train", "empty", "-o", "m.safetensors"], 1, "empty"),
    "bench without sets": (["bench", "empty"], 1, "Set12"),
    "photograph that is none": (["demo", "zero.png", "-o", "d.png"], 1, "zero.png"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line(folder, capfd, case, noisy):
    tifffile = pytest.importorskip("tifffile")
    (folder / "empty").mkdir()
    (folder / "zero.png").touch()
    tifffile.imwrite(folder / "whole.tif", noisy)
    for name, source in (("cut.png", "noisy.png"), ("cut.jpg", "photo.jpg"), ("cut.tif", "whole.tif")):
        content = (folder / source).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    tifffile.imwrite(folder / "nan.tif", np.full((20, 20), np.nan, np.float32))
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(folder / "one.png")
    (folder / "bad.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00not json")
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    arguments, exit_code, words = BAD[case]
    code, out, err = run(capfd, *arguments)
    assert code == exit_code
    assert words in err
    assert out == ""
    assert "Traceback" not in err
    if exit_code == 1:
        assert err.count("\n") == 1
    after = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    assert after == before, "nothing lost, nothing half-written"
