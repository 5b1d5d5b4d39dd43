"""Images one plane after another, for denoisers of planes: slices of volumes, colours as luminance and differences."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidImage
from noiseless.progress import tell
from noiseless.sigma_map import sigma_array

OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
"""Luminance and two differences of three colours; orthonormal, so white noise stays white."""


def plane_by_plane(noisy: Array, sigma: Sigma, denoise: Callable[[Array, Array, Any], Array]) -> Array:
    """An image denoised in its (Y, X) planes, where sigma is above 0.

    Parameters
    ----------
    noisy : (C, Y, X) or (C, Z, Y, X) array; three channels are turned to opponent colours and back
    sigma : number or array that broadcasts
    denoise : called with a float32 plane, the variance of the noise of each of its pixels, and their namespace

    Returns
    -------
    Array like ``noisy``.

    Raises
    ------
    InvalidImage : the image has no such axes.
    InvalidParameter : sigma is negative, not finite, or does not broadcast.
    """
    if noisy.ndim not in (3, 4):
        raise InvalidImage(f"an image has the axes (C, Y, X) or (C, Z, Y, X); this one has shape {tuple(noisy.shape)}")
    xp = array_namespace(noisy)
    single = xp.astype(noisy, xp.float32, copy=False)
    level = xp.broadcast_to(sigma_array(sigma, single, xp), tuple(single.shape))
    turned, variance = single, level**2
    if noisy.shape[0] == 3:
        opponent = xp.asarray(OPPONENT, dtype=xp.float32, device=device(noisy))
        turned = xp.tensordot(opponent, single, axes=((1,), (0,)))
        variance = xp.tensordot(opponent**2, variance, axes=((1,), (0,)))
    planes, variances = (xp.reshape(array, (-1, *noisy.shape[-2:])) for array in (turned, variance))
    results = []
    for i in range(planes.shape[0]):
        results.append(denoise(planes[i, ...], variances[i, ...], xp))
        tell(math.prod(planes.shape[1:]))
    denoised = xp.reshape(xp.stack(results), noisy.shape)
    if noisy.shape[0] == 3:
        denoised = xp.tensordot(opponent, denoised, axes=((0,), (0,)))
    return xp.astype(xp.where(level == 0, single, denoised), noisy.dtype, copy=False)
