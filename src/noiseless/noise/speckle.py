"""Speckle: noise that multiplies, as coherent light, radar and ultrasound have it.

The logarithm makes it additive, with the same law everywhere, so stabilisation and its exact unbiased inverse are
known in closed form: var log g = trigamma(looks) and E log g = digamma(looks) - log(looks) for the Gamma law, half of
the latter and a quarter of the former for its root.

References
----------
Goodman 1976, JOSA 66, 1145, doi:10.1364/JOSA.66.001145: the laws of speckle.
Xie, Pierce & Ulaby 2002, IEEE TGRS 40, 721, doi:10.1109/TGRS.2002.1000333: the statistics of its logarithm.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import lgamma, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import positive
from noiseless.names import Lazy, load

from .pixelwise import Values, in_blocks, pairs_in_blocks, require_floating

_POLYGAMMA = Lazy("scipy.special:polygamma")

MANY_LOOKS = 20.0
# From here on Stirling's series gives E sqrt(g) to 1e-13; the difference of two log Gamma functions loses digits.


@dataclass(frozen=True)
class Speckle:
    """Speckle of an intensity image: noisy = clean * g, g ~ Gamma(looks) of mean 1.

    Clean values are intensities, >= 0; negative ones count as 0.

    Parameters
    ----------
    looks : > 0. How many independent pictures were averaged, whole or not. The standard deviation is clean /
        sqrt(looks): more looks are weaker noise, 1 is full speckle.

    Raises
    ------
    InvalidParameter : looks is not a positive finite number.
    """

    looks: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", _checked(self.looks))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype; never negative, never clipped above.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        require_floating(clean)
        noisy = np.maximum(clean, 0.0) * rng.gamma(self.looks, 1 / self.looks, clean.shape)
        return np.asarray(noisy, dtype=clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, or 0 where that is larger."""
        return np.asarray(np.maximum(clean, np.zeros((), clean.dtype)))

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """clean^2 / looks; float32, or float64 where ``clean`` is.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        return in_blocks(lambda block: np.maximum(block, 0.0) ** 2 / self.looks, clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the Gamma density of each pixel; -inf for ``noisy`` < 0, and at 0 its limit from above.

        Where ``clean`` is 0 there is no density: ``noisy`` is 0 for certain, and what is given is the log of that
        probability, 0, and -inf for other values.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """

        def log_density(y: Values, x: Values) -> Values:
            scale = np.where(x > 0, x, 1.0)
            return _or_certain(_log_gamma(y / scale, self.looks) - np.log(scale), y, x)

        return pairs_in_blocks(log_density, noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels, with its errors."""
        return float(self.log_density(noisy, clean).sum())

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """log(noisy) / sqrt(trigamma(looks)); float32, or float64 where ``noisy`` is.

        Its standard deviation is 1 at every clean value > 0. What is not positive has no logarithm; it is taken for the
        least positive pixel of the image (1 where there is none), so that it stays dark without becoming an outlier.

        Raises
        ------
        InvalidImage : ``noisy`` is not of floating dtype.
        """
        return _log_over(_deviation(self.looks), noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """exp(sqrt(trigamma(looks)) * stabilised - digamma(looks) + log(looks)): always positive.

        E[stabilise(noisy) | x] leads back to x exactly. What is too large for the dtype becomes its largest value.

        Raises
        ------
        InvalidImage : ``stabilised`` is not of floating dtype.
        """
        return _exp_of(_deviation(self.looks), -_mean_log(self.looks), stabilised)


@dataclass(frozen=True)
class AmplitudeSpeckle:
    """Speckle of an amplitude image: noisy = clean * sqrt(g) / E sqrt(g), g ~ Gamma(looks) of mean 1.

    Radar and ultrasound often show the root of the intensity. Clean values are amplitudes, >= 0; negative ones count as
    0. For one look the law is Rayleigh's.

    Parameters
    ----------
    looks : > 0. How many independent intensities were averaged before the root was taken, whole or not. The standard
        deviation is 0.523 clean for one look and about clean / (2 sqrt(looks)) for many: more looks are weaker noise.

    Raises
    ------
    InvalidParameter : looks is not a positive finite number.
    """

    looks: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "looks", _checked(self.looks))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype; never negative, never clipped above.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        require_floating(clean)
        root = np.sqrt(rng.gamma(self.looks, 1 / self.looks, clean.shape)) * np.exp(-_log_mean_root(self.looks))
        return np.asarray(np.maximum(clean, 0.0) * root, dtype=clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, or 0 where that is larger."""
        return np.asarray(np.maximum(clean, np.zeros((), clean.dtype)))

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """clean^2 (1 / E[sqrt(g)]^2 - 1); float32, or float64 where ``clean`` is.

        E sqrt(g) = Gamma(looks + 1/2) / (Gamma(looks) sqrt(looks)), and E g = 1.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        relative = np.expm1(-2 * _log_mean_root(self.looks))
        return in_blocks(lambda block: relative * np.maximum(block, 0.0) ** 2, clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the density of each pixel, a Nakagami one; -inf for ``noisy`` <= 0.

        Where ``clean`` is 0 there is no density: ``noisy`` is 0 for certain, and what is given is the log of that
        probability, 0, and -inf for other values.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """
        log_root = _log_mean_root(self.looks)

        def log_density(y: Values, x: Values) -> Values:
            scale = np.where(x > 0, x, 1.0) * np.exp(-log_root)
            # With r = y / scale = sqrt(g): p(y) = p_g(r^2) 2 r / scale.
            root = np.where(y > 0, y / scale, 1.0)
            density = _log_gamma(root**2, self.looks) + np.log(2 * root) - np.log(scale)
            return _or_certain(np.where(y > 0, density, -np.inf), y, x)

        return pairs_in_blocks(log_density, noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels, with its errors."""
        return float(self.log_density(noisy, clean).sum())

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """2 log(noisy) / sqrt(trigamma(looks)); pixels that are not positive as in :meth:`Speckle.stabilise`.

        Raises
        ------
        InvalidImage : ``noisy`` is not of floating dtype.
        """
        return _log_over(_deviation(self.looks) / 2, noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """The clean value x with E[stabilise(noisy) | x] = ``stabilised``, as :meth:`Speckle.unstabilise`.

        Raises
        ------
        InvalidImage : ``stabilised`` is not of floating dtype.
        """
        return _exp_of(_deviation(self.looks) / 2, _log_mean_root(self.looks) - _mean_log(self.looks) / 2, stabilised)


def _checked(looks: Any) -> float:
    return positive("looks", looks, "give the number of pictures that were averaged, 1 for full speckle")


def _log_gamma(ratio: Values, looks: float) -> Values:
    """The log density of g, of mean 1: looks^looks / Gamma(looks) g^(looks - 1) exp(-looks g)."""
    inside = ratio > 0
    # g - 1 - log g, from which a constant is split off, does not cancel for many looks.
    g = np.where(inside, ratio, 1.0)
    density = _log_peak(looks) - looks * (g - 1 - np.log(g)) - np.log(g)
    at_zero = {1: -np.inf, 0: 0.0, -1: np.inf}[int(np.sign(looks - 1))]
    return np.where(inside, density, np.where(ratio == 0, at_zero, -np.inf))


@lru_cache(maxsize=64)
def _log_peak(looks: float) -> float:
    """The log density of g at 1: looks log(looks) - looks - log Gamma(looks)."""
    if looks < MANY_LOOKS:
        return looks * log(looks) - looks - lgamma(looks)
    rest = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * looks**2)) / looks**2) / looks**2) / looks
    return 0.5 * log(looks / (2 * np.pi)) - rest


@lru_cache(maxsize=64)
def _log_mean_root(looks: float) -> float:
    """The log of E sqrt(g)."""
    if looks < MANY_LOOKS:
        return lgamma(looks + 0.5) - lgamma(looks) - 0.5 * log(looks)
    square = looks**-2
    return -(1 / 8 - square * (1 / 192 - square * (1 / 640 - square * (17 / 14336 - square * 31 / 18432)))) / looks


@lru_cache(maxsize=64)
def _deviation(looks: float) -> float:
    """The standard deviation of log g."""
    return float(np.sqrt(load(_POLYGAMMA)(1, looks)))


@lru_cache(maxsize=64)
def _mean_log(looks: float) -> float:
    """E log g."""
    return float(load(_POLYGAMMA)(0, looks) - log(looks))


def _or_certain(density: Values, noisy: Values, clean: Values) -> Values:
    return np.where(clean > 0, density, np.where(noisy == 0, 0.0, -np.inf))


def _log_over(deviation: float, noisy: NDArray[Any]) -> NDArray[Any]:
    require_floating(noisy)
    least = float(np.min(noisy, where=noisy > 0, initial=np.inf))
    floor = least if np.isfinite(least) else 1.0
    return in_blocks(lambda block: np.log(np.where(block > 0, block, floor)) / deviation, noisy)


def _exp_of(deviation: float, bias: float, stabilised: NDArray[Any]) -> NDArray[Any]:
    largest = np.finfo(np.result_type(stabilised.dtype, np.float32)).max
    # The largest float64 itself is beyond exp(log(largest)), and would overflow.
    limit = float(np.log(largest)) - 1e-6
    return in_blocks(lambda block: np.exp(np.minimum(deviation * block + bias, limit)), stabilised)
