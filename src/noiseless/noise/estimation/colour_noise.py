"""Whether colours have less noise than brightness, as when JPEG kept half of their pixels, or rounded them more."""

import numpy as np
from numpy.typing import NDArray

from noiseless.noise.estimation.flat_patches import difference_sigma, measure
from noiseless.planes import OPPONENT

STRONG = 6.0 / 255.0
"""Sigma of the luminance, nominal, from which the noise of JPEG photographs is clearly more than their rounding."""

LESS = 0.5
"""Sigma of the colours over that of the luminance. White noise has 0.9 to 1.2, noise that went through 4:2:0 0.03 to
0.3, or 4:4:4 at quality 75 0 to 0.4 and, where it is strong, 0.9 (three photographs, sigma 3 to 30)."""


def colours_were_smoothed(pixels: NDArray[np.float32]) -> bool:
    """Whether strong noise is white in the luminance of a photograph and lacks in its differences of colours.

    Parameters
    ----------
    pixels : (3, Y, X), nominal
    """
    planes = np.tensordot(OPPONENT.astype(np.float32), pixels, axes=1)
    luminance, *colours = map(_sigma, planes)
    return luminance >= STRONG and max(colours) < LESS * luminance


def _sigma(plane: NDArray[np.float32]) -> float:
    found = measure(plane, thorough=False)
    return difference_sigma(plane) if found is None else found.sigma
