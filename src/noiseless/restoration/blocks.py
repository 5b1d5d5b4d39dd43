"""Images as coarse grids of blocks, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.names import Lazy, load

_ZOOM = Lazy("scipy.ndimage:zoom")

Values = NDArray[Any]


def block_means(pixels: Values, block: int) -> Values:
    """Means over blocks of the last two axes; the last block is filled up by reflection."""
    if block == 1:
        return pixels
    height, width = pixels.shape[-2:]
    fill = [(0, 0)] * (pixels.ndim - 2) + [(0, -height % block), (0, -width % block)]
    padded = np.pad(pixels, fill, mode="symmetric") if np.any(fill) else pixels
    rows, columns = padded.shape[-2] // block, padded.shape[-1] // block
    return np.asarray(padded.reshape(*pixels.shape[:-2], rows, block, columns, block).mean(axis=(-3, -1)))


def interpolated(means: Values, block: int, shape: tuple[int, ...]) -> Values:
    """Pixels of an image (..., *shape) between block centres: the inverse of :func:`block_means` for smooth images."""
    if block == 1:
        return means
    factors = (1,) * (means.ndim - 2) + (block, block)
    fine = load(_ZOOM)(means, factors, order=1, mode="nearest", grid_mode=True)
    return np.asarray(fine[..., : shape[-2], : shape[-1]], dtype=means.dtype)
