"""Displacements are found, to a part of a pixel, and what stands still stands."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from noiseless.restoration.temporal.block_matching import (
    STRIDE,
    brightness,
    displacements,
    spread_over_pixels,
    variances,
)

SIGMA = 0.03


@pytest.fixture(scope="module")
def texture():
    rng = np.random.default_rng(3)
    image = gaussian_filter(rng.standard_normal((160, 200)), 2)
    return (0.5 + 0.15 * image / image.std()).astype(np.float32)


LEFT = variances(2 * SIGMA**2, (1.0, 1.0, 1.0))  # of the difference of two frames


def noisy(plane, rng):
    return (plane + SIGMA * rng.standard_normal(plane.shape)).astype(np.float32)[np.newaxis]


def found_between(frame, reference, rng):
    return displacements(brightness(noisy(frame, rng)), brightness(noisy(reference, rng)), LEFT)


@pytest.mark.parametrize("move", [(0.4, 0.0), (-3.3, 5.7), (12.0, -9.5)])
def test_a_displacement_is_found(move, texture, rng):
    moved = shift(texture, move, order=3, mode="nearest")
    found = found_between(moved, texture, rng)
    inner = found[:, 3:-3, 3:-3]
    # frame(x) = reference(x - move). A block of 144 pixels knows its place to a few hundredths of a pixel.
    assert np.median(inner, axis=(1, 2)) == pytest.approx(-np.array(move), abs=0.05)
    assert np.mean(np.abs(inner + np.reshape(move, (2, 1, 1))).max(axis=0) < 0.3) > 0.9


def test_what_stands_still_is_said_to_stand_still(texture, rng):
    found = found_between(texture, texture, rng)
    assert np.mean(np.any(found != 0, axis=0)) < 0.06  # what a step explains by chance, see SURE


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(160, 200), (37, 64), (5, 90), (3, 3), (1, 1)])
def test_the_plain_form_equals_the_compiled_one(shape, channels, texture, rng):
    torch = pytest.importorskip("torch")
    moved = shift(texture, (1.3, -2.2), order=3, mode="nearest")
    frames = [np.repeat(noisy(plane, rng), channels, axis=0)[:, : shape[0], : shape[1]] for plane in (moved, texture)]
    arrays = [brightness(np.ascontiguousarray(frame)) for frame in frames]
    tensors = [brightness(torch.from_numpy(np.ascontiguousarray(frame))) for frame in frames]
    np.testing.assert_allclose(tensors[0][0].numpy(), arrays[0][0], atol=1e-6)
    compiled = displacements(*arrays, LEFT)
    plain = displacements(*tensors, LEFT).numpy()
    assert compiled.dtype == plain.dtype == np.float32
    # Costs that are equal to rounding may be decided either way.
    assert np.mean(np.abs(compiled - plain).max(axis=0) > 1e-3) < 0.01


def test_between_blocks_displacements_are_straight():
    rows = np.arange(4.0, dtype=np.float32)[:, np.newaxis] + np.zeros((1, 5), np.float32)
    blocks = np.stack([rows, 2 * np.arange(5.0, dtype=np.float32) + np.zeros((4, 1), np.float32)])
    dense = spread_over_pixels(blocks, (4 * STRIDE, 5 * STRIDE))
    assert dense.shape == (2, 4 * STRIDE, 5 * STRIDE)
    y = (np.arange(4 * STRIDE) - STRIDE / 2) / STRIDE
    assert dense[0, :, 3] == pytest.approx(np.clip(y, 0, 3), abs=1e-6)
    assert dense[1, 0, STRIDE * 2 + STRIDE // 2] == pytest.approx(4.0)


def test_the_variance_on_every_scale_is_that_of_smoothed_noise(rng):
    planes = brightness(rng.standard_normal((1, 1024, 1024)).astype(np.float32))
    # A scale has 2^20 / 4^level pixels, tied to a few neighbours.
    for level, (plane, variance) in enumerate(zip(planes, variances(1.0, (1.0, 1.0, 1.0)), strict=True)):
        assert plane.var() == pytest.approx(variance, rel=0.02 * 2**level)
    assert variances(2.0, (1.0, 4.0, 9.0)) == pytest.approx(
        [2 * v * m for v, m in zip(variances(1.0, (1.0, 1.0, 1.0)), (1.0, 1.0, 4.0, 9.0), strict=True)]
    )
