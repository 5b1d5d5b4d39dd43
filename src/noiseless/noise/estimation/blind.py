"""How strong is the noise of this image? A blind estimate, how far to trust it, and what it cannot know."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.image import Image, from_array
from noiseless.noise.gaussian import Gaussian
from noiseless.noise.model import NoiseModel

from .flat_patches import COLOURED, ChannelNoise, difference_sigma, measure

LITTLE_FLAT = 0.02
# With fewer than one patch in fifty flat, sigma rests on a corner of the image (BSD400: 1 % to 6 % too high).

COARSE = 0.3
# Rounding alone has the standard deviation 1/sqrt(12) = 0.29 of a step: below 0.3 nothing but rounding is left.

HALF_TRUST = 0.05
# An estimate with an expected error of 5 % gets the confidence 1/2.

DOUBTFUL = 0.2
# The most confidence that an estimate gets whose assumptions failed: correlated, clipped or rounded-away noise.


@dataclass(frozen=True)
class NoiseEstimate:
    """A noise model read from one image, with what is known about its truth.

    Parameters
    ----------
    model : the noise, in the units of the image it was read from.
    confidence : 0 to 1. From the expected relative error e: 1 / (1 + (e / 5 %)^2), so 5 % gives one half; at most
        0.2 where a warning says that an assumption failed; 0 where nothing could be measured.
    reason : one sentence: what the estimate rests on.
    warnings : one sentence for each thing that makes it doubtful; empty when there is none.
    """

    model: NoiseModel
    confidence: float
    reason: str
    warnings: tuple[str, ...] = ()

    @property
    def sigma(self) -> float | NDArray[Any]:
        """The standard deviation of Gaussian noise: a number, or (C, 1, 1) with one a channel.

        Raises
        ------
        AttributeError : the model is of another kind.
        """
        if not isinstance(self.model, Gaussian):
            raise AttributeError(f"{type(self.model).__name__} noise has no sigma; use model.variance(clean)")
        return self.model.sigma

    def summary(self) -> dict[str, Any]:
        """The estimate as plain values, for reports: sigma is a number, one a channel, or the range of a map."""
        values = np.asarray(self.sigma, dtype=float)
        sigma: Any = values.reshape(-1).tolist() if values.ndim == 0 or values.size == values.shape[0] else None
        if sigma is None:
            sigma = {"min": float(values.min()), "max": float(values.max())}
        elif len(sigma) == 1:
            sigma = sigma[0]
        return {
            "noise": type(self.model).__name__.lower(),
            "sigma": sigma,
            "confidence": self.confidence,
            "reason": self.reason,
            "warnings": list(self.warnings),
        }


def estimate_noise(image: Any, *, channel_axis: int | None = None) -> NoiseEstimate:
    """The strength of white Gaussian noise in an image, from that image alone.

    The high frequencies of 8x8 patches without texture (``flat_patches``). On photographs with sigma from 5 to 75
    (of 255) the mean estimate is within 2 % of the truth. About 20 000 patches are looked at, so the time hardly
    grows with the image. Deterministic.

    Noise that is correlated between pixels (JPEG, demosaicing, resizing, denoising) cannot be told from texture:
    then sigma is read from the flattest twentieth of the patches, all frequencies together, which is a cautious figure,
    usually well below the true one; ``warnings`` says so and ``confidence`` is low.

    Parameters
    ----------
    image : (Y, X), (Z, Y, X), or with one more axis for channels; any integer or real floating dtype.
    channel_axis : which axis holds the channels (-1 for the usual colour photograph); None when there is none.

    Returns
    -------
    NoiseEstimate with a :class:`Gaussian` in the units of ``image``. Its sigma is one number when the channels agree
    within three of their standard errors (the root of their mean variance), and otherwise a (C, 1, 1) map (a volume:
    (C, 1, 1, 1)), channel first as everywhere in the library.

    Raises
    ------
    InvalidImage : the dtype holds no intensities, the number of axes does not fit, or a value is not finite.
    InvalidParameter : ``channel_axis`` is not an axis of the image.
    """
    return estimate_image_noise(from_array(image, channel_axis=channel_axis))


def estimate_image_noise(image: Image) -> NoiseEstimate:
    """:func:`estimate_noise` for an :class:`Image`; sigma in its *stored* units, i.e. ``image.scale`` times larger."""
    measured = [measure(channel) for channel in image.pixels]
    found = [noise for noise in measured if noise is not None]
    if not any(noise.sigma for noise in found) and np.ptp(image.pixels) == 0.0:
        return NoiseEstimate(
            Gaussian(0.0), 0.0, "every pixel has the same value", ("the image is constant: its noise cannot be known",)
        )
    if not found:
        return _rough(image)
    sigma = _common_sigma([noise.sigma * image.scale for noise in found], [noise.error for noise in found])
    model = Gaussian(sigma if isinstance(sigma, float) else sigma.reshape((-1,) + (1,) * len(image.space)))
    error = max(noise.error for noise in found)
    warnings, doubtful = _warnings(found)
    if error > HALF_TRUST and not warnings:
        warnings = (f"there is too little flat image to know sigma better than to about {_percent(error)}",)
    confidence = 1.0 / (1.0 + (error / HALF_TRUST) ** 2)
    if doubtful:
        confidence = min(confidence, DOUBTFUL)
    return NoiseEstimate(model, float(confidence), _reason(found), warnings)


def estimate_sigma_per_channel(pixels: NDArray[np.float32]) -> tuple[float, ...]:
    """The sigma of each channel of (C, *space) float32 pixels, in their units; see :func:`estimate_noise`.

    Where no 8x8 patch fits into the image, a rough figure from the differences of neighbours, 0 for one pixel.
    """
    measured = ((channel, measure(channel)) for channel in pixels)
    return tuple(noise.sigma if noise is not None else difference_sigma(channel) for channel, noise in measured)


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


def _reason(found: list[ChannelNoise]) -> str:
    if any(noise.correlated for noise in found):
        return "the power of the flattest twentieth of the 8x8 patches, in all frequencies above a trend"
    flat = float(np.mean([noise.flat for noise in found]))
    return f"the high frequencies of the {_percent(flat)} of the 8x8 patches that look like a flat image in white noise"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"


def _warnings(found: list[ChannelNoise]) -> tuple[tuple[str, ...], bool]:
    """The warnings, worst channel first to speak, and whether one of them says that an assumption failed."""
    said: list[str] = []
    worst = max(found, key=lambda noise: noise.colour)
    clipped = max(noise.clipped for noise in found)
    usable = min(noise.usable for noise in found)
    coarse = any(noise.sigma < COARSE * noise.step for noise in found)
    rounded_away = any(noise.sigma == 0.0 for noise in found)
    correlated = any(noise.correlated for noise in found)
    doubtful = worst.colour > COLOURED or coarse or rounded_away or usable < LITTLE_FLAT
    if correlated:
        said.append(
            f"the noise is correlated between neighbouring pixels ({worst.correlation:.2f} where the image is "
            "flattest), as after JPEG, demosaicing or resizing: sigma is a cautious figure, likely too low"
        )
    elif worst.colour > COLOURED:
        said.append(
            f"even the flattest patches are not white ({worst.correlation:.2f} between neighbouring pixels): fine "
            "texture everywhere, or correlated noise"
        )
    if clipped:
        effect = "sigma is likely too low" if usable < LITTLE_FLAT else "clipped patches were left out"
        said.append(f"{_percent(clipped)} of the pixels are piled up at the extreme values: {effect}")
    if min(noise.flat for noise in found) < LITTLE_FLAT and not correlated:
        said.append("less than 2 % of the image is flat: sigma may hold texture and be too high")
    if coarse:
        said.append("the stored values are spaced wider than the noise: it was rounded away, or is the rounding itself")
    elif rounded_away:
        said.append("flat patches are exactly constant: there is no noise, or it was removed or rounded away")
    return tuple(said), doubtful
