"""What every filter of this room accepts: the checks at its door."""

import math

from array_api_compat import array_namespace

from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidImage, InvalidParameter


def check_image(noisy: Array) -> None:
    """Refuse what is no (C, *space) image of float32 or float64.

    Raises
    ------
    InvalidImage : the number of axes, the size or the dtype does not fit, or a value is NaN or infinite.
    """
    xp = array_namespace(noisy)
    if noisy.ndim not in (3, 4):
        raise InvalidImage(
            f"a filter takes a (C, Y, X) or (C, Z, Y, X) array, not one of shape {tuple(noisy.shape)}; "
            "a gray image has one channel: noisy[None]"
        )
    if 0 in noisy.shape:
        raise InvalidImage(f"the image is empty: its shape is {tuple(noisy.shape)}")
    if noisy.dtype not in (xp.float32, xp.float64):
        raise InvalidImage(f"the image has dtype {noisy.dtype}; diffusion works on float32 or float64")
    if not bool(xp.all(xp.isfinite(noisy))):
        raise InvalidImage(
            "the image holds NaN or infinite values, and diffusion would spread them; replace them first"
        )


def channel_sigmas(noisy: Array, sigma: Sigma) -> tuple[float, ...]:
    """The noise level of each channel, as Python floats.

    Parameters
    ----------
    noisy : (C, *space) array
    sigma : a number, or an array that broadcasts to (C, 1, ..., 1).

    Raises
    ------
    InvalidParameter : a value is negative or not finite, or there is one sigma a pixel, which a filter with one
        contrast or one stopping time cannot honour.
    """
    shape = tuple(getattr(sigma, "shape", ()))
    aligned = (1,) * (noisy.ndim - len(shape)) + shape
    if len(aligned) != noisy.ndim or aligned[0] not in (1, noisy.shape[0]) or set(aligned[1:]) != {1}:
        raise InvalidParameter(
            f"sigma has shape {shape}; diffusion takes one sigma an image or one a channel, "
            f"{(noisy.shape[0],) + (1,) * (noisy.ndim - 1)} here; stabilise noise that varies over the image first"
        )
    values = [float(value) for value in sigma.reshape(-1)] if shape else [float(sigma)]
    for value in values:
        if not (math.isfinite(value) and value >= 0.0):
            raise InvalidParameter(
                f"sigma is {value:g}; a noise standard deviation is a finite number >= 0 in the units of the image"
            )
    return tuple(values) if len(values) == noisy.shape[0] else tuple(values) * int(noisy.shape[0])


def check_mask(mask: Array, noisy: Array) -> Array:
    """Refuse what is no bool array over the spatial axes of ``noisy``, of its kind.

    Raises
    ------
    InvalidParameter : the dtype or the shape does not fit.
    """
    xp = array_namespace(noisy)
    if not isinstance(mask, type(noisy)) or mask.dtype != xp.bool:
        raise InvalidParameter(
            f"the mask is of type {getattr(mask, 'dtype', type(mask).__name__)}; give a bool array of the kind of "
            "the image, True where there is image"
        )
    if tuple(mask.shape) != tuple(noisy.shape[1:]):
        raise InvalidParameter(
            f"the mask has shape {tuple(mask.shape)}, the image {tuple(noisy.shape[1:])} after its channels"
        )
    return mask


def check_spacing(spacing: tuple[float, ...]) -> None:
    """Refuse spacings that are not two or three positive lengths, or none.

    Raises
    ------
    InvalidParameter : the number of entries or a value is out of range.
    """
    if len(spacing) not in (0, 2, 3) or not all(math.isfinite(size) and size > 0.0 for size in spacing):
        raise InvalidParameter(
            f"spacing is {spacing!r}; give the pixel size along each spatial axis, 2 or 3 finite lengths > 0, "
            "or leave it empty for 1"
        )


def spacing_of(noisy: Array, spacing: tuple[float, ...]) -> tuple[float, ...]:
    """``spacing`` with one entry a spatial axis of ``noisy``; empty means 1 along each.

    Raises
    ------
    InvalidParameter : there are more or fewer entries than spatial axes.
    """
    if spacing and len(spacing) != noisy.ndim - 1:
        raise InvalidParameter(
            f"spacing has {len(spacing)} entries, but the image of shape {tuple(noisy.shape)} "
            f"has {noisy.ndim - 1} spatial axes"
        )
    return spacing or (1.0,) * (noisy.ndim - 1)
