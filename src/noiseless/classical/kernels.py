"""The arithmetic of non-local means for NumPy arrays, compiled; equals its plain form to rounding."""

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.diffusion.kernels.views import row

_BLOCK = 16
"""Rows that are finished together: the sums over patches go on from row to row, and all that is added up for them
stays in the second-level cache."""


def averaged(
    padded: NDArray[np.float32],
    alike: NDArray[np.float32],
    slope: NDArray[np.float32],
    search: int,
    patch: int,
    threads: int,
) -> NDArray[np.float32]:
    """The weighted means of all pixels.

    Parameters
    ----------
    padded : (C, Y + 2 (search + patch), X + 2 (search + patch))
    alike, slope : (Y, X): the weight of a pixel is min(1, max(0, 1 - slope (d - alike)))^2, d the sum of squared
        differences between the patches about the two
    search, patch : pixels to each side
    threads : at most so many; 0 means as many as the machine has cores
    """
    rows, columns = alike.shape
    out = np.empty((len(padded), rows, columns), np.float32)
    numbers = np.array([0.0, 1.0, np.finfo(np.float32).tiny], np.float32)

    def band(first: int, last: int) -> None:
        sums = np.empty((len(padded) + 2, _BLOCK, columns), np.float32)
        lines = np.empty((3, columns + 2 * patch), np.float32)
        first, last = first * _BLOCK, min(last * _BLOCK, rows)
        _average_rows(padded, alike, slope, search, patch, out, sums, lines, numbers, first, last)

    with bands_of(-(-rows // _BLOCK), threads, rows * columns * (2 * search + 1) ** 2) as bands:
        bands(band)
    return out


@compiled
def _average_rows(
    padded: Array,
    alike: Array,
    slope: Array,
    search: int,
    patch: int,
    out: Array,
    sums: Array,
    lines: Array,
    numbers: Array,
    first: int,
    last: int,
) -> None:
    """Rows ``first`` to ``last`` of ``out``; ``sums`` holds the channels, the weights and the largest weight."""
    channels, columns = padded.shape[0], out.shape[2]
    wide = columns + 2 * patch
    column_sums, box, weight = row(lines, (0,), 0, wide), row(lines, (1,), 0, columns), row(lines, (2,), 0, columns)
    for start in range(first, last, _BLOCK):
        stop = min(start + _BLOCK, last)
        for part in range(channels + 2):
            for y in range(stop - start):
                _fill(row(sums, (part, y), 0, columns), numbers[0])
        for dy in range(-search, search + 1):
            for dx in range(-search, search + 1):
                if dy == 0 and dx == 0:
                    continue
                _fill(column_sums, numbers[0])
                for y in range(start, start + 2 * patch + 1):
                    for c in range(channels):
                        here = row(padded, (c, search + y), search, wide)
                        _add_squares(column_sums, here, row(padded, (c, search + y + dy), search + dx, wide))
                for y in range(start, stop):
                    if y > start:
                        for c in range(channels):
                            here = row(padded, (c, search + y + 2 * patch), search, wide)
                            there = row(padded, (c, search + y + 2 * patch + dy), search + dx, wide)
                            gone = row(padded, (c, search + y - 1), search, wide)
                            _move_squares(
                                column_sums, here, there, gone, row(padded, (c, search + y - 1 + dy), search + dx, wide)
                            )
                    _box(box, column_sums, 2 * patch + 1)
                    _weigh(weight, box, row(alike, (y,), 0, columns), row(slope, (y,), 0, columns), numbers)
                    for c in range(channels):
                        there = row(padded, (c, search + patch + y + dy), search + patch + dx, columns)
                        _add_product(row(sums, (c, y - start), 0, columns), weight, there)
                    total = row(sums, (channels, y - start), 0, columns)
                    _add_weight(total, row(sums, (channels + 1, y - start), 0, columns), weight)
        for y in range(start, stop):
            total, largest = (
                row(sums, (channels, y - start), 0, columns),
                row(sums, (channels + 1, y - start), 0, columns),
            )
            for c in range(channels):
                here = row(padded, (c, search + patch + y), search + patch, columns)
                _finish(
                    row(out, (c, y), 0, columns), row(sums, (c, y - start), 0, columns), total, largest, here, numbers
                )


@inner
def _fill(line: Array, value: float) -> None:
    for j in range(line.size):
        line[j] = value


@inner
def _add_squares(sums: Array, here: Array, there: Array) -> None:
    for j in range(sums.size):
        difference = here[j] - there[j]
        sums[j] += difference * difference


@inner
def _move_squares(sums: Array, here: Array, there: Array, gone: Array, gone_there: Array) -> None:
    """One row further: a row of squares comes in, one goes."""
    for j in range(sums.size):
        new, old = here[j] - there[j], gone[j] - gone_there[j]
        sums[j] += new * new - old * old


@inner
def _box(box: Array, sums: Array, width: int) -> None:
    """Sums of ``width`` neighbours, an odd number; four at once, because memory is what this waits for."""
    size = box.size
    _sum(box, row(sums, (), 0, size), row(sums, (), 1, size), row(sums, (), 2, size))
    k = 3
    while k + 4 <= width:
        a, b = row(sums, (), k, size), row(sums, (), k + 1, size)
        _add_four(box, a, b, row(sums, (), k + 2, size), row(sums, (), k + 3, size))
        k += 4
    if k < width:
        _add_two(box, row(sums, (), k, size), row(sums, (), k + 1, size))


@inner
def _sum(out: Array, a: Array, b: Array, c: Array) -> None:
    for j in range(out.size):
        out[j] = a[j] + (b[j] + c[j])


@inner
def _add_two(out: Array, a: Array, b: Array) -> None:
    for j in range(out.size):
        out[j] += a[j] + b[j]


@inner
def _add_four(out: Array, a: Array, b: Array, c: Array, d: Array) -> None:
    for j in range(out.size):
        out[j] += (a[j] + b[j]) + (c[j] + d[j])


@inner
def _weigh(weight: Array, distance: Array, alike: Array, slope: Array, numbers: Array) -> None:
    zero, one = numbers[0], numbers[1]
    for j in range(weight.size):
        linear = one - slope[j] * (distance[j] - alike[j])
        linear = linear if linear < one else one
        linear = linear if linear > zero else zero
        weight[j] = linear * linear


@inner
def _add_product(sums: Array, weight: Array, there: Array) -> None:
    for j in range(sums.size):
        sums[j] += weight[j] * there[j]


@inner
def _add_weight(total: Array, largest: Array, weight: Array) -> None:
    for j in range(total.size):
        total[j] += weight[j]
        largest[j] = weight[j] if weight[j] > largest[j] else largest[j]


@inner
def _finish(out: Array, sums: Array, total: Array, largest: Array, here: Array, numbers: Array) -> None:
    """A pixel itself counts as much as the one most like it; on its own it stays."""
    for j in range(out.size):
        own = largest[j] if largest[j] > numbers[2] else numbers[1]
        out[j] = (sums[j] + own * here[j]) / (total[j] + own)
