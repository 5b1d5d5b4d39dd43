"""Temporal fusion for NumPy arrays, compiled; equals its plain form in ``temporal.fusion`` to rounding."""

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.restoration.temporal.fusion import ENERGY_SIDE, MEAN_SIDES

_WIDEST = MEAN_SIDES[-1] // 2

COST = 40
# Of a pixel, in the pixel updates of ``bands_of``.


def differences(
    frame: NDArray[np.float32],
    predicted: NDArray[np.float32],
    variance: NDArray[np.float32],
    sigma: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(2, Y, X): the mean over the channels of the squared differences, and of the differences, in their deviations."""
    _, height, width = frame.shape
    statistics = np.empty((2, height, width), np.float32)
    inverse = (1.0 / sigma).astype(np.float32)
    with bands_of(height, 0, frame.size * 4) as bands:
        bands(lambda first, last: _normalise(frame, predicted, variance, inverse, statistics, first, last))
    return statistics


def sampled_tests(statistics: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """(4, N): the mean energy and the means of each size, at pixels ``stride`` apart."""
    _, height, width = statistics.shape
    rows, columns = -(-height // stride), -(-width // stride)
    result = np.empty((4, rows * columns), np.float32)
    with bands_of(rows, 0, rows * columns * 300) as bands:
        bands(lambda first, last: _sample(statistics, stride, columns, result, first, last))
    return result


def fused(
    frame: NDArray[np.float32],
    predicted: NDArray[np.float32],
    variance: NDArray[np.float32],
    statistics: NDArray[np.float32],
    hidden: NDArray[np.float32],
    sizes: NDArray[np.float32],
    bounds: tuple[float, float, float],
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """The fused frame, the variance that is left, and the share of pixels that changed.

    Parameters
    ----------
    sizes : (5,) of each test where nothing changed
    bounds : of the surprise that is doubtful, of that which is a change, and the least gain
    """
    _, height, width = frame.shape
    mean, left = np.empty_like(frame), np.empty_like(variance)
    changed = np.zeros(height, np.int64)
    numbers = np.array([*bounds, *(1.0 / sizes)], np.float32)
    with bands_of(height, 0, COST * height * width) as bands:

        def band(first: int, last: int) -> None:
            lines = np.empty((6, width + 2 * _WIDEST), np.float32)
            _fuse(frame, predicted, variance, statistics, hidden, numbers, lines, mean, left, changed, first, last)

        bands(band)
    return mean, left, float(changed.sum()) / (height * width)


@compiled
def _sample(statistics: Array, stride: int, columns: int, result: Array, first: int, last: int) -> None:
    for b in range(first, last):
        for a in range(columns):
            y, x = b * stride, a * stride
            result[0, b * columns + a] = _box(statistics, 0, y, x, ENERGY_SIDE // 2)
            result[1, b * columns + a] = _box(statistics, 1, y, x, 1)
            result[2, b * columns + a] = _box(statistics, 1, y, x, 3)
            result[3, b * columns + a] = _box(statistics, 1, y, x, 7)


@inner
def _box(statistics: Array, n: int, y: int, x: int, half: int) -> np.float32:
    """The mean over a square, the border repeated."""
    _, height, width = statistics.shape
    total = np.float32(0.0)
    for j in range(-half, half + 1):
        row = min(max(y + j, 0), height - 1)
        for i in range(-half, half + 1):
            total += statistics[n, row, min(max(x + i, 0), width - 1)]
    return total / np.float32((2 * half + 1) ** 2)


@compiled
def _normalise(
    frame: Array, predicted: Array, variance: Array, inverse: Array, statistics: Array, first: int, last: int
) -> None:
    """The mean over the channels of the squared differences, and of the differences, in their standard deviations."""
    channels, _, width = frame.shape
    share = np.float32(1.0) / np.float32(channels)
    for y in range(first, last):
        for x in range(width):
            statistics[0, y, x] = np.float32(0.0)
            statistics[1, y, x] = np.float32(0.0)
        for channel in range(channels):
            scale = inverse[channel]
            for x in range(width):
                difference = (frame[channel, y, x] - predicted[channel, y, x]) * scale
                statistics[0, y, x] += difference * difference
                statistics[1, y, x] += difference
        for x in range(width):
            spread = np.float32(1.0) / (np.float32(1.0) + variance[y, x])
            statistics[0, y, x] *= share * spread
            statistics[1, y, x] *= share * np.sqrt(spread)


@compiled
def _fuse(
    frame: Array,
    predicted: Array,
    variance: Array,
    statistics: Array,
    hidden: Array,
    numbers: Array,
    lines: Array,
    mean: Array,
    left: Array,
    changed: Array,
    first: int,
    last: int,
) -> None:
    channels, height, width = frame.shape
    one = np.float32(1.0)
    doubtful, certain, least = numbers[0], numbers[1], numbers[2]
    energy_scale = numbers[4] * np.float32((ENERGY_SIDE * ENERGY_SIDE * channels / 2) ** 0.5)
    root = np.float32(channels**0.5)
    for y in range(first, last):
        # Sums over the rows of each square, the sides of which are repeated; the larger ones hold the smaller.
        for x in range(width):
            lines[0, x + _WIDEST] = np.float32(0.0)
            lines[1, x + _WIDEST] = np.float32(0.0)
        for j in range(-(ENERGY_SIDE // 2), ENERGY_SIDE // 2 + 1):
            row = min(max(y + j, 0), height - 1)
            for x in range(width):
                lines[0, x + _WIDEST] += statistics[0, row, x]
        for j in range(-1, 2):
            row = min(max(y + j, 0), height - 1)
            for x in range(width):
                lines[1, x + _WIDEST] += statistics[1, row, x]
        for n in range(1, 3):
            for x in range(width):
                lines[n + 1, x + _WIDEST] = lines[n, x + _WIDEST]
            for j in range(MEAN_SIDES[n - 1] // 2 + 1, MEAN_SIDES[n] // 2 + 1):
                above, below = max(y - j, 0), min(y + j, height - 1)
                for x in range(width):
                    lines[n + 1, x + _WIDEST] += statistics[1, above, x] + statistics[1, below, x]
        for n in range(4):
            for x in range(_WIDEST):
                lines[n, x] = lines[n, _WIDEST]
                lines[n, width + _WIDEST + x] = lines[n, width + _WIDEST - 1]
        for x in range(width):
            energy = _window(lines, 0, x, ENERGY_SIDE) * (numbers[3] / np.float32(ENERGY_SIDE**2))
            lines[4, x] = (energy - one) * energy_scale
        for x in range(width):
            lines[4, x] = max(lines[4, x], abs(_window(lines, 1, x, 3)) * (numbers[5] * root / np.float32(3)))
        for x in range(width):
            lines[4, x] = max(lines[4, x], abs(_window(lines, 2, x, 7)) * (numbers[6] * root / np.float32(7)))
        for x in range(width):
            lines[4, x] = max(lines[4, x], abs(_window(lines, 3, x, 15)) * (numbers[7] * root / np.float32(15)))
        count = 0
        for x in range(width):
            surprise = lines[4, x] + hidden[y, x]
            trust = min(max((certain - surprise) / (certain - doubtful), np.float32(0.0)), one)
            count += trust == 0
            known = variance[y, x]
            gain = one - trust * (one - min(max(known / (one + known), least), one))
            lines[5, x] = gain
            left[y, x] = one if gain == one else gain * gain + (one - gain) * (one - gain) * known
        changed[y] = count
        for channel in range(channels):
            for x in range(width):
                before = predicted[channel, y, x]
                mean[channel, y, x] = before + lines[5, x] * (frame[channel, y, x] - before)


@inner
def _window(lines: Array, n: int, x: int, side: int) -> np.float32:
    """The sum of ``side`` entries about a pixel of a padded line."""
    total = np.float32(0.0)
    start = x + _WIDEST - side // 2
    for i in range(side):
        total += lines[n, start + i]
    return total
