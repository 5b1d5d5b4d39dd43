"""Noise that lacks in the colours of a photograph."""

import numpy as np
import pytest

from noiseless.noise import measure_colour_noise

RNG = np.random.default_rng(0)
FLAT = np.full((3, 128, 128), 0.5, np.float32)
NOISE = RNG.standard_normal(FLAT.shape).astype(np.float32)


def in_luminance_alone(noise):
    return np.broadcast_to(noise.mean(axis=0) * np.sqrt(np.float32(3)), noise.shape)


@pytest.mark.parametrize("sigma", [0.03, 0.1])
def test_white_noise_is_in_the_colours_too(sigma):
    found = measure_colour_noise(FLAT + sigma * NOISE)
    # 16 384 pixels tell a standard deviation to 0.6 %, and patches that overlap to some times that.
    assert found.luminance == pytest.approx(sigma, rel=0.03)
    assert found.colours == pytest.approx(sigma, rel=0.03)
    assert not found.smoothed


@pytest.mark.parametrize("sigma", [0.03, 0.1])
def test_noise_of_the_luminance_alone_is_told(sigma):
    found = measure_colour_noise(FLAT + sigma * in_luminance_alone(NOISE))
    # Of one number in three channels: as strong in each of them as in white noise, and so sqrt(3) times in their mean.
    assert found.luminance == pytest.approx(np.sqrt(3) * sigma, rel=0.03)
    assert found.smoothed


def test_images_without_room_for_a_patch_are_answered():
    assert not measure_colour_noise(FLAT[:, :5, :5] + 0.1 * NOISE[:, :5, :5]).smoothed
