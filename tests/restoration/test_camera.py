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


def stored(clean, sigma, quality, subsampling):
    """The picture with white noise, as JPEG keeps it."""
    noisy = clean + sigma * np.random.default_rng(2).standard_normal(clean.shape)
    file = io.BytesIO()
    picture = Image.fromarray(noisy.clip(0, 255).round().astype(np.uint8))
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("quality", [98, 85])
def test_strong_noise_that_went_through_colours_of_half_size_goes_there_too(clean, quality):
    photograph = stored(clean, 20.0, quality, subsampling=2)
    restored = restore(photograph, channel_axis=-1)
    assert restored.report["model"] == "camera"
    usual = restore(photograph, Recipe("score"), channel_axis=-1)
    assert error(restored.image, clean) < 0.5 * error(usual.image, clean)


def test_what_rests_on_the_strength_of_such_noise_is_not_told(clean):
    photograph = stored(clean, 20.0, 85, subsampling=2)
    audit = restore(photograph, Recipe(predict=True), channel_axis=-1).audit
    assert audit.risk is None
    assert "predicted_psnr" not in audit.summary()
    assert any("cannot be predicted" in verdict for verdict in audit.verdicts)
    told = restore(photograph, Recipe("score", "camera", predict=True), sigma=20.0, channel_axis=-1)
    assert told.audit.risk is not None


@pytest.mark.parametrize(("sigma", "subsampling"), [(20.0, 0), (3.0, 2)])
def test_noise_that_jpeg_left_as_it_was_or_weak_noise_does_not(clean, sigma, subsampling):
    assert restore(stored(clean, sigma, 98, subsampling), channel_axis=-1).report["model"] == "base"


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        (Recipe(), {"sigma": 9.0}),  # whoever knows the noise means white noise
        (Recipe("score"), {}),
        (Recipe("perona-malik"), {}),
        (Recipe(samples=1, steps=2), {"sigma": 9.0}),
    ],
)
def test_who_asks_for_something_else_gets_it(photograph, recipe, given):
    assert restore(photograph, recipe, channel_axis=-1, **given).recipe.model == "base"


def test_its_error_is_told_and_does_not_change_what_is_chosen(photograph):
    restored = restore(photograph, Recipe(error=True), channel_axis=-1)
    assert restored.recipe.model == "camera"
    assert not restored.error.calibrated
    assert restored.error.half68.mean() > 0


def test_strength_goes_part_of_the_way_and_without_noise_nothing_changes(photograph):
    whole, half = (
        restore(photograph.astype(np.float32), Recipe(model="camera", strength=s), sigma=9.0, channel_axis=-1).image
        for s in (1.0, 0.5)
    )
    np.testing.assert_allclose(half, (whole + photograph) / 2, atol=1e-3)  # float32 of values up to 255
    unchanged = restore(photograph, Recipe(model="camera"), sigma=0.0, channel_axis=-1).image
    np.testing.assert_array_equal(unchanged, photograph)


def test_gray_images_and_white_noise_do_not_go_there(photograph, clean, rng):
    assert restore(photograph[..., 1]).recipe.model == "base"
    white = clean + 9 * rng.standard_normal(clean.shape)
    stored = white.round().clip(0, 255).astype(np.uint8)
    assert restore(stored, channel_axis=-1).recipe.model == "base"
    file = io.BytesIO()
    Image.fromarray(stored).save(file, "JPEG", quality=97, subsampling=0)
    compressed = restore(np.asarray(Image.open(file)), channel_axis=-1)
    assert compressed.noise.kind == "gaussian"
    assert compressed.recipe.model == "base"


def test_it_may_be_asked_for_and_sigma_is_a_hint(photograph, clean):
    results = [restore(photograph, Recipe(model="camera"), sigma=s, channel_axis=-1).image for s in (9.0, 14.0)]
    assert all(error(result, clean) < 0.6 * error(photograph, clean) for result in results)
    assert error(results[0], results[1].astype(float)) < 0.5 * error(results[0], clean)


def test_there_is_none_for_gray_images(photograph):
    with pytest.raises(UnknownName, match="gray model 'camera'"):
        noiseless.denoise(photograph[..., 1], sigma=9.0, model="camera")
