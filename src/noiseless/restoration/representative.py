"""The part of an image that is most like the whole, so that what is found on it holds for the whole."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from noiseless.image import FloatArray
from noiseless.restoration.blocks import block_means

BLOCK = 8
"""Pixels along each of the last two axes over which activity is averaged: over 64 pixels noise is nearly a constant."""

LEVELS = np.linspace(0.05, 0.95, 19)
"""Parts of the blocks that are calmer than the activities which are compared."""


def representative_window(pixels: FloatArray, side: int) -> tuple[slice, ...]:
    """The window whose blocks are as calm and as lively as those of the whole image.

    The activity of a block is the root mean square of the differences of neighbours in it. Windows are laid half
    of themselves apart; the distance of two images is the mean distance of the logarithms of their quantiles, so flat
    parts count as much as texture.

    Parameters
    ----------
    pixels : (C, *space)
    side : of a window in pixels of a plane; a window of a volume has about as many voxels, and is as deep as wide.

    Returns
    -------
    A slice for each spatial axis; the whole axis where the image is not larger than a window.
    """
    space = pixels.shape[1:]
    width = side if len(space) == 2 else max(2 * BLOCK, round(side ** (2 / 3) / BLOCK) * BLOCK)
    activity = _activity(pixels)
    whole = _quantiles(activity)
    # Depth is counted in slices, height and width in blocks.
    units = (1,) * (len(space) - 2) + (BLOCK, BLOCK)
    starts = [_starts(length, width, unit) for length, unit in zip(space, units, strict=True)]

    def distance(corner: tuple[int, ...]) -> float:
        part = tuple(
            slice(first // unit, -(-(first + width) // unit)) for first, unit in zip(corner, units, strict=True)
        )
        return float(np.mean(np.abs(_quantiles(activity[part]) - whole)))

    corner = min(product(*starts), key=distance)
    return tuple(slice(first, min(first + width, length)) for first, length in zip(corner, space, strict=True))


def _starts(length: int, width: int, unit: int) -> list[int]:
    if length <= width:
        return [0]
    last = (length - width) // unit * unit
    count = -(-last // max(unit, width // 2)) + 1
    return sorted({round(float(start) / unit) * unit for start in np.linspace(0, last, count)})


def _activity(pixels: FloatArray) -> NDArray[np.float64]:
    """Mean squared difference of neighbours along the last two axes, a value a block; the channels' mean."""
    squared = np.zeros(pixels.shape[1:], np.float64)
    squared[..., :-1, :] += np.square(np.diff(pixels, axis=-2), dtype=np.float64).mean(axis=0)
    squared[..., :-1] += np.square(np.diff(pixels, axis=-1), dtype=np.float64).mean(axis=0)
    return block_means(squared, BLOCK)


def _quantiles(activity: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.quantile(activity, LEVELS) + np.finfo(np.float64).tiny)
