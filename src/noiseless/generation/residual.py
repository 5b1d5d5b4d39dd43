"""Error bars corrected by the picture's own residual: it holds what the denoiser took out beyond the noise."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from noiseless.diffusion import heat_flow
from noiseless.generation.calibration import ErrorBars
from noiseless.generation.uncertainty import PropagatedNoise
from noiseless.image import FloatArray

STRATA, STRATUM = 8, 20_000
"""An image is parted, from the surest values to the least sure, into at most so many parts of at least so many values
each: the chance in the risk of a part is then at most 1 % of sigma^2."""

WINDOW = 8.0
"""The raw error is smoothed by a Gaussian of so many pixels before strata are made of it. Sharper, it depends on the
noise that is then measured within them: at 1.5 pixels the risk of the surest sixth comes out too low by 2 % of sigma^2,
at 5 by 0.5 %."""

SPREAD, RELATIVE_SPREAD = 0.007, 0.1
"""How far the error of photographs is from the calibrated one, squared: parts of sigma^2, and of the error itself.
Fitted on BSD400 (sigma 15, 25, 50), where chance takes no part: the true errors are known."""

NORMAL = 0.9945 * 1.96
"""The half widths of 68 % and of 95 % of a normal law, multiplied, over its variance."""

ENOUGH = 100_000
"""So many values are enough to place the bounds between strata."""


def widened_by_residual(
    bars: ErrorBars, noisy: FloatArray, denoised: FloatArray, sigma: NDArray[np.float64], noise: PropagatedNoise
) -> ErrorBars:
    """Intervals that are wider where the residual shows a larger error than they say: grain, unusual texture.

    Stein's risk of each stratum, its error bar, and the error that the intervals say, all over sigma^2:

        e = mean of |y - D|^2 - sigma^2 + 2 (J C)_ii,   se = sqrt(2 / n),   p = mean of half68 half95 / (0.9945 1.96)
        half <- half * sqrt(1 + w max(e - p, 0) / p),   w = t^2 / (t^2 + se^2),
        t^2 = 0.007^2 + (0.1 p)^2, or (e - p)^2 - 4 se^2 where that is more

    p is the variance of a normal law with such intervals. Errors of photographs have longer tails, so half68^2 alone is
    further below their variance, and intervals that are right would be widened. w is the weight of this measurement
    against what is known of other photographs; beyond two standard errors the picture speaks for itself. Intervals are
    never made narrower, because an overstated sigma looks the same as a smaller error; an understated one makes them
    wider, as it should. Between the strata the factor is straight in the logarithm of the raw error: no borders show.

    Parameters
    ----------
    bars : calibrated
    noisy, denoised : (C, *space), in one unit with ``sigma``
    sigma : known, not estimated from the image (1 % of it is 2 % of sigma^2, more than the grain of a film).
        Broadcastable; where it is 0 nothing is changed.
    noise : what came through of it

    References
    ----------
    Stein 1981, Ann. Statist. 9, 1135, doi:10.1214/aos/1176345632.
    """
    level = np.broadcast_to(np.asarray(sigma, dtype=np.float32), noisy.shape)
    active = level > 0.0
    if not active.any():
        return bars
    variance = np.where(active, level, 1.0) ** 2
    certainty = np.log(np.maximum(noise.std**2 / variance, 1e-12))
    certainty = np.asarray(heat_flow(certainty, (0.0,) * (noisy.ndim - 3) + (WINDOW**2 / 2,) * 2))
    risk = ((noisy - denoised) ** 2 + 2.0 * noise.trace) / variance - 1.0
    known = certainty[active]
    sample = known[:: -(-known.size // ENOUGH)]
    parts = min(STRATA, max(1, known.size // STRATUM))
    stratum = np.digitize(known, np.quantile(sample, np.arange(1, parts) / parts))
    count = np.bincount(stratum, minlength=parts)
    filled = count > 0
    count = count[filled]
    e, p = (
        np.bincount(stratum, weights=values[active], minlength=parts)[filled] / count
        for values in (risk, bars.half68 * bars.half95 / NORMAL / variance)
    )
    excess, chance = np.maximum(e - p, 0.0), 2.0 / count
    spread = np.maximum(SPREAD**2 + (RELATIVE_SPREAD * p) ** 2, excess**2 - 4.0 * chance)
    factors = np.sqrt(1.0 + spread / (spread + chance) * excess / p)
    middles = np.quantile(sample, (np.arange(parts) + 0.5) / parts)[filled]
    factor = np.where(active, np.interp(certainty, middles, factors), 1.0).astype(np.float32)
    return replace(bars, half68=bars.half68 * factor, half95=bars.half95 * factor)
