"""What is decided once for all parts of an image, on a sample of it, and what each part then is made of."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from noiseless.classical import CLASSICAL
from noiseless.denoiser import LocalDenoiser, Sigma
from noiseless.errors import Diverged, InvalidParameter
from noiseless.image import FloatArray, Image
from noiseless.noise import Gaussian, NoiseEstimate, Quantised, WithImpulses
from noiseless.restoration.block_grid import Window, grown, inside, size_of, windows_in
from noiseless.restoration.chunked import Values
from noiseless.restoration.noise_at_hand import Noise, given_noise, known_noise
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.removal_in_parts import RemovalInParts, removal_for
from noiseless.score import DENSITIES, LEARNED

PLANAR = {*CLASSICAL, *LEARNED, *DENSITIES}
"""Methods that take a volume plane by plane."""


@dataclass(frozen=True, eq=False)
class Decision:
    """What all parts of an image have in common.

    Parameters
    ----------
    noise : that is removed, in stored units
    like : a pixel with the scale and offset of the image
    removal : by which denoiser, and the numbers of the whole image that it needs
    """

    noise: NoiseEstimate
    like: Image
    removal: RemovalInParts

    def restored(self, stored: Values, core: Window, tile: tuple[int, ...], halo: tuple[int, ...]) -> Values:
        """(C, *core) denoised values in stored units.

        Parameters
        ----------
        stored : (C, *space) noisy ones, those around the core too, as far as the image goes; along Y and X they begin
            at a multiple of 8 in the image
        core : its place in them
        tile, halo : sides of what is denoised at once, and what of the surroundings is looked at with it
        """
        result = np.empty((len(stored), *size_of(core)), stored.dtype)
        for part in windows_in(core, tile):
            window = grown(part, halo, stored.shape[1:])
            image = self._as_image(stored[(slice(None), *window)])
            clean = image.with_pixels(self.denoised(image)).stored()
            result[(slice(None), *inside(part, core))] = clean[(slice(None), *inside(part, window))]
        return result

    def denoised(self, image: Image) -> FloatArray:
        """The nominal pixels of a part without the noise.

        Raises
        ------
        Diverged : one is not finite.
        """
        pixels = self.removal(image)
        if not np.isfinite(pixels).all():
            name = self.removal.recipe.method_name
            raise Diverged(f"{name} gave values that are not finite; report the image, or try another method")
        return pixels

    def _as_image(self, stored: Values) -> Image:
        """Stored values as an image, with the common scale and offset; as ``from_array`` does it."""
        kind: Any = np.float32 if np.can_cast(stored.dtype, np.float32) else np.float64
        pixels = np.subtract(stored, kind(self.like.offset), dtype=kind, casting="same_kind")
        pixels = pixels.astype(np.float32) / np.float32(self.like.scale)
        return replace(self.like, pixels=pixels, axes="CYX" if stored.ndim == 3 else "CZYX")


def decided(sample: Image, told: tuple[Any, Noise], denoiser: LocalDenoiser, recipe: Recipe, ndim: int) -> Decision:
    """What a sample says of an image.

    Parameters
    ----------
    sample : with as many channels as the image has, and its scale and offset
    told : sigma and noise, as :func:`told_of` gives them
    denoiser : that of the recipe, not in tiles
    ndim : axes of space of the image

    Raises
    ------
    InvalidParameter : the noise cannot be estimated, or is removed from whole images only.
    """
    found = known_noise(given_noise(*told, sample, 0), sample, recipe.method_name)
    found = replace(found, model=with_axes(found.model, ndim))
    removal = removal_for(found.model, denoiser, recipe, sample)
    if removal.faint:
        warning = "there are so few photons that passes would do better, which need the whole image in memory"
        found = replace(found, warnings=(*found.warnings, warning))
    like = replace(sample, pixels=sample.pixels[:, :1, :1, :1].copy(), volumes=1)
    return Decision(found, like, removal)


def told_of(sigma: Sigma | None, noise: Noise, channels: int) -> tuple[Any, Noise]:
    """What the caller says of the noise: sigma as a number or one a channel, or else a model, a kind, or nothing.

    Raises
    ------
    InvalidParameter : sigma is of another shape.
    """
    if isinstance(noise, Gaussian) and sigma is None:
        sigma, noise = noise.sigma, None
    if sigma is None or np.size(sigma) == 1:
        return (sigma if sigma is None else float(np.asarray(sigma).item())), noise
    if np.size(sigma) != channels:
        raise InvalidParameter(
            f"sigma of shape {np.shape(sigma)} is not one a channel, of which there are {channels}; a map would be as "
            "large as the image, so give one number, or one a channel"
        )
    return np.asarray(sigma).reshape(-1), noise


def with_axes(noise: Any, ndim: int) -> Any:
    """The same noise, its sigma one a channel laid out for images of so many axes of space."""
    if isinstance(noise, WithImpulses | Quantised):
        return replace(noise, background=with_axes(noise.background, ndim))
    if isinstance(noise, Gaussian) and not isinstance(noise.sigma, float):
        return Gaussian(noise.sigma.reshape(-1, *[1] * ndim))
    return noise
