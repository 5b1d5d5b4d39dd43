"""Everything that is measured of one image before its noise is named: one finding a channel, in nominal units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.image import Image
from noiseless.names import Lazy, load

from .artefacts import jpeg_grid, resampled, texture_only
from .correlation import Correlation, measure_correlation
from .flat_patches import ChannelNoise, measure
from .impulse_density import Impulses, measure_impulses
from .intensity_scatter import scatter
from .line_noise import LineNoise, measure_lines
from .magnitude import RicianFit, fit_rician
from .signal_dependence import Dependence, fit_signal_dependence

_BOX = Lazy("scipy.ndimage:uniform_filter")

SURROUNDINGS = 5
# Impulses are replaced by the mean over 5x5 pixels before the rest is measured,

ELSEWHERE = (5, 7)
# and by what the noise is so many rows and columns away, so that the replaced pixels are as noisy as the others.


@dataclass(frozen=True, eq=False)
class Findings:
    """What the instruments of this room say of an image; lists have one entry a channel, nominal units throughout.

    ``impulses`` are those of the image, all else is measured without them. ``zero`` is the stored value 0 in nominal
    units, from which brightness counts; ``dependence`` and ``magnitude`` are measured from there. ``texture`` is the
    probability that correlated noise is only texture. ``jpeg`` and ``enlarged``: whether some channel shows it.
    """

    impulses: list[Impulses]
    white: list[ChannelNoise]
    correlation: list[Correlation]
    lines: list[LineNoise]
    dependence: list[Dependence]
    magnitude: RicianFit | None
    texture: float
    jpeg: bool
    enlarged: bool
    zero: float

    @property
    def impulsive(self) -> bool:
        return _most(impulse.kind != "none" for impulse in self.impulses)

    @property
    def correlated(self) -> bool:
        return bool(self.correlation) and _most(entry.correlated for entry in self.correlation)

    @property
    def striped(self) -> bool:
        return _most(entry.found for entry in self.lines)


def examine(image: Image) -> Findings | None:
    """All findings of an image; None where it is smaller than one 8x8 patch."""
    impulses = [measure_impulses(channel) for channel in image.pixels]
    pixels = [_without(found, channel) for found, channel in zip(impulses, image.pixels, strict=True)]
    white = [noise for noise in map(measure, pixels) if noise is not None]
    if not white:
        return None
    correlation = [entry for entry in map(measure_correlation, pixels) if entry is not None]
    zero = -image.offset / image.scale
    bright = [channel - np.float32(zero) for channel in pixels]
    scatters = [points for points in map(scatter, bright) if points is not None]
    return Findings(
        impulses=impulses,
        white=white,
        correlation=correlation,
        lines=[measure_lines(channel) for channel in pixels],
        dependence=[fit_signal_dependence(points) for points in scatters],
        magnitude=fit_rician(bright[0]) if len(bright) == 1 else None,
        texture=max((texture_only(entry) for entry in correlation), default=0.0),
        jpeg=any(jpeg_grid(channel).found for channel in pixels),
        enlarged=_most(resampled(channel, noise.step).found for channel, noise in zip(pixels, white, strict=True)),
        zero=zero,
    )


def _most(answers: Any) -> bool:
    said = list(answers)
    return 2 * sum(said) > len(said)


def _without(impulses: Impulses, channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The channel with its impulses replaced by something as bright and as noisy as what is around them."""
    if impulses.kind == "none":
        return channel
    size = (1,) * (channel.ndim - 2) + (SURROUNDINGS, SURROUNDINGS)
    good = (~impulses.mask).astype(np.float32)
    weight = np.maximum(load(_BOX)(good, size), 1e-3)
    smooth = load(_BOX)(channel * good, size) / weight
    # A residual against a mean of n pixels has 1 - 1 / n of the variance.
    pixels = SURROUNDINGS**2 * weight
    residual = (channel - smooth) * good * np.sqrt(pixels / np.maximum(pixels - 1.0, 1.0))
    elsewhere = np.roll(residual, ELSEWHERE, axis=(-2, -1))
    return np.where(impulses.mask, smooth + elsewhere, channel).astype(np.float32)
