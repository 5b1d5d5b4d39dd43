import numpy as np
import pytest

from noiseless.classical import CosineShrinkage
from noiseless.errors import InvalidImage, InvalidParameter

SIGMA = np.float32(0.1)


def wave(rng, shape=(1, 64, 64)):
    """A wave of one cosine of the patch: two coefficients hold it wherever the patch lies."""
    columns = np.arange(shape[-1])
    clean = np.broadcast_to(0.5 + 0.4 * np.cos(np.pi * columns / 4), shape).astype(np.float32)
    return clean, clean + SIGMA * rng.standard_normal(shape, dtype=np.float32)


def test_a_wave_comes_through_and_the_noise_goes(rng):
    clean, noisy = wave(rng)
    error = CosineShrinkage()(noisy, SIGMA) - clean
    # the mean and at most a row of 7 waves of 64 are kept, and overlapping patches average what they keep
    assert np.mean(error**2) < SIGMA**2 * 8 / 64
    slope = np.sum(error * (clean - clean.mean())) / np.sum((clean - clean.mean()) ** 2)
    assert abs(slope) < 0.05


def test_the_patches_are_orthonormal_so_nothing_shrinks_without_noise(rng):
    image = rng.random((3, 21, 19), dtype=np.float32)
    np.testing.assert_allclose(CosineShrinkage()(image, 1e-7), image, atol=1e-5)


def test_only_where_there_is_noise_anything_changes(rng):
    _, noisy = wave(rng)
    levels = np.where(np.arange(64) < 32, SIGMA, 0.0).astype(np.float32)
    denoised = CosineShrinkage()(noisy, levels)
    np.testing.assert_array_equal(denoised[..., 32:], noisy[..., 32:])
    assert np.var((denoised - noisy)[..., :32]) > SIGMA**2 / 2


def test_three_equal_channels_are_luminance_alone(rng):
    """It is sqrt(3) times as bright as each channel, beside the same sigma."""
    noisy = 0.5 + SIGMA * rng.standard_normal((1, 48, 48), dtype=np.float32)
    colour = CosineShrinkage()(np.repeat(noisy, 3, axis=0), SIGMA)
    np.testing.assert_allclose(colour, np.repeat(CosineShrinkage()(noisy, SIGMA / np.sqrt(3)), 3, axis=0), atol=1e-5)


def test_an_output_pixel_depends_on_its_reach_alone(rng):
    _, noisy = wave(rng)
    denoise = CosineShrinkage(side=4)
    reach = denoise.reach(SIGMA)
    changed = noisy.copy()
    changed[0, 32, 32] += 1.0
    moved = np.flatnonzero((denoise(changed, SIGMA) != denoise(noisy, SIGMA)).any(axis=(0, 1)))
    assert 32 - reach <= moved.min() <= moved.max() <= 32 + reach


def test_the_result_is_continuous_in_the_image(rng):
    """A hard threshold would let single coefficients jump by 2 sigma when a pixel moves by next to nothing."""
    _, noisy = wave(rng)
    step = np.float32(1e-3) * SIGMA * rng.standard_normal(noisy.shape, dtype=np.float32)
    denoise = CosineShrinkage()
    # the slope of the garrote is at most 5 at its threshold, those of the Wiener gain and of 64 weights are smaller
    assert np.abs(denoise(noisy + step, SIGMA) - denoise(noisy, SIGMA)).max() < 10 * np.abs(step).max()


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"threshold": float("nan")}, {"side": 1}, {"side": 64}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidParameter, match=next(iter(wrong))):
        CosineShrinkage(**wrong)


def test_what_is_no_image_is_refused():
    with pytest.raises(InvalidImage, match="axes"):
        CosineShrinkage()(np.zeros((4, 4), np.float32), 0.1)
