"""Rician noise of magnitude images (MRI): its sigma, with air around the body or without, and whether it is Rician.

A magnitude |x + sigma n|, n complex normal with unit variance in each part, has with theta = x / sigma, t = theta^2 / 4

    mean      mu(theta) = sqrt(pi / 2) ((1 + 2 t) I0e(t) + 2 t I1e(t))   in sigma: 1.2533 in air
    variance  2 + theta^2 - mu(theta)^2                                  in sigma^2: 0.4292 in air, 1 in bright tissue
    E |.|^2   2 + theta^2.

*Signal.* The scatter of variance against mean (``intensity_scatter``) must follow this curve, which has one parameter:
sigma is found by maximum likelihood, at every signal-to-noise ratio at once, Koay and Basser's correction included.

*Background.* Air is Rayleigh: half the mean square of a patch is sigma^2 times chi^2_128 / 128. The lower half of that
distribution gives sigma (the upper half may hold faint tissue), by a fixed point of its truncated mean. Its pixels must
look Rayleigh: mean over standard deviation 1.913, skewness 0.631; Gaussian noise has skewness 0, and a mean of 1.913 of
its standard deviations would bring 2.8 % of negative values. A background that was set to 0 says nothing and is not
looked at.

References
----------
Gudbjartsson & Patz 1995, MRM 34, 910, doi:10.1002/mrm.1910340618: the distribution, and air as Rayleigh.
Koay & Basser 2006, JMR 179, 317, doi:10.1016/j.jmr.2006.01.016: the correction of the variance at low signal.
Foi 2011, IEEE ISBI, 1809, doi:10.1109/ISBI.2011.5872758: sigma from the variance-to-mean curve.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from noiseless.names import Lazy, load

from .clipping import bounds_of
from .flat_patches import SIDE, _sampled
from .intensity_scatter import Scatter, scatter
from .signal_dependence import LEAST_GROUPS, fit_signal_dependence, mixture

_I0E, _I1E = Lazy("scipy.special:i0e"), Lazy("scipy.special:i1e")
_GAMMA = Lazy("scipy.special:gammainc")

RAYLEIGH_RATIO, RAYLEIGH_SKEWNESS = 1.91306, 0.63111
# sqrt(pi / (4 - pi)) and 2 sqrt(pi) (pi - 3) / (4 - pi)^(3/2).

RATIO_DOUBT, SKEWNESS_DOUBT = 0.05, 0.15
# Deviations from these (relative; absolute) that halve the trust in a background. Simulated air around a head (ch2,
# whole or one slice, sigma 3 % to 20 % of the maximum) deviates by at most 0.02 and 0.07.

BACKGROUND_PIXELS = 500
# With fewer independent pixels of air the skewness is not known to 0.11 = sqrt(6 / 500).

BACKGROUND_AGREES = 0.15
# Air and tissue give the same sigma to 8 % where the noise is Rician; beyond 15 % what looks like air is something
# else.

UNMASKED_SHARE = 0.25
# Where a part of the image was set to 0, air may be among it, and what is left of dark is fluid with a signal of half a
# sigma, whose sigma comes out 7 % too high (ch2, 20 %). Air is then believed only in a quarter of the other patches.

CURVE_PRIOR = -3.0
# The log of the prior odds of a Rician curve against a simpler one, where there is no air to prove it. Of 200
# photographs (BSD400) with Gaussian noise of 5, clipped to 0..255 and rounded, two show more evidence than that.

MODEL_ERROR = 0.02
# Texture, and groups sorted by their own mean, leave the sigma of the curve off by 2 % (ch2: 0 to -5 %).


@dataclass(frozen=True)
class RicianFit:
    """Rician noise read from one magnitude image.

    Parameters
    ----------
    sigma : of the real and of the imaginary part, in the units of the image: *not* the standard deviation in air,
        which is 0.655 sigma.
    error : its standard error, in the same units.
    source : "background" where air gave sigma, "signal" where the variance-to-mean curve did.
    confidence : 0 to 1 that the noise is Rician and not Gaussian. Bright tissue without air cannot tell the two, and
        gets about 0.05; sigma holds then for either.
    background : the share of the patches that are air; 0 where there is none to be trusted.
    ratio, skewness : of the pixels taken for air, NaN where there are none.
    curve_sigma : what the curve says, whichever source was taken.
    log_likelihood_ratio : of the Rician curve to the better of constant and affine variance (the latter less half the
        log of the number of groups), in nats.
    degrees : degrees of freedom, of all groups of the scatter.
    misfit : squared relative residuals of the curve over their expected squares, mean over groups free of texture;
        about 1 or less where the curve holds.
    reason : one sentence.
    """

    sigma: float
    error: float
    source: Literal["background", "signal"]
    confidence: float
    background: float
    ratio: float
    skewness: float
    curve_sigma: float
    log_likelihood_ratio: float
    degrees: float
    misfit: float
    reason: str

    @property
    def likely(self) -> bool:
        """Whether the image is to be called Rician: confidence of at least one half."""
        return self.confidence >= 0.5


@dataclass(frozen=True)
class _Air:
    sigma: float
    share: float
    pixels: float
    ratio: float
    skewness: float

    @property
    def trust(self) -> float:
        ratio, skewness = self.ratio / RAYLEIGH_RATIO - 1.0, self.skewness - RAYLEIGH_SKEWNESS
        return 1.0 / (1.0 + (ratio / RATIO_DOUBT) ** 2 + (skewness / SKEWNESS_DOUBT) ** 2)


def fit_rician(channel: NDArray[Any]) -> RicianFit | None:
    """Sigma of Rician noise in (Y, X) or (Z, Y, X) floats, and how likely the noise is Rician at all.

    None where it cannot be: a negative value (no magnitude has one), no 8x8 patch in a plane YX, or less than four
    groups of flat patches with any noise in them. Deterministic; about 20 000 patches are looked at.

    Raises
    ------
    InvalidImage : the channel has neither two nor three axes, or a value that is not finite.
    """
    if channel.size == 0 or channel.min() < 0:
        return None
    points = scatter(channel)
    if points is None or np.count_nonzero(points.variances > 0) < LEAST_GROUPS:
        return None
    curve_sigma, curve_error, likelihood, misfit = _fitted_curve(points)
    fits = fit_signal_dependence(points).fits
    if not fits:
        return None
    size = 0.5 * np.log(len(points.levels))
    rival = max(fits["constant"].log_likelihood, fits["affine"].log_likelihood - size)
    evidence = likelihood - float(rival)
    air = _air(channel, curve_sigma)
    seen = air is not None and air.trust >= 0.5 and abs(air.sigma / curve_sigma - 1.0) < BACKGROUND_AGREES
    if air is not None and seen:
        sigma, error = air.sigma, air.sigma * float(np.hypot(0.5 / np.sqrt(air.pixels), 0.01))
        confidence = air.trust
        reason = f"the darkest {100 * air.share:.0f} % of the patches are Rayleigh, as air around a body is"
    else:
        sigma, error = curve_sigma, curve_error
        confidence = float(1.0 / (1.0 + np.exp(-np.clip(evidence + CURVE_PRIOR, -50, 50))))
        verdict = "follow" if confidence >= 0.5 else "do not prove"
        reason = f"there is no air; variance and mean of {len(points.levels)} groups of patches {verdict} a Rician law"
    return RicianFit(
        sigma=sigma,
        error=error,
        source="background" if seen else "signal",
        confidence=confidence,
        background=air.share if air is not None and seen else 0.0,
        ratio=air.ratio if air is not None else float("nan"),
        skewness=air.skewness if air is not None else float("nan"),
        curve_sigma=curve_sigma,
        log_likelihood_ratio=evidence,
        degrees=float(points.degrees.sum()),
        misfit=misfit,
        reason=reason,
    )


def rician_variance(mean: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """The variance of Rician noise whose mean is ``mean``, in squared image units; below 1.2533 sigma that of air."""
    means, variances = _law()
    scaled = mean / sigma
    # Beyond the table: mu = theta + 1 / (2 theta) + ..., so the variance is 1 - 1 / (2 theta^2) to 1e-4.
    bright = 1.0 - 0.5 / np.square(np.maximum(scaled, means[-1]))
    relative = np.where(scaled > means[-1], bright, np.interp(scaled, means, variances))
    return np.asarray(sigma**2 * relative)


@cache
def _law() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance for sigma = 1, on a grid of theta from 0 to 10."""
    theta = np.linspace(0.0, 10.0, 500)
    t = theta**2 / 4
    mean = np.sqrt(np.pi / 2) * ((1 + 2 * t) * load(_I0E)(t) + 2 * t * load(_I1E)(t))
    return mean, 2 + theta**2 - mean**2


def _fitted_curve(points: Scatter) -> tuple[float, float, float, float]:
    """Sigma by maximum likelihood, its standard error, the log-likelihood and the misfit, on two grids of log sigma."""
    noisy = points.variances > 0
    levels, variances, half = points.levels[noisy], points.variances[noisy], points.degrees[noisy] / 2

    def likelihoods(grid: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([mixture(variances, rician_variance(levels, float(s)), half)[1] for s in np.exp(grid)])

    # In air the variance is 0.43 sigma^2, so sigma is at most 1.53 times the largest root seen.
    coarse = np.linspace(0.5 * np.log(variances.min()) - 0.3, 0.5 * np.log(variances.max()) + 0.5, 80)
    best = coarse[np.argmax(likelihoods(coarse))]
    step = coarse[1] - coarse[0]
    fine = np.linspace(best - step, best + step, 41)
    found = likelihoods(fine)
    sigma = float(np.exp(fine[np.argmax(found)]))
    clean, log_likelihood = mixture(variances, rician_variance(levels, sigma), half)
    misfit = clean * half * np.square(variances / rician_variance(levels, sigma) - 1.0)
    # The Fisher information of log v is half the degrees. At low signal a change of sigma changes v less than by its
    # square, as theta changes with it, so that sigma is known less well there.
    grown = np.log(rician_variance(levels, 1.01 * sigma) / rician_variance(levels, sigma)) / np.log(1.01)
    chance = 1.0 / np.sqrt(max(float(np.sum(clean * half * grown**2)), 1.0))
    error = sigma * float(np.hypot(chance, MODEL_ERROR))
    return sigma, error, log_likelihood, float(misfit.sum() / max(float(clean.sum()), 1e-9))


def _air(channel: NDArray[Any], sigma: float) -> _Air | None:
    """Patches of air, sought from a first ``sigma``; None where there are too few."""
    volume = channel.reshape((-1, *channel.shape[-2:])).astype(np.float32, copy=False)
    patches, overlap = _sampled(volume)
    sampled, bounds = len(patches), bounds_of(patches)
    masked = bounds.lower == 0
    if masked:
        patches = patches[patches.min(axis=1) > 0]  # the rest touches a masked background
    energy = np.einsum("ij,ij->i", patches, patches).astype(np.float64) / (2 * SIDE * SIDE)
    shape = SIDE * SIDE
    # Of chi^2_128 / 128 = Gamma(64) / 64 below 1: the mean, F_65(64) / F_64(64), and the probability.
    share = float(load(_GAMMA)(shape, shape))
    mean = float(load(_GAMMA)(shape + 1, shape)) / share
    variance = sigma**2
    for _ in range(100):
        low = energy[energy < variance]
        if len(low) * overlap * shape < share * BACKGROUND_PIXELS:
            return None
        previous, variance = variance, float(low.mean()) / mean
        if abs(variance / previous - 1.0) < 1e-4:
            break
    if masked and len(low) / share < UNMASKED_SHARE * len(patches):
        return None
    chosen = patches[np.abs(energy / variance - 1.0) < 0.25]
    if not len(chosen):
        return None
    level = float(chosen.mean(dtype=np.float64))
    centred = chosen - np.float32(level)
    squared = centred * centred
    deviation = float(squared.mean(dtype=np.float64)) ** 0.5
    if deviation == 0:
        return None
    return _Air(
        sigma=variance**0.5,
        share=min(1.0, len(low) / share / sampled),
        pixels=max(1.0, len(chosen) * overlap * shape),
        ratio=level / deviation,
        skewness=float((squared * centred).mean(dtype=np.float64)) / deviation**3,
    )
