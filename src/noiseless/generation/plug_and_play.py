"""A denoiser for white noise put to work on noise of another spectrum: plug-and-play half-quadratic splitting."""

import math
from dataclasses import dataclass

import array_api_compat

from noiseless.denoiser import Array, Denoiser
from noiseless.diffusion.schedule import geometric
from noiseless.errors import InvalidParameter

# The weight of the prior against the data. 0.23 is the value of the paper for images in [0, 1]; tuned here on the
# set for model selection: 0.15 costs 0.5 to 1 dB, 0.5 costs 0.3 to 1.5 dB.
PRIOR_WEIGHT = 0.25

# Levels of the prior relative to the standard deviation of the noise: from where the strongest frequencies drown the
# image down to where only texture is left, each two thirds of the one before.
HIGHEST, LOWEST, RATIO = 3.0, 0.2, 1.5


@dataclass(frozen=True)
class PlugAndPlay:
    """The clean image under stationary Gaussian noise of a known spectrum, by any denoiser for white noise.

    Minimises |y - x|^2 / (2 S) (a sum over frequencies) plus the prior that the denoiser stands for, by turns:

        X = (tau^2 Y + S Z) / (tau^2 + S)   in the Fourier domain: each frequency trusts y as far as its noise allows
        z = D(x, s)                         with s falling and tau^2 = s^2 / PRIOR_WEIGHT

    For white noise this is the denoiser itself, one call. The more coloured the noise, the more calls: up to 8.

    Parameters
    ----------
    denoiser : for white noise

    References
    ----------
    Venkatakrishnan, Bouman, Wohlberg, GlobalSIP 2013. Zhang and others 2022, IEEE TPAMI 44, 6360,
    doi:10.1109/TPAMI.2021.3088914: the schedule of falling levels.
    """

    denoiser: Denoiser

    def __call__(self, noisy: Array, spectrum: Array, /) -> Array:
        """Denoise.

        Parameters
        ----------
        noisy : (C, *space) float array of NumPy or torch
        spectrum : power of the noise at each frequency of ``fftn`` over ``space``, >= 0; (*space) for all channels
            or (C, *space). Its mean is the variance of a pixel.

        Raises
        ------
        InvalidParameter : the spectrum has another shape, or is negative or not finite somewhere.
        """
        xp = array_api_compat.array_namespace(noisy)
        space = tuple(noisy.shape[1:])
        if tuple(spectrum.shape) not in (space, tuple(noisy.shape)):
            raise InvalidParameter(
                f"the spectrum has shape {tuple(spectrum.shape)}; an image of shape {tuple(noisy.shape)} needs {space}"
            )
        if not bool(xp.all(xp.isfinite(spectrum))) or bool(xp.any(spectrum < 0)):
            raise InvalidParameter("the spectrum is negative or not finite somewhere; a power is a finite number >= 0")
        axes = tuple(range(1, noisy.ndim))
        estimate = noisy
        for index, level in enumerate(prior_levels(spectrum)):
            if index:
                trust = (level**2 / PRIOR_WEIGHT) / (level**2 / PRIOR_WEIGHT + spectrum)
                # Filtering the difference alone keeps the image out of the periodic Fourier grid: no wrap at borders.
                change = xp.fft.ifftn(xp.fft.fftn(noisy - estimate, axes=axes) * trust, axes=axes)
                estimate = estimate + xp.astype(xp.real(change), noisy.dtype)
            estimate = self.denoiser(estimate, level)
        return estimate


def prior_levels(spectrum: Array) -> tuple[float, ...]:
    """The falling noise levels at which the prior is applied, in the units of the image.

    From the root of the strongest power (at most 3 sigma) to that of the weakest (at least sigma / 5), in steps of
    about 1.5; one level, sigma, for white noise.
    """
    xp = array_api_compat.array_namespace(spectrum)
    sigma = math.sqrt(float(xp.mean(spectrum)))
    if sigma == 0.0:
        return ()
    highest = min(math.sqrt(float(xp.max(spectrum))), HIGHEST * sigma)
    lowest = max(math.sqrt(float(xp.min(spectrum))), LOWEST * sigma)
    steps = 1 + round(math.log(highest / lowest) / math.log(RATIO))
    return (sigma,) if steps == 1 else tuple(geometric(steps, sigma_max=highest, sigma_min=lowest))[:steps]
