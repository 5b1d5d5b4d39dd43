"""``noiseless tune``, and what ``denoise --recipe`` makes of it."""

import json

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import main


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    rows, columns = np.mgrid[0:64, 0:72]
    clean = 110 + 60 * np.sin(rows / 9) * np.cos(columns / 7)
    for name in ("a.png", "b.png", "c.png"):
        noisy = np.clip(np.rint(clean + 20 * rng.standard_normal(clean.shape)), 0, 255)
        Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main(list(map(str, arguments)))
    return code, *capfd.readouterr()


def test_denoise_takes_the_recipe_and_options_go_before_it(folder, capfd):
    options = ("-m", "heat:time=9", "-p", "time=0.2..20", "-s", 20, "-o", "r.toml", "--plot", "r.png")
    code, out, _ = run(capfd, "tune", "a.png", *options)
    assert code == 0
    assert out.startswith("heat:time=9: time ")
    assert "gain on the image itself: +" in out
    assert np.asarray(Image.open(folder / "r.png")).std() > 10
    recipe = noiseless.restoration.read_recipe("r.toml")
    assert recipe.noise == noiseless.noise.Gaussian(20.0)
    assert run(capfd, "denoise", "a.png", "-o", "out.png", "--recipe", "r.toml")[0] == 0
    noisy = np.asarray(Image.open(folder / "a.png"))
    expected = noiseless.restore(noisy, recipe.recipe, sigma=20.0).image
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "out.png")), expected)
    assert run(capfd, "denoise", "a.png", "-o", "out.png", "--recipe", "r.toml", "--strength", 0, "--force")[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "out.png")), noisy)


def test_a_folder_is_cross_validated_and_told_to_machines(folder, capfd):
    code, out, _ = run(capfd, "tune", folder, "-m", "heat:time=9", "-p", "time=0.5,1,9", "-s", 20, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["images"] == 3
    assert told["cross_validated"]
    assert told["gain_db"] > 0
    assert [trial.get("time") for trial in told["trials"]] == [None, 0.5, 1, 9]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a.png", "-p", "time=2..x"), "names no range"),
        (("a.png", "-p", "time"), "is no parameter"),
        (("a.png", "-p", "=1,2"), "is no parameter"),
        (("a.png", "-m", "heat", "-p", "size=1..2"), "no parameter 'size'"),
        (("a.png", "-o", "b.png"), "exists; replace it with --force"),
        (("a.png", "-s", "20", "--noise", "poisson:gain=2"), "contradict"),
        (("none.png",), "none.png"),
    ],
)
def test_mistakes_are_one_line(folder, capfd, arguments, words):
    code, out, err = run(capfd, "tune", *arguments)
    assert code == 1
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


def test_a_recipe_that_is_none_is_refused(folder, capfd):
    (folder / "r.toml").write_text("strength = 'much'", encoding="utf-8")
    code, _, err = run(capfd, "denoise", "a.png", "-o", "out.png", "--recipe", "r.toml")
    assert code == 1
    assert "strength in the recipe" in err
    assert not (folder / "out.png").exists()
    code, _, err = run(capfd, "denoise", "a.png", "-o", "out.png", "--recipe", "r.toml", "--preset", "ct")
    assert "give one of them" in err
