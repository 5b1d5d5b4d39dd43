"""Noise levels as denoisers are given them: a number, or an array that broadcasts."""

from typing import Any

import array_api_compat
import numpy as np

from noiseless.argument_checks import shown
from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidParameter

LARGEST_SIGMA = 1e18
"""Its square is the last that float32 holds."""


def sigma_array(sigma: Sigma, like: Array, xp: Any) -> Array:
    """Sigma as a float32 array on the device of the image ``like``, checked.

    Raises
    ------
    InvalidParameter : negative, not finite, or of a shape that does not broadcast to that of the image.
    """
    try:
        given = xp.asarray(float(sigma) if isinstance(sigma, int | float) else sigma)
        real = xp.isdtype(given.dtype, ("integral", "real floating"))
        within = real and bool(xp.all((given >= 0) & (given <= LARGEST_SIGMA)))
    except (TypeError, ValueError, OverflowError):
        within = False  # NaN is not within either
    if not within:
        raise InvalidParameter(
            f"sigma is {shown(sigma)}; it must be finite, at least 0 and at most {LARGEST_SIGMA:g}, in the units of "
            "the image"
        )
    level = xp.asarray(given, dtype=xp.float32, device=array_api_compat.device(like))
    try:
        np.broadcast_shapes(tuple(level.shape), tuple(like.shape))
    except ValueError:
        raise InvalidParameter(
            f"sigma of shape {tuple(level.shape)} does not broadcast against the image of shape {tuple(like.shape)}"
        ) from None
    return level
