"""What is wished: a recipe and a law."""

import dataclasses

import pytest

import noiseless
from noiseless.apps.napari import wishes
from noiseless.apps.napari.wishes import SIGMA, Wishes


def test_wishes_are_a_recipe_and_a_law():
    asked = Wishes(method="heat", strength=0.5, noise=SIGMA, sigma=12.0, error=True, predict=True)
    recipe = asked.recipe()
    assert (recipe.method, recipe.strength, recipe.error, recipe.predict) == ("heat", 0.5, True, True)
    assert asked.law() == noiseless.noise.Gaussian(12.0)
    assert Wishes().law() is None
    assert Wishes(noise="rician").law() == "rician"


def test_a_preset_keeps_what_the_panel_does_not_show():
    wished = wishes.wishes_of("ct")
    assert (wished.recipe().bound, wished.law()) == (3.0, "tomography")
    assert dataclasses.replace(wished, method="heat").recipe().bound == 3.0
    assert [name for name in wishes.presets() if wishes.looks_across(name)] == ["mr", "volume"]
    assert {wishes.wishes_of(name).preset for name in wishes.presets()} == set(wishes.presets())


def test_sigma_of_nothing_is_refused():
    with pytest.raises(noiseless.InvalidParameter, match="sigma is 0; give the strength"):
        Wishes(noise=SIGMA).law()


def test_choices_begin_with_the_usual_ones():
    assert (wishes.methods()[0], wishes.models()[0], wishes.presets()[0]) == ("auto", "base", "none")
    assert set(wishes.models()) == {"base", "tiny", "camera"}
    assert wishes.models()[-1] == "camera"  # which has no gray
    assert set(noiseless.METHODS) < set(wishes.methods())
