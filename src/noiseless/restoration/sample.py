"""A part of a noisy image on which settings are tried, and the error of each on it."""

import math
from dataclasses import dataclass, replace

import numpy as np

from noiseless.errors import InvalidParameter
from noiseless.image import FloatArray, Image
from noiseless.noise import (
    Gaussian,
    NoiseModel,
    Poisson,
    PoissonGaussian,
    Quantised,
    StabilisableNoise,
    StationaryNoise,
    WithImpulses,
)
from noiseless.restoration.covariance import covariance_of
from noiseless.restoration.impulse_repair import repair
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal import of_volume, on_stored_pixels, remove_from_image
from noiseless.restoration.representative import representative_window
from noiseless.restoration.risk import Risk, Whole, dot, self_supervised_loss, unbiased_risk

STEIN, SELF_SUPERVISED = "stein", "self-supervised"
RISKS = (STEIN, SELF_SUPERVISED)

PROBES = 2
"""The same for every setting, so most of their chance is in all risks alike."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A noisy image whose error can be measured, small enough for many trials.

    Parameters
    ----------
    image : noisy
    noise : whose risk is known, in stored units
    seed : of the probes
    """

    image: Image
    noise: NoiseModel
    seed: int = 0

    @property
    def power(self) -> float:
        """Mean variance of the noise, in squared stored units."""
        return float(np.mean(self.noise.variance(self.pixels)))

    @property
    def pixels(self) -> FloatArray:
        """Noisy, in stored units."""
        return self.image.in_stored_units().astype(np.float32)

    def whole(self, recipe: Recipe) -> Whole:
        """What the recipe makes of stored pixels, in float32."""
        denoiser = replace(recipe, predict=True).build_denoiser()

        def removed(nominal: FloatArray) -> FloatArray:
            return remove_from_image(self.noise, denoiser, self.image.with_pixels(nominal), recipe)

        return on_stored_pixels(self.image, removed)

    def risk(self, recipe: Recipe, kind: str) -> Risk:
        """One of ``RISKS``: by the law of the noise, in 3 calls, or by hidden pixels, in 16."""
        if kind == SELF_SUPERVISED:
            return self_supervised_loss(self.whole(recipe), self.pixels)
        return unbiased_risk(self.whole(recipe), self.pixels, self.noise, probes=PROBES, seed=self.seed)

    def error_of_difference(self, one: Recipe, other: Recipe) -> float:
        """Standard error of the difference of Stein's risks of two settings about that of their true errors.

        For f = D_1(y) - D_2(y) it is at most sqrt((8 + 8 / probes) f . C f) / N, as what f does to the noise is a part
        of f.
        """
        difference = self.whole(one)(self.pixels) - self.whole(other)(self.pixels)
        coloured = covariance_of(self.noise, self.pixels).times(difference)
        return math.sqrt((8.0 + 8.0 / PROBES) * dot(difference, coloured)) / difference.size


def sample_of(image: Image, noise: NoiseModel, *, side: int, seed: int, white: bool = False) -> Sample:
    """The part of an image, or of the middle one of its volumes, that is most like it, as Stein's risk takes it.

    Noise that can be made white is made so, salt and pepper are filled in, and what is left counts.

    Parameters
    ----------
    image, noise : whole, in stored units
    side : of the part, see :func:`~noiseless.restoration.representative.representative_window`
    white : whether photon noise is made white too, as networks see it; its risk is known without

    Raises
    ------
    InvalidParameter : there is no noise.
    """
    middle = image.volumes // 2
    noise, image = (of_volume(noise, image, middle), image.volume(middle)) if image.volumes > 1 else (noise, image)
    window = (slice(None), *representative_window(image.pixels, side))
    part = replace(image, pixels=image.pixels[window], alpha=None, mask=None)
    if isinstance(noise, Gaussian) and not isinstance(noise.sigma, float):
        noise = Gaussian(np.broadcast_to(noise.sigma, image.pixels.shape)[window])
    while isinstance(noise, WithImpulses | Quantised):
        if isinstance(noise, WithImpulses):
            part = _with_stored(part, repair(noise.impulses, part.in_stored_units().astype(np.float32)))
        noise = noise.background
    photons = isinstance(noise, Poisson | PoissonGaussian) and not white
    if isinstance(noise, StabilisableNoise) and not isinstance(noise, StationaryNoise) and not photons:
        even = noise.stabilise(part.in_stored_units().astype(np.float32))
        part, noise = Image(even - np.percentile(even, 1).astype(even.dtype), part.axes), Gaussian(1.0)
    sample = Sample(part, noise, seed)
    if not sample.power > 0.0:
        raise InvalidParameter("the noise is 0, and the best is to leave the image as it is; there is nothing to tune")
    return sample


def _with_stored(image: Image, stored: FloatArray) -> Image:
    return image.with_pixels(((stored - image.offset) / image.scale).astype(np.float32))
