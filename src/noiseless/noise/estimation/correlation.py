"""Is the noise white? Its spectrum and its strength where it is not, read from the calmest patches of one channel.

Correlated noise and texture both fall with frequency, so no fixed band tells noise from image, as it does for white
noise (``flat_patches``). What is used instead is a symmetry. The autocovariance of stationary noise is the same at a
lag and at its opposite, so the cosine modes (u, v) of a patch that are even about its centre (u + v even) and those
that are odd are uncorrelated, *whatever the spectrum*; for Gaussian noise independent. Patches chosen for their little
even energy hold unbiased odd energy, and the other way round: there is no selection bias to correct, and no need to
know the degrees of freedom. Energies are whitened by the spectrum found so far, and the choice is repeated.

The cosine transform leaks between frequencies. The spectrum that explains the mean powers is found by expectation
maximisation, which keeps it positive; modes that hold shading (u + v < 2) are left out, and filled in by it.

References
----------
Ahmed, Natarajan & Rao 1974, IEEE Trans. Comput. C-23, 90: the cosine transform nearly diagonalises stationary noise.
Shepp & Vardi 1982, IEEE TMI 1, 113, doi:10.1109/TMI.1982.4307558: expectation maximisation of positive intensities.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDES = ((64, 32), (24, 16))
# From a plane of 64 pixels on, patches have 32 pixels a side, from 24 on 16. With 16, noise blurred by a Gaussian of
# 2 pixels is read 10 % too low, as the trend that is left out holds much of it; with 32 it is right to 1 %.

PATCHES = 3000
# The time is that of as many patches: 3000 of 32x32 are 3 megapixels through a cosine transform.

CALM_SHARE, LEAST_CALM = 0.01, 30
# The spectrum is the mean over the calmest 1 % of the patches. 3 % scatter less, but hold more texture: sigma is 4 %
# instead of 3 % too high for sigma 10 (of 255), over photographs of CID22 and BSD400.

ROUNDS = 3
# Choose, whiten, choose again: the third choice changes sigma by less than 1 %.

FAINTEST = 0.02
# Modes with less than 2 % of the highest power are whitened as if they had that: rounding and texture live there.

FAINT = 1e-30
# The inverse of a power that is not above this would leave the range of float32.

LEAKAGE_ROUNDS = 12
# Of expectation maximisation: more make the spectrum sharper and noisier.

REACH = 8
# The autocovariance is given up to 8 pixels.

SLOPE, MIDDLE, LOW = 1.35, 2.0, 4.0
# Power at the radii 0.8 to 1, 0.6 to 0.8 and 0.4 to 0.6 over that at 1 to 1.41, in units of the Nyquist frequency of
# an axis. The 5, 50 and 95 % points over 30 photographs of CID22 and BSD400:
#   white, sigma 5:          0.95 1.00 1.16    0.93 1.02 1.52    0.97 1.06 2.21     (texture, in the last ones)
#   white, sigma 10 to 50:   0.94 1.00 1.10    0.93 0.99 1.15    0.93 1.02 1.28
#   blurred by 0.5 pixel:    1.57 1.70 1.89    2.24 2.38 2.90    3.23 3.50 4.61
#   blurred by 0.7 pixel:    2.58 4.30 4.56    5.93 13.4 14.9    12.7 39.0 42.0
#   blurred by 2, sigma 10:  1.34 2.11 3.37    2.47 4.95 10.3    7.60 24.8 53.7
RISING_MIDDLE, RISING_LOW = 0.85, 0.75
# The ramp of computed tomography has 0.62 to 0.73 and 0.45 to 0.66 there; texture never rises with frequency.

CHANCE = 4.0
# A band differs from another when it does so by more than 4 standard errors: this guards small images.

TEXTURE_GROWTH, TEXTURE_SHARE, MOST_GROWTH = 0.1, 0.7, 1.0
# Where energy grows by more than 0.1 from the calmest hundredth of the patches to the calmest tenth, there is texture
# in the former too: 0.7 of the growth beyond that is taken off. Blurred noise, CID22 and BSD400: with sigma 10 it is
# read 13 % too high instead of 18 %, with 25 4 % instead of 5 %. More would cut into flat images; and a growth of more
# than 1 is no better known, as the blocks that JPEG flattened grow without texture.

GROWTH_DOUBT = 0.3
# The relative error of sigma for a growth of 1: photographs with sigma 5 grow by 2.0 where they are read 100 % too
# high, by 0.1 where 9 %; with sigma 10, by 0.8 where 38 %.


@dataclass(frozen=True, eq=False)
class Correlation:
    """The spectrum of the noise of one channel, in its units.

    ``sigma`` is the standard deviation of a pixel's noise, the texture of calm patches partly taken off; ``error`` its
    relative standard error, by chance and by texture; ``correlated`` whether the noise is not white; ``rising``
    whether its power grows with frequency, as no texture does. ``slope``, ``middle`` and ``low`` are the powers of
    three bands over that of the highest one, 1 for white noise. ``adjacent`` is the correlation of two neighbours,
    the mean over both axes. ``growth`` is by how much the energy of the calmest tenth of the patches is above that of
    the calmest hundredth, less 1: 0 for noise, large where texture is all there is; ``dependence`` is the rank
    correlation of even and odd energy in the calmer half of the patches, which noise does not have.
    ``density`` is the power at the frequencies 0, 1/(2n) ... 1/2 of either axis, (n + 1, n + 1), of mean about
    sigma^2: that at a frequency of the same sign on both axes and of opposite signs is taken to be the same.
    """

    sigma: float
    error: float
    correlated: bool
    rising: bool
    slope: float
    middle: float
    low: float
    adjacent: float
    growth: float
    dependence: float
    density: NDArray[np.float64]

    @property
    def autocovariance(self) -> NDArray[np.float64]:
        """E[n(p) n(p + lag)] for lags of -8 to 8 pixels on both axes, (17, 17); the centre is sigma^2."""
        cosine = _cosines(len(self.density) - 1)[: REACH + 1]
        quadrant = cosine @ self.density @ cosine.T
        quadrant *= self.sigma**2 / max(float(quadrant[0, 0]), _TINY)
        lags = np.abs(np.arange(-REACH, REACH + 1))
        return np.asarray(quadrant[np.ix_(lags, lags)])

    def spectrum(self, space: tuple[int, ...]) -> NDArray[np.float64]:
        """Power at every frequency of ``numpy.fft.fftn`` over ``space``; its mean is sigma^2, and none is negative.

        Interpolated from ``density``; the same in all planes along axes before the last two, where noise is taken to
        be white. This is what ``Correlated.from_spectrum`` reads.
        """
        known = np.linspace(0.0, 0.5, len(self.density))
        rows, columns = (_interpolation(np.abs(np.fft.fftfreq(length)), known) for length in space[-2:])
        power = rows @ self.density @ columns.T
        mean = float(power.mean())
        power = power * (self.sigma**2 / mean) if mean > 0.0 else np.zeros_like(power)
        return np.broadcast_to(power, space).copy()


def measure_correlation(channel: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> Correlation | None:
    """The spectrum of the noise of one channel, (Y, X) or (Z, Y, X); None where a plane is under 24 pixels across.

    Patches that are not wholly within the mask do not count; None too where fewer than ``LEAST_CALM`` are.

    Volumes are read plane by plane. Correlation that is not mirror symmetric (oblique stripes) is read as its
    symmetric part. Noise is taken to be the same everywhere: where it is not (a JPEG file keeps none in flat blocks),
    the calmest patches speak, and sigma is too low elsewhere.

    On photographs (CID22, BSD400) with white noise, or noise blurred by a Gaussian of up to 2 pixels, sigma is on
    average 14 % too high at 10 (median 3 %: the rest is in photographs without any calm patch), 4 % at 25 and 2 % at
    50. Shots of PolyU, which are JPEG files, are read at 0.4 of the truth (median).
    """
    volume = channel.reshape((-1, *channel.shape[-2:])).astype(np.float32, copy=False)
    side = next((side for least, side in SIDES if min(volume.shape[1:]) >= least), 0)
    if not side:
        return None
    power, overlap = _sampled_power(volume, side)
    if mask is not None:
        power = power[_sampled_windows(mask.reshape(volume.shape), side).all(axis=(-2, -1)).ravel()]
        if len(power) < LEAST_CALM:
            return None
    mean, even, odd = _calmest(power, side)
    density = _without_leakage(mean, side)
    growth = _growth(even, odd)
    density /= 1.0 + TEXTURE_SHARE * float(np.clip(growth - TEXTURE_GROWTH, 0.0, MOST_GROWTH))
    sigma = float(np.sqrt(_cosines(side)[0] @ density @ _cosines(side)[0]))
    kept = max(1.0, overlap * _kept(len(power)))
    slope, middle, low, chance = _bands(mean, kept)
    fast = slope > max(SLOPE, 1 + CHANCE * chance) or middle > max(MIDDLE, 1 + CHANCE * chance)
    rising = sigma > 0.0 and middle < min(RISING_MIDDLE, 1 - chance) and low < min(RISING_LOW, 1 - 2 * chance)
    statistical = float(np.sqrt(np.square(mean).sum() / kept / 2)) / max(float(mean.sum()), _TINY)
    cosine = _cosines(side)[:2]
    first = cosine @ density @ cosine.T
    return Correlation(
        sigma=sigma,
        error=float(np.hypot(statistical, GROWTH_DOUBT * max(growth, 0.0))),
        correlated=bool(fast or low > LOW or rising),
        rising=bool(rising),
        slope=slope,
        middle=middle,
        low=low,
        adjacent=float((first[0, 1] + first[1, 0]) / 2 / first[0, 0]) if first[0, 0] > 0 else 0.0,
        growth=growth,
        dependence=_dependence(even, odd),
        density=density,
    )


def _sampled_power(volume: NDArray[np.float32], side: int) -> tuple[NDArray[np.float32], float]:
    """Squared cosine coefficients (N, side^2) of about ``PATCHES`` patches, and the share of each in no other one."""
    windows = _sampled_windows(volume, side)
    basis = _basis(side).astype(np.float32)
    power = np.empty(windows.shape, np.float32)
    for of_plane, plane in zip(power, windows, strict=True):
        for of_row, row in zip(of_plane, plane, strict=True):  # what belongs to a row of patches stays in the cache
            # One pixel is taken off first: this spares float32 its digits, and makes constant patches exactly 0.
            coefficients = (basis @ (row - row[:, :1, :1])).reshape(-1, side) @ basis.T
            np.square(coefficients, out=of_row.reshape(-1, side))
    return power.reshape(-1, side * side), min(1.0, _stride(volume, side) ** 2 / side**2)


def _sampled_windows(volume: NDArray[Any], side: int) -> NDArray[Any]:
    """Views (planes, rows, columns, side, side)."""
    stride = _stride(volume, side)
    windows = np.lib.stride_tricks.sliding_window_view(volume[:: _step(volume)], (side, side), axis=(1, 2))
    return windows[:, ::stride, ::stride]


def _step(volume: NDArray[Any]) -> int:
    return max(1, -(-len(volume) // 8))  # at most eight planes: more would leave too few patches in each


def _stride(volume: NDArray[Any], side: int) -> int:
    _, height, width = volume.shape
    positions = len(volume[:: _step(volume)]) * (height - side + 1) * (width - side + 1)
    # An odd stride meets all phases of the 8x8 grid of JPEG.
    return max(1, int(np.sqrt(positions / PATCHES))) // 2 * 2 + 1


def _calmest(
    power: NDArray[np.float32], side: int
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """Mean power (side, side) of the calmest patches, and the whitened even and odd energy of every patch."""
    order = np.add.outer(np.arange(side), np.arange(side)).ravel()
    parities = [(order >= 2) & (order % 2 == parity) for parity in (0, 1)]
    kept = _kept(len(power))
    mean = np.ones(side * side)
    for _ in range(ROUNDS):
        weight = (1.0 / np.maximum(mean, max(FAINTEST * mean[order >= 2].max(), FAINT))).astype(np.float32)
        columns = np.stack([np.where(modes, weight / modes.sum(dtype=np.float32), 0) for modes in parities], axis=1)
        energies = np.ascontiguousarray((power @ columns).T)
        mean = np.zeros(side * side)
        for energy, modes in zip(energies, parities[::-1], strict=True):
            calm = np.argpartition(energy, kept - 1)[:kept]
            mean[modes] = power[calm].mean(axis=0, dtype=np.float64)[modes]
    return mean.reshape(side, side), energies[0], energies[1]


def _kept(patches: int) -> int:
    return min(patches, max(LEAST_CALM, int(CALM_SHARE * patches)))


def _without_leakage(mean: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """The density on the grid of frequencies, (side + 1, side + 1), that explains the mean powers of the modes.

    E[c_uv^2] = sum over f, g of K_uf K_vg S_fg. With d the observed over the expected powers, a round of expectation
    maximisation is S <- S (K' d K) / (K' 1 K), over the modes that are used. Smoothed a little in the end: each power
    rests on few patches, and the autocovariance reaches only a few pixels.
    """
    leakage = _leakage(side)
    order = np.add.outer(np.arange(side), np.arange(side))
    used = (order >= 2).astype(np.float64)
    start = mean.copy()
    start[order < 2] = mean[(order >= 2) & (order <= 3)].mean()
    if not start.any():
        return np.zeros((side + 1, side + 1))
    nearest = np.minimum(np.arange(side + 1), side - 1)
    density = np.maximum(start[np.ix_(nearest, nearest)], 1e-9 * start.max())
    share = leakage.T @ used @ leakage
    for _ in range(LEAKAGE_ROUNDS):
        ratio = used * start / (leakage @ density @ leakage.T)
        density = density * (leakage.T @ ratio @ leakage) / share
    return _smoothed(_smoothed(density).T).T


def _smoothed(density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Binomial means of five rows; the spectrum goes on beyond 0 and the Nyquist frequency as its mirror image."""
    padded = np.pad(density, ((2, 2), (0, 0)), mode="reflect")
    count = len(density)
    return np.asarray(sum(weight * padded[i : i + count] for i, weight in enumerate((1, 4, 6, 4, 1)))) / 16.0


def _bands(mean: NDArray[np.float64], patches: float) -> tuple[float, float, float, float]:
    """Three bands over the highest, and the relative standard error of such a ratio for white noise."""
    frequency = np.arange(len(mean)) / len(mean)
    radius = np.hypot.outer(frequency, frequency)
    top = radius >= 1.0
    floor = max(float(mean[top].mean()), 1e-6 * float(mean.max()), _TINY)
    slope, middle, low = (
        float(mean[(radius >= inner) & (radius < inner + 0.2)].mean()) / floor for inner in (0.8, 0.6, 0.4)
    )
    return slope, middle, low, float(np.sqrt(4.0 / (np.count_nonzero(top) * patches)))


def _growth(even: NDArray[np.float32], odd: NDArray[np.float32]) -> float:
    """Energy of the calmest tenth of the patches over that of the calmest hundredth, less 1; chosen by the other."""
    total = np.zeros(2)
    for chosen, told in ((even, odd), (odd, even)):
        order = np.argsort(chosen, kind="stable")
        for i, kept in enumerate((_kept(len(order)), max(_kept(len(order)), len(order) // 10))):
            total[i] += float(told[order[:kept]].mean(dtype=np.float64))
    return float(total[1] / total[0] - 1.0) if total[0] > 0 else 0.0


def _dependence(even: NDArray[np.float32], odd: NDArray[np.float32]) -> float:
    """Rank correlation of odd and even energy in the half of the patches with the least even energy."""
    calmer = np.argsort(even, kind="stable")[: max(2, len(even) // 2)]
    ranks = np.argsort(np.argsort(odd[calmer], kind="stable"), kind="stable")
    return float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1])


@cache
def _basis(side: int) -> NDArray[np.float64]:
    """The orthonormal cosine transform (DCT-II) of ``side`` pixels; a mode a row."""
    k, x = np.arange(side)[:, np.newaxis], np.arange(side)
    basis = np.sqrt(2 / side) * np.cos(np.pi * k * (x + 0.5) / side)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis)


@cache
def _cosines(side: int) -> NDArray[np.float64]:
    """From density to autocovariance: weight times cos(2 pi f lag), for f = 0 ... 1/2; a lag 0 ... ``side`` a row."""
    weight = np.full(side + 1, 1.0 / side)
    weight[[0, -1]] /= 2
    steps = np.arange(side + 1)
    return np.asarray(weight * np.cos(np.pi * np.outer(steps, steps) / side))


@cache
def _leakage(side: int) -> NDArray[np.float64]:
    """K_uf: the part of mode u in the frequency f; rows sum to 1. The autocorrelation of the mode, lag by lag."""
    basis = _basis(side)
    products = np.array([[2.0 * (mode[lag:] @ mode[: side - lag]) for lag in range(side)] for mode in basis])
    products[:, 0] /= 2
    return np.asarray(np.maximum(products @ _cosines(side)[:side], 0.0))


def _interpolation(wanted: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix of linear interpolation from ``known`` to ``wanted`` frequencies."""
    return np.stack([np.interp(wanted, known, unit) for unit in np.eye(len(known))], axis=1)


_TINY = float(np.finfo(np.float64).tiny)
