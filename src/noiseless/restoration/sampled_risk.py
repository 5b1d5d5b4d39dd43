"""The error of a large image by that of windows from all over it, denoised once more by themselves.

For n windows with the risks s_i, spread evenly over the image, the risk of the whole is their mean, and its variance
that of a mean, var(s_i) / n, in which the chance of the noise in each window is too. What sigma may be off by is the
same in all of them, and does not average out. Windows lack what lies around them, so along their borders they are
denoised a little worse.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from noiseless.image import FloatArray, Image
from noiseless.noise import Gaussian, NoiseEstimate
from noiseless.restoration.audit import risk_of
from noiseless.restoration.block_sample import plan_for
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal_in_parts import BY_PLACE
from noiseless.restoration.risk import Risk

WINDOWS = 16
"""Of 256 x 256 pixels, a million in all. A prediction takes six calls of the denoiser; on 12 megapixels that is half of
what the result takes, and of the whole it would be five times that."""

LARGE = 2**22
"""Pixels; of smaller images the risk is taken whole."""

Removal = Callable[[Image], FloatArray]
"""The nominal pixels of an image without the noise."""


def is_sampled(image: Image, noise: NoiseEstimate) -> bool:
    """Whether the risk of an image is taken from windows: it is large, and its noise the same everywhere."""
    by_map = isinstance(noise.model, Gaussian) and np.size(noise.model.sigma) > image.channels
    return len(image.space) == 2 and math.prod(image.space) > LARGE and isinstance(noise.model, BY_PLACE) and not by_map


def windows_of(image: Image) -> Iterator[Image]:
    """Windows of a picture, spread evenly; those that are constant are left out."""
    plan = plan_for(1, image.channels, image.space, memory_bytes=2**31, deep=False)
    count = 0
    for _, (_, rows, columns) in plan.places:
        pixels = image.pixels[:, rows, columns]
        if count < WINDOWS and pixels.min() < pixels.max():
            count += 1
            yield replace(image, pixels=pixels, alpha=None, mask=None)


def risk_of_windows(windows: Iterable[Image], noise: NoiseEstimate, recipe: Recipe, removed: Removal) -> Risk:
    """The mean squared error of the image that windows are of.

    Parameters
    ----------
    windows : noisy; a single one is taken for all of the image
    noise : of the image, in stored units
    recipe : how it is denoised
    removed : a window without its noise
    """

    def again(window: Image, pixels: FloatArray) -> FloatArray:
        return removed(window.with_pixels(pixels))

    risks = [risk_of(window, noise, recipe, partial(again, window)) for window in windows]
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
