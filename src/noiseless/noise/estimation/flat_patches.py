"""How strong the noise of one channel is, read from the high frequencies of the patches without texture.

Every 8x8 patch goes through the orthonormal DCT, so white noise of variance sigma^2 gives every coefficient that
variance, and coefficients are independent. The low band (0 < u + v <= 9, 48 coefficients) says whether a patch is
flat; the high band (u + v > 9, 15 coefficients) says how strong the noise is. As the two are independent for white
Gaussian noise, choosing patches by the first does not bias the second. That is the one idea here, and why there is
no correction for selection: Liu et al. choose patches by a gradient that shares its noise with their estimate, and
take the least eigenvalue of a sample covariance, which is biased low. (A cross-fitted least-eigenvalue subspace was
tried here: not better on 50 training images, and twice the time.)

References
----------
Liu, Tanaka & Okutomi 2013, IEEE TIP 22, 5226, doi:10.1109/TIP.2013.2283400: weak-texture patches, iterated.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.names import Lazy, load

_GAMMA = Lazy("scipy.special:gammainc")
_GAMMA_QUANTILE = Lazy("scipy.special:gammaincinv")

SIDE = 8
# 8 pixels resolve the frequencies that photographs lack; 6 leaked more texture, 10 was not better (BSD400, CID22val).

PATCHES = 20_000
# Twenty thousand patches give sigma to 0.3 %. A larger image is sampled more sparsely, not longer.

WHITE_LIMIT = 65.171 / 48
# The 95 % point of chi^2 with 48 degrees of freedom, over 48: a flat patch passes with probability 0.95.

SEED_SHARE = 0.005
# The iteration starts from the flattest 0.5 % of the patches, and never keeps fewer, nor fewer than SEED_PATCHES.
SEED_PATCHES = 50

CALM_SHARE, CALM_ENERGY = 0.02, 0.5750
# E[chi^2_48 / 48 | in its lowest 2 %]: what the low band of the calmest patches shows of white noise.
QUIET_SHARE = 0.05
# Correlated noise is read from the flattest 5 %. It has fewer degrees of freedom than coefficients, so the flattest
# patches show less of it: see energy_of_calmest.

COLOURED = 2.5
# Calm patches with this many times the low-band energy of white noise hold coloured noise or fine texture. BSD400
# with white noise of 5 (of 255): median 1.35, above 2.5 in 4 % of the images, above 6 in none. Noise blurred by
# 0.5 pixel: 2.9, by 0.6: 6.8. PolyU camera JPEG: 9 to 53, median 25.
CORRELATED, SLOPED, CORRELATED_IF_LEVEL = 6.0, 1.25, 16.0
# Texture rarely reaches the very highest frequencies, so under it the high band is level (ratio 1.0 to 1.2), while
# correlated noise slopes within the high band too (PolyU: 1.1 to 2.5), unless JPEG left only rounding there.

CLIPPED_SHARE = 0.005
# Unclipped images have fewer than 0.5 % of their pixels at their extreme value.

TEXTURE_ERROR, CLIPPING_ERROR = 0.03, 0.10
# The relative error grows by about 0.03 a unit of excess colour (BSD400 and CID22val, sigma 2 to 15), and by about
# 0.10 times the share of kept patches that hold one clipped pixel: more were left out, and with them the tails.


@dataclass(frozen=True)
class ChannelNoise:
    """What the patches of one channel say; all in the units of the channel.

    ``sigma`` is the estimate; ``error`` its relative standard error, statistics and texture together; ``flat`` the
    share of patches that look flat; ``colour`` the low-band energy of the calmest patches over that of white noise;
    ``correlation`` that of adjacent pixels in them; ``correlated`` whether sigma was read as for correlated noise;
    ``clipped`` the share of pixels piled up at the extremes; ``usable`` the share of patches with at most one clipped
    pixel; ``step`` the spacing of the stored values, 0 where they are continuous.
    """

    sigma: float
    error: float
    flat: float
    colour: float
    correlation: float
    correlated: bool
    clipped: float
    usable: float
    step: float


def measure(channel: NDArray[np.float32]) -> ChannelNoise | None:
    """The noise of one channel, (Y, X) or (Z, Y, X); None where no 8x8 patch fits into a plane YX.

    Volumes are read plane by plane: noise that is correlated only between planes is not seen.
    """
    volume = channel.reshape((-1, *channel.shape[-2:]))
    if min(volume.shape[1:]) < SIDE:
        return None
    patches, overlap = _sampled(volume)
    step = _step(patches)
    clipped, touched = _clipping(patches)
    intact = touched <= 1
    whole = int(np.count_nonzero(intact))
    usable, nicked = whole / len(patches), np.count_nonzero(touched == 1) / max(1, whole)
    if SEED_PATCHES <= whole < len(patches):
        patches = patches[intact]
    power = _power(patches)
    low, high = (power @ _BANDS).T.astype(np.float64)
    order = np.argsort(low, kind="stable")
    variance, kept = _white_variance(low[order], high[order])
    sigma, colour, correlation, correlated = float(np.sqrt(variance)), 1.0, 0.0, False
    if len(patches) * CALM_SHARE >= 20:  # fewer patches could not tell colour from chance
        calm = power[order[: int(CALM_SHARE * len(order))]].mean(axis=0, dtype=np.float64)
        colour, slope, correlation = _colour(calm)
        correlated = colour > (CORRELATED if slope > SLOPED else CORRELATED_IF_LEVEL)
    if correlated:
        quiet = power[order[: int(QUIET_SHARE * len(order))]].mean(axis=0, dtype=np.float64)
        shown = energy_of_calmest(QUIET_SHARE, _degrees_of_freedom(quiet[_LOW & _BEYOND_TREND]))
        sigma = float(np.sqrt(np.average(np.where(_LOW, quiet / shown, quiet), weights=_BEYOND_TREND)))
    statistical = 1.0 / np.sqrt(2.0 * _HIGH.sum() * max(1.0, kept * overlap))
    modelled = np.hypot(TEXTURE_ERROR * max(0.0, colour - 1.0), CLIPPING_ERROR * nicked)
    error = float(np.hypot(statistical, modelled))
    return ChannelNoise(sigma, error, kept / len(patches), colour, correlation, correlated, clipped, usable, step)


def difference_sigma(channel: NDArray[np.float32]) -> float:
    """A rough sigma for images too small for patches: the median size of the differences of neighbours along X.

    median |x_i - x_(i+1)| = 0.6745 sqrt(2) sigma for white Gaussian noise over a flat image; texture raises it.
    """
    differences = np.diff(channel.astype(np.float64), axis=-1 if channel.shape[-1] > 1 else -2)
    return float(np.median(np.abs(differences))) / (0.6745 * 2**0.5) if differences.size else 0.0


def _sampled(volume: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """About ``PATCHES`` patches on a regular grid, (N, 64), and the share of each that is not in another one."""
    planes = len(volume)
    density = volume.size / PATCHES
    plane_stride = max(1, min(planes, round(density ** (1 / 3)))) if planes > 1 else 1
    # An odd stride meets all eight phases of the 8x8 grid of JPEG.
    stride = max(1, int(np.sqrt(density / plane_stride))) // 2 * 2 + 1
    windows = np.lib.stride_tricks.sliding_window_view(volume[::plane_stride], (SIDE, SIDE), axis=(1, 2))
    patches = windows[:, ::stride, ::stride].reshape(-1, SIDE * SIDE)
    return patches, min(1.0, stride**2 / SIDE**2)


def _clipping(patches: NDArray[np.float32]) -> tuple[float, NDArray[np.int64]]:
    """The share of pixels piled up at the least and the greatest value, and how many of them each patch holds.

    A pile is more than ``CLIPPED_SHARE`` of the pixels and more than twice as many as have the next value.
    """
    clipped, count = 0.0, np.zeros(len(patches), dtype=np.int64)
    for extreme, inside in ((patches.min(), np.greater), (patches.max(), np.less)):
        piled = patches == extreme
        share = float(piled.mean())
        if CLIPPED_SHARE < share < 1.0:
            others = patches[inside(patches, extreme)]
            neighbour = others.min() if inside is np.greater else others.max()
            if share * patches.size > 2 * np.count_nonzero(patches == neighbour):
                clipped += share
                count += piled.sum(axis=1)
    return clipped, count


def _step(patches: NDArray[np.float32]) -> float:
    """The spacing of quantised values, or 0: values that repeat four times and more are quantised."""
    sample = patches[:, 0]
    values = np.unique(sample)
    if 4 * len(values) > len(sample) or len(values) < 2:
        return 0.0
    return float(np.median(np.diff(values)))


def _power(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared DCT coefficients, all but the first, which is not used.

    One pixel is taken off first: this spares float32 its digits, and makes constant patches exactly 0.
    """
    coefficients = (patches - patches[:, :1]) @ _DCT.T
    return np.square(coefficients, out=coefficients)


def _white_variance(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[float, int]:
    """The fixed point: variance of the high band over the patches whose low band this variance explains.

    ``low`` and ``high`` are mean powers of each patch's bands, sorted by ``low``.
    """
    least = min(len(low), max(SEED_PATCHES, int(SEED_SHARE * len(low))))
    mean_high = np.cumsum(high) / np.arange(1, len(high) + 1)
    kept = least
    for _ in range(30):
        enlarged = max(least, int(np.searchsorted(low, WHITE_LIMIT * mean_high[kept - 1], side="right")))
        if enlarged == kept:
            break
        kept = enlarged
    return float(mean_high[kept - 1]), kept


def _colour(calm: NDArray[np.float64]) -> tuple[float, float, float]:
    """Of the mean power of calm patches: low band over high band, slope within the high band, and correlation.

    The first two are 1 for white noise, the third, of adjacent pixels, is 0.
    """
    white = np.where(_LOW, calm / CALM_ENERGY, calm)
    white[0] = white[_FREQUENCY == 1].mean()  # the mean of a patch is image, not noise; its neighbours stand in
    floor = float(white[_HIGH].mean())
    if floor <= 0.0:
        return 1.0, 1.0, 0.0
    top = max(float(white[_FREQUENCY > 11].mean()), 1e-6 * floor)
    slope = float(white[_HIGH & (_FREQUENCY <= 11)].mean()) / top
    return float(white[_LOW].mean()) / floor, slope, float(white @ _ADJACENT / white.mean())


def energy_of_calmest(share: float, degrees: float) -> float:
    """E[chi^2_nu / nu | in its lowest ``share``]: what choosing the calmest patches leaves of the noise in them.

    It is F_(nu + 2)(q) / share, with F_nu(q) = share.
    """
    quantile = load(_GAMMA_QUANTILE)(degrees / 2.0, share)
    return float(load(_GAMMA)(degrees / 2.0 + 1.0, quantile)) / share


def _degrees_of_freedom(power: NDArray[np.float64]) -> float:
    """How many equal, independent coefficients would scatter as much as these (Welch & Satterthwaite); at least 5."""
    return max(5.0, float(power.sum() ** 2 / max(np.square(power).sum(), np.finfo(np.float64).tiny)))


def _dct_matrix() -> NDArray[np.float64]:
    k, x = np.arange(SIDE)[:, np.newaxis], np.arange(SIDE)
    basis = np.sqrt(2 / SIDE) * np.cos(np.pi * k * (x + 0.5) / SIDE)
    basis[0] /= np.sqrt(2)
    return np.kron(basis, basis)


def _adjacent_products(basis: NDArray[Any]) -> NDArray[np.float64]:
    """For each basis image: the mean product of adjacent pixels, so that power @ this is a covariance."""
    images = basis.reshape(-1, SIDE, SIDE)
    along_x = (images[:, :, 1:] * images[:, :, :-1]).mean(axis=(1, 2))
    along_y = (images[:, 1:] * images[:, :-1]).mean(axis=(1, 2))
    return np.asarray((along_x + along_y) / 2, dtype=np.float64)


_FREQUENCY = np.add.outer(np.arange(SIDE), np.arange(SIDE)).ravel()
_LOW = (_FREQUENCY > 0) & (_FREQUENCY <= 9)
_HIGH = _FREQUENCY > 9
_BEYOND_TREND = _FREQUENCY >= 2  # shading makes the two coefficients with u + v = 1
_BANDS = np.stack([_LOW / _LOW.sum(), _HIGH / _HIGH.sum()], axis=1).astype(np.float32)
_DCT = _dct_matrix().astype(np.float32)
_ADJACENT = _adjacent_products(_dct_matrix())
