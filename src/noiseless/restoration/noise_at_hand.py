"""What noise an image has: what the caller says, or what the image tells."""

from dataclasses import replace
from typing import TypeAlias

import numpy as np

from noiseless.argument_checks import shown
from noiseless.denoiser import Array, Sigma
from noiseless.diffusion import FILTERS
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.image import Image, from_array
from noiseless.noise import KINDS, Gaussian, NoiseEstimate, NoiseModel, estimate_image_noise


def as_image(image: Array | Image, channel_axis: int | None) -> Image:
    """An image as it is, or of an array."""
    return image if isinstance(image, Image) else from_array(image, channel_axis=channel_axis)


Noise: TypeAlias = NoiseModel | str | None
"""What a caller says of the noise: a model, a kind whose parameters are to be estimated ("rician"), or nothing."""


STRONGEST = 1e8
"""Sigma over the range of an image: fourth powers of it are the last that float32 holds."""


def given_noise(sigma: Sigma | None, noise: Noise, image: Image, channel_axis: int | None) -> Noise:
    """The noise that the caller named; the sigma of Gaussian noise laid out as (C, *space).

    Raises
    ------
    InvalidParameter : both are given, or the noise is none.
    InvalidImage : a sigma does not fit the image.
    """
    if sigma is not None and noise is not None:
        raise InvalidParameter("sigma and noise both say how strong the noise is; give one of them")
    if noise is None:
        if sigma is None:
            return None
        noise = _gaussian(sigma, image)
    if isinstance(noise, str) and noise in KINDS:
        return noise
    if not isinstance(noise, NoiseModel):
        raise InvalidParameter(
            f"noise is {shown(noise)}; give a noise model, such as noiseless.noise.Rician(sigma=10), or "
            f"{', '.join(KINDS)}"
        )
    return _laid_out(noise, image, channel_axis) if isinstance(noise, Gaussian) else noise


def _gaussian(sigma: Sigma, image: Image) -> Gaussian:
    """Noise of that sigma, which arithmetic on the nominal image can hold.

    Raises
    ------
    InvalidParameter : no sigma, or one beyond that.
    """
    noise = Gaussian(sigma)
    largest, most = float(np.max(noise.sigma)), STRONGEST * image.scale
    if largest > most:
        raise InvalidParameter(f"sigma is {largest:g}; for this image it must be below {most:g}, in its units")
    return noise


def _laid_out(noise: Gaussian, image: Image, channel_axis: int | None) -> Gaussian:
    """The same noise with its sigma as a number or (C, *space)."""
    level = np.asarray(noise.sigma, dtype=np.float64)
    if level.ndim == 0:
        return noise
    if level.ndim == 1 and channel_axis is not None and level.size == image.channels:
        level = level.reshape(-1, *[1] * len(image.space))
    elif level.ndim == len(image.space):
        level = level[np.newaxis]
    elif level.ndim == image.pixels.ndim and channel_axis is not None:
        level = np.moveaxis(level, channel_axis, 0)
    try:
        np.broadcast_to(level, image.pixels.shape)
    except ValueError:
        raise InvalidImage(
            f"sigma of shape {np.shape(noise.sigma)} does not fit the image; give a number, one a channel, or a map"
        ) from None
    return Gaussian(level)


def known_noise(given: Noise, image: Image, method_name: str) -> NoiseEstimate:
    """The noise that was given, or else what the image tells of it or of its kind, as a method takes it.

    Raises
    ------
    InvalidParameter : nothing is known of it, so sigma must be given.
    """
    if isinstance(given, NoiseModel):
        return NoiseEstimate(given, 1.0, "given by the caller")
    noise = estimate_image_noise(image, kind=given)
    if noise.confidence == 0.0:
        raise InvalidParameter(f"the noise cannot be estimated: {noise.reason}; give sigma")
    return _one_a_channel(noise) if method_name in FILTERS else noise


def _one_a_channel(noise: NoiseEstimate) -> NoiseEstimate:
    """For filters, which have one contrast or one time: a map of sigma as its root mean square in each channel."""
    model = noise.model
    if not isinstance(model, Gaussian) or isinstance(model.sigma, float) or model.sigma.size == len(model.sigma):
        return noise
    space = tuple(range(1, model.sigma.ndim))
    return replace(noise, model=Gaussian(np.sqrt(np.mean(np.square(model.sigma), axis=space, keepdims=True))))
