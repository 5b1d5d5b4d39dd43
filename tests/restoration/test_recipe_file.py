import math

import numpy as np
import pytest

from noiseless.errors import InvalidParameter, UnknownName, UnreadableFile
from noiseless.noise import Gaussian, PoissonGaussian, Rician
from noiseless.restoration import PRESETS, Recipe, read_recipe, recipe_text, restore


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe("non-local-means:patch=7,tolerance=2.5", strength=1.25, tile=256),
        Recipe("ensemble", members=("score", "heat:time=2")),
        Recipe(samples=4, steps=10, seed=3, error=True, bound=3.0),
        *(preset.recipe for preset in PRESETS.values()),
    ],
)
@pytest.mark.parametrize("noise", [None, Gaussian(12.5), PoissonGaussian(0.5, 2.0)])
def test_what_is_written_is_read(tmp_path, recipe, noise):
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_text(recipe, noise, {"trials": [{"time": 2.0, "risk": 0.1}]}), encoding="utf-8")
    read = read_recipe(path)
    assert read.recipe == recipe
    assert read.noise == noise


def test_only_what_is_not_as_usual_is_written():
    text = recipe_text(Recipe("heat", strength=0.5))
    assert "strength = 0.5" in text
    assert "tile" not in text


def test_a_person_may_write_whole_numbers(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("strength = 1\nbound = 3\n", encoding="utf-8")
    assert read_recipe(path).recipe == Recipe(strength=1.0, bound=3.0)
    path.write_text("bound = inf\n", encoding="utf-8")
    assert math.isinf(read_recipe(path).recipe.bound)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("strenght = 1.0", "has 'strenght'; it may have method"),
        ("strength = 'much'", "strength in the recipe .* is 'much'; it is a number"),
        ("steps = 2.5", "it is a whole number"),
        ("predict = 1", "it is true or false"),
        ("method = 3", "it is text"),
        ("members = 3", "it is a list of text"),
        ("noise = 25", "write .gaussian:sigma=25."),
        ("strength = 9.0", "strength is 9"),
    ],
)
def test_mistakes_are_named(tmp_path, text, words):
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidParameter, match=words):
        read_recipe(path)


def test_what_is_no_recipe_is_refused(tmp_path):
    path = tmp_path / "recipe.toml"
    with pytest.raises(UnreadableFile, match="cannot read the recipe"):
        read_recipe(path)
    path.write_bytes(b"method = \xff")
    with pytest.raises(UnreadableFile, match="no TOML"):
        read_recipe(path)
    path.write_text("method = 'heta'", encoding="utf-8")
    with pytest.raises(UnknownName, match="did you mean 'heat'"):
        read_recipe(path)


def test_noise_may_be_a_kind_whose_parameters_are_found(tmp_path, rng):
    path = tmp_path / "recipe.toml"
    path.write_text('noise = "rician"\n', encoding="utf-8")
    read = read_recipe(path)
    assert read.noise == "rician"
    clean = 60.0 + 40.0 * np.sin(np.mgrid[0:96, 0:96][0] / 9)
    clean[:, :40] = 0.0
    noisy = Rician(8.0).sample(clean[np.newaxis], rng)[0]
    restored = restore(noisy, read.recipe, noise=read.noise)
    assert isinstance(restored.noise.model, Rician)
    assert restored.noise.confidence < 1.0  # found, and not told
    # Air is 1.25 sigma too bright in the noisy image.
    assert noisy[:, :30].mean() > 9.0
    assert abs(restored.image[:, :30].mean()) < 2.5
    with pytest.raises(InvalidParameter, match="or gaussian, poisson-gaussian, srgb-photons, rician"):
        restore(noisy, noise="ricean")
