"""Displaced frames for NumPy arrays, compiled; equals its plain form in ``temporal.resampling`` to rounding."""

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.restoration.temporal.block_matching import STRIDE
from noiseless.restoration.temporal.resampling import HIDDEN, MISPLACED, OUTSIDE, PHASES, REACH, STANDS

COST = 8
# Of a value, in the pixel updates of ``bands_of``.


def resampled(
    image: NDArray[np.float32],
    variance: NDArray[np.float32],
    blocks: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """The displaced image, the variance of its pixels, and what was hidden by their choice."""
    result, moved, hidden = np.empty_like(image), np.empty_like(variance), np.empty_like(variance)
    numbers = np.array([OUTSIDE, STANDS, MISPLACED, HIDDEN], np.float32)
    height, width = variance.shape
    with bands_of(height, 0, image.size * COST) as bands:

        def band(first: int, last: int) -> None:
            lines = np.empty((4, width), np.float32)
            _resample(image, variance, blocks, weights, numbers, lines, result, moved, hidden, first, last)

        bands(band)
    return result, moved, hidden


@inner
def _spread(blocks: Array, lines: Array, y: int) -> bool:
    """The displacements along a row of pixels, straight between blocks; whether there are any."""
    rows, columns = blocks.shape[1], blocks.shape[2]
    width = lines.shape[1]
    place = min(max((np.float32(y) - np.float32(STRIDE / 2)) / np.float32(STRIDE), np.float32(0)), np.float32(rows - 1))
    upper = int(place)
    lower, share = min(upper + 1, rows - 1), place - np.float32(upper)
    moves = False
    for axis in range(2):
        for b in range(columns):
            above = blocks[axis, upper, b]
            value = above + share * (blocks[axis, lower, b] - above)
            lines[2 + axis, b] = value
            moves = moves or value != 0
    if moves:
        for axis in range(2):
            for x in range(width):
                place = (np.float32(x) - np.float32(STRIDE / 2)) / np.float32(STRIDE)
                place = min(max(place, np.float32(0)), np.float32(columns - 1))
                left = int(place)
                before = lines[2 + axis, left]
                after = lines[2 + axis, min(left + 1, columns - 1)]
                lines[axis, x] = before + (place - np.float32(left)) * (after - before)
    return moves


@compiled
def _resample(
    image: Array,
    variance: Array,
    blocks: Array,
    weights: Array,
    numbers: Array,
    lines: Array,
    result: Array,
    moved: Array,
    hidden: Array,
    first: int,
    last: int,
) -> None:
    channels, height, width = image.shape
    outside, stands, misplaced, hides = numbers[0], numbers[1], numbers[2], numbers[3]
    for y in range(first, last):
        moves = _spread(blocks, lines, y)
        for x in range(width):
            moved[y, x] = variance[y, x]
            hidden[y, x] = np.float32(0.0)
        for channel in range(channels):
            for x in range(width):
                result[channel, y, x] = image[channel, y, x]
        if not moves:
            continue
        for x in range(width):
            down, right = lines[0, x], lines[1, x]
            if down == 0 and right == 0:
                continue
            below, beside = np.floor(down), np.floor(right)
            top, left = y + int(below), x + int(beside)
            bottom, end = y + int(np.ceil(down)), x + int(np.ceil(right))
            if top < 0 or left < 0 or bottom >= height or end >= width:
                moved[y, x] = outside
            else:
                largest = max(variance[top, left], variance[top, end])
                moved[y, x] = max(largest, max(variance[bottom, left], variance[bottom, end]))
            if abs(down) > stands or abs(right) > stands:
                moved[y, x] += misplaced
                hidden[y, x] = hides
            phase_y, phase_x = int(np.rint((down - below) * PHASES)), int(np.rint((right - beside) * PHASES))
            top, left = top - (REACH - 1), left - (REACH - 1)
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
