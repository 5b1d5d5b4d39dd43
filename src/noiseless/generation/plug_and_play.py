"""A denoiser for white noise put to work on another likelihood: plug-and-play half-quadratic splitting."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import array_api_compat

from noiseless.denoiser import Array, Denoiser
from noiseless.diffusion.schedule import geometric
from noiseless.generation.data_step import DataStep, StationaryData

# The weight of the prior against the data. 0.23 is the value of the paper for images in [0, 1]; tuned here on the
# set for model selection: 0.15 costs 0.5 to 1 dB, 0.5 costs 0.3 to 1.5 dB.
PRIOR_WEIGHT = 0.25

# Levels of the prior relative to the standard deviation of the noise: from where the strongest frequencies drown the
# image down to where only texture is left, each two thirds of the one before.
HIGHEST, LOWEST, RATIO = 3.0, 0.2, 1.5

MOST_LEVELS = 1 + round(math.log(HIGHEST / LOWEST) / math.log(RATIO))


def alternate(denoiser: Denoiser, data: DataStep, start: Array, levels: Sequence[float]) -> Array:
    """The image that both data and prior find likely, by turns: half-quadratic splitting.

    Minimises -log p(y | x) plus the prior that the denoiser stands for,

        z = D(x, s),   x = data(z, s^2 / 0.25),   with s falling,

    beginning and ending with the denoiser, so that what is returned is smooth.

    Parameters
    ----------
    denoiser : for white noise
    data : the likelihood; see :mod:`noiseless.generation.data_step`
    start : (C, *space), where to begin; the noisy image, or something nearer
    levels : of the noise that the denoiser is told, falling. The first is about the error of ``start``, the last about
        that of the result.

    References
    ----------
    Venkatakrishnan, Bouman, Wohlberg, GlobalSIP 2013. Zhang and others 2022, IEEE TPAMI 44, 6360,
    doi:10.1109/TPAMI.2021.3088914: the schedule of falling levels.
    """
    estimate = start
    for index, level in enumerate(levels):
        if index:
            estimate = data(estimate, level**2 / PRIOR_WEIGHT)
        estimate = denoiser(estimate, level)
    return estimate


@dataclass(frozen=True)
class PlugAndPlay:
    """The clean image under stationary Gaussian noise of a known spectrum, by any denoiser for white noise.

    For white noise this is the denoiser itself, one call. The more coloured the noise, the more calls: up to 8.

    Parameters
    ----------
    denoiser : for white noise

    See Also
    --------
    alternate : the same for any likelihood.
    """

    denoiser: Denoiser

    def __call__(self, noisy: Array, spectrum: Array, /) -> Array:
        """Denoise; noise and spectrum as in :class:`~noiseless.generation.data_step.StationaryData`."""
        return alternate(self.denoiser, StationaryData(noisy, spectrum), noisy, prior_levels(spectrum))


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
