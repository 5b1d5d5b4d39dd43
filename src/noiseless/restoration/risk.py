"""The error of a denoised image, measured without the clean one.

For y = x + n with n ~ N(0, C) and any denoiser D with Jacobian J = dD / dy, Stein's identity gives

    E |D(y) - x|^2 = E [ |D(y) - y|^2 - tr C + 2 tr(C J) ],

whatever x is. The trace is estimated by probes w ~ (0, C): tr(C J) = E w . (D(y + h w) - D(y)) / h; one call each.
How far the estimate may be from the true squared error of this image is known as well (Stein's identity once more):

    E [ (estimate - |D(y) - x|^2)^2 ] = E [ 4 r . C r + 4 tr(C J C J) - 2 tr(C^2) ],   r = D(y) - y.

References
----------
Stein 1981, Annals of Statistics 9, 1135, doi:10.1214/aos/1176345632.
Ramani, Blu & Unser 2008, IEEE TIP 17, 1540, doi:10.1109/TIP.2008.2001404: probes.
Bellec & Zhang 2021, Annals of Statistics 49, 1864, doi:10.1214/20-AOS2005: the error of the estimate.
Batson & Royer 2019, arXiv:1901.11365: J-invariance.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.image import FloatArray
from noiseless.noise import NoiseModel
from noiseless.restoration.covariance import covariance_of

Whole = Callable[[FloatArray], FloatArray]
"""What was done to the noisy image, whole: a denoiser with its sigma, parameters and tiles."""

STEP = 0.02
"""Of a finite difference, in standard deviations of the noise. A network is linear in pieces, and a step crosses into
others: 0.05 makes the risk at sigma 15 of 255 too large by 0.4 %, 0.2 by 8 %, from 0.02 on nothing is seen."""

PROBES = 4
"""Their chance adds 8 tr(C J C J^T) / probes to the variance of the sum, which is about 2 N sigma^4 without it for a
good denoiser of white noise."""

SPACING = 4
"""One pixel in so many along each of the last two axes is hidden at once."""


@dataclass(frozen=True)
class Risk:
    """An estimate of the mean squared error.

    Parameters
    ----------
    mse : per value, in squared image units. It may come out negative where the error is small against the noise.
    standard_error : of ``mse`` about the true squared error of this very image
    absolute : False where the unknown variance of the noise is in ``mse``: then only the differences between
        denoisers of one image mean something.
    over_own : how many times the error that a posterior mean's own Jacobian tells, and the standard error of that; None
        where it was not looked at. A network is near 1 on images such as it has learned.
    """

    mse: float
    standard_error: float
    absolute: bool = True
    over_own: tuple[float, float] | None = None

    def psnr(self, data_range: float = 255.0) -> float:
        """The predicted peak signal-to-noise ratio, dB; infinite where ``mse`` is not above 0.

        Raises
        ------
        InvalidParameter : the risk is not absolute.
        """
        return self._decibels(self.mse, data_range)

    def psnr_interval(self, data_range: float = 255.0) -> tuple[float, float]:
        """Where the true PSNR is with 95 % probability, dB: the errors at 1.96 standard errors to either side."""
        most, least = (self.mse + side * 1.96 * self.standard_error for side in (1, -1))
        return self._decibels(most, data_range), self._decibels(least, data_range)

    def _decibels(self, mse: float, data_range: float) -> float:
        if not self.absolute:
            raise InvalidParameter("this risk has the noise in it, which is not known, so it gives no PSNR; give noise")
        return 10.0 * math.log10(data_range**2 / mse) if mse > 0.0 else math.inf


@dataclass(frozen=True, eq=False)
class Response:
    """What a denoiser made of an image, and how it answers to the noise in it.

    Parameters
    ----------
    residual : D(y) - y, (C, *space)
    divergence : of that shape; its sum estimates tr(C J) without a bias
    energy : an estimate of tr(C J C J^T), the noise that comes through; it is an upper bound of tr(C J C J)
    probes : how many ``divergence`` and ``energy`` are the means of
    """

    residual: FloatArray
    divergence: FloatArray
    energy: float
    probes: int


def response_of(
    denoise: Whole, noisy: FloatArray, noise: NoiseModel, *, probes: int = PROBES, seed: int = 0
) -> Response:
    """The residual and the divergence of a denoiser, from which its risk follows, and that of sums of denoisers.

    Parameters and errors are those of :func:`unbiased_risk`.
    """
    covariance = covariance_of(noise, noisy)
    denoised = denoised_once(denoise, noisy)
    divergence, energy = np.zeros(noisy.shape, np.float64), 0.0
    for dual, change in changes(denoise, noisy, denoised, covariance.probes(probes, seed)):
        divergence += dual * change / probes
        energy += dot(change, covariance.times(change)) / probes
    return Response(denoised - noisy, divergence.astype(noisy.dtype), energy, probes)


def denoised_once(denoise: Whole, noisy: FloatArray) -> FloatArray:
    """D(y), once it has the shape of y.

    Raises
    ------
    InvalidImage : it has another.
    """
    denoised = denoise(noisy)
    if denoised.shape != noisy.shape:
        raise InvalidImage(f"the denoiser made {denoised.shape} of an image of shape {noisy.shape}; they must be equal")
    return denoised


def changes(
    denoise: Whole, noisy: FloatArray, denoised: FloatArray, probes: Iterator[tuple[FloatArray, FloatArray]]
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """(u, J w) for every pair of probes (w, u) of a :class:`~noiseless.restoration.covariance.Covariance`."""
    for probe, dual in probes:
        yield dual, (denoise(noisy + STEP * probe) - denoised) / STEP


def risk_of(response: Response, noisy: FloatArray, noise: NoiseModel) -> Risk:
    """The unbiased risk of a denoiser whose response is known."""
    covariance = covariance_of(noise, noisy)
    residual = response.residual
    squared = (
        dot(residual, residual)
        - _trace(covariance.power, noisy)
        + 2.0 * float(np.sum(response.divergence, dtype=np.float64))
    )
    variance = (
        4.0 * dot(residual, covariance.times(residual)) + 4.0 * response.energy - 2.0 * _trace(covariance.square, noisy)
    )
    # Probes of signs have the variance 2 |S|^2 less the diagonal, S the symmetric part of C J, and the trace counts
    # twice. |S|^2 is at most the energy.
    chance = 8.0 * response.energy / response.probes
    return Risk(squared / noisy.size, math.sqrt(max(variance, 0.0) + chance) / noisy.size)


def unbiased_risk(denoise: Whole, noisy: FloatArray, noise: NoiseModel, *, probes: int = PROBES, seed: int = 0) -> Risk:
    """Stein's unbiased estimate of the squared error, for any denoiser.

    Parameters
    ----------
    denoise : noisy (C, *space) -> denoised of that shape, in the units of ``noise``
    noisy : (C, *space), of floating dtype; not clipped, or the noise is no longer what the model says
    noise : ``Gaussian`` of a number or a map, stationary correlated noise, or ``Poisson`` and ``PoissonGaussian``.
        For the last two, C = gain * (y - offset) + sigma^2 at each pixel: exact for linear denoisers; what a curved
        one adds is of the order gain * C times its second derivative. The estimate is as right as this model: with
        1 % too much sigma it is up to 2 % of sigma^2 too low.
    probes : >= 1, calls of ``denoise`` besides the first
    seed : of the probes

    Raises
    ------
    InvalidParameter : the noise is of another kind, or 0 everywhere; or there is no probe.
    InvalidImage : ``denoise`` returns another shape.
    """
    return risk_of(response_of(denoise, noisy, noise, probes=probes, seed=seed), noisy, noise)


def self_supervised_loss(denoise: Whole, noisy: FloatArray) -> Risk:
    """How well hidden pixels are guessed from their surroundings, for independent noise of unknown strength.

        L = mean over the pixels j of J of (D(y with those of J replaced)_j - y_j)^2,   E L = E |D - x|^2 + var n

    J is one pixel in 4 along each of the last two axes, all channels together; each is replaced by the mean of its
    neighbours along these axes, which are not in J. All 16 offsets are gone through, so every pixel is guessed once.
    The denoiser that is judged is thus one that never sees the pixel itself: a little worse than the real one, and
    its best parameters are a little stronger.

    Parameters
    ----------
    denoise : as in :func:`unbiased_risk`; 16 calls
    noisy : (C, *space), at least 4 pixels along the last two axes

    Returns
    -------
    Risk, not absolute; its standard error is about the expectation, over pixels taken as independent.

    Raises
    ------
    InvalidImage : the image is smaller than that.
    """
    height, width = noisy.shape[-2:]
    if min(height, width) < SPACING:
        raise InvalidImage(f"the image is {height} x {width}; hiding pixels needs at least {SPACING} along each axis")
    around = _mean_of_neighbours(noisy)
    squared = np.empty(noisy.shape, np.float64)
    for row in range(SPACING):
        for column in range(SPACING):
            hidden = (..., slice(row, None, SPACING), slice(column, None, SPACING))
            given = noisy.copy()
            given[hidden] = around[hidden]
            squared[hidden] = np.square(denoise(given)[hidden] - noisy[hidden], dtype=np.float64)
    return Risk(float(squared.mean()), float(squared.std()) / math.sqrt(squared.size), absolute=False)


def _trace(power: NDArray[np.float64], noisy: FloatArray) -> float:
    return noisy.size * float(np.mean(power))


def _mean_of_neighbours(noisy: FloatArray) -> FloatArray:
    edged = np.pad(noisy, [(0, 0)] * (noisy.ndim - 2) + [(1, 1), (1, 1)], mode="reflect")
    sides = edged[..., :-2, 1:-1] + edged[..., 2:, 1:-1] + edged[..., 1:-1, :-2] + edged[..., 1:-1, 2:]
    return np.asarray(sides / 4, dtype=noisy.dtype)


def dot(a: FloatArray, b: FloatArray) -> float:
    return float(np.sum(a.astype(np.float64) * b))
