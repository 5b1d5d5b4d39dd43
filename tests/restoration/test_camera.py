"""Which images go to the network of cameras, and what it is told."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

import noiseless
from noiseless.errors import UnknownName
from noiseless.restoration import Recipe, restore


@pytest.fixture(scope="module")
def clean():
    """A soft colour picture with edges, as a lens makes them, (Y, X, 3) of range 0 to 255."""
    rows, columns = np.mgrid[:256, :272].astype(float)
    light = 90 + 50 * np.sin(rows / 40) * np.cos(columns / 31) + 45 * ((rows - 120) ** 2 + (columns - 150) ** 2 < 4900)
    return gaussian_filter(np.stack([light, 0.9 * light + 10, 0.7 * light + 20], axis=-1), (1.2, 1.2, 0))


@pytest.fixture(scope="module")
def photograph(clean):
    """The picture with coarse coloured noise, as JPEG leaves it."""
    rng = np.random.default_rng(1)
    noise = gaussian_filter(rng.standard_normal(clean.shape), (1.0, 1.0, 0))
    noisy = clean + 9 * noise / noise.std()
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).round().astype(np.uint8)).save(file, "JPEG", quality=80)
    return np.asarray(Image.open(file))


def error(image, clean):
    return np.mean((image.astype(float) - clean) ** 2)


def test_a_photograph_with_compressed_coarse_noise_goes_to_the_network_of_cameras(photograph, clean):
    restored = restore(photograph, channel_axis=-1)
    assert restored.noise.compressed
    assert restored.report["model"] == "camera"
    assert restored.recipe.model == "camera"
    assert error(restored.image, clean) < 0.5 * error(photograph, clean)
    assert error(restored.image, clean) < error(restore(photograph, Recipe("score"), channel_axis=-1).image, clean)


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        (Recipe(), {"sigma": 9.0}),  # whoever knows the noise means white noise
        (Recipe("score"), {}),
        (Recipe("perona-malik"), {}),
        (Recipe(error=True), {}),
    ],
)
def test_who_asks_for_something_else_gets_it(photograph, recipe, given):
    assert restore(photograph, recipe, channel_axis=-1, **given).recipe.model == "base"


def test_gray_images_and_white_noise_do_not_go_there(photograph, clean, rng):
    assert restore(photograph[..., 1]).recipe.model == "base"
    white = clean + 9 * rng.standard_normal(clean.shape)
    assert restore(white.round().clip(0, 255).astype(np.uint8), channel_axis=-1).recipe.model == "base"


def test_it_may_be_asked_for_and_sigma_is_a_hint(photograph, clean):
    results = [restore(photograph, Recipe(model="camera"), sigma=s, channel_axis=-1).image for s in (9.0, 14.0)]
    assert all(error(result, clean) < 0.6 * error(photograph, clean) for result in results)
    assert error(results[0], results[1].astype(float)) < 0.5 * error(results[0], clean)


def test_there_is_none_for_gray_images(photograph):
    with pytest.raises(UnknownName, match="gray model 'camera'"):
        noiseless.denoise(photograph[..., 1], sigma=9.0, model="camera")
