"""Photon and read noise in linear light, seen through the curve of sRGB: pictures that were stored for the eye."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, positive
from noiseless.errors import InvalidImage

from .pixelwise import Values, in_blocks, pairs_in_blocks
from .poisson import PoissonGaussian
from .srgb import light_of, moments, steepness, value_of


@dataclass(frozen=True)
class SrgbPhotons:
    """Photons are counted in light, and light is stored through the curve of sRGB.

    With x and y the clean and the noisy light, in shares of white, value = white * curve(light) and

        y = gain * Poisson(x / gain) + sigma * n,   n ~ N(0, 1)

    in each pixel and channel by itself: a sensor without a mosaic, or a mosaic reduced until neighbours and colours are
    independent; see :class:`Camera` for what is not. On stored values such noise is about equally strong wherever
    photons rule, and stronger in the dark, where the curve is steep: no straight line describes it. In light it is
    Poisson-Gaussian, and is stabilised there. Nothing is clipped: the curve is taken as odd, and goes on above white.

    Parameters
    ----------
    gain : > 0. Share of white that one photon makes; larger means fewer photons, and stronger noise.
    sigma : >= 0. Standard deviation of the read noise, in shares of white.
    white : > 0, in the units of the image. The value of white: 255 for 8 bits.

    Raises
    ------
    InvalidParameter : a parameter is out of its range, or not a number; or sigma is below 1e-9 of the gain.
    """

    gain: float
    sigma: float
    white: float = 255.0

    def __post_init__(self) -> None:
        gain = positive("gain", self.gain, "give the share of white that one photon makes")
        sigma = not_negative("sigma", self.sigma, "give the standard deviation of the read noise as a share of white")
        white = positive("white", self.white, "give the value of white, 255 for 8 bits")
        for name, value in (("gain", gain), ("sigma", sigma), ("white", white)):
            object.__setattr__(self, name, value)
        _ = self._in_light

    @cached_property
    def _in_light(self) -> PoissonGaussian:
        return PoissonGaussian(self.gain, self.sigma)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype; never clipped.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        if clean.dtype.kind != "f":
            raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")
        light = light_of(clean.astype(np.float64) / self.white)
        # Light below black has no photons; it stays, so that without noise nothing changes.
        noisy = self._in_light.sample(light, rng) + np.minimum(light, 0.0)
        return (self.white * value_of(noisy)).astype(clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, and what the bent curve makes of symmetric noise: it darkens all but the darkest places.

        By quadrature, for noise that is Gaussian in light.

        Raises
        ------
        InvalidImage : as :meth:`sample`.
        """
        return in_blocks(lambda block: block + self.white * self._moments(block)[0], clean).astype(clean.dtype)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The variance of each pixel, in squared image units; at least float32.

        By quadrature, for noise that is Gaussian in light, which misses the skewness of few photons: at 5 photons a
        pixel what is said is 20 % too much, at 20 photons 2 % (measured, of :class:`Camera`).

        Raises
        ------
        InvalidImage : as :meth:`sample`.
        """
        return in_blocks(lambda block: self.white**2 * self._moments(block)[1], clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the density of each noisy value: that of its light, times the light that a unit of value holds.

        For sigma = 0 it is the log of the probability of the count, and -inf for a value further from one than two
        units in its last place.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """
        slack = 2 * float(np.finfo(noisy.dtype).eps) if noisy.dtype.kind == "f" else 0.0

        def log_density(y: Values, x: Values) -> Values:
            light, clean_light = light_of(y / self.white), light_of(x / self.white)
            below_black = np.minimum(clean_light, 0.0)
            if self.sigma == 0:
                counted = self.gain * np.rint((light - below_black) / self.gain)
                near = np.abs(self.white * value_of(counted + below_black) - y) <= slack * np.abs(y)
                return np.where(near, self._in_light.log_density(counted, clean_light), -np.inf)
            of_light = self._in_light.log_density(light - below_black, clean_light)
            return of_light - np.log(self.white * steepness(light))

        return pairs_in_blocks(log_density, noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels, with its errors."""
        return float(self.log_density(noisy, clean).sum())

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """:meth:`PoissonGaussian.stabilise` of the light; float32, or float64 where ``noisy`` is.

        Raises
        ------
        InvalidImage : ``noisy`` is not of floating dtype.
        """
        return in_blocks(lambda block: self._in_light.stabilise(light_of(block / self.white)), noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """The value of the light that :meth:`PoissonGaussian.unstabilise` gives: no bias in light.

        Raises
        ------
        InvalidImage : ``stabilised`` is not of floating dtype.
        """
        return in_blocks(lambda block: self.white * value_of(self._in_light.unstabilise(block)), stabilised)

    def _moments(self, clean: Values) -> tuple[Values, Values]:
        """Mean and variance of the change, in shares of white."""
        light = light_of(clean / self.white)
        return moments(light, np.sqrt(self._in_light.variance(light)))
