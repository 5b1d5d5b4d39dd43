"""Displaced frames for NumPy arrays, compiled; equals its plain form in ``temporal.resampling`` to rounding."""

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled
from noiseless.restoration.temporal.resampling import OUTSIDE, PHASES, REACH

COST = 8
# Of a value, in the pixel updates of ``bands_of``.


def resampled(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    displacement: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The displaced image, and the variance of its pixels."""
    result, moved = np.empty_like(image), np.empty_like(variance)
    outside = np.array([OUTSIDE], np.float32)
    with bands_of(image.shape[1], 0, image.size * COST) as bands:

        def band(first: int, last: int) -> None:
            _resample(image, displacement, weights, result, first, last)
            _follow(variance, displacement, outside, moved, first, last)

        bands(band)
    return result, moved


@compiled
def _resample(image: Array, displacement: Array, weights: Array, result: Array, first: int, last: int) -> None:
    channels, height, width = image.shape
    for y in range(first, last):
        for x in range(width):
            down, right = displacement[0, y, x], displacement[1, y, x]
            if down == 0 and right == 0:
                for channel in range(channels):
                    result[channel, y, x] = image[channel, y, x]
                continue
            below, beside = np.floor(down), np.floor(right)
            phase_y, phase_x = int(np.rint((down - below) * PHASES)), int(np.rint((right - beside) * PHASES))
            top, left = y + int(below) - (REACH - 1), x + int(beside) - (REACH - 1)
            inside = top >= 0 and top + 2 * REACH <= height and left >= 0 and left + 2 * REACH <= width
            for channel in range(channels):
                total = np.float32(0.0)
                for j in range(2 * REACH):
                    line = np.float32(0.0)
                    if inside:
                        for i in range(2 * REACH):
                            line += weights[phase_x, i] * image[channel, top + j, left + i]
                    else:
                        row = min(max(top + j, 0), height - 1)
                        for i in range(2 * REACH):
                            line += weights[phase_x, i] * image[channel, row, min(max(left + i, 0), width - 1)]
                    total += weights[phase_y, j] * line
                result[channel, y, x] = total


@compiled
def _follow(variance: Array, displacement: Array, outside: Array, moved: Array, first: int, last: int) -> None:
    height, width = variance.shape
    for y in range(first, last):
        for x in range(width):
            down, right = displacement[0, y, x], displacement[1, y, x]
            top, left = y + int(np.floor(down)), x + int(np.floor(right))
            bottom, end = y + int(np.ceil(down)), x + int(np.ceil(right))
            if top < 0 or left < 0 or bottom >= height or end >= width:
                moved[y, x] = outside[0]
            else:
                upper = max(variance[top, left], variance[top, end])
                moved[y, x] = max(upper, max(variance[bottom, left], variance[bottom, end]))
