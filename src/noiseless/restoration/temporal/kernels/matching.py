"""Block matching for NumPy arrays, compiled; equals its plain form, ``matching_arrays``, to rounding."""

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.restoration.temporal.matching_arrays import (
    AT_REST,
    FAR,
    FIRM,
    FURTHEST,
    HALF,
    ITERATIONS,
    ROUNDS,
    STILL,
    rest_bounds,
)

PAIRS_A_BLOCK = 4 * HALF * HALF * 4
# Pairs of pixels that a block which stands still is asked for, and about what a search costs on the average.


def smoothed(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over the channels, smoothed by (1 2 1) / 4 both ways; the border is repeated."""
    _, height, width = frame.shape
    result = np.empty((height, width), np.float32)
    with bands_of(height, 0, frame.size * 4) as bands:

        def band(first: int, last: int) -> None:
            _smooth(frame, np.empty((2, width), np.float32), result, first, last)

        bands(band)
    return result


def searched(
    frame: NDArray[np.float32],
    reference: NDArray[np.float32],
    coarse: NDArray[np.int32],
    stride: int,
    variance: float,
) -> NDArray[np.int32]:
    """Whole displacements on one scale, from those of the scale with half the pixels.

    (3, rows, columns): down, right, and what ``matching_arrays`` says of rest.
    """
    rows, columns = (-(-length // stride) for length in frame.shape)
    found, agreed = np.empty((3, rows, columns), np.int32), np.empty((3, rows, columns), np.int32)
    numbers = np.array([variance * FAR, variance * STILL * 2 * HALF, *rest_bounds(variance)], np.float32)
    with bands_of(rows, 0, PAIRS_A_BLOCK * rows * columns) as bands:
        bands(lambda first, last: _search(frame, reference, coarse, stride, numbers, found, first, last))
        bands(lambda first, last: _agree(frame, reference, found, stride, numbers, agreed, first, last))
    return agreed


def refined(
    frame: NDArray[np.float32],
    reference: NDArray[np.float32],
    whole: NDArray[np.int32],
    stride: int,
    variance: float,
) -> NDArray[np.float32]:
    """Displacements with fractions of a pixel; blocks that stand still stay."""
    result = whole[:2].astype(np.float32)
    if min(frame.shape) < 4:
        return result
    damping = np.array([2 * HALF * HALF * variance, 1e-12], np.float32)
    rows = whole.shape[1]
    with bands_of(rows, 0, PAIRS_A_BLOCK * rows * whole.shape[2]) as bands:
        bands(lambda first, last: _refine(frame, reference, whole, stride, damping, result, first, last))
    return result


@compiled
def _smooth(frame: Array, lines: Array, result: Array, first: int, last: int) -> None:
    channels, height, width = frame.shape
    quarter, half = np.float32(0.25) / np.float32(channels), np.float32(0.5) / np.float32(channels)
    for y in range(first, last):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            lines[0, x] = np.float32(0.0)
        for channel in range(channels):
            for x in range(width):
                outer = frame[channel, above, x] + frame[channel, below, x]
                lines[0, x] += quarter * outer + half * frame[channel, y, x]
        for x in range(width):
            beside = lines[0, max(x - 1, 0)] + lines[0, min(x + 1, width - 1)]
            result[y, x] = np.float32(0.25) * beside + np.float32(0.5) * lines[0, x]


@inner
def _unlike(frame: Array, reference: Array, y: int, x: int, down: int, right: int, most: np.float32) -> np.float32:
    """The sum of squared differences of a block; something above ``most`` where it is above."""
    height, width = frame.shape
    total = np.float32(0.0)
    inside = (
        y >= HALF and y + HALF <= height and x >= HALF and x + HALF <= width
        and y + down >= HALF and y + down + HALF <= height and x + right >= HALF and x + right + HALF <= width
    )  # fmt: skip
    for j in range(-HALF, HALF):
        if inside:
            for i in range(-HALF, HALF):
                difference = frame[y + j, x + i] - reference[y + j + down, x + i + right]
                total += difference * difference
        else:
            here, there = min(max(y + j, 0), height - 1), min(max(y + j + down, 0), height - 1)
            for i in range(-HALF, HALF):
                difference = (
                    frame[here, min(max(x + i, 0), width - 1)] - reference[there, min(max(x + i + right, 0), width - 1)]
                )
                total += difference * difference
        if total > most:
            break
    return total


@compiled
def _search(
    frame: Array,
    reference: Array,
    coarse: Array,
    stride: int,
    numbers: Array,
    found: Array,
    first: int,
    last: int,
) -> None:
    far, still = numbers[0], numbers[1]
    rows, columns = coarse.shape[1], coarse.shape[2]
    for b in range(first, last):
        for a in range(found.shape[2]):
            y, x = b * stride + stride // 2, a * stride + stride // 2
            up, left = min(b // 2, rows - 1), min(a // 2, columns - 1)
            found[0, b, a], found[1, b, a] = 0, 0
            # What rests on a coarser scale, where its noise is weaker, rests here.
            found[2, b, a] = AT_REST if coarse[2, up, left] == AT_REST else _rest(frame, reference, y, x, numbers)
            if found[2, b, a] == AT_REST:
                continue
            expected_down, expected_right = 2 * coarse[0, up, left], 2 * coarse[1, up, left]
            best = _unlike(frame, reference, y, x, 0, 0, np.float32(np.inf))
            best += far * np.float32(abs(expected_down) + abs(expected_right)) - still
            down, right = 0, 0
            for corner in range(4):
                row = min(max(up + (corner // 2) * (1 if b % 2 else -1), 0), rows - 1)
                column = min(max(left + (corner % 2) * (1 if a % 2 else -1), 0), columns - 1)
                d, r = 2 * coarse[0, row, column], 2 * coarse[1, row, column]
                if d == 0 and r == 0:
                    continue
                extra = far * np.float32(abs(d - expected_down) + abs(r - expected_right))
                cost = _unlike(frame, reference, y, x, d, r, best - extra) + extra
                if cost < best:
                    best, down, right = cost, d, r
            for _ in range(ROUNDS):
                centre_down, centre_right = down, right
                for j in range(-1, 2):
                    for i in range(-1, 2):
                        d, r = centre_down + j, centre_right + i
                        if (j == 0 and i == 0) or (d == 0 and r == 0):
                            continue
                        extra = far * np.float32(abs(d - expected_down) + abs(r - expected_right))
                        cost = _unlike(frame, reference, y, x, d, r, best - extra) + extra
                        if cost < best:
                            best, down, right = cost, d, r
                if down == centre_down and right == centre_right:
                    break
            found[0, b, a], found[1, b, a] = down, right


@compiled
def _agree(
    frame: Array,
    reference: Array,
    found: Array,
    stride: int,
    numbers: Array,
    agreed: Array,
    first: int,
    last: int,
) -> None:
    """Each block takes that displacement of the nine about it which fits it and them best."""
    far, still = numbers[0], numbers[1]
    rows, columns = found.shape[1], found.shape[2]
    for b in range(first, last):
        for a in range(columns):
            y, x = b * stride + stride // 2, a * stride + stride // 2
            down, right, standing = found[0, b, a], found[1, b, a], found[2, b, a]
            unanimous = True
            for n in range(0 if standing == AT_REST else 9):
                row, column = min(max(b + n // 3 - 1, 0), rows - 1), min(max(a + n % 3 - 1, 0), columns - 1)
                unanimous = unanimous and found[0, row, column] == down and found[1, row, column] == right
            if not unanimous:
                best = np.float32(np.inf)
                for n in range(9):
                    row, column = min(max(b + n // 3 - 1, 0), rows - 1), min(max(a + n % 3 - 1, 0), columns - 1)
                    d, r = found[0, row, column], found[1, row, column]
                    apart = 0
                    for m in range(9):
                        row, column = min(max(b + m // 3 - 1, 0), rows - 1), min(max(a + m % 3 - 1, 0), columns - 1)
                        apart += min(abs(found[0, row, column] - d) + abs(found[1, row, column] - r), 4)
                    extra = far * np.float32(0.5) * np.float32(apart)
                    if d == 0 and r == 0:
                        extra -= still
                    cost = _unlike(frame, reference, y, x, d, r, best - extra) + extra
                    if cost < best:
                        best, down, right = cost, d, r
            agreed[0, b, a], agreed[1, b, a], agreed[2, b, a] = down, right, standing


@compiled
def _refine(
    frame: Array,
    reference: Array,
    whole: Array,
    stride: int,
    damping: Array,
    result: Array,
    first: int,
    last: int,
) -> None:
    height, width = frame.shape
    for b in range(first, last):
        for a in range(whole.shape[2]):
            y, x = b * stride + stride // 2, a * stride + stride // 2
            if whole[2, b, a] != 0 and whole[0, b, a] == 0 and whole[1, b, a] == 0:
                continue
            down, right = result[0, b, a], result[1, b, a]
            for _ in range(ITERATIONS):
                yy = yx = xx = along_y = along_x = np.float32(0.0)
                below, beside = int(np.floor(down)), int(np.floor(right))
                v, u = down - np.float32(below), right - np.float32(beside)
                for j in range(-HALF, HALF):
                    here = min(max(y + j, 0), height - 1)
                    row = min(max(y + j + below, 1), height - 3)
                    for i in range(-HALF, HALF):
                        column = min(max(x + i + beside, 1), width - 3)
                        value = _between(reference, row, column, v, u)
                        slope_y = _between(reference, row + 1, column, v, u) - _between(
                            reference, row - 1, column, v, u
                        )
                        slope_x = _between(reference, row, column + 1, v, u) - _between(
                            reference, row, column - 1, v, u
                        )
                        slope_y, slope_x = np.float32(0.5) * slope_y, np.float32(0.5) * slope_x
                        error = frame[here, min(max(x + i, 0), width - 1)] - value
                        yy += slope_y * slope_y
                        yx += slope_y * slope_x
                        xx += slope_x * slope_x
                        along_y += slope_y * error
                        along_x += slope_x * error
                yy, xx = yy + damping[0], xx + damping[0]
                scale = np.float32(1.0) / (yy * xx - yx * yx + damping[1])
                down += _bounded((xx * along_y - yx * along_x) * scale, np.float32(FURTHEST))
                right += _bounded((yy * along_x - yx * along_y) * scale, np.float32(FURTHEST))
                down = np.float32(whole[0, b, a]) + _bounded(down - np.float32(whole[0, b, a]), np.float32(1.0))
                right = np.float32(whole[1, b, a]) + _bounded(right - np.float32(whole[1, b, a]), np.float32(1.0))
            result[0, b, a], result[1, b, a] = down, right


@inner
def _rest(frame: Array, reference: Array, y: int, x: int, numbers: Array) -> int:
    """See ``matching_arrays``: AT_REST, FIRM, or 0."""
    height, width = frame.shape
    energy = yy = yx = xx = along_y = along_x = np.float32(0.0)
    inside = y > HALF and y + HALF < height and x > HALF and x + HALF < width
    for j in range(-HALF, HALF):
        row = y + j if inside else min(max(y + j, 1), height - 2)
        for i in range(-HALF, HALF):
            column = x + i if inside else min(max(x + i, 1), width - 2)
            slope_y = np.float32(0.5) * (reference[row + 1, column] - reference[row - 1, column])
            slope_x = np.float32(0.5) * (reference[row, column + 1] - reference[row, column - 1])
            error = frame[row, column] - reference[row, column]
            energy += error * error
            yy += slope_y * slope_y
            yx += slope_y * slope_x
            xx += slope_x * slope_x
            along_y += slope_y * error
            along_x += slope_x * error
    yy, xx = yy + numbers[3], xx + numbers[3]
    explained = xx * along_y * along_y - np.float32(2.0) * yx * along_y * along_x + yy * along_x * along_x
    if explained > numbers[4] * (yy * xx - yx * yx + numbers[5]):
        return 0
    return AT_REST if energy <= numbers[2] else FIRM


@inner
def _between(plane: Array, row: int, column: int, v: np.float32, u: np.float32) -> np.float32:
    """Bilinear, a share v of a row below and u of a column beside."""
    one = np.float32(1.0)
    upper = (one - u) * plane[row, column] + u * plane[row, column + 1]
    lower = (one - u) * plane[row + 1, column] + u * plane[row + 1, column + 1]
    return np.float32((one - v) * upper + v * lower)


@inner
def _bounded(value: np.float32, most: np.float32) -> np.float32:
    return min(max(value, -most), most)
