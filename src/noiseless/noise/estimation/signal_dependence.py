"""How the noise depends on the intensity: constant, affine, quadratic, otherwise, or the image cannot tell.

Laws of the variance v at the level m are fitted to a scatter (``intensity_scatter``):

    constant    v = sigma^2                              white Gaussian noise
    affine      v = slope m + intercept                  photons and read noise: Poisson-Gaussian
    quadratic   v = m^2 / looks                          speckle
    light       v = c'(l)^2 (gain l + read^2)            affine in the light l, m = c(l) by the curve of sRGB

and, to see whether any of them holds, a smooth curve: log v a cubic polynomial of m, which is no model of noise.

A variance with e relative error is a scaled chi-square with 2 / e^2 degrees of freedom, so each fit maximises

    sum_k log((1 - p) Gamma(v_k; s(m_k), e_k) + p U(log v_k)),

where U is uniform from s to 30 s: a share p of the groups may be raised by texture to any extent, and none lowered.
Laws are compared by their Bayesian information criterion and a prior, and their posterior weights are the confidence.
Where the image covers too little range of intensities the likelihoods come out alike, no weight is large, and the
answer is "unknown".

References
----------
Foi, Trimeche, Katkovnik & Egiazarian 2008, IEEE TIP 17, 1737, doi:10.1109/TIP.2008.2001399: affine, by likelihood.
Schwarz 1978, Annals of Statistics 6, 461, doi:10.1214/aos/1176344136: the criterion.
"""

from dataclasses import dataclass, replace
from math import lgamma
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from noiseless.noise.srgb import light_of, steepness

from .intensity_scatter import Scatter

Law = Literal["constant", "affine", "quadratic", "light", "smooth"]

RAISED, RAISED_AT_MOST = 0.1, 30.0
# One group in ten may be raised by texture, to at most 30 times the variance of the noise.

PRIOR: dict[Law, float] = {"constant": 0.0, "affine": -4.0, "quadratic": 0.0, "light": -4.0, "smooth": -8.0}
# The log of the prior weights. Texture stands at some levels and not at others, so it favours the laws with more
# coefficients: with white noise of 5 (of 255) the affine law by up to 4 nats and the smooth by up to 8 in 95 % of 80
# images of BSD400 and CID22val. Where the noise does depend on the level, the margins are 20 to 100 nats.

CERTAIN = 0.75
# A law is named when its weight is at least this.

LEAST_GROUPS = 4
# Fewer groups than the smooth curve has coefficients say nothing about a law.

PATCH_PIXELS = 64

_POWERS: dict[Law, tuple[int, ...]] = {"constant": (0,), "affine": (0, 1), "quadratic": (2,), "smooth": (0, 1, 2, 3)}

RISING: tuple[Law, ...] = ("affine", "light")
# Laws of photons, whose second coefficient is a gain and not negative.


@dataclass(frozen=True, eq=False)
class LawFit:
    """One law at its greatest likelihood.

    Parameters
    ----------
    law : "constant", "affine", "quadratic", "light", or "smooth".
    coefficients : sigma^2; intercept and slope; 1 / looks; read^2 and gain in shares of white; the cubic of log v in
        (m - centre) / half-range.
    covariance : of the coefficients, the inverse Fisher information.
    log_likelihood : in nats.
    misfit : squared relative residuals over their expected squares, mean over the groups that texture has not raised;
        about 1 where the law holds.
    raised : the expected number of groups that texture has raised.
    """

    law: Law
    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    log_likelihood: float
    misfit: float
    raised: float


@dataclass(frozen=True, eq=False)
class Dependence:
    """The law of a scatter, with its parameters in the units of the image.

    Every parameter is given for its own law whichever was named, so that a caller who knows better can use it.

    Parameters
    ----------
    law : "constant", "affine", "quadratic" or "light"; "smooth" where none of them fits; "unknown" where the image
        cannot tell.
    confidence : 0 to 1, the weight of the law among all; of the most likely one where the law is "unknown".
    fits : the fit of every law, by name; empty where the scatter has fewer than 4 groups.
    sigma, sigma_error : of constant noise, and its standard error.
    gain, gain_error : slope of the affine law: the units of the image a photon makes.
    read_sigma, read_sigma_error : the root of its intercept, 0 where that is negative.
    offset : the level of no light. A slope and an intercept cannot tell it from read noise, so it is 0 where the
        intercept is not negative; otherwise -intercept / gain, which is the least it can be, with ``read_sigma`` 0.
    looks, looks_error : of speckle; more looks are weaker noise; inf where there is none.
    reason : one sentence.
    """

    law: Literal["constant", "affine", "quadratic", "light", "smooth", "unknown"]
    confidence: float
    fits: dict[Law, LawFit]
    sigma: float
    sigma_error: float
    gain: float
    gain_error: float
    read_sigma: float
    read_sigma_error: float
    offset: float
    looks: float
    looks_error: float
    reason: str


def fit_signal_dependence(scatter: Scatter, white: float | None = None) -> Dependence:
    """The law of the variances in a scatter, its parameters, and whether the data can tell.

    Texture that raises the variance of a few groups does not change the fits. Groups without any noise are left
    out. Fewer than 4 groups, or no noise in most of them, give "unknown" with NaN for every parameter.

    Parameters
    ----------
    scatter : variances by level
    white : > 0, the level of white where the levels may be sRGB values; None where they cannot, and "light" is no law
    """
    groups = len(scatter.levels)
    if groups < LEAST_GROUPS:
        return _unreadable(f"{groups} groups of flat patches are too few to show a law")
    noisy = scatter.variances > 0
    if 2 * np.count_nonzero(noisy) < groups or np.count_nonzero(noisy) < LEAST_GROUPS:
        return _unreadable("most flat patches are exactly constant: there is no noise, or it was rounded away")
    # Where there is no light there are no photons and no noise; such levels have no likelihood.
    scatter = replace(
        scatter,
        levels=scatter.levels[noisy],
        variances=scatter.variances[noisy],
        errors=scatter.errors[noisy],
    )
    fits: dict[Law, LawFit] = {law: _fitted(law, _powers(law, scatter.levels), scatter) for law in _POWERS}
    if white is not None:
        fits["light"] = _fitted("light", _through_curve(scatter.levels, white), scatter)
    size = 0.5 * float(np.log(len(scatter.levels)))
    information = {law: fit.log_likelihood - size * len(fit.coefficients) + PRIOR[law] for law, fit in fits.items()}
    best = max(information, key=lambda law: information[law])
    weights = {law: float(np.exp(value - information[best])) for law, value in information.items()}
    confidence = weights[best] / sum(weights.values())
    return _described(best, confidence, fits, scatter)


def _unreadable(reason: str) -> Dependence:
    nan = float("nan")
    return Dependence(
        law="unknown",
        confidence=0.0,
        fits={},
        sigma=nan,
        sigma_error=nan,
        gain=nan,
        gain_error=nan,
        read_sigma=nan,
        read_sigma_error=nan,
        offset=nan,
        looks=nan,
        looks_error=nan,
        reason=reason,
    )


def _described(best: Law, confidence: float, fits: dict[Law, LawFit], scatter: Scatter) -> Dependence:
    constant, affine, quadratic = (fits[law] for law in ("constant", "affine", "quadratic"))
    variance, variance_error = float(constant.coefficients[0]), float(constant.covariance[0, 0]) ** 0.5
    intercept, gain = (float(value) for value in affine.coefficients)
    intercept_error, gain_error = (float(value) for value in np.sqrt(np.diag(affine.covariance)))
    read = max(intercept, 0.0) ** 0.5
    # The mean of 64 pixels of speckle is itself uncertain: E mean^2 = m^2 (1 + 1 / (64 looks)).
    ratio = float(quadratic.coefficients[0])
    looks = 1.0 / ratio - 1.0 / PATCH_PIXELS
    looks_error = float(quadratic.covariance[0, 0]) ** 0.5 / ratio**2
    return Dependence(
        law=best if confidence >= CERTAIN else "unknown",
        confidence=confidence,
        fits=fits,
        sigma=variance**0.5,
        sigma_error=variance_error / (2 * variance**0.5),
        gain=gain,
        gain_error=gain_error,
        read_sigma=read,
        # Near 0 the root of the intercept has no linear error; the root of the intercept's error bounds it.
        read_sigma_error=min(intercept_error / (2 * read) if read else np.inf, intercept_error**0.5),
        offset=0.0 if intercept >= 0 or gain == 0 else -intercept / gain,
        looks=looks,
        looks_error=looks_error,
        reason=_reason(best, confidence, scatter),
    )


def _reason(best: Law, confidence: float, scatter: Scatter) -> str:
    span = (
        f"{len(scatter.levels)} groups of flat patches from level {scatter.levels[0]:.4g} to {scatter.levels[-1]:.4g}"
    )
    words = {
        "constant": "the same variance at every level",
        "affine": "a variance that grows by a straight line with the level",
        "quadratic": "a variance that grows with the square of the level",
        "light": "a variance that grows by a straight line with the light, seen through the curve of sRGB",
        "smooth": "a variance that no simple law of the level describes",
    }
    doubt = "" if confidence >= CERTAIN else ", but other laws fit nearly as well"
    return f"{span} show {words[best]}{doubt}"


def _powers(law: Law, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """(G, P): what each coefficient of a law is multiplied with at each level."""
    if law == "smooth":
        reach = max(float(np.ptp(levels)) / 2, np.finfo(np.float64).tiny)
        levels = (levels - (levels[0] + levels[-1]) / 2) / reach
    return np.stack([levels**power for power in _POWERS[law]], axis=1)


def _through_curve(levels: NDArray[np.float64], white: float) -> NDArray[np.float64]:
    """The same for the law of light: its variances seen through the curve of sRGB, in squared units of the image."""
    light = light_of(levels / white)
    magnified = (white * steepness(light)) ** 2
    return np.stack([magnified, magnified * np.maximum(light, 0.0)], axis=1)


def _fitted(law: Law, design: NDArray[np.float64], scatter: Scatter) -> LawFit:
    """Maximum likelihood by expectation-maximisation over which groups are raised, with one scoring step in each."""
    variances, half = scatter.variances, scatter.degrees / 2.0
    logarithmic = law == "smooth"
    floor = 1e-6 * float(variances.max())
    unit = np.abs(design).max(axis=0)
    design = design / unit
    expected, clean = variances, np.ones_like(variances)
    coefficients: NDArray[np.floating[Any]] = np.zeros(design.shape[1])
    for round_ in range(60):
        if logarithmic:
            target, weight = np.log(expected) + variances / expected - 1.0, clean * half
        else:
            target, weight = variances, clean * half / expected**2
        information = design.T @ (weight[:, np.newaxis] * design)
        proposed = np.linalg.lstsq(information, design.T @ (weight * target), rcond=1e-12)[0]
        if law in RISING and proposed[1] < 0:
            first = design[:, :1]
            alone = np.linalg.lstsq(np.sqrt(weight)[:, np.newaxis] * first, np.sqrt(weight) * target, rcond=None)[0]
            proposed = np.array([alone[0], 0.0])
        following = design @ proposed
        following = np.exp(np.clip(following, -600, 600)) if logarithmic else np.maximum(following, floor)
        moved = float(np.max(np.abs(following / expected - 1.0)))
        expected, coefficients = following, proposed
        clean = mixture(variances, expected, half)[0]
        if round_ and moved < 1e-6:
            break
    clean, log_likelihood = mixture(variances, expected, half)
    weight = clean * half / (1.0 if logarithmic else expected**2)
    covariance = np.linalg.pinv(design.T @ (weight[:, np.newaxis] * design), hermitian=True)
    misfit = float(np.sum(clean * half * np.square(variances / expected - 1.0)) / max(float(np.sum(clean)), 1e-9))
    return LawFit(
        law, coefficients / unit, covariance / np.outer(unit, unit), log_likelihood, misfit, float(np.sum(1.0 - clean))
    )


def mixture(
    variances: NDArray[np.float64], expected: NDArray[np.float64], half: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """The probability of each group to be free of texture, and the log-likelihood of all (as a density of log v)."""
    ratio = variances / expected
    gamma = half * np.log(half) - np.array([lgamma(h) for h in half]) + half * (np.log(ratio) - ratio)
    gamma += np.log1p(-RAISED)
    raised = np.where(ratio > 1.0, np.log(RAISED / np.log(RAISED_AT_MOST)), -np.inf)
    total = np.logaddexp(gamma, raised)
    return np.exp(gamma - total), float(np.sum(total))
