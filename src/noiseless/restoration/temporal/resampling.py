"""A frame as the next one sees it: displaced by fractions of pixels, with as little smoothing as can be.

Lanczos windows of 6x6 pixels, whose weights are those of the nearest sixty-fourth of a pixel. Bilinear and cubic
interpolation would smooth the noise, and so hide from a network how much of it there is.
"""

from collections.abc import Callable
from functools import cache

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.names import Lazy, load

from .block_matching import spread_over_pixels

_RESAMPLED = Lazy("noiseless.restoration.temporal.kernels.resampling:resampled")

REACH = 3
PHASES = 64

OUTSIDE = 1e9
# The variance of what was not in sight before: nothing is known of it.

STANDS, MISPLACED, HIDDEN = 0.25, 0.2, 1.0
# What is displaced by more than a quarter of a pixel is not quite in its place, which counts as a fifth of the variance
# of a frame; and where several places look alike under the noise the one was chosen whose noise is alike too, which
# hides about a standard deviation from the tests. With 0.4 and 1.5, or 0 and 0.5, the clips of ``benchmarks/video.py``
# are 0.03 to 0.3 dB worse where they move.


def resampled(image: Array, variance: Array, blocks: Array) -> tuple[Array, Array, Array]:
    """image(x + u) for each pixel x, how uncertain it is, and how much its choice hides.

    Parameters
    ----------
    image : (C, Y, X) float32; its border is repeated
    variance : (Y, X) float32, of the noise of its pixels, as a share of that of a frame
    blocks : (2, rows, columns) float32, of :func:`block_matching.displacements`

    Returns
    -------
    image : (C, Y, X). Where u is 0, the pixel itself.
    variance : (Y, X), the largest of the four pixels nearest to x + u, and without a bound beyond the border
    hidden : (Y, X), standard deviations, as :func:`fusion.fused` takes them
    """
    if isinstance(image, np.ndarray):
        resample: Callable[..., tuple[Array, Array, Array]] = load(_RESAMPLED)
        return resample(image, variance, blocks, lanczos())
    return _plainly_resampled(image, variance, spread_over_pixels(blocks, tuple(variance.shape)))


@cache
def lanczos() -> NDArray[np.float32]:
    """The weights (65, 6) of the pixels from -2 to 3 for each fraction of a pixel; each row sums to 1."""
    away = np.arange(-REACH + 1, REACH + 1) - np.linspace(0.0, 1.0, PHASES + 1)[:, np.newaxis]
    weights = np.sinc(away) * np.sinc(away / REACH)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _plainly_resampled(image: Array, variance: Array, displacement: Array) -> tuple[Array, Array, Array]:
    """For arrays of any library: tap by tap."""
    xp = array_api_compat.array_namespace(image)
    device = array_api_compat.device(image)
    table = xp.reshape(xp.asarray(lanczos(), device=device), (-1,))
    height, width = variance.shape
    down, right = displacement[0, ...], displacement[1, ...]
    rows = xp.reshape(xp.arange(height, device=device), (-1, 1))
    columns = xp.reshape(xp.arange(width, device=device), (1, -1))
    top, left = rows + xp.astype(xp.floor(down), rows.dtype), columns + xp.astype(xp.floor(right), columns.dtype)
    phase_y, phase_x = (
        xp.astype(xp.round((part - xp.floor(part)) * PHASES), rows.dtype) * (2 * REACH) for part in (down, right)
    )

    def taken(plane: Array, place: Array) -> Array:
        return xp.reshape(xp.take(plane, xp.reshape(place, (-1,)), axis=-1), (*plane.shape[:-1], height, width))

    planes = xp.reshape(image, (image.shape[0], -1))
    total = xp.zeros_like(image)
    for j in range(2 * REACH):
        row = xp.clip(top + (j - REACH + 1), 0, height - 1)
        line = xp.zeros_like(image)
        for i in range(2 * REACH):
            column = xp.clip(left + (i - REACH + 1), 0, width - 1)
            line = line + taken(table, phase_x + i) * taken(planes, row * width + column)
        total = total + taken(table, phase_y + j) * line
    flat = xp.reshape(variance, (-1,))
    moved = xp.zeros_like(variance)
    below, beside = xp.astype(down > xp.floor(down), rows.dtype), xp.astype(right > xp.floor(right), rows.dtype)
    for j, i in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = top + j * below, left + i * beside
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        near = taken(flat, xp.clip(row, 0, height - 1) * width + xp.clip(column, 0, width - 1))
        moved = xp.maximum(moved, xp.where(inside, near, xp.asarray(OUTSIDE, dtype=near.dtype, device=device)))
    moving = xp.astype(xp.any(xp.abs(displacement) > STANDS, axis=0), variance.dtype)
    return total, moved + MISPLACED * moving, HIDDEN * moving
