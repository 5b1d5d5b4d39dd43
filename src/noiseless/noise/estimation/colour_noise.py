"""Whether colours have less noise than brightness, as when JPEG kept half of their pixels, or rounded them more."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseless.noise.estimation.flat_patches import difference_sigma, measure
from noiseless.planes import OPPONENT

LESS = 0.45
"""Sigma of the colours over that of the luminance. White noise has 0.9 to 1.2; noise that went through 4:2:0 has 0.03
to 0.4, through 4:4:4 at quality 75 0 to 0.4 and, where it is strong, 0.9 (eight photographs, sigma 3 to 30); that of
PolyU, by cameras, at most 0.2."""


@dataclass(frozen=True)
class ColourNoise:
    """White noise by what it does to the eye.

    Parameters
    ----------
    luminance, colours : sigma, nominal; of the two differences of colours the greater
    """

    luminance: float
    colours: float

    @property
    def smoothed(self) -> bool:
        """Whether it lacks in the colours: it was white no more when it was stored."""
        return self.colours <= LESS * self.luminance


def measure_colour_noise(pixels: NDArray[np.float32]) -> ColourNoise:
    """Of a photograph, (3, Y, X), nominal."""
    planes = np.tensordot(OPPONENT.astype(np.float32), pixels, axes=1)
    luminance, *colours = map(_sigma, planes)
    return ColourNoise(luminance, max(colours))


def _sigma(plane: NDArray[np.float32]) -> float:
    found = measure(plane, thorough=False)
    return difference_sigma(plane) if found is None else found.sigma
