"""The error of a posterior mean without the clean image, sharper than Stein's estimate alone.

Stein's estimate has the chance of the noise in it: the energy of N values of noise varies by sqrt(2 / N) of itself, and
where the noise is strong that is more than the error. And where sigma is itself estimated, what it is off by is in it
as a whole. But the error lies where the image does, at low frequencies and in luminance, and the noise everywhere. So
the estimate is made band by band,

    s_k = |r_k|^2 - tr C_k + 2 t_k = |e_k|^2 + n_k + 2 d tr C_k,   t_k = tr (C J)_k,   var n_k = v_k,

where d is the relative error of sigma, the same in all bands: those without much of an image know it. And a posterior
mean says by its own Jacobian where its error is: E |e_k|^2 = t_k (Tweedie's identity of second order). Networks are off
by a factor common to all bands, q, and by one of each band's own, of relative spread tau:

    |e_k|^2 = q t_k + tau t_k u_k,   u_k ~ (0, 1),

from which q and the sum of |e_k|^2 follow by least squares. tau is 0.8, which `tiny-gray` showed on training
photographs, or more where the bands of an image ask for more; as it grows the result becomes Stein's. Nothing is
assumed of q.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from noiseless.image import FloatArray
from noiseless.noise import NoiseModel
from noiseless.restoration.covariance import covariance_of
from noiseless.restoration.risk import PROBES, Risk, Whole, changes, denoised_once

Values = NDArray[np.float64]

BANDS = 24
"""Rings from frequency 0 to half the sampling rate, in each channel; what is beyond it, in the corners, is one more."""

WIDTH = 12
"""Pixels of the shorter side to a ring: small images have fewer, or t_k would be chance itself, and q too low."""

SPREADS = (0.8, 1.2, 2.0, 4.0, 10.0, 100.0)
"""tau is one of these. With the first, errors on training photographs were 1.27, 1.01 and 1.00 of the standard error
(sigma 15, 25 and 50, `tiny-gray`)."""

LEAST = 1e-3
"""A band's share of the error is at least so much of an even share, so that there is none that cannot hold any."""


def spectral_risk(
    denoise: Whole,
    noisy: FloatArray,
    noise: NoiseModel,
    *,
    sigma_off: float = 0.0,
    probes: int = PROBES,
    seed: int = 0,
) -> Risk:
    """The mean squared error of a posterior mean, such as the shipped networks return at one step and strength 1.

    Parameters
    ----------
    denoise, noisy, noise, probes, seed : as of :func:`~noiseless.restoration.unbiased_risk`, and so are the errors
    sigma_off : standard error of the sigma in ``noise``, relative to it; 0 where it is known

    Notes
    -----
    For denoisers that are no posterior means the bands disagree with their Jacobian, and the result is close to
    Stein's. It is not free of bias, but has less chance in it: on BSD68 at sigma 50 it is 0.20 dB off in the mean, and
    Stein's 0.27 dB (`tiny`).
    """
    covariance = covariance_of(noise, noisy)
    denoised = denoised_once(denoise, noisy)
    bands = _Bands(noisy.shape)
    trace, trace_of_square = (bands.sums(values) for values in (covariance.power, covariance.square))
    t, energy = np.zeros(bands.count), np.zeros(bands.count)
    for dual, change in changes(denoise, noisy, denoised, covariance.probes(probes, seed)):
        t += bands.product(dual, change) / probes
        energy += bands.product(change, covariance.times(change)) / probes
    residual = denoised - noisy
    s = bands.product(residual, residual) - trace + 2.0 * t
    v = 4.0 * bands.product(residual, covariance.times(residual)) + 4.0 * energy - 2.0 * trace_of_square
    v = np.maximum(v, 2.0 * trace_of_square) + 8.0 * energy / probes
    of_s = np.diag(v) + np.outer(trace, trace) * (2.0 * sigma_off) ** 2
    t = np.maximum(t, LEAST * max(float(t.sum()), 0.0) * trace / trace.sum())
    if not t.any():
        return Risk(float(s.sum()) / noisy.size, math.sqrt(float(of_s.sum())) / noisy.size)
    _, total, variance, q, of_q = max(_at_spread(s, of_s, t, tau) for tau in SPREADS)
    return Risk(total / noisy.size, math.sqrt(variance) / noisy.size, over_own=(q, math.sqrt(of_q)))


def _at_spread(s: Values, of_s: Values, t: Values, tau: float) -> tuple[float, float, float, float, float]:
    """Log-likelihood of the bands (q integrated out), sum of their errors and its variance, q and its variance.

    ``of_s`` is the covariance of s.
    """
    own = (tau * t) ** 2
    both = of_s + np.diag(own)
    from_s, from_t, shares = np.linalg.solve(both, np.column_stack([s, t, own])).T
    information = float(t @ from_t)
    q = float(t @ from_s) / information
    off = s - q * t
    likelihood = -0.5 * (float(off @ (from_s - q * from_t)) + float(np.linalg.slogdet(both)[1]) + math.log(information))
    total = q * float(t.sum()) + float(shares @ off)
    # In the total s_k counts c_k: by its own share, and through q.
    c = shares + float(t.sum() - shares @ t) / information * from_t
    return likelihood, total, float(c @ of_s @ c + (1.0 - c) ** 2 @ own), q, 1.0 / information


class _Bands:
    """Sums over rings of frequencies, in channels that are decorrelated as luminance and chrominance are."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        channels, space = shape[0], shape[1:]
        radius = np.sqrt(sum(f**2 for f in np.meshgrid(*map(np.fft.fftfreq, space), indexing="ij", sparse=True)))
        rings = min(max(min(space) // WIDTH, 1), BANDS)
        self._ring = np.minimum((radius * 2 * rings).astype(int), rings).ravel()
        self._axes = tuple(range(1, len(shape)))
        self._shape, self._values = shape, math.prod(space)
        # The cosine transform: the mean of the channels, then their differences.
        rows = np.cos(np.pi * np.outer(np.arange(channels), np.arange(channels) + 0.5) / channels)
        self._turn = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self._rings_of_a_channel = rings + 1
        self.count = channels * (rings + 1)

    def product(self, a: FloatArray, b: FloatArray) -> Values:
        """The scalar product of two images, divided among the bands."""
        pairs = zip(self._transformed(a), self._transformed(b), strict=True)
        return self._rings((x * y.conj()).real / self._values for x, y in pairs)

    def sums(self, power: Values) -> Values:
        """Power (channels, *space) at each frequency, or constant over them (channels, 1...), summed in the bands."""
        turned = np.tensordot(self._turn**2, power, axes=1)
        return self._rings(iter(np.broadcast_to(turned, self._shape)))

    def _transformed(self, image: FloatArray) -> NDArray[np.complex128]:
        return np.fft.fftn(np.tensordot(self._turn, image.astype(np.float64), axes=1), axes=self._axes)

    def _rings(self, channels: Iterator[Values]) -> Values:
        sums = [np.bincount(self._ring, channel.ravel(), self._rings_of_a_channel) for channel in channels]
        return np.concatenate(sums)
