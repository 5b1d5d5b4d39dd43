"""Explicit time steps of nonlinear image diffusion: the scheme, its stability bound, and its plain arithmetic.

    u <- u + step_size * div(g(|grad v|^2 / contrast^2) grad u),    v = u, smoothed a little

on the faces between pixels, with no flux through the border. Every new pixel is a mean of old ones with weights >= 0
as long as the step is within the bound, so the range of the image is never left and its mean is kept.
"""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace, device

from noiseless.denoiser import Array
from noiseless.diffusion.conductivity import CONDUCTIVITIES
from noiseless.diffusion.operators import binomial_smoothing, divergence, gradient
from noiseless.errors import InvalidParameter


@dataclass(frozen=True)
class ExplicitScheme:
    """All that a run of explicit steps needs, resolved to numbers.

    Parameters
    ----------
    steps : how many steps
    step_size : time of one step, in the unit of ``spacing`` squared, within :func:`stability_bound`
    spacing : size of a pixel along each spatial axis
    conductivity : a name in ``CONDUCTIVITIES``
    contrasts : of each channel, in units of the image per unit of ``spacing``
    smoothing_weights, smoothing_passes : of :func:`~noiseless.diffusion.operators.binomial_smoothing`
    """

    steps: int
    step_size: float
    spacing: tuple[float, ...]
    conductivity: str
    contrasts: tuple[float, ...]
    smoothing_weights: tuple[float, ...]
    smoothing_passes: int


def stability_bound(spacing: tuple[float, ...]) -> float:
    """The largest stable explicit step for conductivities up to 1: 1 / (2 * sum_i 1 / h_i^2).

    1/4 for square pixels, 1/6 for cubic voxels, in the unit of ``spacing`` squared.
    """
    return 1.0 / (2.0 * sum(size**-2 for size in spacing))


def check_step_size(step_size: float, spacing: tuple[float, ...]) -> None:
    """Refuse a step that grows instead of smoothing.

    Raises
    ------
    InvalidParameter : the step is not positive, or beyond the bound.
    """
    bound = stability_bound(spacing)
    # The bound itself may be written as a rounded decimal, so a last-digit excess is no error.
    if not 0.0 < step_size <= bound * (1.0 + 1e-9):
        raise InvalidParameter(
            f"step_size is {step_size:g}; explicit diffusion with spacing {spacing} is stable only up to "
            f"1/(2*sum(1/h^2)) = {bound:g}; take a smaller step and more of them"
        )


def explicit_diffusion(image: Array, scheme: ExplicitScheme) -> Array:
    """The image after all steps; NumPy or torch, by the same arithmetic. Channels share one conductivity.

    The squared gradient on a face is the mean over the channels of (difference / contrast)^2.
    :func:`noiseless.diffusion.kernels.explicit_diffusion` is the same, faster, for NumPy.
    """
    xp = array_namespace(image)
    conductivity = CONDUCTIVITIES[scheme.conductivity]
    per_contrast = [1.0 / contrast for contrast in scheme.contrasts]
    sharpness = xp.asarray(per_contrast, dtype=image.dtype, device=device(image))
    sharpness = xp.reshape(sharpness, (1, -1) + (1,) * (image.ndim - 1))
    for _ in range(scheme.steps):
        smoothed = binomial_smoothing(image, scheme.smoothing_weights, scheme.smoothing_passes)
        squared = xp.mean((gradient(smoothed, scheme.spacing) * sharpness) ** 2, axis=1, keepdims=True)
        flux = conductivity(squared) * gradient(image, scheme.spacing)
        image = image + scheme.step_size * divergence(flux, scheme.spacing)
    return image


def smoothing_for(presmoothing: float, spacing: tuple[float, ...]) -> tuple[tuple[float, ...], int]:
    """Weights and passes of the binomial smoothing with standard deviation ``presmoothing``.

    Parameters
    ----------
    presmoothing : float >= 0, in units of the finest pixel; the same length along every axis.

    Returns
    -------
    (weights of each axis, passes). A pass smooths by at most sqrt(1/2) of a pixel.
    """
    passes = smoothing_passes(presmoothing)
    finest = min(spacing)
    weights = tuple((presmoothing * finest / size) ** 2 / (2.0 * passes) if passes else 0.0 for size in spacing)
    return weights, passes


def smoothing_passes(presmoothing: float) -> int:
    """How many passes :func:`smoothing_for` makes: each has a variance of at most 1/2."""
    return math.ceil(2.0 * presmoothing**2 - 1e-9)
