"""The error of a large image by that of windows from all over it, denoised once more by themselves.

For n windows with the risks s_i, spread evenly over the image, the risk of the whole is their mean, and its variance
that of a mean, var(s_i) / n, in which the chance of the noise in each window is too. What sigma may be off by is the
same in all of them, and does not average out. Around a window some of the image is denoised with it and not looked at,
as along a border that is none the result would be worse.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from noiseless.image import FloatArray, Image
from noiseless.noise import Gaussian, NoiseEstimate
from noiseless.restoration.audit import risk_of
from noiseless.restoration.block_grid import Window, grown, inside
from noiseless.restoration.block_sample import spread_places
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal_in_parts import BY_PLACE
from noiseless.restoration.risk import Risk

WINDOWS, SIDE, AROUND = 40, 128, 24
"""How many, their side, and what lies around them, in pixels: 1.2 million in all, each denoised six times. What is easy
and what is hard differ from place to place much more than within one, so many small windows tell more than a few large
ones. In smooth waves, windows without anything around them seemed 30 % worse than the image."""

LARGE = 2**22
"""Pixels; of smaller images the risk is taken whole."""

Removal = Callable[[Image], FloatArray]
"""The nominal pixels of an image without the noise."""


def is_sampled(image: Image, noise: NoiseEstimate) -> bool:
    """Whether the risk of an image is taken from windows: it is large, and its noise the same everywhere."""
    by_map = isinstance(noise.model, Gaussian) and np.size(noise.model.sigma) > image.channels
    return len(image.space) == 2 and math.prod(image.space) > LARGE and isinstance(noise.model, BY_PLACE) and not by_map


@dataclass(frozen=True, eq=False)
class Part:
    """A window with what lies around it.

    Parameters
    ----------
    image : both
    core : where the window lies in it, along the last two axes
    """

    image: Image
    core: Window

    @property
    def window(self) -> Image:
        """Without what lies around it."""
        return replace(self.image, pixels=_cut(self.image.pixels, self.core))

    def risk(self, noise: NoiseEstimate, recipe: Recipe, removed: Removal) -> Risk:
        """The mean squared error of the window, given what lies around it."""

        def again(pixels: FloatArray) -> FloatArray:
            whole = self.image.pixels.copy()
            _cut(whole, self.core)[...] = pixels
            return _cut(removed(self.image.with_pixels(whole)), self.core)

        return risk_of(self.window, noise, recipe, again)


def parts_of(image: Image) -> list[Part]:
    """Windows of a picture, spread evenly; those that are constant are left out, unless all are."""
    places = [window[1:] for _, window in spread_places(1, (1, *image.space), (1, SIDE, SIDE), 2 * WINDOWS)]
    varied = [place for place in places if np.ptp(_cut(image.pixels, place)) > 0.0] or places
    parts = []
    for place in varied[:WINDOWS]:
        outer = grown(place, (AROUND, AROUND), image.space)
        around = replace(image, pixels=_cut(image.pixels, outer), alpha=None, mask=None)
        parts.append(Part(around, inside(place, outer)))
    return parts


def middle_of(image: Image) -> Part:
    """The middle of an image as a window of it."""
    around = tuple(_middle(length, SIDE + 2 * AROUND) for length in image.space[-2:])
    part = replace(image, pixels=_cut(image.pixels, around), alpha=None, mask=None)
    return Part(part, tuple(_middle(length, SIDE) for length in part.space[-2:]))


def _cut(pixels: FloatArray, window: Window) -> FloatArray:
    rows, columns = window
    return pixels[..., rows, columns]


def _middle(length: int, side: int) -> slice:
    return slice((length - side) // 2, (length + side) // 2) if length > side else slice(0, length)


def stack_of(parts: list[Part]) -> Image:
    """Windows as one image, one behind another along Z, for who looks at their noise."""
    pixels = np.stack([part.window.pixels for part in parts], axis=1)
    return replace(parts[0].image, pixels=pixels, axes="CZYX", volumes=len(parts), spacing=())


def risk_of_parts(parts: Iterable[Part], noise: NoiseEstimate, recipe: Recipe, removed: Removal) -> Risk:
    """The mean squared error of the image that windows are of.

    Parameters
    ----------
    parts : noisy; a single one is taken for all of the image
    noise : of the image, in stored units
    recipe : how it is denoised
    removed : a part without its noise
    """
    risks = [part.risk(noise, recipe, removed) for part in parts]
    if len(risks) == 1:
        return risks[0]
    errors = np.array([risk.mse for risk in risks])
    chance = float(np.var(errors, ddof=1)) / len(risks)
    common = float(np.mean([risk.standard_error**2 for risk in risks])) if noise.confidence < 1.0 else 0.0
    factors = np.array([risk.over_own[0] for risk in risks if risk.over_own is not None])
    over_own = None
    if len(factors) > 1:
        over_own = float(factors.mean()), float(np.std(factors, ddof=1)) / math.sqrt(len(factors))
    return Risk(float(errors.mean()), math.sqrt(chance + common), over_own=over_own)
