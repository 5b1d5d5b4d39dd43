"""Noise that lacks in the colours of a photograph."""

import numpy as np
import pytest

from noiseless.noise import colours_were_smoothed

RNG = np.random.default_rng(0)
FLAT = np.full((3, 128, 128), 0.5, np.float32)
NOISE = RNG.standard_normal(FLAT.shape).astype(np.float32)


def in_luminance_alone(noise):
    return np.broadcast_to(noise.mean(axis=0) * np.sqrt(np.float32(3)), noise.shape)


def test_white_noise_is_in_the_colours_too():
    assert not colours_were_smoothed(FLAT + 0.1 * NOISE)


@pytest.mark.parametrize("sigma", [0.03, 0.1, 0.3])
def test_noise_of_the_luminance_alone_is_told(sigma):
    assert colours_were_smoothed(FLAT + sigma * in_luminance_alone(NOISE))


def test_weak_noise_is_left_alone():
    assert not colours_were_smoothed(FLAT + 0.01 * in_luminance_alone(NOISE))
    assert not colours_were_smoothed(FLAT)


def test_images_without_room_for_a_patch_are_answered():
    assert not colours_were_smoothed(FLAT[:, :5, :5])
