"""From a denoiser of white Gaussian noise to the removal of any noise, by what its model can do.

A model that stabilises makes its noise white first; one that knows its spectrum is met frequency by frequency; one
that replaces pixels has them found and filled in before anything else looks at them. Everything here is in the
units of the noise model, which are the stored units of the image.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Denoiser
from noiseless.generation import PlugAndPlay
from noiseless.image import FloatArray, Image
from noiseless.noise import (
    Gaussian,
    ImpulsiveNoise,
    NoiseModel,
    NonCentralChi,
    Poisson,
    PoissonGaussian,
    Quantisation,
    Quantised,
    Rician,
    StabilisableNoise,
    StationaryNoise,
    WithImpulses,
)
from noiseless.restoration.ensemble import Ensemble
from noiseless.restoration.impulse_repair import repair
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.risk import Whole
from noiseless.restoration.simulated import remove_simulated
from noiseless.restoration.stabilised import remove_magnitude_noise, remove_photon_noise, remove_stabilised

Pixels = NDArray[np.floating]

ROUNDING_SIGMA = 0.4
"""The noise level, in steps, at which rounded images are denoised: above the 0.29 that rounding has by itself, since
the result is held to the step anyway (tuned on the set for model selection, steps of 8 to 32 of 255: +0.1 dB)."""

FAINTEST_CAMERA = 4 / 255
"""What a blind network is told where the estimate is lower, in nominal units. On every fourth pair of PolyU it gives
38.24, 38.55, 38.71, 38.64 and 38.23 dB for 0, 2, 4, 8 and 16 of 255."""


def remove_from_image(noise: NoiseModel, denoiser: Denoiser, image: Image, recipe: Recipe) -> FloatArray:
    """The pixels of an image without the noise, as a recipe asks: nominal, as the image has them.

    Parameters
    ----------
    noise : in stored units
    denoiser : what the recipe builds, perhaps on a device
    image : noisy
    recipe : its strength, its bound, and whether the network finds the noise for itself
    """
    if image.volumes > 1:
        volumes = ((of_volume(noise, image, number), image.volume(number)) for number in range(image.volumes))
        clean = np.stack([remove_from_image(law, denoiser, one, recipe) for law, one in volumes], axis=1)
        return clean.reshape(image.pixels.shape)
    if recipe.blind:
        level = math.sqrt(float(np.mean(noise.variance(image.in_stored_units())))) / image.scale
        told = max(level, FAINTEST_CAMERA) if level else 0.0
        clean = np.asarray(denoiser(image.pixels, told * max(recipe.strength, 1.0))).astype(np.float32)
        # The level is a hint, so less of it would hardly leave more of the noise: go part of the way instead.
        clean = image.pixels + np.float32(min(recipe.strength, 1.0)) * (clean - image.pixels)
    elif isinstance(noise, Gaussian):
        # Additive: the offset does not matter, and networks like black at zero.
        clean = remove(Gaussian(noise.sigma / image.scale), denoiser, image.pixels, recipe.strength).astype(np.float32)
    else:
        # Of additive noise the offset is taken off here too: Hounsfield units have air at -1000.
        offset = image.offset if isinstance(noise, StationaryNoise) else 0.0
        noisy = (image.in_stored_units() - offset).astype(np.float32)
        stored = remove(noise, denoiser, noisy, recipe.strength)
        clean = ((stored.astype(np.float64) + (offset - image.offset)) / image.scale).astype(np.float32)
    if math.isinf(recipe.bound):
        return clean
    variance = noise.variance(image.with_pixels(clean).in_stored_units())
    most = (recipe.bound * np.sqrt(variance) / image.scale).astype(np.float32)
    return np.clip(clean, image.pixels - most, image.pixels + most)


def of_volume(noise: NoiseModel, image: Image, number: int) -> NoiseModel:
    """The noise of one volume, where a map has it for all of them."""
    if not isinstance(noise, Gaussian) or isinstance(noise.sigma, float):
        return noise
    if noise.sigma.shape[1] == 1:
        return Gaussian(noise.sigma[:, 0]) if image.pixels.shape[1] == image.volumes else noise
    depth = image.pixels.shape[1] // image.volumes
    if depth == 1:
        return Gaussian(noise.sigma[:, number])
    return Gaussian(noise.sigma[:, number * depth : (number + 1) * depth])


def on_stored_pixels(image: Image, removed: Callable[[FloatArray], FloatArray]) -> Whole:
    """What is done to the nominal pixels of ``image`` as a function of stored ones, which is what risks ask for."""

    def whole(stored: FloatArray) -> FloatArray:
        nominal = (stored - image.offset) / image.scale
        return np.asarray(removed(nominal.astype(np.float32)) * image.scale + image.offset, dtype=stored.dtype)

    return whole


def remove(noise: NoiseModel, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0) -> Pixels:
    """The clean image under ``noise``.

    Parameters
    ----------
    noise : the law of the noise
    denoiser : for white Gaussian noise
    noisy : (C, *space) float array in the units of ``noise``
    strength : factor on the standard deviation that is removed
    """
    if isinstance(noise, Gaussian):
        sigma = noise.sigma * strength
        return np.asarray(denoiser(noisy, sigma if isinstance(sigma, float) else sigma.astype(noisy.dtype)))
    if isinstance(noise, WithImpulses):
        return remove(noise.background, denoiser, repair(noise.impulses, noisy), strength)
    if isinstance(noise, ImpulsiveNoise):
        return repair(noise, noisy, denoiser)
    if isinstance(noise, Quantised):
        return remove(noise.background, denoiser, noisy, strength)
    if isinstance(noise, Quantisation):
        return remove_rounding(noise, denoiser, noisy, strength)
    if isinstance(noise, Poisson | PoissonGaussian):
        return remove_photon_noise(noise, denoiser, noisy, strength)
    if isinstance(noise, Rician | NonCentralChi):
        return remove_magnitude_noise(noise, denoiser, noisy, strength)
    if isinstance(noise, StabilisableNoise):
        return remove_stabilised(noise, denoiser, noisy, strength)
    if isinstance(noise, StationaryNoise):
        return remove_correlated(noise, denoiser, noisy, strength)
    return remove_simulated(noise, denoiser, noisy, strength)


def remove_correlated(noise: StationaryNoise, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0) -> Pixels:
    """Frequency by frequency, plug-and-play; of an ensemble each member by itself, and then their mixture.

    What plug-and-play shows its denoiser on the way is not the image under its noise, so there is no risk of it.
    """
    if isinstance(denoiser, Ensemble):
        wholes = [lambda image, d=member: remove(noise, d, image, strength) for member in denoiser.fitting(noisy)]
        return denoiser.combined(wholes, noisy, noise)
    return np.asarray(PlugAndPlay(denoiser)(noisy, noise.spectrum(noisy.shape[1:]) * strength**2))


def remove_rounding(noise: Quantisation, denoiser: Denoiser, noisy: Pixels, strength: float = 1.0) -> Pixels:
    """Denoise, then hold each pixel to the step that it was rounded to: a projection onto what is known to be true."""
    denoised = denoiser(noisy, ROUNDING_SIGMA * noise.step * strength)
    return np.asarray(np.clip(denoised, noisy - noise.step / 2, noisy + noise.step / 2))
