"""Frames displaced by fractions of pixels."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from noiseless.restoration.temporal.block_matching import STRIDE
from noiseless.restoration.temporal.resampling import HIDDEN, MISPLACED, OUTSIDE, lanczos, resampled


def moves(down, right, shape):
    """The same displacement of all blocks."""
    blocks = tuple(-(-length // STRIDE) for length in shape)
    return np.stack([np.full(blocks, down, np.float32), np.full(blocks, right, np.float32)])


def test_the_weights_sum_to_one_and_whole_pixels_have_one_of_them():
    assert lanczos().sum(axis=1) == pytest.approx(np.ones(65), abs=1e-6)
    assert lanczos()[0] == pytest.approx([0, 0, 1, 0, 0, 0], abs=1e-7)
    assert lanczos()[64] == pytest.approx([0, 0, 0, 1, 0, 0], abs=1e-7)


def test_whole_pixels_are_moved_exactly(rng):
    image, variance = rng.random((2, 20, 30), dtype=np.float32), rng.random((20, 30), dtype=np.float32)
    moved, left, hidden = resampled(image, variance, moves(3, -2, (20, 30)))
    np.testing.assert_allclose(moved[:, :17, 2:], image[:, 3:, :-2], atol=1e-6)
    np.testing.assert_allclose(left[:17, 2:], variance[3:, :-2] + MISPLACED, rtol=1e-6)
    assert np.all(left[17:] >= np.float32(OUTSIDE))
    assert np.all(left[:, :2] >= np.float32(OUTSIDE))
    assert np.all(hidden == HIDDEN)


def test_what_stands_still_is_as_it_was(rng):
    image, variance = rng.random((2, 20, 30), dtype=np.float32), rng.random((20, 30), dtype=np.float32)
    moved, left, hidden = resampled(image, variance, moves(0, 0, (20, 30)))
    np.testing.assert_array_equal(moved, image)
    np.testing.assert_array_equal(left, variance)
    assert not hidden.any()
    # By less than a quarter of a pixel: in its place, but smoothed.
    _, left, hidden = resampled(image, variance, moves(0.2, 0, (20, 30)))
    assert left[:-1].max() <= variance.max()
    assert not hidden.any()


def test_a_wave_is_moved_by_a_fraction_and_noise_keeps_its_strength(rng):
    x = np.arange(200)
    wave = np.sin(2 * np.pi * x / 8).astype(np.float32) * np.ones((1, 20, 1), np.float32)
    moved, _, _ = resampled(wave, np.zeros((20, 200), np.float32), moves(0.0, 0.5, (20, 200)))
    # Lanczos of six taps passes a period of eight pixels to half a percent.
    assert moved[0, 10, 8:-8] == pytest.approx(np.sin(2 * np.pi * (x + 0.5) / 8)[8:-8], abs=0.01)
    noise = rng.standard_normal((1, 200, 200)).astype(np.float32)
    half, _, _ = resampled(noise, np.zeros((200, 200), np.float32), moves(0.5, 0.5, (200, 200)))
    cubic = (2 * (9 / 16) ** 2 + 2 * (1 / 16) ** 2) ** 2
    assert half.var() > 1.15 * cubic  # of Catmull-Rom, at the same place


def test_the_variance_is_the_largest_of_those_that_a_pixel_may_come_from(rng):
    variance = rng.random((12, 14), dtype=np.float32)
    _, left, _ = resampled(np.zeros((1, 12, 14), np.float32), variance, moves(0.3, 0.6, (12, 14)))
    expected = np.max([variance[:-1, :-1], variance[1:, :-1], variance[:-1, 1:], variance[1:, 1:]], axis=0)
    np.testing.assert_allclose(left[:-1, :-1], expected + MISPLACED, rtol=1e-6)


@pytest.mark.parametrize("shape", [(61, 85), (1, 1), (2, 9)])
def test_the_plain_form_equals_the_compiled_one(shape, rng):
    torch = pytest.importorskip("torch")
    image = np.stack([gaussian_filter(rng.random(shape), 1) for _ in range(2)]).astype(np.float32)
    variance = rng.random(shape, dtype=np.float32)
    blocks = rng.uniform(-5, 5, (2, *(-(-length // STRIDE) for length in shape))).astype(np.float32)
    compiled = resampled(image, variance, blocks)
    plain = resampled(torch.from_numpy(image), torch.from_numpy(variance), torch.from_numpy(blocks))
    # A place on the border of two sixty-fourths of a pixel, or of two pixels, may round either way.
    for one, other in zip(plain, compiled, strict=True):
        assert np.mean(np.abs(one.numpy() - other) > 1e-4) < 0.01
