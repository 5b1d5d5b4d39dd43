"""Error bars widened by the residual, where the error is known exactly: pixels on their own, shrunk by one factor."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from noiseless.generation import (
    ErrorBars,
    PropagatedNoise,
    normal_error_bars,
    propagated_noise,
    sign_probes,
    widened_by_residual,
)
from noiseless.generation.residual import STRATA

SIGMA, STD = 0.1, 0.05
GAIN = STD**2 / (STD**2 + SIGMA**2)
ERROR = SIGMA * GAIN**0.5
SHAPE = (1, 400, 500)


@pytest.fixture
def observed(rng):
    clean = STD * rng.standard_normal(SHAPE)
    noisy = clean + SIGMA * rng.standard_normal(SHAPE)
    noise = propagated_noise(lambda y: GAIN * y, noisy, GAIN * noisy, sign_probes(noisy, SIGMA, 2, seed=0))
    # the raw error of a uniform image, a little uneven, so that there are strata
    uneven = np.broadcast_to(np.exp(np.linspace(0.0, 0.1, SHAPE[-1])), SHAPE)
    return noisy, replace(noise, std=noise.std * uneven)


def bars(half68, like):
    return replace(normal_error_bars(np.full_like(like, half68)), calibrated=True)


CHANCE = (2 * STRATA / np.prod(SHAPE)) ** 0.5
"""One standard error of |y - D|^2 / sigma^2 in a stratum, as the weight takes it."""
MEASURED = 4 * (1 - GAIN) * CHANCE
"""Four of what it is here: the residual has (1 - GAIN) of the energy of the noise."""


def test_an_error_larger_than_said_shows_in_the_residual(observed):
    noisy, noise = observed
    said = bars(0.3 * ERROR, noisy)
    wide = widened_by_residual(said, noisy, GAIN * noisy, SIGMA, noise)
    # normal_error_bars takes 0.9945 standard deviations for 68 %, and 0.3 of the error was said to be one
    excess = (ERROR**2 - (0.3 * ERROR) ** 2) / SIGMA**2
    # far beyond chance, so the picture's own spread counts
    weight = (excess**2 - 4 * CHANCE**2) / (excess**2 - 3 * CHANCE**2)
    gained = (wide.half68**2 - said.half68**2) / (0.9945 * SIGMA) ** 2
    np.testing.assert_allclose(gained, weight * excess, atol=MEASURED)
    np.testing.assert_allclose(wide.half95 / wide.half68, said.half95 / said.half68, rtol=1e-6)


def test_right_error_bars_stay_and_none_become_narrower(observed):
    noisy, noise = observed
    right = bars(ERROR, noisy)
    after = widened_by_residual(right, noisy, GAIN * noisy, SIGMA, noise)
    assert (after.half68 >= right.half68).all()
    assert np.max(after.half68**2 - right.half68**2) / SIGMA**2 < MEASURED
    generous = bars(2 * ERROR, noisy)
    same = widened_by_residual(generous, noisy, GAIN * noisy, SIGMA, noise)
    np.testing.assert_array_equal(same.half68, generous.half68)


def test_pixels_without_noise_and_an_image_without_any_are_left_alone(observed):
    noisy, noise = observed
    said = bars(0.3 * ERROR, noisy)
    sigma = np.full(SHAPE, SIGMA)
    sigma[..., :100] = 0.0
    wide = widened_by_residual(said, noisy, GAIN * noisy, sigma, noise)
    np.testing.assert_array_equal(wide.half68[..., :100], said.half68[..., :100])
    assert (wide.half68[..., 100:] > said.half68[..., 100:]).all()
    assert widened_by_residual(said, noisy, GAIN * noisy, 0.0, noise) is said


def exactly(shape, residual, trace, half68, half95):
    """Error bars, images and noise such that the risk of every pixel is known: no chance is in them."""
    noisy = np.zeros(shape)
    said = ErrorBars(np.full(shape, half68), np.full(shape, half95), calibrated=True)
    noise = PropagatedNoise(np.full(shape, 0.05), np.full(shape, trace))
    return said, noisy, noisy - np.broadcast_to(residual, shape), SIGMA, noise


@pytest.mark.parametrize("share", [0.002, 0.02, 0.5], ids=["within-chance", "beside-it", "far-beyond-it"])
def test_the_weight_of_the_measurement_is_what_is_known_against_chance(share):
    shape = (1, 40, 50)
    half68, half95 = 0.4 * SIGMA, 0.9 * SIGMA
    said_variance = 0.36 / (0.9945 * 1.96)
    trace = 0.2 * SIGMA**2
    residual = SIGMA * np.sqrt(1 + said_variance + share - 0.4)  # so that e - p is the share
    wide = widened_by_residual(*exactly(shape, residual, trace, half68, half95))
    chance = 2 / 2000
    spread = max(0.007**2 + (0.1 * said_variance) ** 2, share**2 - 4 * chance)
    factor = np.sqrt(1 + spread / (spread + chance) * share / said_variance)
    np.testing.assert_allclose(wide.half68 / half68, factor, rtol=1e-5)  # sigma is float32 there
    np.testing.assert_allclose(wide.half95 / half95, factor, rtol=1e-5)


@pytest.mark.parametrize(("shape", "strata"), [((1, 200, 200), 2), ((1, 3, 13_333), 1), ((1, 400, 500), 8)])
def test_parts_of_twenty_thousand_values_are_looked_at_by_themselves(shape, strata):
    said, noisy, _, sigma, noise = exactly(shape, 0.0, 0.0, SIGMA, SIGMA)
    uneven = np.broadcast_to(np.exp(np.linspace(0.0, 2.0, shape[-1])), shape)
    residual = 3 * SIGMA * np.broadcast_to(np.linspace(1.0, 2.0, shape[-1]), shape)
    wide = widened_by_residual(said, noisy, noisy - residual, sigma, replace(noise, std=noise.std * uneven))
    factor = (wide.half68 / said.half68)[0, 0]
    # beyond the middles of the first and the last stratum the factor stays; between them it grows
    flat = np.sum(np.abs(np.diff(factor)) < 1e-6 * factor[1:]) / factor.size
    assert abs(flat - 1 / strata) < 0.03
    part = np.mean(np.square(np.linspace(1.0, 2.0, shape[-1])[: shape[-1] // strata])) * 9 - 1
    said_variance = 1 / (0.9945 * 1.96)
    assert factor[0] == pytest.approx(np.sqrt(1 + (part - said_variance) / said_variance), rel=0.01)


def test_strata_that_are_empty_are_passed_over():
    said, noisy, denoised, sigma, noise = exactly((1, 200, 200), 2 * SIGMA, 0.0, SIGMA, SIGMA)
    wide = widened_by_residual(
        said, noisy, denoised, sigma, noise
    )  # one raw error everywhere: all in one of two strata
    said_variance = 1 / (0.9945 * 1.96)
    chance, share = 2 / 40_000, 3 - said_variance
    spread = share**2 - 4 * chance
    factor = np.sqrt(1 + spread / (spread + chance) * share / said_variance)
    np.testing.assert_allclose(wide.half68 / SIGMA, factor, rtol=1e-5)


def test_the_raw_error_is_smoothed_by_eight_pixels_before_it_is_parted():
    said, noisy, _, sigma, noise = exactly((1, 200, 200), 0.0, 0.0, SIGMA, SIGMA)
    right = np.arange(200) >= 100
    residual = np.broadcast_to(np.where(right, 4 * SIGMA, 2 * SIGMA), (1, 200, 200))
    uneven = replace(noise, std=noise.std * np.where(right, 4.0, 1.0))
    factor = (widened_by_residual(said, noisy, noisy - residual, sigma, uneven).half68 / SIGMA)[0, 100]
    rise = (factor - factor[0]) / (factor[-1] - factor[0])
    # from one stratum to the other as the smoothed edge does; the lattice makes less than 1 % of it
    np.testing.assert_allclose(rise, norm.cdf((np.arange(200) - 99.5) / 8.0), atol=0.01)
