"""What can be said about a result without the clean image, and whether it should be believed."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from noiseless.image import FloatArray, Image
from noiseless.noise import Gaussian, NoiseEstimate, NoiseModel, StabilisableNoise
from noiseless.noise.estimation.clipping import bounds_of
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal import on_stored_pixels
from noiseless.restoration.risk import Risk, unbiased_risk
from noiseless.restoration.spectral import spectral_risk
from noiseless.restoration.structure import BLOCK, Structure, neighbour_correlation, structure_in

USUAL_SHARES = 0.3, 1.3
"""Of the noise that is removed, as root mean squares: a posterior mean removes at most the noise, and most of it unless
texture and noise look alike."""

HALF_CONFIDENCE = 0.05
"""The relative error of sigma at which an estimate of the noise has a confidence of one half."""

GUESSED = 0.1
"""At such a confidence the standard error of sigma is 15 % of it."""

UNLIKE = 1.2
"""The error of a network over that by its own account, less two standard errors of that. Of every tenth photograph of
BSD400, in colour, none exceeds it at sigma 15, 25 and 50 (``benchmarks/predicted_psnr.py``, 120 in all)."""

OTHER_NOISE = 0.15
"""The relative difference at which noise is not as strong as was said. It is 30 % of the variance, where a good result
at sigma 25 of 255 has an error of 13 % of it (BSD68)."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What the noisy image says about the denoised one.

    Parameters
    ----------
    removed : root mean square of what was removed, in the units of the image
    sigma : the same of the noise
    structure : whether some of the image went with the noise, block by block; None where it cannot be known: noise that
        replaces pixels, or is correlated; less than one block
    neighbours, neighbours_limit : correlation of neighbours in what was removed, and what white noise stays below; None
        likewise
    clipped : part of the noisy values that are piled up at an end of their range
    risk : the mean squared error by the noisy image itself, in squared units of the image; None unless it was asked for
        and can be known
    data_range : the peak that the predicted PSNR refers to: that of the integers it is stored in, or of the result
    verdicts : one sentence for each thing that is wrong; empty when nothing was found
    """

    removed: float
    sigma: float
    structure: Structure | None
    neighbours: float | None
    neighbours_limit: float | None
    clipped: float
    risk: Risk | None
    data_range: float
    verdicts: tuple[str, ...]

    @property
    def removed_over_noise(self) -> float:
        """0 where there is no noise."""
        return self.removed / self.sigma if self.sigma else 0.0

    def summary(self) -> dict[str, Any]:
        """Plain values, for reports."""
        found: dict[str, Any] = {
            "removed": self.removed,
            "removed_over_noise": self.removed_over_noise,
            "clipped": self.clipped,
            "verdicts": list(self.verdicts),
        }
        if self.structure is not None:
            found["structure"] = {
                "found": self.structure.found,
                "strongest": self.structure.strongest,
                "limit": self.structure.limit,
                "share": self.structure.share,
            }
            found["neighbour_correlation"] = self.neighbours
        if self.risk is not None:
            low, high = self.risk.psnr_interval(self.data_range)
            found["predicted_rmse"] = math.sqrt(max(self.risk.mse, 0.0))
            found["data_range"] = self.data_range
            found["predicted_psnr"] = _finite(self.risk.psnr(self.data_range))
            found["predicted_psnr_interval"] = [_finite(low), _finite(high)]
        return found


def audit_of(
    image: Image,
    pixels: FloatArray,
    noise: NoiseEstimate,
    recipe: Recipe,
    risk: Risk | None,
    found: NoiseEstimate | None = None,
) -> Audit:
    """Look at a result.

    Parameters
    ----------
    image, pixels : noisy, and denoised in nominal units
    noise : what was removed, in stored units
    recipe : how
    risk : see :func:`risk_of`; None where nobody asked for a prediction, or there can be none
    found : what the image says of the noise where it was told something else; None where that was not looked at
    """
    clean = image.with_pixels(pixels).in_stored_units()
    residual = (image.pixels - pixels) * np.float32(image.scale)
    variance = noise.model.variance(clean)
    expected = recipe.strength * math.sqrt(float(np.mean(variance)))
    amount = math.sqrt(float(np.mean(np.square(residual, dtype=np.float64))))
    structure, neighbours, limit = None, None, None
    large = min(image.space[-2:]) >= BLOCK
    scaled = _in_sigmas(image, clean, noise.model) if large and expected and not recipe.blind else None
    if scaled is not None:
        structure = structure_in(scaled)
        neighbours, limit = neighbour_correlation(scaled)
    verdicts = []
    if noise.confidence < GUESSED:
        verdicts.append(
            f"how strong the noise is was guessed (confidence {noise.confidence:.2f}): give sigma if you know it, and "
            "look at what was removed"
        )
    if found is not None and (other := _other_strength(found, noise.model, clean)) is not None:
        verdicts.append(other)
    over = amount / expected if expected and not recipe.blind else 1.0
    if not USUAL_SHARES[0] <= over <= USUAL_SHARES[1]:
        verdicts.append(f"what was removed has {over:.2f} times the energy of the noise: check the noise model")
    if structure is not None and structure.found:
        verdicts.append(
            f"structure of the image went with the noise in {100 * structure.share:.1f} % of it "
            f"(z = {structure.strongest:.1f}, noise alone stays below {structure.limit:.1f}): denoise less"
        )
    if neighbours is not None and limit is not None and neighbours > limit:
        verdicts.append(
            f"neighbours in what was removed are correlated by {neighbours:.3f}, in white noise by at most {limit:.3f}"
        )
    if recipe.predict and risk is None:
        verdicts.append(
            "the PSNR cannot be predicted: what developing or JPEG left of the noise does not tell how strong it was"
        )
    clipped = bounds_of(image.pixels).share
    if clipped:
        verdicts.append(
            f"{100 * clipped:.1f} % of the values are piled up at an end of their range, where noise was cut off: "
            "the mean is off there, and so is what is said of its error"
        )
    if risk is not None and risk.over_own is not None and risk.over_own[0] - 2.0 * risk.over_own[1] > UNLIKE:
        verdicts.append(
            f"the network errs {risk.over_own[0]:.1f} times as much as by its own account: the image is unlike those "
            "it has learned from, or the noise is not as was said; adapt it, or use method ensemble"
        )
    whole_numbers = np.issubdtype(np.dtype(image.stored_dtype), np.integer)
    data_range = image.scale if whole_numbers else float(np.ptp(clean))
    return Audit(amount, expected, structure, neighbours, limit, clipped, risk, data_range, tuple(verdicts))


def _other_strength(found: NoiseEstimate, told: NoiseModel, clean: FloatArray) -> str | None:
    """What is said where the image shows noise that is surely weaker or stronger than it was told to be."""
    levels = [math.sqrt(float(np.mean(model.variance(clean)))) for model in (found.model, told)]
    if found.confidence == 0.0 or not all(levels):
        return None
    unsure = 3.0 * HALF_CONFIDENCE * math.sqrt(1.0 / found.confidence - 1.0)
    if abs(levels[0] / levels[1] - 1.0) <= max(OTHER_NOISE, unsure):
        return None
    return (
        f"the image shows noise of sigma {levels[0]:.3g}, not {levels[1]:.3g} as was said, and the predicted error is "
        "that of the latter: leave sigma out, or see what noiseless estimate says"
    )


def _in_sigmas(image: Image, clean: FloatArray, noise: NoiseModel) -> FloatArray | None:
    """What was removed, in standard deviations of the noise; None where it is not white when so divided."""
    noisy = image.in_stored_units()
    if isinstance(noise, Gaussian):
        level = np.asarray(noise.sigma, np.float32)
        inverse = np.divide(1.0, level, out=np.zeros_like(level), where=level > 0.0)
        removed = noisy - clean
        removed *= inverse
        return removed
    if isinstance(noise, StabilisableNoise):
        removed = np.asarray(noise.stabilise(noisy) - noise.stabilise(noise.mean(clean)))
        # A background that was set to one value has no noise, and what its law would have there is not in it.
        bounds = bounds_of(image.pixels)
        cut = (image.pixels <= bounds.lower) | (image.pixels >= bounds.upper)
        return np.where(cut, 0.0, removed) if bounds.share else removed
    return None


def risk_of(image: Image, noise: NoiseEstimate, recipe: Recipe, removed: Callable[[FloatArray], FloatArray]) -> Risk:
    """The mean squared error of a result, in squared stored units.

    Parameters
    ----------
    image : noisy
    noise : that is removed, in stored units
    recipe : how
    removed : the whole restoration of nominal pixels; called 5 times
    """
    stored = image.in_stored_units().astype(np.float32)
    whole = on_stored_pixels(image, removed)
    # The confidence says how far sigma may be off.
    sigma_off = HALF_CONFIDENCE * math.sqrt(1.0 / noise.confidence - 1.0)
    mean = recipe.method_name == "score" and recipe.strength == 1.0 and recipe.steps == 1
    if mean and isinstance(noise.model, Gaussian):
        return spectral_risk(whole, stored, noise.model, sigma_off=sigma_off, seed=recipe.seed)
    risk = unbiased_risk(whole, stored, noise.model, seed=recipe.seed)
    # A variance that is off by a part is in the risk as a whole.
    variance_off = 2.0 * sigma_off * float(np.mean(noise.model.variance(stored)))
    return replace(risk, standard_error=math.hypot(risk.standard_error, variance_off))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
