"""Noise levels as denoisers are given them: a number, or an array that broadcasts."""

from typing import Any

import array_api_compat
import numpy as np

from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidParameter


def sigma_array(sigma: Sigma, like: Array, xp: Any) -> Array:
    """Sigma as a float32 array on the device of the image ``like``, checked.

    Raises
    ------
    InvalidParameter : negative, not finite, or of a shape that does not broadcast to that of the image.
    """
    value = float(sigma) if isinstance(sigma, int | float) else sigma
    level = xp.asarray(value, dtype=xp.float32, device=array_api_compat.device(like))
    if not bool(xp.all(xp.isfinite(level))) or bool(xp.any(level < 0)):
        raise InvalidParameter(f"sigma is {sigma}; it must be finite and at least 0, in the units of the image")
    try:
        np.broadcast_shapes(tuple(level.shape), tuple(like.shape))
    except ValueError:
        raise InvalidParameter(
            f"sigma of shape {tuple(level.shape)} does not broadcast against the image of shape {tuple(like.shape)}"
        ) from None
    return level
