"""``noiseless train`` as a person uses it."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile

pytest.importorskip("torch")

import noiseless
from noiseless.apps.cli import main
from noiseless.apps.cli.training_images import images_of
from noiseless.score import load

SIGMA = 20
FAST = ("--model", "tiny", "--gray", "--steps", "4", "--batch", "2", "--patch", "16")


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    """A working folder with 22 clean images, the same with noise, and a stack of four noisy frames of one scene."""
    rows, columns = np.mgrid[0:40, 0:48]
    for kind in ("clean", "noisy"):
        (tmp_path / kind).mkdir()
    for number in range(22):
        clean = 120 + 60 * np.sin(rows / (3 + number)) * np.cos(columns / 11)
        tifffile.imwrite(tmp_path / "clean" / f"{number:02d}.tif", np.uint8(clean))
        noisy = clean + SIGMA * rng.standard_normal(clean.shape)
        tifffile.imwrite(tmp_path / "noisy" / f"{number:02d}.tif", np.uint8(np.clip(noisy, 0, 255)))
    frames = np.stack([clean + SIGMA * rng.standard_normal(clean.shape) for _ in range(4)])
    tifffile.imwrite(tmp_path / "stack.tif", np.float32(frames), photometric="minisblack")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def test_folders_patterns_and_files_are_taken_together(folder, capfd):
    code, _, err = run(capfd, "train", "clean", "noisy/0*.tif", "stack.tif", "-o", "m.safetensors", *FAST)
    assert code == 0
    assert err.startswith("36 images, ")  # 22, 10, and a stack of 4
    assert load(folder / "m.safetensors").card["images"] == 34  # two are held back


def test_a_zarr_store_gives_a_plane_for_each_channel_and_slice(folder, capfd):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(folder / "two.ome.zarr", mode="w", zarr_format=3)
    axes = [
        {"name": name, "type": kind}
        for name, kind in (("c", "channel"), ("z", "space"), ("y", "space"), ("x", "space"))
    ]
    scales = [{"type": "scale", "scale": [1.0] * 4}]
    datasets = [{"path": "0", "coordinateTransformations": scales}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    pixels = np.random.default_rng(3).integers(0, 2**16, (2, 3, 40, 56), dtype=np.uint16)
    names = {"dimension_names": ["c", "z", "y", "x"]}
    group.create_array("0", shape=pixels.shape, chunks=(1, 1, 40, 40), dtype="uint16", **names)[...] = pixels
    images, levels = images_of(["two.ome.zarr", "clean/00.tif"], "score-matching", channels=1, sigma=655.35)
    assert len(images) == 2 * 3 + 1
    for image, plane in zip(images, pixels.reshape(-1, 40, 56), strict=False):
        np.testing.assert_allclose(image[0], plane / 65535.0, atol=1e-6)
    assert levels == pytest.approx([0.01] * 6 + [655.35 / 255.0])
    code, _, err = run(capfd, "train", "two.ome.zarr", "-o", "m.safetensors", *FAST)
    assert (code, err.splitlines()[0]) == (0, "6 images, 0 megapixels")


def test_noisy_images_are_trained_on_with_sigma_in_the_units_of_the_file(folder, capfd, monkeypatch):
    seen = {}
    monkeypatch.setattr(noiseless.score, "train", lambda images, output, **options: seen.update(options) or _nothing())
    run(capfd, "train", "noisy", "-o", "m.safetensors", *FAST, "--objective", "sure", "-s", SIGMA)
    assert seen["sigma"] == pytest.approx([SIGMA / 255] * 22)
    run(capfd, "train", "noisy", "-o", "m.safetensors", *FAST, "--objective", "sure")
    assert seen["sigma"] is None


def _nothing():
    yield from ()


def test_frames_of_one_scene_are_paired(folder, capfd):
    code, _, err = run(
        capfd, "train", "stack.tif", "-o", "m.safetensors", *FAST, "--objective", "noise2noise", "-s", SIGMA
    )
    assert code == 0
    assert err.startswith("3 images, ")
    code, _, err = run(capfd, "train", "noisy", "-o", "n.safetensors", *FAST, "--objective", "noise2noise")
    assert (code, "TIFF of several pages" in err) == (1, True)


def test_a_recipe_gives_what_the_command_line_does_not(folder, capfd):
    (folder / "own.toml").write_text(
        'model = "tiny"\ncolour = false\nsteps = 3\nbatch = 2\npatch = 16\nclip = 2.5\nhighest-sigma = 51\n'
    )
    assert run(capfd, "train", "clean", "-o", "m.safetensors", "--recipe", "own.toml", "--steps", 5)[0] == 0
    recipe = load(folder / "m.safetensors").card["recipe"]
    assert (recipe["size"], recipe["steps"], recipe["batch"], recipe["clip"]) == ("tiny", 5, 2, 2.5)
    assert recipe["sigma_law"]["high"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [("stepz = 3", "stepz"), ("steps = ", "no TOML"), ("clip = 0.5", "clip is 0.5"), (None, "cannot read the recipe")],
)
def test_a_recipe_that_cannot_be_followed_is_refused(folder, capfd, text, message):
    if text is not None:
        (folder / "bad.toml").write_text(text)
    code, _, err = run(capfd, "train", "clean", "-o", "m.safetensors", "--recipe", "bad.toml")
    assert (code, message in err) == (1, True)
    assert not (folder / "m.safetensors").exists()


def test_the_curve_is_drawn_and_written_as_json(folder, capfd):
    pytest.importorskip("matplotlib")
    code, out, _ = run(capfd, "train", "clean", "-o", "m.safetensors", *FAST, "--plot", "curve.png", "--json")
    assert code == 0
    assert list(json.loads(out.splitlines()[0])["psnr"]) == ["15", "25", "50"]
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = run(capfd, "train", "clean", "-o", "n.safetensors", *FAST, "--plot", "curve.bmp")
    assert (code, ".svg" in err) == (1, True)


def test_a_run_that_is_terminated_is_stored_and_goes_on_to_the_same_weights(folder):
    pytest.importorskip("matplotlib")
    (folder / "own.toml").write_text(
        'model = "tiny"\ncolour = false\nsteps = 60\nbatch = 2\npatch = 16\nvalidate_every = 1\nprecision = "float32"\n'
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "noiseless",
        "train",
        "clean",
        "--recipe",
        "own.toml",
        "--json",
        "--plot",
        "curve.png",
        "-o",
    ]
    straight, broken = [*command, "straight.safetensors"], [*command, "broken.safetensors"]
    assert subprocess.run(straight, check=False, env=environment, stdout=subprocess.DEVNULL).returncode == 0
    (folder / "curve.png").unlink()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(broken, env=environment, **pipes)
    assert json.loads(process.stdout.readline())["step"] == 1
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 143
    assert "goes on from broken.safetensors.resume" in err
    assert (folder / "broken.safetensors.resume").exists()
    assert not (folder / "curve.png").exists()  # or the same command would refuse to replace it
    again = subprocess.run(broken, check=False, env=environment, capture_output=True, text=True)
    assert again.returncode == 0
    stopped = 1 + len(out.splitlines())
    assert json.loads(again.stdout.splitlines()[0])["step"] == stopped + 1
    assert load(folder / "broken.safetensors").digest == load(folder / "straight.safetensors").digest


def test_two_processes_under_torchrun_train_one_network(folder):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "noiseless", "train", "clean", "-o", "m.safetensors", *FAST, "--json"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    last, name = result.stdout.splitlines()
    assert (json.loads(last)["step"], name) == (4, "m.safetensors")
    assert result.stderr.count("22 images") == 1
    card = load(folder / "m.safetensors").card
    assert (card["recipe"]["processes"], card["steps"]) == (2, 4)


def test_the_experts_are_fitted_and_listed(folder, capfd):
    code, out, err = run(capfd, "train", "clean", "-o", "own.safetensors", "--model", "experts", "--steps", 20)
    assert (code, out) == (0, "own.safetensors\n")
    assert err.startswith("22 images, ")
    code, out, _ = run(capfd, "models", "own.safetensors")
    assert code == 0
    assert "density of 8x8 patches, 64 experts" in out
    assert "verified" in out
    noisy, clean = (noiseless.read(folder / kind / "03.tif").pixels for kind in ("noisy", "clean"))
    recipe = noiseless.Recipe(method="experts", model="own.safetensors")
    denoised = noiseless.denoise(noisy[0], sigma=SIGMA / 255, method="experts", model="own.safetensors")[None]
    np.testing.assert_allclose(denoised, recipe.build_denoiser()(noisy, SIGMA / 255), atol=1e-6)
    assert np.abs(denoised - noiseless.denoise(noisy[0], sigma=SIGMA / 255, method="experts")).max() > 1e-4
    assert np.mean((denoised - clean) ** 2) < np.mean((noisy - clean) ** 2) / 2
    capfd.readouterr()
    code, _, err = run(capfd, "models", "clean/00.tif")
    assert (code, "not a safetensors file" in err) == (1, True)
