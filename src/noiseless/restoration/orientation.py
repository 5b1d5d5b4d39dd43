"""A volume denoised in its planes of another direction than the usual one, by a denoiser of planes."""

from dataclasses import dataclass

import array_api_compat

from noiseless.denoiser import Array, Denoiser, Sigma
from noiseless.errors import InvalidImage, InvalidParameter

AXES = {"y": 2, "x": 3}

LEAST_DEPTH = 8
"""With fewer slices a plane across them shows next to nothing."""


@dataclass(frozen=True)
class Across:
    """A denoiser of planes on the planes of a volume that stand on the usual ones, whose normal is Z.

    What it errs in is another thing than what the same denoiser errs in along the slices, so the two are better
    together.

    Parameters
    ----------
    denoiser : of volumes, plane (Y, X) by plane
    normal : "y" for the planes (Z, X), "x" for (Z, Y)

    Raises
    ------
    InvalidParameter : ``normal`` is another axis.
    InvalidImage : when called, the image is no volume (C, Z, Y, X).
    """

    denoiser: Denoiser
    normal: str

    def __post_init__(self) -> None:
        if self.normal not in AXES:
            raise InvalidParameter(f"normal is {self.normal!r}; it is y or x, and without it the planes are (Y, X)")

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        if noisy.ndim != 4:
            raise InvalidImage(f"an image of shape {tuple(noisy.shape)} has no planes across; give (C, Z, Y, X)")
        xp = array_api_compat.array_namespace(noisy)
        axis = AXES[self.normal]
        if not isinstance(sigma, int | float) and sigma.ndim == 4:
            sigma = xp.moveaxis(sigma, axis, 1)
        turned = xp.asarray(xp.moveaxis(noisy, axis, 1), copy=True)
        return xp.moveaxis(self.denoiser(turned, sigma), 1, axis)
