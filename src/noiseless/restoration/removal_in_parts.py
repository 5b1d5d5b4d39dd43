"""The removal of noise from a part of an image, equal to what the removal from the whole gives there.

That takes a denoiser whose reach is known, and noise that is met place by place. Where noise is made white first, a few
numbers of the whole image are needed; they are taken from a sample of it.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import LocalDenoiser
from noiseless.errors import InvalidParameter, NeedsWholeImage
from noiseless.generation.plug_and_play import HIGHEST
from noiseless.image import FloatArray, Image
from noiseless.noise import (
    AmplitudeSpeckle,
    Correlated,
    Gaussian,
    NoiseModel,
    Poisson,
    PoissonGaussian,
    Quantisation,
    Quantised,
    Speckle,
    WithImpulses,
)
from noiseless.restoration.impulse_repair import repair
from noiseless.restoration.level_range import ByLevels
from noiseless.restoration.methods import METHODS, USUAL_MODEL, build
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal import ROUNDING_SIGMA, remove_from_image
from noiseless.restoration.stabilised import DARKEST, FAINT
from noiseless.restoration.tiling import Tiled
from noiseless.score import LEARNED

Pixels = NDArray[np.floating]

BY_PLACE = (Gaussian, Quantisation, Correlated, Poisson, PoissonGaussian, Speckle, AmplitudeSpeckle)
"""Noise that is removed from a part as from the whole, be it under impulses or rounded."""

FILTERED, FILLED = 64, 16
"""Pixels around a part that filters of correlated noise, and the filling in of impulses, may look at besides. Both go
on without an end; what filters see beyond 64 pixels changes a result by less than 4e-5 sigma (Gaussian kernels of a
width of 0.8 to 2 pixels)."""


VALUE_BYTES, ENGINE_BYTES = 160, 160
"""That a value takes, at most, while it is denoised: 146 under impulses, 167 in tensor diffusion of volumes; methods of
patches take 90 MB besides. And what the engine of a network takes besides for a pixel."""

NETWORK_BYTES = {Gaussian: 24, Quantisation: 24, Poisson: 36, PoissonGaussian: 36, Speckle: 36, AmplitudeSpeckle: 36}
"""The same of arrays around networks, by what they remove."""


@dataclass(frozen=True, eq=False)
class RemovalInParts:
    """Removes the noise from parts of one image.

    Parameters
    ----------
    noise : in stored units
    denoiser : not in tiles
    recipe : its strength and bound
    black : of the whole image, in the units of the noise that was made white; None where none is made white
    darkest : stored values below it are taken for it
    faint : whether there are so few photons that in memory the image would be denoised in passes; here it is in one
    """

    noise: NoiseModel
    denoiser: LocalDenoiser
    recipe: Recipe
    black: float | None = None
    darkest: float = -math.inf
    faint: bool = False

    def __call__(self, image: Image) -> FloatArray:
        """The nominal pixels of a part without the noise; its scale and offset are those of the whole."""
        if self.black is None:
            return remove_from_image(self.noise, self.denoiser, image, self.recipe)
        law, shift = whitened(self.noise)
        stored = _filled(self.noise, image.in_stored_units().astype(np.float32))
        white = law.stabilise(np.maximum(stored, np.float32(self.darkest)) - np.float32(shift))
        black = np.float32(self.black)
        denoised = law.unstabilise(self.denoiser(white - black, self.recipe.strength) + black)
        clean = ((denoised.astype(np.float64) + shift - image.offset) / image.scale).astype(np.float32)
        return self._bounded(clean, image)

    def reach(self, scale: float) -> int:
        """Pixels, along each axis, that an output pixel looks at; ``scale`` is that of the image."""
        correlated = isinstance(law_of(self.noise), Correlated)
        level = self.recipe.strength * _level(self.noise, scale) * (HIGHEST if correlated else 1.0)
        besides = (FILTERED if correlated else 0) + (FILLED if isinstance(self.noise, WithImpulses) else 0)
        return self.denoiser.reach(level) + besides

    def pixel_bytes(self, channels: int) -> int:
        """That a pixel of so many channels takes while it is denoised."""
        if self.recipe.method_name not in LEARNED:
            return VALUE_BYTES * channels
        return NETWORK_BYTES.get(type(self.noise), VALUE_BYTES) * channels + ENGINE_BYTES

    @property
    def is_deep(self) -> bool:
        """Whether the noise of neighbouring planes of a volume depends on one another."""
        law = law_of(self.noise)
        return isinstance(law, Correlated) and law.kernel.ndim > 2

    def _bounded(self, clean: FloatArray, image: Image) -> FloatArray:
        """No pixel changed by more than the recipe allows."""
        if math.isinf(self.recipe.bound):
            return clean
        variance = self.noise.variance(image.with_pixels(clean).in_stored_units())
        most = (self.recipe.bound * np.sqrt(variance) / image.scale).astype(np.float32)
        return np.clip(clean, image.pixels - most, image.pixels + most)


def removal_for(noise: NoiseModel, denoiser: LocalDenoiser, recipe: Recipe, sample: Image) -> RemovalInParts:
    """The removal that parts of an image have in common.

    Parameters
    ----------
    sample : of the image, with its scale and offset

    Raises
    ------
    NeedsWholeImage : the noise is of a kind that is removed from whole images only.
    InvalidParameter : it multiplies the light, and there is none.
    """
    check_by_place(noise, recipe)
    law = law_of(noise)
    level = recipe.strength * _level(noise, sample.scale)
    if not isinstance(law, Poisson | PoissonGaussian | Speckle | AmplitudeSpeckle):
        # As ``remove_from_image`` shows them to the denoiser.
        offset = sample.offset if isinstance(noise, Correlated) else 0.0
        stored = _filled(noise, (sample.in_stored_units() - offset).astype(np.float32))
        seen = sample.pixels if isinstance(noise, Gaussian) else stored
        return RemovalInParts(noise, _by_levels_of(seen, denoiser, level), recipe)
    law, shift = whitened(noise)
    stored = _filled(noise, sample.in_stored_units().astype(np.float32))
    darkest = -math.inf
    if isinstance(law, Speckle | AmplitudeSpeckle):
        darkest = float(DARKEST * np.percentile(stored, 99))
        if darkest <= 0.0:
            raise InvalidParameter("speckle multiplies the light, and the image has next to none; give another noise")
    white = law.stabilise(np.maximum(stored, np.float32(darkest)) - np.float32(shift))
    low, black, high = (float(value) for value in np.percentile(white, [0.5, 1, 99.5]))
    faint = isinstance(law, PoissonGaussian) and high - low < FAINT
    denoiser = _by_levels_of(white - np.float32(black), denoiser, level)
    return RemovalInParts(noise, denoiser, recipe, black, darkest, faint)


def check_by_place(noise: NoiseModel, recipe: Recipe) -> None:
    """Refuse noise that is removed from whole images only.

    Raises
    ------
    NeedsWholeImage : it is of such a kind.
    """
    law = law_of(noise)
    if not isinstance(law, BY_PLACE) or (recipe.blind and not isinstance(noise, Gaussian)):
        raise NeedsWholeImage(
            f"{type(law).__name__} noise is removed from whole images only, and this one is restored block by block; "
            "give sigma, or noise of one of the kinds gaussian, poisson-gaussian, speckle and correlated"
        )


def local_denoiser(recipe: Recipe) -> LocalDenoiser:
    """The denoiser that a recipe builds, not in tiles.

    Raises
    ------
    NeedsWholeImage : it, or what else the recipe asks for, looks at the whole image.
    """
    for name in ("samples", "error", "budget_s"):
        if getattr(recipe, name):
            raise NeedsWholeImage(
                f"{name} looks at the whole image, and this one is restored block by block; leave it out"
            )
    denoiser = _untiled(recipe.build_denoiser())
    if not hasattr(denoiser, "reach"):
        steps = "" if recipe.steps == 1 else f" in {recipe.steps} steps"
        raise NeedsWholeImage(
            f"{recipe.method_name}{steps} looks at the whole image, and this one is restored block by block; use "
            f"{', '.join(name for name in METHODS if _is_local(name))}, in one step"
        )
    local: LocalDenoiser = denoiser
    return local


def law_of(noise: NoiseModel) -> NoiseModel:
    """The noise beneath impulses and rounding."""
    while isinstance(noise, WithImpulses | Quantised):
        noise = noise.background
    return noise


def whitened(noise: NoiseModel) -> tuple[PoissonGaussian | Speckle | AmplitudeSpeckle, float]:
    """The law by which noise is made white, and what is taken off the values before."""
    law = law_of(noise)
    if isinstance(law, Poisson | PoissonGaussian):
        return PoissonGaussian(law.gain, getattr(law, "sigma", 0.0)), law.offset
    assert isinstance(law, Speckle | AmplitudeSpeckle)
    return law, 0.0


def _filled(noise: NoiseModel, stored: Pixels) -> Pixels:
    """The values with the impulses above the noise filled in."""
    while isinstance(noise, WithImpulses | Quantised):
        stored = repair(noise.impulses, stored) if isinstance(noise, WithImpulses) else stored
        noise = noise.background
    return stored


def _level(noise: NoiseModel, scale: float) -> float:
    """The noise that a denoiser is told, in the units in which it sees an image of this scale."""
    law = law_of(noise)
    if isinstance(law, Gaussian):
        return float(np.max(law.sigma)) / (scale if law is noise else 1.0)
    if isinstance(law, Correlated):
        return law.sigma
    return ROUNDING_SIGMA * law.step if isinstance(law, Quantisation) else 1.0


def _by_levels_of(sample: FloatArray, denoiser: LocalDenoiser, level: float) -> LocalDenoiser:
    """The same denoiser; where it takes ranges of levels one by one, those of the sample for all parts of the image."""
    if isinstance(denoiser, ByLevels) and len(sample) == 1:
        return denoiser.with_nodes_of(sample, level)
    return denoiser


def _untiled(denoiser: Any) -> Any:
    if isinstance(denoiser, ByLevels):
        return replace(denoiser, denoiser=_untiled(denoiser.denoiser))
    return denoiser.denoiser if isinstance(denoiser, Tiled) else denoiser


def _is_local(name: str) -> bool:
    return hasattr(_untiled(build(name, USUAL_MODEL, tile=512, exact=False)), "reach")
