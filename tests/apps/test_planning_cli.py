"""``noiseless denoise --dry-run`` and ``--save-recipe``."""

import json

import numpy as np
import pytest

import noiseless

PIXELS = (128 + 20 * np.random.default_rng(0).standard_normal((48, 64))).clip(0, 255).astype(np.uint8)


@pytest.fixture
def folder(scans):
    return scans(PIXELS)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(folder, run):
    before = files(folder)
    code, out, err = run("denoise", "scans", "scan.png", "-o", "clean", "-m", "heat", "--dry-run")
    assert code == 0
    assert out.splitlines() == [
        "scans/a.png -> clean/a.png: PNG",
        "scans/b.tif -> clean/b.tif: TIFF",
        "scan.png -> clean/scan.png: PNG",
    ]
    assert err == "3 of 3 would be denoised by method heat, noise to be found; nothing is written\n"
    assert files(folder) == before


def test_a_dry_run_tells_what_would_fail(folder, run):
    (folder / "scans" / "c.png").write_text("no picture")
    code, out, err = run("denoise", "scans", "-o", "clean", "-s", 20, "--dry-run", "--json")
    assert code == 3
    planned = [json.loads(line) for line in out.splitlines()]
    assert ["error" in plan for plan in planned] == [False, False, True]
    assert planned[0] == {
        "input": "scans/a.png", "output": "clean/a.png", "also": [], "exists": False, "kind": "PNG",
    }  # fmt: skip
    assert "is not a PNG file" in planned[2]["error"]
    code, _, err = run("denoise", "missing.png", "--dry-run")
    assert code == 1
    assert "does not exist" in err


def test_a_dry_run_refuses_what_the_run_would_refuse(folder, run):
    noiseless.write(noiseless.from_array(PIXELS), "scan.denoised.png")
    code, _, err = run("denoise", "scan.png", "--dry-run")
    assert (code, err.count("\n")) == (1, 1)
    assert "exists; replace it with --force" in err
    code, out, _ = run("denoise", "scan.png", "--dry-run", "--force")
    assert (code, out) == (0, "scan.png -> scan.denoised.png (exists): PNG\n")


@pytest.mark.parametrize(
    ("options", "recipe", "noise"),
    [
        (("-m", "heat", "-s", 20), noiseless.Recipe("heat"), noiseless.noise.Gaussian(20.0)),
        (("--strength", 0.5, "--noise", "rician"), noiseless.Recipe(strength=0.5), "rician"),
        (("--preset", "ct", "--seed", 3), noiseless.Recipe(bound=3.0, seed=3), "tomography"),
        (("--error", "error.tif"), noiseless.Recipe(), None),
    ],
)
def test_a_saved_recipe_says_what_the_options_said(folder, run, options, recipe, noise):
    assert run("denoise", "scan.png", *options, "--save-recipe", "mine.toml", "--dry-run")[0] == 0
    assert not (folder / "mine.toml").exists()
    assert run("denoise", "scan.png", *options, "--save-recipe", "mine.toml")[0] == 0
    read = noiseless.restoration.read_recipe("mine.toml")
    assert read.recipe == recipe
    assert read.noise == noise


def test_a_run_by_the_saved_recipe_gives_the_same_bytes(folder, run):
    options = ("-m", "perona-malik", "-s", 20, "--strength", 0.8)
    assert run("denoise", "scan.png", *options, "--save-recipe", "mine.toml")[0] == 0
    assert run("denoise", "scan.png", "-o", "again.png", "--recipe", "mine.toml")[0] == 0
    first, again = (noiseless.read(name).stored() for name in ("scan.denoised.png", "again.png"))
    np.testing.assert_array_equal(first, again)


def test_a_recipe_replaces_nothing(folder, run):
    (folder / "mine.toml").write_text("precious")
    code, _, err = run("denoise", "scan.png", "--save-recipe", "mine.toml")
    assert (code, err.count("\n")) == (1, 1)
    assert (folder / "mine.toml").read_text() == "precious"
    assert not (folder / "scan.denoised.png").exists()
    code, _, err = run("denoise", "scan.png", "--save-recipe", "scan.png", "--force")
    assert (code, err.count("\n")) == (1, 1)
    assert "is an image of the run" in err
