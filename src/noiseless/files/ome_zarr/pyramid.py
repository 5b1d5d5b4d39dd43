"""The coarser levels of an image: means over blocks of the finest one."""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.files.chunked import Window

VALUES_AT_ONCE = 2**22
"""How many values of the finest level are averaged at once: 32 MiB in float64."""


def whole_factors(
    fine: tuple[int, ...], coarse: tuple[int, ...], ratios: tuple[float, ...] | None
) -> tuple[int, ...] | None:
    """By how much a level is coarser along each axis; None where that is no whole number.

    The last block along an axis may be cut off, or left out: a level of n pixels is of round n / factor, up or down.

    Parameters
    ----------
    fine, coarse : shapes
    ratios : what the transformations say of it, or None
    """
    factors = []
    for axis, (many, few) in enumerate(zip(fine, coarse, strict=True)):
        if few < 1 or few > many:
            return None
        guesses = [round(many / few), many // few, -(-many // few)]
        if ratios is not None:
            guesses.insert(0, max(1, round(ratios[axis])))
        fitting = [factor for factor in guesses if few in (many // factor, -(-many // factor))]
        if not fitting:
            return None
        factors.append(fitting[0])
    return tuple(factors)


def build_level(fine: Any, coarse: Any, factors: tuple[int, ...]) -> None:
    """Fill a level with means over blocks, chunk by chunk.

    Parameters
    ----------
    fine, coarse : zarr arrays; of the last block along an axis the mean is that of the pixels there are.
    factors : of each axis
    """
    for window in windows(coarse.shape, coarse.shards or coarse.chunks):
        values = np.empty([part.stop - part.start for part in window], coarse.dtype)
        for piece in _pieces(window, factors):
            within = tuple(
                slice(part.start - whole.start, part.stop - whole.start)
                for part, whole in zip(piece, window, strict=True)
            )
            source = tuple(
                slice(part.start * factor, min(part.stop * factor, length))
                for part, factor, length in zip(piece, factors, fine.shape, strict=True)
            )
            values[within] = rounded(means_over_blocks(fine[source], factors), coarse.dtype)
        coarse[window] = values


def means_over_blocks(values: NDArray[Any], factors: tuple[int, ...]) -> NDArray[np.float64]:
    """The mean over blocks that begin at the first pixel; the last ones may be smaller."""
    sums: NDArray[Any] = values
    number = np.ones((1,) * values.ndim)
    # Rows first: along the last axis values are far apart in memory, and there are fewer of them then.
    for axis in sorted(range(values.ndim), key=lambda n: n == values.ndim - 1):
        factor, length = factors[axis], values.shape[axis]
        if factor > 1:
            sums = _sums_along(sums, axis, factor)
            sizes = np.diff(np.arange(0, length, factor), append=length)
            number = number * sizes.reshape([-1 if n == axis else 1 for n in range(values.ndim)])
    return np.asarray(sums / number, np.float64)


def _sums_along(values: NDArray[Any], axis: int, factor: int) -> NDArray[np.float64]:
    """Of so many neighbours along an axis; exact for integers whose sums are below 2**53."""
    along = np.moveaxis(values, axis, 0)
    sums = along[::factor].astype(np.float64)
    for place in range(1, min(factor, len(along))):
        part = along[place::factor]
        sums[: len(part)] += part
    return np.moveaxis(sums, 0, axis)


def rounded(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Means in the type of a level; they lie within its range, as what they are means of does."""
    return (np.rint(values) if dtype.kind in "iu" else values).astype(dtype)


def windows(shape: tuple[int, ...], grid: tuple[int, ...]) -> Iterator[Window]:
    """The windows of a regular grid over an array."""
    for corner in product(*(range(0, length, side) for length, side in zip(shape, grid, strict=True))):
        yield tuple(
            slice(first, min(first + side, length)) for first, side, length in zip(corner, grid, shape, strict=True)
        )


def _pieces(window: Window, factors: tuple[int, ...]) -> Iterator[Window]:
    """The window in parts, halved until what is averaged for each is few enough values."""
    sides = [part.stop - part.start for part in window]
    if math.prod(sides) * math.prod(factors) <= VALUES_AT_ONCE or max(sides) == 1:
        yield window
        return
    axis = max(range(len(sides)), key=lambda n: sides[n] * factors[n] if sides[n] > 1 else 0)
    middle = window[axis].start + sides[axis] // 2
    for half in (slice(window[axis].start, middle), slice(middle, window[axis].stop)):
        yield from _pieces((*window[:axis], half, *window[axis + 1 :]), factors)
