"""Where the blocks of a frame were in the frame before: block matching from coarse to fine, aware of the noise.

Blocks overlap: squares of 12 pixels about centres 8 pixels apart. At each scale the best of what the coarser scale says
of a block and its neighbours is improved by steps of one pixel; then each block may take over the displacement of a
neighbour; on the finest scale a few Gauss-Newton steps find the fraction of a pixel.

    cost(u) = sum (f(x) - r(x + u))^2 + variance * (2 |u - expected|_1 - 3 sqrt(pixels) [u = 0])

``variance`` is that of f - r where both show the same. The term of u = 0 lets what stands still stand still; so does a
test of the first Gauss-Newton step from rest, which is taken only if it explains more than noise would.

References
----------
Tourapis 2002, Proc. SPIE 4671, doi:10.1117/12.453031: predictive zonal search.
Lucas & Kanade 1981, IJCAI: the fraction of a pixel.
"""

from collections.abc import Sequence
from functools import partial

import array_api_compat
import numpy as np

from noiseless.denoiser import Array
from noiseless.names import Lazy, load

from . import matching_arrays

_KERNELS = "noiseless.restoration.temporal.kernels.matching"
_SEARCHED, _REFINED, _SMOOTHED = (Lazy(f"{_KERNELS}:{name}") for name in ("searched", "refined", "smoothed"))

SCALES, LEAST_SIDE = 4, 32
# A displacement of 8 pixels is one of 1 on the coarsest scale; planes below 32 pixels are not halved further.

LEFT = (3 / 8, 5 / 16, 13 / 64, 29 / 256)
# Of the variance of white noise, along each axis, on each scale: the sums of the squares of (1 2 1) / 4, which halving
# makes (1 3 3 1) / 8, (1 3 4 4 3 1) / 16, and so on.

STRIDE = 8


def brightness(frame: Array) -> list[Array]:
    """What blocks are matched by: the mean over the channels of (C, Y, X), smoothed by (1 2 1) / 4 both ways.

    Returns
    -------
    Planes of float32, from fine to coarse, each the means of 2x2 pixels of the one before.
    """
    if isinstance(frame, np.ndarray):
        plane = load(_SMOOTHED)(frame)
    else:
        xp = array_api_compat.array_namespace(frame)
        plane = xp.mean(frame, axis=0)
        plane = xp.concat([plane[:1, :], plane, plane[-1:, :]], axis=0)
        plane = (plane[:-2, :] + plane[2:, :]) * 0.25 + plane[1:-1, :] * 0.5
        plane = xp.concat([plane[:, :1], plane, plane[:, -1:]], axis=1)
        plane = (plane[:, :-2] + plane[:, 2:]) * 0.25 + plane[:, 1:-1] * 0.5
    planes = [plane]
    while len(planes) < SCALES and min(planes[-1].shape) >= LEAST_SIDE:
        planes.append(_halved(planes[-1]))
    return planes


def displacements(frame: list[Array], reference: list[Array], variance: Sequence[float]) -> Array:
    """The displacement u at every block such that frame(x) looks like reference(x + u).

    Parameters
    ----------
    frame, reference : of :func:`brightness`
    variance : > 0, of their difference on each scale where nothing moved, see :func:`variances`

    Returns
    -------
    (2, rows, columns) float32: down and right, in pixels, at the centres of blocks ``STRIDE`` pixels apart.
    """
    searched, refined = matching_arrays.searched, matching_arrays.refined
    if isinstance(frame[0], np.ndarray):
        searched, refined = load(_SEARCHED), load(_REFINED)
    xp = array_api_compat.array_namespace(frame[0])
    coarse = xp.zeros((3, 1, 1), dtype=xp.int32, device=array_api_compat.device(frame[0]))
    for level in range(len(frame) - 1, -1, -1):
        coarse = searched(frame[level], reference[level], coarse, STRIDE, variance[level])
    return refined(frame[0], reference[0], coarse, STRIDE, variance[0])


def variances(noise: float, excess: Sequence[float]) -> list[float]:
    """Of the brightness on each scale, for white noise of this variance, times what noise that is tied together adds.

    Parameters
    ----------
    noise : variance of the mean over the channels
    excess : factors for means over 3x3, 7x7 and 15x15 pixels, which are about as wide as the pixels of the scales
    """
    return [noise * left**2 * more for left, more in zip(LEFT, (excess[0], *excess), strict=True)]


def spread_over_pixels(blocks: Array, shape: tuple[int, int]) -> Array:
    """The displacement of every pixel, (2, Y, X): straight between the centres of blocks."""
    xp = array_api_compat.array_namespace(blocks)
    result = blocks
    for axis, length in ((1, shape[0]), (2, shape[1])):
        place = (xp.arange(length, dtype=xp.float32, device=array_api_compat.device(blocks)) - STRIDE / 2) / STRIDE
        place = xp.clip(place, 0, blocks.shape[axis] - 1)
        left = xp.astype(xp.floor(place), xp.int32)
        right = xp.clip(left + 1, 0, blocks.shape[axis] - 1)
        share = xp.reshape(place - xp.astype(left, xp.float32), (1, -1, 1) if axis == 1 else (1, 1, -1))
        take = partial(xp.take, result, axis=axis)
        lower = take(xp.astype(left, xp.int64))
        result = lower + share * (take(xp.astype(right, xp.int64)) - lower)
    return result


def _halved(plane: Array) -> Array:
    """The means of 2x2 pixels; an odd last line counts twice."""
    xp = array_api_compat.array_namespace(plane)
    if plane.shape[0] % 2:
        plane = xp.concat([plane, plane[-1:, :]], axis=0)
    if plane.shape[1] % 2:
        plane = xp.concat([plane, plane[:, -1:]], axis=1)
    rows = plane[::2, :] + plane[1::2, :]
    return (rows[:, ::2] + rows[:, 1::2]) * 0.25
