"""Part of an image: what lies outside a mask (air, padding, a data bar) must not enter the statistics."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidParameter
from noiseless.image import Image


def masked(image: Image, mask: NDArray[Any]) -> Image:
    """The box around the mask, its other pixels at the least value inside.

    The instruments of this room leave out what is piled up at an extreme value, as a masked background is; the
    spectrum of correlated noise is read within the mask, which the box keeps.

    Parameters
    ----------
    image : any
    mask : bool, in the shape of the space (*space): True where the image is looked at.

    Raises
    ------
    InvalidParameter : the mask is not bool, has another shape, or is True nowhere.
    """
    inside = np.asarray(mask)
    if inside.dtype != bool or inside.shape != image.space:
        raise InvalidParameter(
            f"the mask has type {inside.dtype} and shape {inside.shape}; give bool in the shape {image.space}"
        )
    if not inside.any():
        raise InvalidParameter(
            f"the mask is True at 0 of {inside.size} pixels; mark at least one 8x8 patch of the image to be measured"
        )
    box = tuple(slice(int(found.min()), int(found.max()) + 1) for found in np.nonzero(inside))
    pixels, within = image.pixels[(slice(None), *box)], inside[box]
    least = pixels[:, within].min(axis=1).reshape(-1, *[1] * len(box))
    return replace(image, pixels=np.where(within, pixels, least).astype(np.float32), alpha=None, mask=within, volumes=1)
