"""Everything that is measured of one image before its noise is named: one finding a channel."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from noiseless.image import Image
from noiseless.names import Lazy, load
from noiseless.threads import usual_threads

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

CLEARLY, FEW_PHOTONS = 0.95, 5.0
# Speckle of few looks has a long bright tail, and so have counts of few photons. Impulses are not believed where the
# variance is so clearly quadratic, or where it is so clearly photon noise of fewer photons than this.

FAINTEST_STRIPES, ROUNDED_AWAY = 0.15, 0.3
# Stripes below this part of the other noise, or of the step of the values, are not worth a model of their own.

LARGE = 1024
# Of planes beyond so many pixels across, the middle is searched for impulses first.

REPEATED, REPEATED_AMONG = 0.0005, 32_768
# In continuous values what repeats in more of so many pixels than this is no chance: salt, or pepper.

_TURN = Lock()


@dataclass(frozen=True, eq=False)
class Findings:
    """What the instruments of this room say of an image; lists have one entry a channel.

    ``impulses`` are those of the image, all else is measured without them. ``dependence`` and ``magnitude``, to which
    the level of no light matters, are in stored units, the others in nominal ones. ``texture`` is the probability that
    correlated noise is only texture. ``jpeg``: some channel shows blocks; ``enlarged``: most show the period of
    interpolation; ``hollow``: most have no high frequencies.
    """

    impulses: list[Impulses]
    white: list[ChannelNoise]
    correlation: list[Correlation]
    lines: list[LineNoise]
    dependence: list[Dependence]
    magnitude: list[RicianFit]
    texture: float
    jpeg: bool
    enlarged: bool
    hollow: bool

    @property
    def impulsive(self) -> bool:
        return _most(impulse.kind != "none" for impulse in self.impulses)

    @property
    def correlated(self) -> bool:
        return bool(self.correlation) and _most(entry.correlated for entry in self.correlation)

    @property
    def striped(self) -> bool:
        level = max(noise.sigma for noise in self.white + self.correlation)
        least = max(FAINTEST_STRIPES * level, ROUNDED_AWAY * max(noise.step for noise in self.white))
        return _most(max(entry.rows, entry.columns) > least for entry in self.lines)


def examine(image: Image) -> Findings | None:
    """All findings of an image; None where it is smaller than one 8x8 patch."""
    # NumPy's loops let other threads run. Its small matrix products are faster in one thread than in many, above all
    # when several instruments ask for them at once. That switch is one for the process, hence the turns.
    with _TURN, _matrix_products().limit(limits=1), ThreadPoolExecutor(usual_threads()) as pool:
        impulses = list(pool.map(_impulses_of, image.pixels, repeat(image)))
        pixels = list(pool.map(_without, impulses, image.pixels))
        # Longest first, so that no core waits for it at the end.
        correlations = pool.map(measure_correlation, pixels, repeat(image.mask))
        whites = pool.map(measure, pixels)
        stored = [_in_stored_units(channel, image) for channel in pixels]
        scatters = pool.map(scatter, stored)
        lines = pool.map(measure_lines, pixels)
        magnitudes = pool.map(fit_rician, stored)
        white = [noise for noise in whites if noise is not None]
        if not white:
            return None
        interpolated = list(pool.map(resampled, pixels, [noise.step for noise in white]))
        grids = list(pool.map(jpeg_grid, pixels))
        correlation = [entry for entry in correlations if entry is not None]
        dependence = [fit_signal_dependence(points, _white_of(image)) for points in scatters if points is not None]
        magnitude = [fit for fit in magnitudes if fit is not None]
        line_noise = list(lines)
    return Findings(
        impulses=impulses,
        white=white,
        correlation=correlation,
        lines=line_noise,
        dependence=dependence,
        magnitude=magnitude,
        # After coarse JPEG even pure noise looks like texture to that statistic.
        texture=0.0 if any(grid.visible for grid in grids) else max(map(texture_only, correlation), default=0.0),
        jpeg=any(grid.found for grid in grids),
        enlarged=_most(entry.periodic for entry in interpolated),
        hollow=_most(entry.empty for entry in interpolated),
    )


@cache
def _matrix_products() -> ThreadpoolController:
    """The switch for the threads of matrix products; finding it takes longer than using it."""
    return ThreadpoolController().select(user_api="blas")


def _white_of(image: Image) -> float | None:
    """The stored value of white where the values may be those of a picture; None for measured quantities."""
    picture = np.dtype(image.stored_dtype).kind == "u" or image.scale == 1.0
    return image.scale if picture and image.offset == 0.0 else None


def _in_stored_units(channel: NDArray[np.float32], image: Image) -> NDArray[np.float32]:
    return channel * np.float32(image.scale) + np.float32(image.offset)


def _impulses_of(channel: NDArray[np.float32], image: Image) -> Impulses:
    """The impulses of a channel; none where they are but the bright tail of speckle or of few photons."""
    rows, columns = (slice(max(0, (length - LARGE) // 2), (length + LARGE) // 2) for length in channel.shape[-2:])
    middle = channel[..., rows, columns]
    if middle.size < channel.size:
        # Impulses fall everywhere alike: where the middle of a large image has none, the rest need not be searched.
        sample = measure_impulses(_within_repeated(middle))
        if sample.kind == "none":
            return replace(sample, mask=np.zeros(channel.shape, bool))
    found = measure_impulses(_within_repeated(channel))
    points = scatter(_in_stored_units(channel, image)) if found.kind == "random" else None
    if points is not None:
        law = fit_signal_dependence(points)
        photons = (np.median(points.levels) - law.offset) / law.gain if law.law == "affine" else np.inf
        if law.confidence > CLEARLY and (law.law == "quadratic" or photons < FEW_PHOTONS):
            return replace(found, kind="none")
    return found


def _within_repeated(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The channel, its noise cut off beyond salt and pepper, so that these are the extremes that are looked for."""
    sample = channel.reshape(-1)[:: max(1, channel.size // REPEATED_AMONG)]
    values, counts = np.unique(sample, return_counts=True)
    repeated = values[counts > max(REPEATED * sample.size, 3)]
    if 2 * len(values) < len(sample) or len(repeated) != 2:
        return channel
    return np.clip(channel, repeated[0], repeated[1])


def _most(answers: Any) -> bool:
    said = [bool(answer) for answer in answers]
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
