"""Volumes in the planes of all directions: what turns with what, and what the mixture gains."""

from dataclasses import replace

import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.image import Image
from noiseless.restoration import PRESETS, Recipe, psnr, restore, restore_image
from noiseless.restoration.methods import build
from noiseless.restoration.orientation import Across

SIGMA = 0.1


def body(side=24):
    z, y, x = np.mgrid[0:side, 0:side, 0:side] / side
    return (0.5 + 0.3 * np.sin(7 * z + 3 * x) * np.cos(6 * y) + 0.15 * (x + y > 1)).astype(np.float32)


@pytest.mark.parametrize(("normal", "axis"), [("y", 2), ("x", 3)])
@pytest.mark.parametrize("mapped", [False, True])
def test_it_is_the_denoiser_of_the_turned_volume(rng, normal, axis, mapped):
    volume = (body(16) + SIGMA * rng.standard_normal((16, 16, 16)).astype(np.float32))[np.newaxis]
    sigma = (SIGMA * (1 + rng.random(volume.shape))).astype(np.float32) if mapped else SIGMA
    plain = build("score:model=tiny", "base", tile=64, exact=True)
    turned, level = (np.moveaxis(a, axis, 1) if np.ndim(a) else a for a in (volume, sigma))
    expected = np.moveaxis(plain(np.ascontiguousarray(turned), level), 1, axis)
    assert np.array_equal(Across(plain, normal)(volume, sigma), expected)


def test_words_turn_a_method(rng):
    assert build("score:model=tiny,normal=y", "base", tile=64, exact=True) == Across(
        build("score:model=tiny", "base", tile=64, exact=True), "y"
    )
    with pytest.raises(InvalidParameter, match="normal is 'z'"):
        build("score:normal=z", "base", tile=64, exact=True)
    with pytest.raises(InvalidParameter, match="no method of planes"):
        build("heat:normal=y", "base", tile=64, exact=True)
    with pytest.raises(InvalidImage, match="no planes across"):
        build("score:normal=y", "base", tile=64, exact=True)(rng.random((1, 8, 8)).astype(np.float32), 0.1)


def test_a_volume_gains_more_than_slice_by_slice(rng):
    clean = body()
    noisy = clean + SIGMA * rng.standard_normal(clean.shape).astype(np.float32)
    recipe = replace(PRESETS["volume"].recipe, model="tiny")
    by_slices, mixed = (restore(noisy, r, sigma=SIGMA).image for r in (Recipe(model="tiny"), recipe))
    assert psnr(mixed, clean, data_range=1.0) > psnr(by_slices, clean, data_range=1.0) + 1.0


def test_pictures_and_stacks_of_pictures_leave_out_what_lies_across(rng):
    picture = body()[4] + SIGMA * rng.standard_normal((24, 24)).astype(np.float32)
    recipe = replace(PRESETS["volume"].recipe, model="tiny")
    flat = replace(recipe, members=("score", "edge-enhancing"))
    assert np.array_equal(restore(picture, recipe, sigma=SIGMA).image, restore(picture, flat, sigma=SIGMA).image)
    frames = Image(np.stack([picture] * 3)[np.newaxis], "CZYX", volumes=3)
    several = restore_image(frames, recipe, sigma=SIGMA).image.pixels
    np.testing.assert_allclose(several[0, 1], restore(picture, flat, sigma=SIGMA).image, atol=1e-6)
    alone = replace(recipe, members=("score", "score:normal=y"))
    assert np.array_equal(
        restore(picture, alone, sigma=SIGMA).image,
        restore(picture, Recipe(model="tiny", predict=True), sigma=SIGMA).image,
    )
