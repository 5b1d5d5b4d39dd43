"""Error bars, samples and bounds of a restoration."""

import numpy as np
import pytest

import noiseless
from noiseless.errors import InvalidParameter, UnknownName
from noiseless.noise import KINDS, Correlated, Gaussian, Poisson, SaltAndPepper, gaussian_kernel
from noiseless.restoration import PRESETS, Recipe, methods, preset_named, restore, restore_image

WITH_ERROR = Recipe(error=True)


@pytest.fixture
def clean():
    """Edges and texture, of range 0 to 255."""
    rows, columns = np.mgrid[:96, :104]
    flat = 60.0 + 80.0 * (columns > 40)
    return flat + 25.0 * np.sin(0.9 * columns + 0.4 * rows) * (rows > 50)


@pytest.fixture
def noisy(clean, rng):
    return clean + 20.0 * rng.standard_normal(clean.shape)


def test_the_error_is_laid_out_like_the_image_and_in_its_units(noisy):
    restored = restore(noisy, WITH_ERROR, sigma=20.0)
    assert restored.error.half68.shape == noisy.shape
    assert restored.error.calibrated
    assert (restored.error.half95 > restored.error.half68).all()
    larger = restore(10 * noisy, WITH_ERROR, sigma=200.0)
    # the nominal range is the same, so only rounding differs, in differences over steps of 0.05
    np.testing.assert_allclose(larger.error.half68, 10 * restored.error.half68, rtol=1e-3)
    colour = restore(np.stack([noisy] * 3, axis=-1), WITH_ERROR, sigma=20.0, channel_axis=-1)
    assert colour.error.half95.shape == (*noisy.shape, 3)


def test_the_error_is_large_where_the_image_is_hard(noisy, clean):
    restored = restore(noisy, WITH_ERROR, sigma=20.0)
    flat, texture = restored.error.half68[5:45, 50:], restored.error.half68[55:, 50:]
    assert texture.mean() > 1.5 * flat.mean()
    inside = np.abs(restored.image - clean) <= restored.error.half95
    assert inside.mean() > 0.9  # a drawing, not a photograph, so not 95 %


def test_there_is_no_error_where_there_is_no_noise(noisy):
    sigma = np.zeros(noisy.shape)
    sigma[:, 60:] = 20.0
    error = restore(noisy, WITH_ERROR, sigma=sigma).error
    assert not error.half68[:, :60].any()
    assert (error.half68[:, 60:] > 0).all()


def test_tiles_do_not_show_in_the_error(noisy):
    whole = restore(noisy, WITH_ERROR, sigma=20.0).error.half68
    tiled = restore(noisy, Recipe(error=True, tile=32), sigma=20.0).error.half68
    np.testing.assert_allclose(tiled, whole, rtol=1e-3)


def test_an_error_map_costs_nine_calls(noisy, monkeypatch):
    calls = []

    def counting():
        def denoise(image, sigma):
            calls.append(sigma)
            return 0.5 * image

        return denoise

    monkeypatch.setattr(methods, "METHODS", {"counting": counting})
    restored = restore(noisy, Recipe("counting", error=True), sigma=20.0)
    assert len(calls) == 9
    assert not restored.error.calibrated
    np.testing.assert_allclose(restored.error.half68, 0.9945 * 0.5 * 20.0, rtol=1e-5)


def test_photon_noise_has_its_error_too(clean, rng):
    noise = Poisson(gain=4.0)
    restored = restore(noise.sample(clean, rng), WITH_ERROR, noise=noise)
    assert not restored.error.calibrated
    dark, bright = restored.error.half68[5:45, 5:35], restored.error.half68[5:45, 50:]
    assert bright.mean() > 1.1 * dark.mean()  # photon noise grows with the light


def test_replaced_pixels_have_no_error(noisy):
    with pytest.raises(InvalidParameter, match="leave error out"):
        restore(noisy, WITH_ERROR, noise=SaltAndPepper(0.1, 0.0, 255.0))


@pytest.mark.parametrize(
    "noise",
    [Gaussian(20.0), Poisson(4.0), Correlated(20.0, gaussian_kernel(0.8))],
    ids=["white", "photons", "correlated"],
)
def test_samples_depart_from_the_mean_and_their_mean_is_nearer_to_it(noise, clean, rng):
    noisy = noise.sample(clean[np.newaxis], rng)[0]
    restored = restore(noisy, Recipe(samples=4, steps=6), noise=noise)
    assert len(restored.samples) == 4
    away = [np.mean((sample - restored.image) ** 2) for sample in restored.samples]
    together = np.mean((np.mean(restored.samples, axis=0) - restored.image) ** 2)
    assert all(together < 0.6 * each for each in away)
    assert all(np.mean((sample - clean) ** 2) < np.mean((noisy - clean) ** 2) for sample in restored.samples)


def test_a_seed_fixes_the_samples_and_the_image_does_not_depend_on_it(noisy):
    first, second, other = (restore(noisy, Recipe(samples=2, steps=4, seed=seed), sigma=20.0) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.samples, second.samples)
    assert not np.array_equal(first.samples, other.samples)
    assert not np.array_equal(first.samples[0], first.samples[1])
    np.testing.assert_array_equal(first.image, other.image)
    np.testing.assert_array_equal(first.image, restore(noisy, sigma=20.0).image)


def test_images_and_tensors_have_samples_and_errors_of_their_kind(noisy):
    torch = pytest.importorskip("torch")
    asked = Recipe(samples=1, steps=3, error=True)
    restored = restore(torch.from_numpy(noisy.astype(np.uint8)), asked, sigma=20.0)
    assert restored.samples[0].dtype == torch.uint8
    assert restored.error.half68.dtype == torch.float32
    image = noiseless.from_array(noisy.astype(np.uint8))
    again = restore_image(image, asked, sigma=20.0)
    assert isinstance(again.samples[0], noiseless.Image)
    assert again.error.half68.shape == (1, *noisy.shape)


def test_no_pixel_changes_by_more_than_the_bound(noisy):
    restored = restore(noisy, Recipe(bound=0.5), sigma=20.0)
    # and float32 rounding of values up to 255
    assert np.abs(restored.image - noisy).max() <= 10.0 + 255 * 2 * np.finfo(np.float32).eps
    assert restored.report["bound"] == 0.5
    np.testing.assert_allclose(restore(noisy, Recipe(bound=6.0), sigma=20.0).image, restore(noisy, sigma=20.0).image)


def test_presets_bound_the_change_and_do_not_sample():
    assert set(PRESETS) == {"photo", "mr", "ct", "xray", "ultrasound", "microscopy", "cctv", "volume"}
    for name, preset in PRESETS.items():
        assert preset.recipe.samples == 0
        assert preset.recipe.steps == 1
        assert preset.noise is None or preset.noise in KINDS
        assert (2.0 < preset.recipe.bound < 6.0) != (name in ("photo", "microscopy", "volume"))
    assert preset_named("ct") is PRESETS["ct"]
    with pytest.raises(UnknownName, match="did you mean 'xray'"):
        preset_named("xrays")


@pytest.mark.parametrize(
    ("choices", "given", "words"),
    [
        ({"samples": 2, "steps": 10}, {}, "give sigma or noise"),
        ({"samples": 2}, {"sigma": 20.0}, "steps is 1"),
        ({"samples": -1}, {"sigma": 20.0}, "samples is -1"),
        ({"samples": 2, "steps": 5, "sampler": "heun"}, {"sigma": 20.0}, "Heun draws no noise"),
        ({"samples": 2, "steps": 5}, {"noise": SaltAndPepper(0.1, 0.0, 255.0)}, "cannot be drawn"),
        ({"bound": 0.0}, {"sigma": 20.0}, "bound is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(noisy, choices, given, words):
    with pytest.raises(InvalidParameter, match=words) as caught:
        restore(noisy, Recipe(**choices), **given)
    assert "\n" not in str(caught.value)


def test_an_unknown_sampler_is_refused_however_many_steps():
    with pytest.raises(UnknownName, match="did you mean 'heun'"):
        Recipe(sampler="huen")


def test_grain_widens_the_intervals_where_sigma_is_known(rng):
    """Grain of two grey levels goes with the noise, and that is an error which only the residual can show."""
    clean = np.full((256, 256), 100.0) + 30.0 * (np.arange(256) > 128)
    noise = 10.0 * rng.standard_normal(clean.shape)
    grain = 3.0 * rng.standard_normal(clean.shape)
    smooth, grainy = (restore(image + noise, WITH_ERROR, sigma=10.0) for image in (clean, clean + grain))
    covered = np.mean(np.abs(smooth.image - clean) <= smooth.error.half68)
    assert covered > 0.6
    # by Stein's risk the grain is 9 +- 0.55 (one standard error of a mean of 65536); within strata 1.6
    assert np.median(grainy.error.half68) > np.sqrt(np.median(smooth.error.half68) ** 2 + 9.0 / 2)
    estimated = restore(clean + grain + noise, WITH_ERROR)
    assert np.median(estimated.error.half68) < np.median(grainy.error.half68)
