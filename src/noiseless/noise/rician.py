"""The noise of magnitudes: what is left of Gaussian noise in complex numbers, as magnetic resonance images have it.

Nothing here is known in closed form but the density and the second moment, so the rest is made by quadrature, once for
each number of coils and in units of sigma: the variance, a map that stabilises it, and the inverse of that map's
expectation. With the clean amplitude a and N coils, E r^2 = a^2 + 2 N and, far above the noise, var r = 1 - (N - 1/2) /
a^2; so sqrt(r^2 - N + 1/2) has the variance 1 there, and its mean is sqrt(a^2 - N + 1/2), both up to 1 / a^4.

References
----------
Gudbjartsson & Patz 1995, Magn. Reson. Med. 34, 910, doi:10.1002/mrm.1910340618: the Rice law in images.
Koay & Basser 2006, J. Magn. Reson. 179, 317, doi:10.1016/j.jmr.2006.01.016: the moments.
Foi 2011, IEEE ISBI, 1809, doi:10.1109/ISBI.2011.5872758: stabilisation by numbers, and its exact unbiased inverse.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import lgamma, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import positive
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

from .pixelwise import Values, in_blocks, pairs_in_blocks, require_floating
from .stabilisation import UniformTable, tabulated, turned_round, whitened

_SPLINE = Lazy("scipy.interpolate:CubicSpline")
_BESSEL_0 = Lazy("scipy.special:i0e")
_BESSEL = Lazy("scipy.special:ive")

MOST_COILS = 256
# No scanner has more, and Bessel functions of a higher order leave the range of float64 where they are needed.

TAIL, POINTS = 9.0, 361
# Integrals run to 9 standard deviations of the Gaussian noise, in steps of 0.05: those are exact to 1e-8 (the trapezoid
# rule on a smooth integrand that is 0 at both ends; at amplitude 0 the first error is that of its fourth order).

KNOTS, SPAN, ROUGHNESS = 14, 8.0, 0.1
# Smoother maps leave more deviation of the standard deviation from 1, rougher ones more skewness, by a steep slope at
# the least magnitudes. Of one coil at amplitude 0, roughness 0.01, 0.03, 0.1, 0.3 gave 0.6, 1.0, 2.0, 3.9 % and
# skewnesses -1.3, -0.9, -0.5, -0.1, excess kurtoses 3.3, 1.3, 0.0, -0.5.

FAR = 20.0
# The tables end at 20 sqrt(N - 1/2), where what they leave out is (N - 1/2)^2 / a^4 = 6e-6.

BESSEL_END = 1e8
# Beyond, ive gives way to the first two terms of its expansion, which are exact to 1e-7 for every number of coils.


@dataclass(frozen=True)
class NonCentralChi:
    """Magnitude noise of several coils: noisy = sqrt(sum over coils of |a_j + sigma (n + i n')|^2), clean = |a|.

    n, n' ~ N(0, 1). Clean values are amplitudes, >= 0; negative ones count as 0. The noise has a bias, which is largest
    in the dark, and which averaging does not remove: see :meth:`mean`.

    Parameters
    ----------
    sigma : > 0, in the units of the image. Standard deviation of the Gaussian noise in the real and in the imaginary
        part of each coil; larger is stronger.
    coils : 1 to 256. How many were combined, by the root of the sum of squares; more make the bias larger.

    Raises
    ------
    InvalidParameter : sigma is not a positive finite number, or coils not a whole number from 1 to 256.
    """

    sigma: float
    coils: int = 1

    def __post_init__(self) -> None:
        sigma = positive("sigma", self.sigma, "give the standard deviation of the real part in image units")
        whole = isinstance(self.coils, int | np.integer) and not isinstance(self.coils, bool)
        if not whole or not 1 <= self.coils <= MOST_COILS:
            raise InvalidParameter(
                f"coils is {self.coils!r}; it must be a whole number from 1 to {MOST_COILS}: the coils combined"
            )
        object.__setattr__(self, "sigma", sigma)
        object.__setattr__(self, "coils", int(self.coils))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype; never negative.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        require_floating(clean)
        # Only the length of the signal matters, so all of it may lie in the real part of the first coil.
        along = self._ratio(clean.astype(np.float64)) + rng.standard_normal(clean.shape)
        across = rng.chisquare(2 * self.coils - 1, clean.shape)
        return (self.sigma * np.sqrt(along**2 + across)).astype(clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """The first moment, sigma sqrt(pi / 2) L(-clean^2 / (2 sigma^2)); larger than ``clean``.

        L is the Laguerre function of degree 1/2 and index coils - 1, here from the variance, to 1e-9 sigma. float32, or
        float64 where ``clean`` is. For one coil it is above ``clean`` by 1.253 sigma at 0, 0.549 at sigma, 0.272 at 2
        sigma, 0.173 at 3, 0.101 at 5, and by sigma^2 / (2 clean) far above the noise.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        return in_blocks(lambda block: self.sigma * _moments(self._ratio(block), self.coils)[0], clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """clean^2 + 2 coils sigma^2 - mean^2; float32, or float64 where ``clean`` is.

        For one coil it is 0.429 sigma^2 at 0 and sigma^2 far above the noise; exact to 1e-8 of it.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        return in_blocks(lambda block: self.sigma**2 * _moments(self._ratio(block), self.coils)[1], clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the non-central chi density of each pixel; -inf where ``noisy`` <= 0.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """

        def log_density(y: Values, x: Values) -> Values:
            return _log_chi(y / self.sigma, self._ratio(x), self.coils) - log(self.sigma)

        return pairs_in_blocks(log_density, noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels, with its errors."""
        return float(self.log_density(noisy, clean).sum())

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """An increasing map, found by quadrature; float32, or float64 where ``noisy`` is. Negative values count as 0.

        The standard deviation of what it returns is within 2.1 % of 1 for one coil at every amplitude, 0.8 % for four,
        0.2 % for 32. The noise is skewed where there is no signal, by -0.5 for one coil. Far above the noise the map is
        sqrt(noisy^2 / sigma^2 - coils + 1/2), and a constant.

        Raises
        ------
        InvalidImage : ``noisy`` is not of floating dtype.
        """
        tables = stabilising_tables(self.coils)
        return in_blocks(lambda block: tables.stabilised(block / self.sigma), noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """The clean value x with E[stabilise(noisy) | x] = ``stabilised``; 0 for all below E[.. | 0].

        Raises
        ------
        InvalidImage : ``stabilised`` is not of floating dtype.
        """
        tables = stabilising_tables(self.coils)
        return in_blocks(lambda block: self.sigma * tables.amplitude(block), stabilised)

    def _ratio(self, clean: Values) -> Values:
        return np.maximum(clean, 0.0) / self.sigma


@dataclass(frozen=True)
class Rician:
    """Magnitude noise of one coil: noisy = |clean + sigma (n + i n')|.

    The same as ``NonCentralChi(sigma, 1)``, where all is said.

    Parameters
    ----------
    sigma : > 0, in the units of the image. Standard deviation of the Gaussian noise in the real and in the imaginary
        part; larger is stronger.

    Raises
    ------
    InvalidParameter : sigma is not a positive finite number.
    """

    sigma: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", self._law.sigma)

    @property
    def _law(self) -> NonCentralChi:
        return NonCentralChi(self.sigma, 1)

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """As :meth:`NonCentralChi.sample`."""
        return self._law.sample(clean, rng)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """As :meth:`NonCentralChi.mean`: 1.253 sigma where ``clean`` is 0."""
        return self._law.mean(clean)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """As :meth:`NonCentralChi.variance`: 0.429 sigma^2 where ``clean`` is 0, sigma^2 far above the noise."""
        return self._law.variance(clean)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> Values:
        """The log of the Rice density of each pixel; -inf where ``noisy`` <= 0."""
        return self._law.log_density(noisy, clean)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels."""
        return self._law.log_likelihood(noisy, clean)

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """As :meth:`NonCentralChi.stabilise`."""
        return self._law.stabilise(noisy)

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """As :meth:`NonCentralChi.unstabilise`."""
        return self._law.unstabilise(stabilised)


@dataclass(frozen=True, eq=False)
class StabilisingTables:
    """The map and its exact unbiased inverse, in units of sigma.

    Parameters
    ----------
    forward : from magnitude to stabilised magnitude
    back : from stabilised magnitude to the square of the amplitude, which is smooth where the amplitude is not
    excess : N - 1/2
    constant : of the map beyond the table, constant + sqrt(r^2 - excess)
    """

    forward: UniformTable
    back: UniformTable
    excess: float
    constant: float

    def stabilised(self, magnitude: Values) -> Values:
        beyond = self.constant + np.sqrt(np.maximum(magnitude, self.forward.end) ** 2 - self.excess)
        return np.where(magnitude < self.forward.end, self.forward(magnitude), beyond)

    def amplitude(self, stabilised: Values) -> Values:
        beyond = (np.maximum(stabilised, self.back.end) - self.constant) ** 2 - self.excess
        return np.sqrt(np.where(stabilised < self.back.end, self.back(stabilised), beyond))


@lru_cache(maxsize=32)
def stabilising_tables(coils: int) -> StabilisingTables:
    """The map for which magnitudes of ``coils`` coils have the standard deviation 1, as nearly as is smooth."""
    excess, step = coils - 0.5, 2 * TAIL / (POINTS - 1)
    end = max(FAR * excess**0.5, FAR)
    # To begin with, the slope of the map at the mean of each amplitude is 1 / std.
    amplitude = np.sinh(np.linspace(0.0, np.arcsinh(end + TAIL), 2000))
    mean, variance = _moments(amplitude, coils)

    def slope(magnitude: Values) -> Values:
        return np.asarray(1 / np.sqrt(np.interp(magnitude, mean, variance)))

    dark = float(mean[0])
    low, top = max(0.0, dark - TAIL), dark + SPAN + 2 * TAIL
    near = np.arange(low, top, step)
    seen = np.arange(0.0, dark + SPAN, 3 * step)
    probability = np.exp(_log_chi(near, seen[:, np.newaxis], coils))
    probability /= probability.sum(axis=1, keepdims=True)
    knots = np.linspace(max(0.0, dark - 4.0), dark + SPAN, KNOTS)
    stabilised = whitened(near, probability, slope(near), knots, ROUGHNESS)
    far = np.arange(near[-1] + step, max(end, top) + step, step)
    slopes = slope(np.append(near[-1], far))
    stabilised = np.append(stabilised, stabilised[-1] + np.cumsum((slopes[1:] + slopes[:-1]) * (step / 2)))
    magnitude = np.append(near, far)
    forward = tabulated(load(_SPLINE)(magnitude, stabilised), low, float(magnitude[-1]))
    constant = float(stabilised[-1] - np.sqrt(magnitude[-1] ** 2 - excess))
    amplitude = np.sinh(np.linspace(0.0, np.arcsinh(end), 160))
    points, weights = _quadrature(amplitude, coils)
    beyond = constant + np.sqrt(np.maximum(points, forward.end) ** 2 - excess)
    expected = (weights * np.where(points < forward.end, forward(points), beyond)).sum(axis=1)
    return StabilisingTables(forward, turned_round(amplitude**2, expected), excess, constant)


def _moments(ratio: Values, coils: int) -> tuple[Values, Values]:
    """Mean and variance of the magnitude. As E r^2 = a^2 + 2 N is known, the variance alone tells the mean."""
    power = ratio**2 + 2 * coils
    variance = _variance_table(coils)(2 * coils / power)
    return np.sqrt(power - variance), variance


@lru_cache(maxsize=32)
def _variance_table(coils: int) -> UniformTable:
    """The variance of the magnitude by the share of noise in its mean square, 2 N / (a^2 + 2 N), from 0 to 1.

    It is smooth in that share, with the value 1 at 0.
    """
    share = np.linspace(0.0, 1.0, 201)
    square = 2 * coils * (1 / share[1:] - 1)
    points, weights = _quadrature(np.sqrt(square), coils)
    # The first moment, not the second: an integrand that is even in r is exact also where it begins at r = 0.
    variance = square + 2 * coils - (weights * points).sum(axis=1) ** 2
    return tabulated(load(_SPLINE)(share, np.append(1.0, variance)), 0.0, 1.0, step=1 / 8000)


def _quadrature(ratio: Values, coils: int) -> tuple[Values, Values]:
    """Points (N, POINTS) and weights that take the expectation of any smooth function of the magnitude."""
    centre = np.sqrt(ratio**2 + 2 * coils)
    points = np.linspace(np.maximum(centre - TAIL, 0.0), centre + TAIL, POINTS, axis=-1)
    steps = points[:, 1:2] - points[:, :1]
    return points, np.exp(_log_chi(points, ratio[:, np.newaxis], coils)) * steps


def _log_chi(magnitude: Values, ratio: Values, coils: int) -> Values:
    """The log density of r: r^(2N-1) / (2^(N-1) Gamma(N)) exp(-(r^2 + a^2) / 2) 0F1(; N; (a r / 2)^2).

    This is r^N / a^(N-1) exp(..) I_(N-1)(a r), and safe at a = 0. The two arrays broadcast.
    """
    magnitude, ratio = np.broadcast_arrays(magnitude, ratio)
    is_positive = magnitude > 0
    r = np.where(is_positive, magnitude, 1.0)
    product = r * ratio
    log_scaled = np.empty(r.shape)
    small = product**2 < 2 * coils
    log_scaled[small] = _log_series((product[small] / 2) ** 2, coils) - product[small]
    log_scaled[~small] = _log_bessel(product[~small], coils)
    constant = (coils - 1) * log(2) + lgamma(coils)
    density = (2 * coils - 1) * np.log(r) - 0.5 * (r - ratio) ** 2 + log_scaled - constant
    return np.where(is_positive, density, -np.inf)


def _log_series(square: Values, coils: int) -> Values:
    """The log of 0F1(; N; x) for x < N / 2: sixteen terms of x^k / (k! N (N + 1) ..) are exact to 1e-18."""
    total = np.zeros_like(square)
    for k in range(16, 0, -1):
        total = square / (k * (coils + k - 1)) * (1 + total)
    return np.log1p(total)


def _log_bessel(product: Values, coils: int) -> Values:
    """The log of 0F1(; N; z^2 / 4) exp(-z) = Gamma(N) (2 / z)^(N-1) I_(N-1)(z) exp(-z), for z^2 >= 2 N."""
    near = np.minimum(product, BESSEL_END)
    log_scaled = np.log(load(_BESSEL_0)(near) if coils == 1 else load(_BESSEL)(coils - 1, near))
    far = -0.5 * np.log(2 * np.pi * product) - (4 * (coils - 1) ** 2 - 1) / (8 * product)
    log_scaled = np.where(product < BESSEL_END, log_scaled, far)
    return np.asarray(log_scaled - (coils - 1) * np.log(product / 2) + lgamma(coils))
