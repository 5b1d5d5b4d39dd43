"""What clipping does to Gaussian noise, and how to take it back: the noise of a flat patch by its mean.

A sensor or a file holds values in [a, b] only, so y = min(max(x + sigma n, a), b). Near a bound the noise is weaker
than sigma, and its mean is not x: 12 of 75 grey levels are lost on 8-bit photographs. In a flat patch the pixels stay
independent and equally distributed, so all its DCT coefficients but the first keep one common variance, that of the
censored Gaussian, and its mean tells the level x. Where x is far enough inside the bounds the loss is thus known in
closed form, and divided out; nearer, the patch says little and is not used.

Censored means that values beyond a bound pile up at it. A truncated law, whose values beyond are thrown away, has no
pile and is not what cameras and files do.

References
----------
Foi 2009, Signal Processing 89, 2609, doi:10.1016/j.sigpro.2009.04.035: clipped noisy images, moments and inverses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseless.names import Lazy, load

_NORMAL_CDF = Lazy("scipy.special:ndtr")

PILED_SHARE = 0.005
# Unclipped images have fewer than 0.5 % of their pixels at their extreme value.

MARGIN = 0.75
# Patches whose level lies at least this many sigma inside the bounds are used. There 0.6 of the variance is left, and
# the mean of 64 pixels tells the level to 0.1 sigma. 0.5 and 1.0 were not better (BSD400, sigma 25 to 75 in uint8).

_FAR = 38.0
# A bound so many sigma away is none: the density underflows to 0 there.


@dataclass(frozen=True)
class Bounds:
    """The values at which an image was clipped, in its units; -inf and inf where it was not.

    ``share`` is the part of the pixels at either; 0 when there is no clipping.
    """

    lower: float = -np.inf
    upper: float = np.inf
    share: float = 0.0


def bounds_of(pixels: NDArray[np.float32]) -> Bounds:
    """The bounds at which pixels (of any shape) are piled up.

    A pile is more than 0.5 % of the pixels, more than twice as many as have the next value, and not all of them. One
    constant region without noise, such as a masked background, is a pile too: it looks like clipping, and as no
    other patch comes near its value this does no harm.
    """
    lower, upper, share = -np.inf, np.inf, 0.0
    least, greatest = float(pixels.min()), float(pixels.max())
    if least == greatest:
        return Bounds()
    for extreme, is_lower in ((least, True), (greatest, False)):
        piled = np.count_nonzero(pixels == extreme) / pixels.size
        if piled <= PILED_SHARE:
            continue
        others = pixels[pixels > extreme] if is_lower else pixels[pixels < extreme]
        neighbour = others.min() if is_lower else others.max()
        if piled * pixels.size > 2 * np.count_nonzero(pixels == neighbour):
            share += piled
            lower, upper = (extreme, upper) if is_lower else (lower, extreme)
    return Bounds(lower, upper, share)


def clipped_moments(
    level: NDArray[np.float64], sigma: float, bounds: Bounds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance of N(level, sigma^2) clipped to the bounds, in the units of ``level`` and their square.

    With alpha = (a - level) / sigma and beta = (b - level) / sigma, the standard normal clipped to [alpha, beta] has

    E u   = alpha Phi(alpha) + beta Phi(-beta) + phi(alpha) - phi(beta)
    E u^2 = alpha^2 Phi(alpha) + beta^2 Phi(-beta) + Phi(beta) - Phi(alpha) + alpha phi(alpha) - beta phi(beta).
    """
    cdf = load(_NORMAL_CDF)
    alpha = np.clip((bounds.lower - level) / sigma, -_FAR, _FAR)
    beta = np.clip((bounds.upper - level) / sigma, -_FAR, _FAR)
    below, above = cdf(alpha), cdf(-beta)
    at_lower, at_upper = (np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) for z in (alpha, beta))
    first = alpha * below + beta * above + at_lower - at_upper
    second = alpha**2 * below + beta**2 * above + (1 - above - below) + alpha * at_lower - beta * at_upper
    return level + sigma * first, sigma**2 * np.maximum(second - first**2, 0.0)


def remaining_variance(means: NDArray[np.float64], sigma: float, bounds: Bounds) -> NDArray[np.float64]:
    """The part of sigma^2 that clipping left in flat patches with these means, 0 to 1; NaN where it cannot be known.

    The level is read from the mean by inverting :func:`clipped_moments` on a grid; NaN stands for patches whose level
    is less than ``MARGIN`` sigma inside a bound.
    """
    # Beyond 6 sigma a bound changes nothing, so the grid need not reach further from it than that.
    first = bounds.lower + MARGIN * sigma if np.isfinite(bounds.lower) else float(means.min())
    last = bounds.upper - MARGIN * sigma if np.isfinite(bounds.upper) else float(means.max())
    if first >= last:
        return np.full(means.shape, np.nan)
    near_lower = np.linspace(first, min(last, first + 6 * sigma), 200)
    near_upper = np.linspace(max(first, last - 6 * sigma), last, 200)
    level = np.union1d(near_lower, near_upper)
    mean, variance = clipped_moments(level, sigma, bounds)
    return np.interp(means, mean, variance / sigma**2, left=np.nan, right=np.nan)
