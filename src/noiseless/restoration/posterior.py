"""What else the clean image might have been: error bars and samples, for each kind of noise as far as it allows."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from noiseless.denoiser import Denoiser
from noiseless.errors import InvalidParameter
from noiseless.generation import (
    ErrorBars,
    normal_error_bars,
    propagated_noise,
    shipped_calibrations,
    sign_probes,
    widened_by_residual,
)
from noiseless.generation.calibration import PROBES
from noiseless.image import FloatArray, Image
from noiseless.noise import Gaussian, ImpulsiveNoise, NoiseModel, StabilisableNoise, StationaryNoise, WithImpulses
from noiseless.restoration.recipe import Recipe

Removal = Callable[[Denoiser, FloatArray], FloatArray]
"""What a restoration does with a denoiser to (C, *space) noisy pixels in nominal units."""


def error_bars(
    noise: NoiseModel,
    remove: Removal,
    denoiser: Denoiser,
    image: Image,
    denoised: FloatArray,
    recipe: Recipe,
    *,
    told: bool,
) -> ErrorBars:
    """How far each pixel may be wrong, (C, *space), in stored units.

    Draws of the noise are sent through the whole restoration once more. Calibrated for the shipped networks and noise
    that is white and Gaussian, at strength 1 and one step, and corrected by the residual where the noise is ``told``
    and not estimated; else the law of the propagated noise is taken as normal.

    Raises
    ------
    InvalidParameter : the noise replaces pixels, so that there is no small change of it.
    """
    if isinstance(noise, ImpulsiveNoise):
        raise InvalidParameter(f"{noise} replaces pixels, and how wrong a filled one is is not known; leave error out")
    probes = _probes(noise, image, denoised, recipe.seed)
    through = propagated_noise(lambda pixels: remove(denoiser, pixels), image.pixels, denoised, probes)
    bars = normal_error_bars(through.std)
    usual = recipe.steps == 1 or recipe.samples > 0
    if isinstance(noise, Gaussian) and recipe.method_name == "score" and recipe.strength == 1.0 and usual:
        name = f"{recipe.model_name}-{'colour' if image.channels == 3 else 'gray'}"
        calibration = shipped_calibrations().get(name)
        if calibration is not None:
            sigma = np.asarray(noise.sigma) / image.scale
            bars = calibration(through.std, sigma)
            if told:
                bars = widened_by_residual(bars, image.pixels, denoised, sigma, through)
    return replace(bars, half68=bars.half68 * image.scale, half95=bars.half95 * image.scale)


def _probes(noise: NoiseModel, image: Image, denoised: FloatArray, seed: int) -> Iterator[FloatArray]:
    """Draws of the noise on the denoised image, without its mean."""
    if isinstance(noise, Gaussian):
        yield from sign_probes(image.pixels, np.float32(np.asarray(noise.sigma) / image.scale), PROBES, seed)
        return
    law = noise.background if isinstance(noise, WithImpulses) else noise
    clean = image.with_pixels(denoised).in_stored_units().astype(np.float32)
    rng = np.random.default_rng(seed)
    for _ in range(PROBES):
        yield ((law.sample(clean, rng) - law.mean(clean)) / image.scale).astype(np.float32)


def posterior_samples(
    noise: NoiseModel, remove: Removal, denoiser: Denoiser, image: Image, recipe: Recipe
) -> list[FloatArray]:
    """Images that may have been the clean one, (C, *space) each, in nominal units.

    Exact as far as the denoiser is, for Gaussian noise, white or of a known spectrum, and for noise that a map of each
    pixel makes white: then in the units of that map, and taken back.

    Raises
    ------
    InvalidParameter : the noise is of another kind.
    """
    drawers = [recipe.build_samples(denoiser).drawer(number) for number in range(recipe.samples)]
    if isinstance(noise, Gaussian | StabilisableNoise):
        return [remove(drawer, image.pixels) for drawer in drawers]
    if isinstance(noise, StationaryNoise):
        spectrum = (noise.spectrum(image.space) * (recipe.strength / image.scale) ** 2).astype(np.float32)
        return [drawer.correlated(image.pixels, spectrum) for drawer in drawers]
    raise InvalidParameter(
        f"samples cannot be drawn for {type(noise).__name__}; they can for Gaussian noise, white or correlated, and "
        "for noise that a map of each pixel makes so, such as Poisson and Rician"
    )
