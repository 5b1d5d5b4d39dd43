"""Photon noise, alone and with read noise: the law of sensors that count, and its generalised Anscombe transform.

References
----------
Anscombe 1948, Biometrika 35, 246, doi:10.1093/biomet/35.3-4.246.
Makitalo & Foi 2011, IEEE TIP 20, 99, doi:10.1109/TIP.2010.2056693: the exact unbiased inverse, for counts.
Makitalo & Foi 2013, IEEE TIP 22, 91, doi:10.1109/TIP.2012.2202675: the same with read noise.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import lgamma, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, number, positive
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

from .pixelwise import Values, in_blocks, pairs_in_blocks, require_floating
from .stabilisation import UniformTable, turned_round

_OMEGA = Lazy("scipy.special:wrightomega")
_X_LOG1P = Lazy("scipy.special:xlog1py")
_LOG_GAMMA = Lazy("scipy.special:gammaln")

FAINTEST = 1e-9
# Read noise below a thousand-millionth of a count cannot be told from none, and its square leaves float64.

DARKEST = 1e-200
# A pixel with a smaller mean number of photons has none.

MOST_COUNTS = 1e15
# Beyond, numpy draws no Poisson numbers; a normal one has a skewness of 3e-8 too little there.

ASYMPTOTIC = 200.0
# From this variance on, in counts^2, the inverse is a closed form; it errs by 3e-6 standard deviations at most.

_LOG_FACTORIAL_REST = np.array([0.0] + [lgamma(k + 1) - k * log(k) + k for k in range(1, 16)])


@dataclass(frozen=True)
class PoissonGaussian:
    """Counted photons, amplified, and read noise: noisy = offset + gain * Poisson((clean - offset) / gain) + sigma * n.

    n ~ N(0, 1). A clean value below the offset counts as the offset. Nothing is clipped, so noisy values may lie below
    the offset.

    ``stabilise`` is the generalised Anscombe transform. The standard deviation of what it returns, for
    read noise of s counts, is from 4 photons up 1.00 to 1.03; below, 1.00 to 1.10 for s > 1, at s = 1 / 0.5 / 0 it is
    1.04 / 0.96 / 0.85 at 1 photon, and 0.98 / 0.71 / 0 at none.

    Parameters
    ----------
    gain : > 0, image units per photon. A larger gain means fewer photons for the same image, so stronger noise.
    sigma : >= 0, in image units. Standard deviation of the read noise.
    offset : in image units. The value of a pixel that saw no light.

    Raises
    ------
    InvalidParameter : a parameter is out of its range or not a number; or sigma is not 0, yet below 1e-9 of the gain.
    """

    gain: float
    sigma: float = 0.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        gain = positive("gain", self.gain, "give the image units that one photon makes")
        sigma = not_negative("sigma", self.sigma, "give the standard deviation of the read noise in image units")
        if 0 < sigma < FAINTEST * gain:
            raise InvalidParameter(f"sigma is {sigma:g}; it must be 0, or at least {FAINTEST:g} of the gain: use 0")
        offset = number("offset", self.offset, "give the value of a dark pixel in image units")
        for name, value in (("gain", gain), ("sigma", sigma), ("offset", offset)):
            object.__setattr__(self, name, value)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype; never clipped.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        require_floating(clean)
        rate = self._light(clean.astype(np.float64)) / self.gain
        counts = rng.poisson(np.minimum(rate, MOST_COUNTS)).astype(np.float64)
        if np.any(rate > MOST_COUNTS):
            counts = np.where(rate > MOST_COUNTS, rate + np.sqrt(rate) * rng.standard_normal(rate.shape), counts)
        noisy = self.offset + self.gain * counts
        if self.sigma > 0:
            noisy += self.sigma * rng.standard_normal(clean.shape)
        return np.asarray(noisy, dtype=clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, or the offset where that is larger."""
        return np.asarray(np.maximum(clean, np.asarray(self.offset, dtype=clean.dtype)))

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The affine law gain * (clean - offset) + sigma^2; float32, or float64 where ``clean`` is.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        return in_blocks(lambda block: self.gain * self._light(block) + self.sigma**2, clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the sum over k of Poisson(k) * N(noisy; offset + gain k, sigma^2), for each pixel.

        The sum runs outwards from its largest term until terms are below 1e-15 of it. Where the terms spread over
        many k, it takes every second or a later one, for the sum of a smooth function then is the same: to 1e-11 (by
        Poisson's summation formula), at any number of photons.

        For sigma = 0 it is the log of the probability of the count, and -inf between counts. Noisy values are taken
        for a count when they are within two units in the last place (of the larger of noisy value and offset) from
        it, which is what computing offset + gain * k in the dtype of ``noisy`` may lose.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """
        if self.sigma == 0:
            unit = float(np.finfo(noisy.dtype).eps) if noisy.dtype.kind == "f" else 0.0
            return pairs_in_blocks(lambda y, x: self._log_mass(y, x, unit), noisy, clean)
        read = self.sigma / self.gain

        def log_density(y: Values, x: Values) -> Values:
            log_sum = _log_of_series((y - self.offset) / self.gain, self._light(x) / self.gain, read)
            return log_sum - log(self.sigma) - 0.5 * log(2 * np.pi)

        return pairs_in_blocks(log_density, noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels, with its errors."""
        return float(self.log_density(noisy, clean).sum())

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """The generalised Anscombe transform, less a constant; float32, or float64 where ``noisy`` is.

        2 / gain * sqrt(max(gain * (noisy - offset) + 3/8 * gain^2 + sigma^2, 0)) - 2 * sigma / gain

        The constant makes it tend to noisy / sigma where read noise is all there is, and lets float32 keep its digits.

        Raises
        ------
        InvalidImage : ``noisy`` is not of floating dtype.
        """

        def anscombe(block: Values) -> Values:
            # The difference of the two roots, by its conjugate, so that nothing is lost when sigma is large.
            signal = np.maximum(block - self.offset + 0.375 * self.gain, -(self.sigma**2) / self.gain)
            root = np.sqrt(np.maximum(self.gain * signal + self.sigma**2, 0.0))
            return np.asarray(2.0 * signal / np.maximum(root + self.sigma, np.finfo(np.float64).tiny))

        return in_blocks(anscombe, noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """The clean value x with E[stabilise(noisy) | x] = ``stabilised``; the offset for all below E[.. | offset].

        From a table of exact expectations; from a variance of 200 counts on, with D = stabilised + 2 sigma / gain
        and s = sigma / gain, from their expansion: (x - offset) / gain = D^2 / 4 - 1/8 - s^2 + s^2 / (8 v^2), where
        v = D^2 / 4 - 1/8.

        Raises
        ------
        InvalidImage : ``stabilised`` is not of floating dtype.
        """
        table = inverse_table(self.sigma / self.gain)
        gain, sigma = self.gain, self.sigma

        def inverse(block: Values) -> Values:
            # E f is positive even in the dark, so what is negative here is dark.
            place = np.maximum(block, 0.0)
            variance = np.maximum((gain * place / 2 + sigma) ** 2 - gain**2 / 8, ASYMPTOTIC / 2 * gain**2)
            light = place * (gain * place / 4 + sigma) - gain / 8 + gain * (gain * sigma / variance) ** 2 / 8
            if table is not None:
                light = np.where(place < table.end, gain * table(block), light)
            return self.offset + np.maximum(light, 0.0)

        return in_blocks(inverse, stabilised)

    def _light(self, clean: Values) -> Values:
        return np.maximum(clean - self.offset, 0.0)

    def _log_mass(self, noisy: Values, clean: Values, unit: float) -> Values:
        count = np.maximum(np.rint((noisy - self.offset) / self.gain), 0.0)
        slack = 2 * unit * np.maximum(np.abs(noisy), abs(self.offset))
        is_count = np.abs(self.offset + self.gain * count - noisy) <= slack
        rate = self._light(clean) / self.gain
        dark = rate < DARKEST
        mass = _log_poisson(count, np.where(dark, 1.0, rate))
        mass = np.where(dark, np.where(count == 0, 0.0, -np.inf), mass)
        return np.where(is_count, mass, -np.inf)


@dataclass(frozen=True)
class Poisson:
    """Counted photons, amplified: noisy = offset + gain * Poisson((clean - offset) / gain).

    The same as ``PoissonGaussian(gain, 0, offset)``, where all is said. Noisy values are counts, so the density is
    one of probabilities. ``stabilise`` is Anscombe's transform; the standard deviation of what it returns is 1.00 from
    4 photons up, 0.99 at 3, 0.96 at 2, 0.85 at 1, and 0 at none.

    Parameters
    ----------
    gain : > 0, image units per photon. A larger gain means fewer photons for the same image, so stronger noise.
    offset : in image units. The value of a pixel that saw no light.

    Raises
    ------
    InvalidParameter : a parameter is out of its range, or not a number.
    """

    gain: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        law = self._law
        object.__setattr__(self, "gain", law.gain)
        object.__setattr__(self, "offset", law.offset)

    @property
    def _law(self) -> PoissonGaussian:
        return PoissonGaussian(self.gain, 0.0, self.offset)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """As :meth:`PoissonGaussian.sample`."""
        return self._law.sample(clean, rng)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, or the offset where that is larger."""
        return self._law.mean(clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The linear law gain * (clean - offset); at least float32."""
        return self._law.variance(clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the probability of each count, as :meth:`PoissonGaussian.log_density` for sigma = 0."""
        return self._law.log_density(noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels."""
        return self._law.log_likelihood(noisy, clean)

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """2 * sqrt(max((noisy - offset) / gain + 3/8, 0)); float32, or float64 where ``noisy`` is."""
        return self._law.stabilise(noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """The exact unbiased inverse, as :meth:`PoissonGaussian.unstabilise`."""
        return self._law.unstabilise(stabilised)


def expected_anscombe(rate: Values, read: float) -> Values:
    """E[2 sqrt(max(k + read n + 3/8 + read^2, 0))] - 2 read, for k ~ Poisson(rate), n ~ N(0, 1): all in counts.

    The sum over k is taken whole. For each k the integral over z = k + read n is one over u = sqrt(z + 3/8 + read^2),
    where the integrand 4 u^2 N(u^2) is smooth, and even in u; so the trapezoid rule, up to 9 standard deviations, is
    exact to 1e-10.

    Parameters
    ----------
    rate : (N,) >= 0
    read : >= 0
    """
    count = np.arange(np.ceil(rate.max() + 10 * np.sqrt(rate.max()) + 20))
    floor = 0.375 + read**2
    if read == 0:
        of_count = 2 * np.sqrt(count + floor)
    else:
        low = np.sqrt(np.maximum(count + floor - 9 * read, 0.0))[:, np.newaxis]
        high = np.sqrt(count + floor + 9 * read)[:, np.newaxis]
        root = np.linspace(low, high, 160, axis=-1)[:, 0]
        deviation = (root**2 - (count + floor)[:, np.newaxis]) / read
        density = np.exp(-0.5 * deviation**2) / (read * np.sqrt(2 * np.pi))
        of_count = (4 * root**2 * density).sum(axis=-1) * (root[:, 1] - root[:, 0])
    x_log_y = np.multiply.outer(np.log(np.maximum(rate, DARKEST)), count)
    poisson = np.exp(x_log_y - rate[:, np.newaxis] - load(_LOG_GAMMA)(count + 1))
    return np.asarray(poisson @ of_count - 2 * read)


@lru_cache(maxsize=64)
def inverse_table(read: float) -> UniformTable | None:
    """From E of the transform to the rate, in counts; None where read noise is so strong that the closed form does.

    It ends where the variance is ``ASYMPTOTIC``.
    """
    if read**2 >= ASYMPTOTIC / 2:
        return None
    # Equal steps of the transform, which are squares of the rate.
    rate = np.linspace(0.0, 1.0, 401) ** 2 * (ASYMPTOTIC - read**2)
    return turned_round(rate, expected_anscombe(rate, read))


def _log_of_series(place: Values, rate: Values, read: float) -> Values:
    """The log of the sum over k of Poisson(k; rate) * exp(-(place - k)^2 / (2 read^2)), in counts."""
    dark = rate < DARKEST
    rate = np.where(dark, 1.0, rate)
    # The derivative of a term's log vanishes where u + read^2 log(u / rate) = place + 1/2, for u = k + 1/2.
    peak = read**2 * load(_OMEGA)((place + 0.5) / read**2 + np.log(rate) - 2 * np.log(read))
    mode = np.maximum(np.rint(peak - 0.5), 0.0)
    width = 1 / np.sqrt(1 / (mode + 1) + 1 / read**2)
    stride = np.maximum(1.0, np.floor(width / 2))

    def log_term(count: Values) -> Values:
        return _log_poisson(count, rate) - 0.5 * ((place - count) / read) ** 2

    largest = log_term(mode)
    total, reached = np.ones_like(place), 0
    # A few pixels are done many terms at a time, so that the steps of the loop do not cost more than the sums.
    together = min(max(4096 // place.size, 1), 64)
    while True:
        away = np.arange(reached + 1, reached + 1 + together)[:, np.newaxis] * stride
        above = np.exp(log_term(mode + away) - largest)
        below = np.where(mode >= away, np.exp(np.minimum(log_term(np.maximum(mode - away, 0.0)) - largest, 0.0)), 0.0)
        total += (above + below).sum(axis=0)
        reached += together
        # The terms are log-concave, so those still further out fall off faster.
        if not np.any(above[-1] + below[-1] > 1e-15):
            break
    return np.where(dark, -0.5 * (place / read) ** 2, largest + np.log(total * stride))


def _log_poisson(count: Values, rate: Values) -> Values:
    """The log of Poisson(count; rate), rate > 0, without the cancellation of k log rate - rate - log k!.

    The deviance, in the relative distance of count and rate, and what Stirling's formula leaves (Loader 2000).
    """
    distance = (count - rate) / rate
    deviance = rate * (load(_X_LOG1P)(1 + distance, distance) - distance)
    large = np.maximum(count, 16.0)
    inverse = 1 / large
    stirling = 0.5 * np.log(2 * np.pi * large) + inverse * (1 / 12 - inverse**2 * (1 / 360 - inverse**2 / 1260))
    small = _LOG_FACTORIAL_REST[np.minimum(count, 15.0).astype(np.intp)]
    return np.asarray(-deviance - np.where(count < 16, small, stirling))
