"""What every filter of this room accepts: the checks at its door."""

import math

from array_api_compat import array_namespace, is_numpy_array

from noiseless.argument_checks import is_number, shown
from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.sigma_map import LARGEST_SIGMA

LARGEST_LINEAR, LARGEST = 1e30, 1e15
"""Of values: sums of so many of them, as linear diffusion takes them, or squares of products of their gradients."""

LEAST_CONTRAST = 1e-30
"""Its reciprocal must be a float32."""

FINEST, COARSEST = 1e-12, 1e12
"""Of pixels, in any unit: their squares go through float32."""


def check_image(noisy: Array, most: float = LARGEST_LINEAR) -> None:
    """Refuse what is no (C, *space) image of float32 or float64, or has values beyond ``most``.

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
        raise InvalidImage(
            f"the image has dtype {noisy.dtype}; diffusion works on float32 or float64, in the byte order of the "
            "machine: astype('float32') makes it so"
        )
    if bool(xp.any((noisy > most) | (noisy < -most))):
        raise InvalidImage(f"the image has values beyond {most:g}, and their squares have no number; use another unit")
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
    remedy = "a noise standard deviation is a finite number >= 0 in the units of the image"
    try:
        values = [float(value) for value in sigma.reshape(-1)] if shape else [float(sigma)]
    except (TypeError, ValueError, OverflowError):
        raise InvalidParameter(f"sigma is {shown(sigma)}; {remedy}") from None
    for value in values:
        if not (math.isfinite(value) and value >= 0.0):
            raise InvalidParameter(f"sigma is {value:g}; {remedy}")
        if value > LARGEST_SIGMA:
            raise InvalidParameter(f"sigma is {value:g}; arithmetic ends at {LARGEST_SIGMA:g}: use another unit")
    return tuple(values) if len(values) == noisy.shape[0] else tuple(values) * int(noisy.shape[0])


def check_mask(mask: Array, noisy: Array) -> Array:
    """Refuse what is no bool array over the spatial axes of ``noisy``, of its kind.

    Raises
    ------
    InvalidParameter : the dtype or the shape does not fit.
    """
    if not _is_bool_like(mask, noisy):
        raise InvalidParameter(
            f"the mask is of type {getattr(mask, 'dtype', type(mask).__name__)}; give a bool array of the kind of "
            "the image, True where there is image"
        )
    if tuple(mask.shape) != tuple(noisy.shape[1:]):
        raise InvalidParameter(
            f"the mask has shape {tuple(mask.shape)}, the image {tuple(noisy.shape[1:])} after its channels"
        )
    return mask


def _is_bool_like(mask: Array, noisy: Array) -> bool:
    """Whether it is a bool array of the kind of the image."""
    alike = is_numpy_array(mask) == is_numpy_array(noisy)
    return alike and bool(getattr(mask, "dtype", None) == array_namespace(noisy).bool)


def check_floating(array: Array) -> None:
    """Refuse arrays in which differences are not what they seem: integers wrap around.

    Raises
    ------
    InvalidImage : the dtype is neither float32 nor float64.
    """
    xp = array_namespace(array)
    if array.dtype not in (xp.float32, xp.float64):
        raise InvalidImage(f"the array has dtype {array.dtype}; diffusion works on float32 or float64")


def check_missing(missing: Array, image: Array) -> None:
    """Refuse what is no bool array of the shape and kind of ``image``.

    Raises
    ------
    InvalidImage : the dtype or the shape does not fit.
    """
    if not _is_bool_like(missing, image):
        raise InvalidImage(
            f"missing is of type {getattr(missing, 'dtype', type(missing).__name__)}; give a bool array of the kind of "
            "the image, True where a value is to be filled in"
        )
    if tuple(missing.shape) != tuple(image.shape):
        raise InvalidImage(f"missing has shape {tuple(missing.shape)}, the image has {tuple(image.shape)}")


def check_spacing(spacing: tuple[float, ...]) -> None:
    """Refuse spacings that are not two or three positive lengths, or none.

    Raises
    ------
    InvalidParameter : the number of entries or a value is out of range.
    """
    lengths = spacing if isinstance(spacing, tuple | list) else (None,)
    if len(lengths) not in (0, 2, 3) or not all(is_number(size) and FINEST <= size <= COARSEST for size in lengths):
        raise InvalidParameter(
            f"spacing is {shown(spacing)}; give the pixel size along each spatial axis, 2 or 3 finite lengths > 0, "
            f"{FINEST:g} to {COARSEST:g}, or leave it empty for 1"
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
