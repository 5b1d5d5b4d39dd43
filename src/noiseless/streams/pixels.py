"""Between the arrays of users and codecs, and the nominal planes of a denoiser."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage
from noiseless.image import FloatArray, check_finite

FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(np.float32): 1.0}
"""The stored value that is nominal 1, by the dtype of a frame."""


def full_scale(frame: NDArray[Any]) -> float:
    """The stored value that is nominal 1 in such a frame.

    Raises
    ------
    InvalidImage : the frame is not one that a stream takes.
    """
    if frame.dtype not in FULL_SCALE:
        raise InvalidImage(f"a frame has dtype {frame.dtype}; give uint8, uint16, or float32 in [0, 1]")
    if frame.ndim not in (2, 3) or (frame.ndim == 3 and frame.shape[2] != 3) or frame.size == 0:
        raise InvalidImage(f"a frame has shape {frame.shape}; give (Y, X) gray or (Y, X, 3) RGB")
    return FULL_SCALE[frame.dtype]


def nominal(frame: NDArray[Any]) -> FloatArray:
    """A frame as (C, Y, X) float32 planes with nominal range [0, 1].

    Raises
    ------
    InvalidImage : another dtype or shape, or values that are not finite.
    """
    scale = full_scale(frame)
    if frame.dtype.kind == "f":
        check_finite(frame)
    planes = frame[np.newaxis] if frame.ndim == 2 else frame.transpose(2, 0, 1)
    # Division by the scale would be exact at the ends too, and twice as slow; float32 rounds 255/255 to 1 either way.
    result: FloatArray = np.multiply(planes, np.float32(1.0 / scale), dtype=np.float32, order="C")
    return result


def stored_like(planes: FloatArray, frame: NDArray[Any]) -> NDArray[Any]:
    """Nominal planes in the dtype and shape of ``frame``; integers are rounded and clipped to their range."""
    scale = full_scale(frame)
    values = planes[0] if frame.ndim == 2 else planes.transpose(1, 2, 0)
    if frame.dtype.kind == "f":
        return np.array(values, dtype=frame.dtype, order="C")
    stored = np.multiply(values, np.float32(scale), order="C")
    np.rint(stored, out=stored)
    return np.clip(stored, 0.0, scale, out=stored).astype(frame.dtype)
