"""What is the noise of this image? Its kind, its parameters, how far to trust them, and what cannot be known."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.image import Image, from_array
from noiseless.names import lookup
from noiseless.noise.composition import Sum, WithImpulses
from noiseless.noise.correlated import Correlated
from noiseless.noise.gaussian import Gaussian
from noiseless.noise.impulse import HotPixels, RandomImpulses, SaltAndPepper
from noiseless.noise.model import NoiseModel
from noiseless.noise.poisson import Poisson, PoissonGaussian
from noiseless.noise.rician import Rician
from noiseless.noise.speckle import Speckle
from noiseless.noise.srgb_photons import SrgbPhotons
from noiseless.noise.stripes import Stripes

from .doubts import DOUBTFUL, HALF_TRUST, doubts_of, percent
from .examination import Findings, examine
from .flat_patches import COLOURED, difference_sigma, measure
from .local_level import measure_locally
from .masking import masked
from .noise_estimate import NoiseEstimate
from .signal_dependence import Dependence
from .tomographic import tomographic_spectrum

SPECTRUM_SIDE = 64
# The side of the grid on which the spectrum of correlated noise is handed on: 32 lags on either side.

MAP_ERROR = 0.06
# The root mean square relative error of a sigma map (see ``local_level``).

SMOOTH_TRUST = 0.5
# Noise that changes with the brightness in an unknown way has no one sigma: half the confidence.

TOO_DOUBTFUL = 0.25
# A gain that is not known to a quarter of itself is none: the noise is called constant.

FAINT_SPECKLE = 200.0
# Speckle of more looks is 7 % of the brightness and less, as fine texture is: not believed where nothing is flat.

ONLY_TWO = 0.7
# Impulses of which seven in ten have one of two values are salt and pepper; the others are outliers of the noise.

HOT = 0.3
# Impulses of which all but 5 % lie above so much of the range of the image are hot pixels.


KINDS = ("gaussian", "poisson-gaussian", "srgb-photons", "rician", "speckle", "correlated", "tomography")
"""What can be said of the noise beforehand, so that only its parameters are left to be found. Tomography is correlated
noise whose spectrum is that of filtered back-projection."""


def estimate_noise(
    image: Any, *, channel_axis: int | None = None, mask: Any = None, kind: str | None = None
) -> NoiseEstimate:
    """What the noise of an image is, from that image alone.

    Impulses, stripes, correlation, and how the variance follows the brightness are measured one after the other, and
    the simplest model that explains them is given: Gaussian, Poisson, Poisson-Gaussian, the same in the light of sRGB
    values, Rician, speckle, correlated, stripes, or one of these under impulses. For white Gaussian noise on
    photographs (sigma 15 to 75 of 255) sigma is within 1 % on average. Estimated once from the whole image, from some
    20 000 patches, so the time hardly grows with the image. Deterministic.

    Where the image cannot tell, that is said: ``confidence`` is low, and ``warnings`` name the reason (clipping, JPEG,
    enlargement, texture everywhere, no noise to speak of).

    Parameters
    ----------
    image : (Y, X), (Z, Y, X), or with one more axis for channels; any integer or real floating dtype.
    channel_axis : which axis holds the channels (-1 for the usual colour photograph); None when there is none.
    mask : bool, (Y, X) or (Z, Y, X): True where the image is looked at; None for all of it.
    kind : one of ``KINDS`` where it is known what the noise is, as for magnitudes of MR (rician); None where it is to
        be found out. Impulses and stripes are then not looked for.

    Returns
    -------
    NoiseEstimate with a model in the units of ``image``. The sigma of a :class:`Gaussian` is one number when the
    channels agree within three of their standard errors (the root of their mean variance), a (C, 1, 1) map (a volume:
    (C, 1, 1, 1)) when they do not, and a map of the shape of the image where noise is stronger here than there.

    Raises
    ------
    InvalidImage : the dtype holds no intensities, the number of axes does not fit, or a value is not finite.
    InvalidParameter : ``channel_axis`` is not an axis of the image, or the mask does not fit or is True nowhere.
    UnknownName : there is no such kind.
    """
    return estimate_image_noise(from_array(image, channel_axis=channel_axis), mask=mask, kind=kind)


def estimate_image_noise(image: Image, *, mask: Any = None, kind: str | None = None) -> NoiseEstimate:
    """:func:`estimate_noise` for an :class:`Image`; the model is in its *stored* units. Its mask holds by default."""
    if kind is not None:
        lookup(dict.fromkeys(KINDS), kind, kind="kind of noise to be estimated")
    mask = image.mask if mask is None else mask
    if mask is not None:
        image = masked(image, mask)
    if np.ptp(image.pixels) == 0.0:
        return NoiseEstimate(
            Gaussian(0.0), 0.0, "every pixel has the same value", ("the image is constant: its noise cannot be known",)
        )
    findings = examine(image)
    if findings is None:
        return _rough(image)
    if kind is not None:
        model, confidence, reason = _of_kind(kind, image, findings)
        if confidence == 0.0:
            return NoiseEstimate(model, 0.0, reason)
    else:
        model, confidence, reason = _background(image, findings)
    if findings.impulsive and kind is None:
        impulses, found = _impulses(image, findings)
        model, reason = WithImpulses(model, impulses), f"{found}; beneath them {reason}"
    doubts, failed = doubts_of(findings, model)
    return NoiseEstimate(model, min(confidence, DOUBTFUL) if failed else confidence, reason, doubts, findings.jpeg)


def estimate_sigma_per_channel(pixels: NDArray[np.float32], *, thorough: bool = True) -> tuple[float, ...]:
    """The sigma of each channel of (C, *space) float32 pixels, in their units, if their noise is white and Gaussian.

    Where no 8x8 patch fits into the image, a rough figure from the differences of neighbours, 0 for one pixel.
    ``thorough``: images with hardly a flat patch are looked at whole, which takes ten times as long.
    """
    measured = ((channel, measure(channel, thorough=thorough)) for channel in pixels)
    return tuple(noise.sigma if noise is not None else difference_sigma(channel) for channel, noise in measured)


def estimate_sigma_map(image: Image) -> NDArray[np.float32]:
    """The standard deviation of the noise at every pixel, (C, *space), in stored units: see ``local_level``."""
    return np.stack([measure_locally(channel).sigma for channel in image.pixels]) * np.float32(image.scale)


def _background(image: Image, findings: Findings) -> tuple[NoiseModel, float, str]:
    """The noise beneath the impulses: model, confidence and reason. Most special first."""
    if all(noise.sigma == 0.0 for noise in findings.white):
        return Gaussian(0.0), DOUBTFUL, "flat patches, which are exactly constant"
    if findings.striped:
        return _striped(image, findings)
    if findings.correlated:
        return _correlated(image, findings)
    likely = [fit for fit in findings.magnitude if fit.likely]
    if 2 * len(likely) > len(findings.white):
        fit = max(likely, key=lambda fit: fit.confidence)
        trust = _trust(fit.error / max(fit.sigma, 1e-12))
        return Rician(fit.sigma), min(fit.confidence, trust), fit.reason
    textured = any(noise.colour > COLOURED for noise in findings.white)
    for law, build in (("affine", _photons), ("light", partial(_photons_in_light, image)), ("quadratic", _speckle)):
        agreeing = [entry for entry in findings.dependence if entry.law == law and _doubt(entry) < TOO_DOUBTFUL]
        if textured:  # the contrast of texture goes with the light as that of speckle does
            agreeing = [entry for entry in agreeing if law != "quadratic" or entry.looks < FAINT_SPECKLE]
        if 2 * len(agreeing) > len(findings.white):
            return build(agreeing)
    return _white(image, findings)


def _of_kind(kind: str, image: Image, findings: Findings) -> tuple[NoiseModel, float, str]:
    """The parameters of noise of a known kind; no confidence where the image does not show them."""
    if kind == "gaussian":
        return _white(image, findings)
    if kind in ("correlated", "tomography") and any(entry.sigma > 0.0 for entry in findings.correlation):
        correlated, _, reason = _correlated(image, findings)
        if kind == "tomography":
            power = correlated.spectrum((SPECTRUM_SIDE, SPECTRUM_SIDE))
            correlated = Correlated.from_spectrum(tomographic_spectrum(power))
        return correlated, _trust(max(entry.error for entry in findings.correlation)), reason
    if kind == "rician" and findings.magnitude:
        sigma = float(np.sqrt(np.mean([fit.sigma**2 for fit in findings.magnitude])))
        error = max(fit.error / max(fit.sigma, 1e-12) for fit in findings.magnitude)
        return Rician(sigma), _trust(error), max(findings.magnitude, key=lambda fit: fit.confidence).reason
    fits = [fit for fit in findings.dependence if fit.fits and np.isfinite(fit.looks) and fit.looks > 0.0]
    if kind == "poisson-gaussian" and fits and any(fit.gain > 0.0 for fit in fits):
        gain, read, offset = (float(np.mean([getattr(f, n) for f in fits])) for n in ("gain", "read_sigma", "offset"))
        return PoissonGaussian(gain, read, offset), _trust(max(_level_error(fit) for fit in fits)), fits[0].reason
    lit = [fit for fit in fits if "light" in fit.fits and fit.fits["light"].coefficients[1] > 0.0]
    if kind == "srgb-photons" and lit:
        model, _, reason = _photons_in_light(image, lit)
        return model, _trust(max(_level_error(fit) for fit in lit)), reason
    if kind == "speckle" and fits:
        looks = float(np.mean([fit.looks for fit in fits]))
        error = max(fit.looks_error / fit.looks for fit in fits) / 2
        return Speckle(looks), _trust(error), fits[0].reason
    model, _, _ = _white(image, findings)
    return model, 0.0, f"nothing in it shows the parameters of {kind} noise"


def _level_error(fit: Dependence) -> float:
    """The relative standard error of sigma at a middle level: that of the constant law, which sums up all groups."""
    return fit.sigma_error / fit.sigma if fit.sigma > 0.0 else 0.0


def _white(image: Image, findings: Findings) -> tuple[NoiseModel, float, str]:
    sigma = _common_sigma([noise.sigma * image.scale for noise in findings.white], [n.error for n in findings.white])
    error = max(noise.error for noise in findings.white)
    flat = float(np.mean([noise.flat for noise in findings.white]))
    reason = f"the high frequencies of the 8x8 patches, {percent(flat)} of which look like a flat image in white noise"
    smooth = any(entry.law == "smooth" for entry in findings.dependence)
    trust = _trust(error) * (SMOOTH_TRUST if smooth else 1.0)
    if not findings.impulsive and len(image.space) == 2:
        levels = [measure_locally(channel) for channel in image.pixels]
        if not any(level.uniform for level in levels):
            level = np.stack([level.sigma for level in levels]) * image.scale
            return Gaussian(level), min(trust, _trust(MAP_ERROR)), f"{reason}, place by place: it is not the same"
    model = Gaussian(sigma if isinstance(sigma, float) else sigma.reshape((-1,) + (1,) * len(image.space)))
    return model, trust, reason


def _striped(image: Image, findings: Findings) -> tuple[NoiseModel, float, str]:
    sigma, error = _white_level(image, findings)
    rows, columns = (
        float(np.mean([stripe for stripe in offsets if stripe > 0.0] or [0.0])) * image.scale
        for offsets in zip(*((entry.rows, entry.columns) for entry in findings.lines), strict=True)
    )
    both = [Stripes(stripe, 0.0, axis) for axis, stripe in enumerate((rows, columns)) if stripe > 0.0]
    reason = "the offsets on which the odd and the even parts of each line agree"
    if len(both) == 2:
        return Sum(both[0], Stripes(columns, sigma, 1)), _trust(error), reason
    only = both[0]
    return Stripes(only.stripe, sigma, only.axis), _trust(error), reason


def _correlated(image: Image, findings: Findings) -> tuple[Correlated, float, str]:
    space = (SPECTRUM_SIDE, SPECTRUM_SIDE)
    power = np.mean([entry.spectrum(space) for entry in findings.correlation], axis=0) * image.scale**2
    error = max(entry.error for entry in findings.correlation)
    beside = float(np.mean([entry.adjacent for entry in findings.correlation]))
    reason = f"the spectrum of the calmest patches, where neighbouring pixels have the correlation {beside:.2f}"
    return Correlated.from_spectrum(power), _trust(error) * (1.0 - findings.texture), reason


def _photons(fits: list[Dependence]) -> tuple[NoiseModel, float, str]:
    gain, read, offset = (float(np.mean([getattr(f, name) for f in fits])) for name in ("gain", "read_sigma", "offset"))
    # Sigma goes with the root of the gain, or of the looks.
    confidence = min(fit.confidence for fit in fits) * _trust(max(map(_doubt, fits)) / 2)
    if all(fit.read_sigma <= 2 * fit.read_sigma_error for fit in fits):
        return Poisson(gain, offset), confidence, fits[0].reason
    return PoissonGaussian(gain, read, offset), confidence, fits[0].reason


def _photons_in_light(image: Image, fits: list[Dependence]) -> tuple[NoiseModel, float, str]:
    read_variance, gain = (float(np.mean([f.fits["light"].coefficients[i] for f in fits])) for i in (0, 1))
    confidence = min(fit.confidence for fit in fits) * _trust(max(map(_doubt, fits)) / 2)
    return SrgbPhotons(gain, max(read_variance, 0.0) ** 0.5, image.scale), confidence, fits[0].reason


def _speckle(fits: list[Dependence]) -> tuple[NoiseModel, float, str]:
    looks = float(np.mean([fit.looks for fit in fits]))
    return Speckle(looks), min(fit.confidence for fit in fits) * _trust(max(map(_doubt, fits)) / 2), fits[0].reason


def _doubt(fit: Dependence) -> float:
    """The relative standard error of the number that makes the law: the gain, or the looks."""
    if fit.law == "affine":
        return fit.gain_error / fit.gain if fit.gain > 0 else float("inf")
    if fit.law == "light":
        light = fit.fits["light"]
        gain, error = light.coefficients[1], light.covariance[1, 1] ** 0.5
        return float(error / gain) if gain > 0 else float("inf")
    return fit.looks_error / fit.looks if np.isfinite(fit.looks) and fit.looks > 0 else float("inf")


def _impulses(image: Image, findings: Findings) -> tuple[SaltAndPepper | RandomImpulses | HotPixels, str]:
    found = [entry for entry in findings.impulses if entry.kind != "none"]
    density = float(np.mean([entry.density for entry in found]))
    low = min(entry.low for entry in found) * image.scale + image.offset
    high = max(entry.high for entry in found) * image.scale + image.offset
    if low == high:  # there is only salt or only pepper, and the other end of the image stands for the other
        least, most = (float(end) * image.scale + image.offset for end in (image.pixels.min(), image.pixels.max()))
        low, high = min(low, least), most if low == least else high
    reason = f"{percent(density)} of the pixels are not what their neighbours are"
    if sum(entry.kind == "salt-and-pepper" for entry in found) * 2 > len(found):
        return SaltAndPepper(density, low, high), reason
    values = np.concatenate(
        [image.in_stored_units()[i][e.mask] for i, e in enumerate(findings.impulses) if e.mask.any()]
    )
    distinct, counts = np.unique(values, return_counts=True)
    two = np.sort(distinct[np.argsort(counts)[-2:]])
    if len(two) == 2 and np.isin(values, two).mean() > ONLY_TWO:
        # Noise reaches beyond the two values, so they are not the extremes.
        return SaltAndPepper(density, float(two[0]), float(two[1])), reason
    least, most = (float(value) for value in np.percentile(values, [5, 95]))
    if least > low + HOT * (high - low):
        return HotPixels(density, least, most), reason
    return RandomImpulses(density, least, most), reason


def _white_level(image: Image, findings: Findings) -> tuple[float, float]:
    """The common sigma of the channels in stored units, and its relative error."""
    sigma = float(np.sqrt(np.mean([noise.sigma**2 for noise in findings.white]))) * image.scale
    return sigma, max(noise.error for noise in findings.white)


def _trust(error: float) -> float:
    return float(1.0 / (1.0 + (error / HALF_TRUST) ** 2))


def _common_sigma(sigmas: list[float], errors: list[float]) -> float | NDArray[np.float64]:
    values, relative = np.asarray(sigmas), np.asarray(errors)
    common = float(np.sqrt(np.mean(values**2)))
    return common if np.all(np.abs(values - common) <= 3 * relative * common) else values


def _rough(image: Image) -> NoiseEstimate:
    """For images of less than 8 pixels across: a number, and no confidence in it."""
    sigma = float(np.sqrt(np.mean([difference_sigma(channel) ** 2 for channel in image.pixels]))) * image.scale
    size = "x".join(str(length) for length in image.space)
    warning = f"the image ({size}) is smaller than one 8x8 patch: sigma is a guess from differences of neighbours"
    return NoiseEstimate(Gaussian(sigma), 0.0, "the median difference of neighbouring pixels", (warning,))
