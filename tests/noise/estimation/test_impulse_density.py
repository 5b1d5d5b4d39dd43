"""Impulses: their kind, density and places; and what must not be taken for impulses."""

import numpy as np
import pytest
from PIL import Image

from noiseless.noise.estimation.impulse_density import _step, measure_impulses


def scene(rng, sigma, shape=(256, 256)):
    y, x = np.indices(shape)
    return 120 + 40 * np.sin(x / 30) * np.cos(y / 25) + sigma * rng.standard_normal(shape)


def salted(image, density, rng):
    chance = rng.random(image.shape)
    noisy = np.where(chance < density / 2, 0.0, np.where(chance < density, 255.0, np.clip(image, 1, 254)))
    return noisy, chance < density


@pytest.mark.parametrize("density", [0.002, 0.02, 0.2, 0.5])
def test_the_density_of_salt_and_pepper_is_found(rng, density):
    noisy, hit = salted(scene(rng, 5.0), density, rng)
    measured = measure_impulses(noisy)
    assert measured.kind == "salt-and-pepper"
    # Four standard errors of a count of n = density * 65536 pixels: 1 / sqrt(n) each.
    assert measured.density == pytest.approx(hit.mean(), rel=max(0.02, 4 / (density * hit.size) ** 0.5))
    assert (measured.low, measured.high) == (0, 255)
    assert measured.mask[hit].mean() > 0.95
    assert measured.mask[~hit].mean() < 0.002


def test_salt_alone_is_told_from_salt_and_pepper(rng):
    image = scene(rng, 5.0)
    measured = measure_impulses(np.where(rng.random(image.shape) < 0.02, 255.0, image))
    assert measured.density == pytest.approx(0.02, rel=0.15)
    assert measured.salt == 1


@pytest.mark.parametrize("density", [0.003, 0.05, 0.2])
def test_the_density_of_random_values_is_found(rng, density):
    image = scene(rng, 5.0)
    hit = rng.random(image.shape) < density
    measured = measure_impulses(np.where(hit, rng.uniform(0, 255, image.shape), image))
    assert measured.kind == "random"
    # Four standard errors of a count of about 0.7 * density * 65536.
    assert measured.density == pytest.approx(hit.mean(), rel=max(0.15, 4 / (0.7 * density * hit.size) ** 0.5))
    # Noise of 5 hides what is within 4.5 * 5.5 grey levels, 19 % of the range.
    assert measured.mask[hit].mean() > 0.7
    assert measured.mask[~hit].mean() < 0.002


def test_hot_pixels_are_random_impulses_above_their_surroundings(rng):
    image = scene(rng, 3.0)
    hit = rng.random(image.shape) < 0.005
    measured = measure_impulses(np.where(hit, rng.uniform(200, 255, image.shape), image))
    assert measured.kind == "random"
    assert measured.salt > 0.95
    assert measured.density == pytest.approx(hit.mean(), rel=0.25)  # 4 / sqrt(328)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 20.0, 50.0])
def test_gaussian_noise_clipped_or_not_holds_no_impulses(rng, sigma):
    noisy = scene(rng, sigma)
    for image in (noisy, np.clip(np.round(noisy), 0, 255), np.clip(3 * noisy - 250, 0, 255)):
        measured = measure_impulses(image)
        assert measured.kind == "none"
        assert measured.density == 0
        assert not measured.mask.any()


@pytest.mark.parametrize("peak", [2, 10, 100])
def test_counts_of_photons_hold_no_impulses(rng, peak):
    clean = np.clip(scene(rng, 0.0) - 70, 0, None) / 100 * peak
    assert measure_impulses(rng.poisson(clean).astype(float)).kind == "none"


def test_text_is_not_made_of_impulses(rng):
    image = np.full((256, 256), 200.0) + rng.standard_normal((256, 256))
    for y in range(8, 240, 16):  # strokes of one pixel, in both directions
        image[y, 10:240:3] = 0
        image[y, 11:240:3] = 0
        image[y : y + 6, 10:240:9] = 0
    assert measure_impulses(image).kind == "none"


def test_constant_small_and_volumetric_channels(rng):
    assert measure_impulses(np.zeros((64, 64))).kind == "none"
    assert measure_impulses(np.eye(4)).kind == "none"
    noisy, hit = salted(scene(rng, 5.0, (96, 96)), 0.05, rng)
    volume = measure_impulses(np.stack([noisy, noisy]))
    assert volume.mask.shape == (2, 96, 96)
    assert volume.density == pytest.approx(hit.mean(), rel=0.1)


@pytest.mark.shared
def test_photographs_have_no_impulses_until_they_are_added(shared_data, rng):
    for path in sorted((shared_data / "eval" / "CID22val").glob("*.png"))[::8]:
        noisy = np.clip(
            np.round(np.asarray(Image.open(path).convert("L")) + 15 * rng.standard_normal((512, 512))), 0, 255
        )
        assert measure_impulses(noisy).kind == "none"
        spoilt, hit = salted(noisy, 0.02, rng)
        # Four standard errors of about half of 5243 finds are 8 %.
        assert measure_impulses(spoilt).density == pytest.approx(hit.mean(), rel=0.15)


def test_the_step_is_the_least_spacing_where_there_are_256_values_or_fewer():
    assert _step(np.array([3.0, 3.0], np.float32)) == 0
    assert _step(np.array([3.0, 5.0], np.float32)) == 2
    assert _step(np.array([3.0, 5.0, 6.5], np.float32)) == 1.5
    assert _step(np.arange(256, dtype=np.float32)) == 1
    assert _step(np.arange(257, dtype=np.float32)) == 0
