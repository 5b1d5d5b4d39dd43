"""How strong the noise of one channel is, read from the high frequencies of the patches with least texture.

Every 8x8 patch goes through the orthonormal DCT, so white noise of variance sigma^2 gives every coefficient that
variance, and coefficients are independent. Three bands of frequency u + v have three tasks: the low band (1 to 6, 27
coefficients) ranks the patches, the middle band (7 to 10, 26) tells how much texture is left in those that are kept,
and the high band (11 to 14, 10) tells the noise. As the bands are independent for white Gaussian noise, choosing by one
does not bias the others, and no correction for selection is needed (Liu et al. choose patches by a gradient that
shares its noise with their estimate, and take the least eigenvalue of a sample covariance, which is biased low).

The spectrum of texture falls with frequency: r = 0.27 of its power in the middle band is found in the high band, in
photographs of any kind (0.25 to 0.35 over BSD400, and over sigma 5 to 75). So with mean powers M and H,

    H = sigma^2 + r T,   M = sigma^2 + T,   hence   sigma^2 = (H - r M) / (1 - r).

How many of the calmest patches are kept is a trade between chance and texture: the number is taken for which the
expected error, statistics and the doubt about r together, is least. White texture cannot be told from noise by any of
this: the grain of a film, or noise that a "clean" photograph has left, is part of the estimate, not of its error.

References
----------
Liu, Tanaka & Okutomi 2013, IEEE TIP 22, 5226, doi:10.1109/TIP.2013.2283400: weak-texture patches, iterated.
Ponomarenko, Lukin, Zriakhov, Kaarna & Astola 2007, An automatic approach to lossy compression of AVIRIS images, IGARSS:
the calmest 0.5 % of the patches by their low DCT coefficients, noise from their high ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.names import Lazy, load

from .clipping import Bounds, bounds_of, remaining_variance

_GAMMA = Lazy("scipy.special:gammainc")
_GAMMA_QUANTILE = Lazy("scipy.special:gammaincinv")

SIDE = 8
# 8 pixels resolve the frequencies that photographs lack; 6 leaked more texture, 10 was not better (BSD400, CID22val).

PATCHES = 20_000
# Twenty thousand patches give sigma to 0.5 %. A larger image is sampled more sparsely, not longer,

TEXTURED, MANY_PATCHES = 0.02, 150_000
# unless less than 2 % of it looks flat: then more patches are searched for calm ones.

WHITE_LIMIT = 65.171 / 48
# The 95 % point of chi^2 with 48 degrees of freedom, over 48: a flat patch passes with probability 0.95. These 48 are
# the coefficients with u + v <= 9, by which patches are called flat and noise coloured.

LEAKAGE, LEAKAGE_DOUBT = 0.27, 0.12
# The share r of the texture of the middle band that the high band holds, and how far it scatters between images.
# r from 0.25 to 0.30 and doubts from 0.10 to 0.15 gave the same errors (45 images of BSD400, sigma 5 to 75).

LOW_DOUBT = 0.02
# The doubt that a low band above the noise adds, for a unit: the kept patches are not flat. Without it the errors were
# told too small at sigma 5 (z of 1.4, now 1.1); from 0.02 to 0.08 no estimate was better or worse for it.

STRONG_DOUBT, MOST_EXCESS = 0.3, 1.5
# Texture as strong as the noise (M = 2 H) may be of any kind: windows of 64 pixels with so much erred by 25 % in sigma,
# those with half of it by 5 % (BSD400, sigma 5). Beyond M = 2.5 H the error is not told any larger: it is unknown.

LEAST_SHARE, LEAST_PATCHES = 0.003, 50
# Never fewer than the flattest 0.3 % of the patches are kept, nor fewer than 50.

CONSISTENT = 2.0
# A larger set of patches must not say more noise than a smaller, calmer one by more than 2 of its standard errors.

OVERLAP_GAIN = 1.5
# Overlapping patches say more than those that tile the image: 1.5 to 1.9 times as many degrees of freedom, in white
# noise, at strides of 1 to 4; the neighbours of a calm patch are not always kept, so the lower figure.

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

CORRELATED_DOUBT = 0.03
# The relative error of sigma for a unit of excess colour, where noise is correlated: 0.15 at least, and 1 is common.

CLIPPING_DOUBT = 0.06
# The relative error of sigma is this part of the factor, less 1, that gives back what clipping took: texture near a
# bound loses more than flat patches do. On BSD400 in uint8 sigma is 0.0 / 0.3 / 0.7 / 1.2 % low at 25 / 50 / 75 / 100.


@dataclass(frozen=True)
class ChannelNoise:
    """What the patches of one channel say; all in the units of the channel.

    ``sigma`` is the estimate, with the loss by clipping given back; ``error`` its relative standard error, statistics,
    texture and clipping together; ``flat`` the share of patches that look flat; ``colour`` the low-band energy of the
    calmest patches over that of white noise; ``correlation`` that of adjacent pixels in them; ``correlated`` whether
    sigma was read as for correlated noise; ``clipped`` the share of pixels piled up at the extremes; ``usable`` the
    share of patches far enough from these to tell the noise; ``step`` the spacing of the stored values, 0 where they
    are continuous; ``lower_bound`` whether too few patches were usable, so that sigma is only a lower bound.
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
    lower_bound: bool = False


def measure(channel: NDArray[np.float32], *, thorough: bool = True) -> ChannelNoise | None:
    """The noise of one channel, (Y, X) or (Z, Y, X); None where no 8x8 patch fits into a plane YX.

    Volumes are read plane by plane: noise that is correlated only between planes is not seen. ``thorough``: where there
    is hardly a flat patch, all of them are looked at, which takes ten times as long.
    """
    volume = channel.reshape((-1, *channel.shape[-2:]))
    if min(volume.shape[1:]) < SIDE:
        return None
    noise = _measured(*_sampled(volume))
    return _measured(*_sampled(volume, MANY_PATCHES)) if thorough and noise.flat < TEXTURED else noise


def _measured(patches: NDArray[np.float32], overlap: float) -> ChannelNoise:
    """What (N, 64) patches say of the noise, ``overlap`` being the share of each that is not in another one."""
    step = _step(patches)
    power = squared_transform(patches)
    bounds = bounds_of(patches)
    usable, restored, lower_bound = 1.0, 1.0, False
    if bounds.share:
        remaining, restored = _remaining(patches, band_powers(power), bounds, overlap)
        inside = np.isfinite(remaining)
        usable, lower_bound = float(inside.mean()), not inside.any()
        if not lower_bound:
            power = np.divide(power[inside], remaining[inside, np.newaxis], dtype=np.float32)
    variance, error = _over_all(band_powers(power), overlap)
    sigma, colour, correlation, correlated = float(np.sqrt(variance)), 1.0, 0.0, False
    low = power @ _LOW_MEAN
    flat = float(np.mean(low <= WHITE_LIMIT * variance))
    if len(power) * CALM_SHARE >= 20:  # fewer patches could not tell colour from chance
        order = np.argsort(low)
        calm = power[order[: int(CALM_SHARE * len(order))]].mean(axis=0, dtype=np.float64)
        colour, slope, correlation = _colour(calm)
        correlated = colour > (CORRELATED if slope > SLOPED else CORRELATED_IF_LEVEL)
    if correlated:
        quiet = power[order[: int(QUIET_SHARE * len(order))]].mean(axis=0, dtype=np.float64)
        shown = energy_of_calmest(QUIET_SHARE, _degrees_of_freedom(quiet[_LOW & _BEYOND_TREND]))
        error = max(error, CORRELATED_DOUBT * (colour - 1.0))
        sigma = float(np.sqrt(np.average(np.where(_LOW, quiet / shown, quiet), weights=_BEYOND_TREND)))
    error = float(np.hypot(error, CLIPPING_DOUBT * (restored - 1.0)))
    return ChannelNoise(sigma, error, flat, colour, correlation, correlated, bounds.share, usable, step, lower_bound)


def difference_sigma(channel: NDArray[np.float32]) -> float:
    """A rough sigma for images too small for patches: the median size of the differences of neighbours along X.

    median |x_i - x_(i+1)| = 0.6745 sqrt(2) sigma for white Gaussian noise over a flat image; texture raises it.
    """
    differences = np.diff(channel.astype(np.float64), axis=-1 if channel.shape[-1] > 1 else -2)
    return float(np.median(np.abs(differences))) / (0.6745 * 2**0.5) if differences.size else 0.0


def _sampled(volume: NDArray[np.float32], wanted: int = PATCHES) -> tuple[NDArray[np.float32], float]:
    """About ``wanted`` patches on a regular grid, (N, 64), and the share of each that is not in another one."""
    planes = len(volume)
    density = volume.size / wanted
    plane_stride = max(1, min(planes, round(density ** (1 / 3)))) if planes > 1 else 1
    # An odd stride meets all eight phases of the 8x8 grid of JPEG.
    stride = max(1, int(np.sqrt(density / plane_stride))) // 2 * 2 + 1
    windows = np.lib.stride_tricks.sliding_window_view(volume[::plane_stride], (SIDE, SIDE), axis=(1, 2))
    patches = windows[:, ::stride, ::stride].reshape(-1, SIDE * SIDE)
    return patches, min(1.0, stride**2 / SIDE**2)


def _step(patches: NDArray[np.float32]) -> float:
    """The spacing of quantised values, or 0: values that repeat four times and more are quantised."""
    sample = patches[:, 0]
    values = np.unique(sample)
    if 4 * len(values) > len(sample) or len(values) < 2:
        return 0.0
    return float(np.median(np.diff(values)))


def squared_transform(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared DCT coefficients, all but the first, which is not used.

    One pixel is taken off first: this spares float32 its digits, and makes constant patches exactly 0.
    """
    coefficients = (patches - patches[:, :1]) @ _DCT.T
    return np.square(coefficients, out=coefficients)


def white_variance(
    bands: NDArray[np.float32], overlap: float, least: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The variance of white noise in N patches, and the relative standard error of its root.

    For each number of calmest patches, from ``least`` on, there is an estimate (H - r M) / (1 - r), and an expected
    error: of the two means over as many patches, and of r. The estimate with the least is returned, among those no
    larger than what fewer, calmer patches allow (Lepski's rule): this keeps out texture that is white. A texture that
    is stronger than the noise (M > 2 H) is not extrapolated any further than that.

    Parameters
    ----------
    bands : (..., N, 3), the mean powers of the low, middle and high band of each patch (``band_powers``); patches
        whose low band is inf are left out.
    overlap : the share of a patch that is in no other one.
    least : the smallest number of patches to rest on.

    Returns
    -------
    Variance and error, of shape (...). The error is inf where fewer than ``least`` patches are left.
    """
    patches = bands.shape[-2]
    lows = np.ascontiguousarray(bands[..., 0])
    order = np.argsort(lows, axis=-1)
    kept = np.unique(np.geomspace(min(least, patches), patches, 50).astype(np.int64))
    present = np.isfinite(lows)
    starts = np.append(0, kept[:-1])  # sums between one number of patches and the next are all that is needed
    low, middle, high = (
        np.cumsum(np.add.reduceat(np.take_along_axis(band, order, -1), starts, -1, dtype=np.float64), -1) / kept
        for band in (np.where(present, bands[..., i], np.float32(0.0)) for i in range(3))
    )
    excess = np.clip(middle / np.maximum(high, middle / 10 + _TINY) - 1.0, -1.0, MOST_EXCESS)
    weight = LEAKAGE / (1.0 - LEAKAGE)
    variance = high * (1.0 - weight * np.minimum(excess, 1.0))
    independent = np.maximum(1.0, min(1.0, OVERLAP_GAIN * overlap) * kept)
    chance = 2.0 / independent * ((1.0 + weight) ** 2 / _HIGH_COUNT + weight**2 / _MIDDLE_COUNT)
    texture = np.maximum(excess, 0.0)
    doubt = LEAKAGE_DOUBT / (1.0 - LEAKAGE) * texture + STRONG_DOUBT * texture**3
    doubt += LOW_DOUBT * np.maximum(low / np.maximum(variance, low / 10 + _TINY) - 1.0, 0.0)
    error = np.sqrt(chance + doubt**2)
    ceiling = np.minimum.accumulate(variance * (1.0 + CONSISTENT * error), axis=-1)
    allowed = np.logical_and.accumulate(variance <= ceiling, axis=-1)
    allowed &= kept <= np.count_nonzero(present, axis=-1)[..., np.newaxis]
    error = np.where(allowed, error, np.inf)
    best = np.argmin(error, axis=-1)[..., np.newaxis]
    # The root of a variance has half its relative error.
    return np.take_along_axis(variance, best, -1)[..., 0], np.take_along_axis(error, best, -1)[..., 0] / 2.0


def band_powers(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean powers (N, 3) of the low, middle and high band of patches with these squared DCT coefficients (N, 64)."""
    return power @ _BANDS


def _over_all(bands: NDArray[np.float32], overlap: float) -> tuple[float, float]:
    """:func:`white_variance` of a whole channel."""
    variance, error = white_variance(bands, overlap, max(LEAST_PATCHES, int(LEAST_SHARE * len(bands))))
    return float(variance), float(error)


def _remaining(
    patches: NDArray[np.float32], bands: NDArray[np.float32], bounds: Bounds, overlap: float
) -> tuple[NDArray[np.float64], float]:
    """What clipping left of the variance in each patch, NaN where it cannot be known; and the factor it took off sigma.

    Sigma says which patches are far enough from the bounds, and they say sigma: the fixed point is sought from below,
    as clipping makes noise weaker, starting from the patches with little of it. All is NaN when too few are left.
    """
    touched = np.count_nonzero((patches <= bounds.lower) | (patches >= bounds.upper), axis=1)
    little = touched <= SIDE * SIDE // 4
    start = bands[little] if np.count_nonzero(little) >= LEAST_PATCHES else bands
    means = patches.mean(axis=1, dtype=np.float64)
    nothing = np.full(len(patches), np.nan), 1.0
    first, _ = _over_all(start, overlap)
    variance = first
    for _ in range(30):
        if variance <= 0.0:
            return nothing
        remaining = remaining_variance(means, float(np.sqrt(variance)), bounds)
        inside = np.isfinite(remaining)
        if np.count_nonzero(inside) < LEAST_PATCHES:
            return nothing
        restored = np.divide(bands[inside], remaining[inside, np.newaxis], dtype=np.float32)
        previous, (variance, _) = variance, _over_all(restored, overlap)
        if abs(variance / previous - 1.0) < 1e-3:
            break
    return remaining, float(np.sqrt(variance / first))


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
_LOW_MEAN = (_LOW / _LOW.sum()).astype(np.float32)
_THREE = (_LOW & (_FREQUENCY <= 6), (_FREQUENCY > 6) & (_FREQUENCY <= 10), _FREQUENCY > 10)
_BANDS = np.stack([band / band.sum() for band in _THREE], axis=1).astype(np.float32)
_TINY = np.finfo(np.float64).tiny
_MIDDLE_COUNT, _HIGH_COUNT = int(_THREE[1].sum()), int(_THREE[2].sum())
_DCT = _dct_matrix().astype(np.float32)
_ADJACENT = _adjacent_products(_dct_matrix())
