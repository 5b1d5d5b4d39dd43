"""Shrinkage of the cosine coefficients of overlapping patches: what is small is noise."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidParameter
from noiseless.overlapping_patches import mean_of_patches
from noiseless.planes import plane_by_plane


@dataclass(frozen=True)
class CosineShrinkage:
    """Cosine coefficients of all overlapping patches shrunk twice: past a threshold, then by a Wiener filter.

        c = cosine transform of a patch,   g = max(0, 1 - (threshold sigma / c)^4),   c <- g c
        again on the noisy patches, b being the coefficients of the first result:   g = b^2 / (b^2 + sigma^2)

    Patches are averaged with weights 1 / sum g^2, the inverse of the noise that they keep; their means stay. For smooth
    images and regular texture, and as a voice of its own in an ensemble. The gains are continuous, unlike those of a
    hard threshold, so Stein's risk of the result is unbiased.

    Parameters
    ----------
    threshold : > 0, in units of sigma. Higher removes more, and takes faint texture for noise.
    side : of a patch in pixels, 2 to 32. Larger patches catch waves, smaller ones edges.

    Notes
    -----
    D(a y, a sigma) = a D(y, sigma). Three channels are taken as luminance and two differences, volumes slice by slice.
    Of a sigma that varies within a patch its quadratic mean counts.

    Raises
    ------
    InvalidParameter : a parameter is out of its range; sigma is negative, not finite, or does not broadcast.

    References
    ----------
    Yu, Sapiro 2011, IPOL 1, doi:10.5201/ipol.2011.ys-dct; Pierazzo, Morel, Facciolo 2017, IPOL 7,
    doi:10.5201/ipol.2017.201, for the second stage and the weights; Breiman 1995, Technometrics 37, 373, for shrinkage
    by a garrote.
    """

    threshold: float = 2.35
    side: int = 8

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and self.threshold > 0.0):
            raise InvalidParameter(f"threshold is {self.threshold:g}; use some units of sigma above 0, usually 2 to 3")
        if not 2 <= self.side <= 32:
            raise InvalidParameter(f"side is {self.side}; a patch has 2 to 32 pixels, usually 8")

    def reach(self, sigma: float, /) -> int:  # noqa: ARG002  the patches do not depend on sigma
        """Pixels, along each axis, that an output pixel can depend on."""
        return 2 * (self.side - 1)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        return plane_by_plane(noisy, sigma, self._denoised)

    def _denoised(self, plane: Array, variance: Array, xp: Any) -> Array:
        basis = xp.asarray(_basis(self.side), device=device(plane))
        tiny = float(np.finfo(np.float32).tiny)

        def result(gains: Array, coefficients: Array) -> tuple[Array, Array]:
            gains[0, :] = 1.0
            return basis.T @ (gains * coefficients), 1.0 / xp.sum(gains**2, axis=0)

        def past_threshold(patches: Array, variances: Array) -> tuple[Array, Array]:
            coefficients = basis @ patches
            least = xp.clip(self.threshold**2 * xp.mean(variances, axis=0), tiny, None)
            ratio = least / xp.maximum(coefficients**2, least)  # at most 1: what is below goes
            return result(1.0 - ratio**2, coefficients)

        def by_pilot(patches: Array, variances: Array, pilots: Array) -> tuple[Array, Array]:
            power = xp.clip((basis @ pilots) ** 2, tiny, None)
            return result(power / (power + xp.mean(variances, axis=0)), basis @ patches)

        pilot = mean_of_patches((plane, variance), self.side, past_threshold, xp)
        return mean_of_patches((plane, variance, pilot), self.side, by_pilot, xp)


@cache
def _basis(side: int) -> NDArray[np.float32]:
    """Orthonormal, a row a wave (side^2, side^2), the constant one first."""
    frequencies, places = np.arange(side)[:, None], np.arange(side)
    lines = np.cos(np.pi * frequencies * (2 * places + 1) / (2 * side)) * np.sqrt(2.0 / side)
    lines[0] = 1.0 / math.sqrt(side)
    return np.kron(lines, lines).astype(np.float32)
