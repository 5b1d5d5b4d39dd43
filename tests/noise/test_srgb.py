"""The curve of sRGB, and what it makes of noise."""

import numpy as np
import pytest

from noiseless.noise.srgb import light_of, moments, steepness, value_of

LIGHT = np.concatenate([-np.logspace(-5, 0.2, 40)[::-1], [0.0], np.logspace(-5, 0.2, 40)])


def test_the_curve_is_that_of_srgb_odd_and_inverted():
    assert light_of(value_of(LIGHT)) == pytest.approx(LIGHT, abs=1e-14)
    assert np.array_equal(value_of(-LIGHT), -value_of(LIGHT))
    # By the standard: 12.92 v below 0.0031308, 1.055 v^(1/2.4) - 0.055 above.
    assert value_of(np.array([0.0, 0.001, 0.5, 1.0])) == pytest.approx([0, 0.01292, 0.735357, 1], abs=1e-6)


def test_the_steepness_is_the_derivative():
    away = LIGHT[np.abs(np.abs(LIGHT) - 0.0031308) > 1e-4]  # the standard's curve has a kink there
    step = 1e-7
    numerical = (value_of(away + step) - value_of(away - step)) / (2 * step)
    assert steepness(away) == pytest.approx(numerical, rel=1e-5)


def test_the_moments_are_those_of_drawn_noise(rng):
    light, deviation = np.array([0.002, 0.05, 0.7]), np.array([0.003, 0.02, 0.05])
    change = (
        value_of(light[:, None] + deviation[:, None] * rng.standard_normal((3, 400_000))) - value_of(light)[:, None]
    )
    mean, variance = moments(light, deviation)
    spread = change.std(axis=1)
    assert np.all(np.abs(mean - change.mean(axis=1)) < 4 * spread / 400_000**0.5)
    # The standard error of a variance is at most sqrt(kurtosis / n); 8 bounds the kurtosis of these.
    assert variance == pytest.approx(spread**2, rel=4 * (8 / 400_000) ** 0.5)
