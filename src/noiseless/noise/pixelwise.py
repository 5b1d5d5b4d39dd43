"""What the models of signal-dependent noise ask of their images, and how they walk over the pixels.

An image is worked on in blocks that stay in the cache, in float64: a formula of ten steps over a megapixel then costs
about as much as one or two over the whole image at once, and float32 images lose no digits on the way.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage

BLOCK = 1 << 14
# Pixels in a block: 128 KiB of float64, of which a few arrays fit into the second cache of any recent processor.

Values = NDArray[np.float64]


def require_floating(image: NDArray[Any]) -> None:
    """Integers can hold neither noise nor what it is stabilised to.

    Raises
    ------
    InvalidImage : ``image`` is not of floating dtype.
    """
    if image.dtype.kind != "f":
        raise InvalidImage(f"noise needs a floating-point image, not {image.dtype}; convert it with astype first")


def in_blocks(function: Callable[[Values], Values], image: NDArray[Any]) -> NDArray[Any]:
    """``function`` of every pixel; float32, or float64 where ``image`` is.

    Raises
    ------
    InvalidImage : ``image`` is not of floating dtype.
    """
    require_floating(image)
    result = np.empty(image.shape, np.result_type(image.dtype, np.float32))
    given, made = image.reshape(-1), result.reshape(-1)
    for start in range(0, image.size, BLOCK):
        made[start : start + BLOCK] = function(given[start : start + BLOCK].astype(np.float64))
    return result


def pairs_in_blocks(function: Callable[[Values, Values], Values], noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
    """``function`` of every pixel of two images, in float64.

    Raises
    ------
    InvalidImage : the two images differ in shape.
    """
    if noisy.shape != clean.shape:
        raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
    result = np.empty(noisy.shape)
    made, first, second = result.reshape(-1), noisy.reshape(-1), clean.reshape(-1)
    for start in range(0, noisy.size, BLOCK):
        block = slice(start, start + BLOCK)
        made[block] = function(first[block].astype(np.float64), second[block].astype(np.float64))
    return result
