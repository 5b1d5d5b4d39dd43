"""The variance of the noise at every intensity: what a plot of variance against level needs, from one channel.

The 8x8 patches of ``flat_patches`` are sorted by their mean and cut into groups of equal size. Within a group the noise
is nearly one strength even where it depends on the intensity, so ``white_variance`` applies to it as it stands: the low
band of the DCT ranks the patches of the group, calm ones are kept, the high band gives their variance, the middle band
what texture is left. A second and third pass divide each patch by the curve found so far, so that a group that
spans a range of levels is ranked by texture and not by brightness.

Why the mean of a noisy patch may stand for its level: for independent pixels the covariance of a patch's mean with its
sample variance is kappa_3 / n. With Poisson noise of gain g that is g times the variance of the mean, so the points
(mean, variance) scatter *along* the line of slope g; with Gaussian noise it is 0 and the variance is the same
everywhere. Only mixtures of both are blurred, by the standard deviation of a mean, an eighth of the noise.

Texture that fills a whole group leaves its variance too high, with an error that says so; errors are one-sided, and who
fits a curve to a scatter should allow for it (``signal_dependence``). Groups with clipped pixels are left out.

References
----------
Foi, Trimeche, Katkovnik & Egiazarian 2008, IEEE TIP 17, 1737, doi:10.1109/TIP.2008.2001399: the scatter, by wavelets.
Liu, Tanaka & Okutomi 2014, IEEE TIP 23, 4361, doi:10.1109/TIP.2014.2347204: patches under signal-dependent noise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage

from .clipping import bounds_of
from .flat_patches import SIDE, _sampled, band_powers, squared_transform, white_variance

GROUPS = 24
# 16, 24 and 32 groups gave the same gain and read noise (BSD400 and CID22val, linear; median errors 2 %).

GROUP_PATCHES, KEPT_PATCHES = 50, 25
# A group holds at least 50 patches and its variance rests on at least 25.

PASSES = 3
# The third pass changes a variance by less than its error.

TOUCHED = 0.01
# A group in which 1 % of the pixels sit at a bound lies 2.3 sigma from it and has lost 5 % of its variance; it and all
# nearer ones are left out.

HEADROOM = 2.5
# A group whose level is less than this many deviations below the greatest value of the image may have lost 1 % of its
# variance there, and is left out. Noise that is not clipped goes beyond, among the 1600 pixels of 25 patches, in all
# but 5 of 100 000 cases.

LEAST_ERROR = 0.02
# No variance is trusted to better than 2 %: the share of texture in the high band differs that much between levels.


@dataclass(frozen=True, eq=False)
class Scatter:
    """The variance of the noise in groups of patches of rising intensity, all arrays (G,) float64.

    Parameters
    ----------
    levels : mean intensity of each group, ascending, in the units of the image.
    variances : of the noise there, in squared units; texture can only have raised it.
    errors : standard error of each variance, chance and doubt about texture together, in squared units.
    clipped : the share of the pixels that sit at a bound of the image, 0 to 1.
    used : the share of the patches whose group is in the arrays; less than 1 where clipping cost some.
    """

    levels: NDArray[np.float64]
    variances: NDArray[np.float64]
    errors: NDArray[np.float64]
    clipped: float
    used: float

    @property
    def degrees(self) -> NDArray[np.float64]:
        """The degrees of freedom of a chi-square with the same relative error e as each variance: 2 / e^2."""
        relative = self.errors / np.where(self.variances > 0, self.variances, np.inf)
        return 2.0 / np.maximum(relative, LEAST_ERROR) ** 2


def scatter(channel: NDArray[Any]) -> Scatter | None:
    """The scatter of one channel, (Y, X) or (Z, Y, X) float; None where no 8x8 patch fits into a plane YX.

    About 20 000 patches are looked at. The arrays are empty where every group is clipped. Patches with half their
    pixels at a bound (saturated, or a masked background) are not looked at. Deterministic.

    Raises
    ------
    InvalidImage : the channel has neither two nor three axes, or a value that is not finite.
    """
    if channel.ndim not in (2, 3):
        raise InvalidImage(f"one channel has the axes YX or ZYX, not shape {channel.shape}; give one channel at a time")
    if not np.isfinite(channel).all():
        raise InvalidImage("some values are NaN or infinite, which have no noise; replace them first")
    volume = channel.reshape((-1, *channel.shape[-2:])).astype(np.float32, copy=False)
    if min(volume.shape[1:]) < SIDE:
        return None
    # In a unit that is a power of two, so that no digit changes: squares of squares of any values stay within float32.
    unit = 2.0 ** float(np.frexp(np.abs(volume).max())[1])
    volume = volume * np.float32(1.0 / unit)
    patches, overlap = _sampled(volume)
    sampled, bounds = len(patches), bounds_of(patches)
    touched = np.zeros(sampled, dtype=np.float32)
    if bounds.share:
        touched = np.mean((patches <= bounds.lower) | (patches >= bounds.upper), axis=1, dtype=np.float32)
        patches, touched = patches[touched < 0.5], touched[touched < 0.5]
    means = patches.mean(axis=1, dtype=np.float64)
    members = _groups(means)
    members = members[touched[members].mean(axis=1) <= TOUCHED]
    if not members.size:
        nothing = np.zeros(0)
        return Scatter(nothing, nothing, nothing, bounds.share, 0.0)
    levels, bands = means[members], band_powers(squared_transform(patches))[members]
    variances, errors = _by_group(levels, bands, overlap)
    middle = levels.mean(axis=1)
    # Of the tail above, something is missing where the greatest value of the image is so near, pile or no pile. Below,
    # this cannot be said: counts of few photons are that near to 0 by themselves.
    whole = middle + HEADROOM * np.sqrt(variances) <= float(volume.max())
    used = members[whole].size / sampled
    return Scatter(middle[whole] * unit, variances[whole] * unit**2, errors[whole] * unit**2, bounds.share, used)


def _groups(means: NDArray[np.float64]) -> NDArray[np.int64]:
    """Patches by rising mean, (G, n) indices; a remainder is left out here and there, not where levels are rare."""
    groups = min(GROUPS, max(1, len(means) // GROUP_PATCHES))
    size = len(means) // groups
    if size < KEPT_PATCHES:
        return np.zeros((0, 1), dtype=np.int64)
    order = np.argsort(means, kind="stable")
    return order[np.linspace(0, len(order) - 1, groups * size).round().astype(np.int64)].reshape(groups, size)


def _by_group(
    levels: NDArray[np.float64], bands: NDArray[np.float32], overlap: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variance and its standard error in each group, from levels (G, n) and band powers (G, n, 3)."""
    middle = levels.mean(axis=1)
    scaled = bands
    for remaining in reversed(range(PASSES)):
        variances, roots = white_variance(scaled, overlap, KEPT_PATCHES)
        errors = 2.0 * roots * variances
        # A level without any noise has no logarithm to draw a slope through; its neighbours stay as they are.
        if not remaining or len(middle) < 2 or not np.all(variances > 0):
            break
        growth = _growth(middle, variances, errors)[:, np.newaxis] * (levels - middle[:, np.newaxis])
        # Within a group no noise is taken to differ by more than a factor of 4 from that of its middle.
        relative = np.exp(np.clip(growth, -np.log(4), np.log(4)))
        scaled = (bands / relative[..., np.newaxis]).astype(np.float32)
    return variances, errors


def _growth(
    middle: NDArray[np.float64], variances: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The slope of log(variance) at each group, from a line through it and two neighbours on either side."""
    weights = np.square(variances / errors)
    index = np.arange(len(middle))
    near = weights * (np.abs(index[:, np.newaxis] - index) <= 2)
    near /= near.sum(axis=1, keepdims=True)
    x = middle - (near @ middle)[:, np.newaxis]
    y = np.log(variances) - (near @ np.log(variances))[:, np.newaxis]
    spread = np.sum(near * x**2, axis=1)
    slope: NDArray[np.float64] = np.sum(near * x * y, axis=1) / np.where(spread > 0, spread, np.inf)
    return slope
