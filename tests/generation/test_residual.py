"""Error bars widened by the residual, where the error is known exactly: pixels on their own, shrunk by one factor."""

from dataclasses import replace

import numpy as np
import pytest

from noiseless.generation import normal_error_bars, propagated_noise, sign_probes, widened_by_residual
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
