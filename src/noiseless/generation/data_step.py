"""What an observation says of an image near an estimate: the data step of half-quadratic splitting, by likelihood.

A data step is  argmin_x  -log p(noisy | x) + |x - estimate|^2 / (2 variance),  the most likely image of those that a
Gaussian of that variance about the estimate makes plausible. Small variances trust the estimate, large ones the data.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, positive
from noiseless.denoiser import Array
from noiseless.errors import InvalidParameter
from noiseless.noise import PixelwiseNoise

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_ROUNDS = 32  # of golden sections: what is left of the bracket is 2e-7 of it
_REACH = 6.0  # standard deviations on both sides of estimate and observation that are searched


class DataStep(Protocol):
    """See the head of this file; both images (C, *space), ``variance`` in their units squared, > 0."""

    def __call__(self, estimate: Array, variance: float, /) -> Array: ...


@dataclass(frozen=True, eq=False)
class StationaryData:
    """Additive Gaussian noise of a known spectrum: frequency by frequency, x = (v Y + S Z) / (v + S).

    Parameters
    ----------
    noisy : (C, *space)
    spectrum : its power at each frequency of ``fftn`` over ``space``, >= 0; (*space), or one for each channel. The
        mean is the variance of a pixel.

    Raises
    ------
    InvalidParameter : the spectrum has another shape, or is negative or not finite somewhere.
    """

    noisy: Array
    spectrum: Array

    def __post_init__(self) -> None:
        xp = array_api_compat.array_namespace(self.noisy)
        space = tuple(self.noisy.shape[1:])
        if tuple(self.spectrum.shape) not in (space, tuple(self.noisy.shape)):
            raise InvalidParameter(
                f"the spectrum has shape {tuple(self.spectrum.shape)}; an image of shape {tuple(self.noisy.shape)} "
                f"needs {space}"
            )
        if not bool(xp.all(xp.isfinite(self.spectrum))) or bool(xp.any(self.spectrum < 0)):
            raise InvalidParameter("the spectrum is negative or not finite somewhere; a power is a finite number >= 0")

    def __call__(self, estimate: Array, variance: float, /) -> Array:
        # Filtering the difference alone keeps the image out of the periodic Fourier grid: no wrap at borders.
        return estimate + filtered(self.noisy - estimate, variance / (variance + self.spectrum))


@dataclass(frozen=True, eq=False)
class BlurredData:
    """An image blurred on a periodic grid, then white Gaussian noise: y = h * x + sigma n.

        X = Z + v conj(H) (Y - H Z) / (v |H|^2 + sigma^2)

    Parameters
    ----------
    noisy : (C, *space)
    transfer : (*space) the transform of the blur, ``fftn`` of its kernel centred at the origin
    sigma : > 0

    Raises
    ------
    InvalidParameter : sigma is not above 0, or the transfer has another shape than the space.
    """

    noisy: Array
    transfer: Array
    sigma: float

    def __post_init__(self) -> None:
        positive("sigma", self.sigma, "a blur is undone against noise of some level")
        if tuple(self.transfer.shape) != tuple(self.noisy.shape[1:]):
            raise InvalidParameter(
                f"the transfer has shape {tuple(self.transfer.shape)}, the space of the image {self.noisy.shape[1:]}"
            )

    def __call__(self, estimate: Array, variance: float, /) -> Array:
        xp = array_api_compat.array_namespace(estimate)
        strength = xp.abs(self.transfer) ** 2
        missing = self.noisy - filtered(estimate, self.transfer)
        return estimate + filtered(missing, variance * xp.conj(self.transfer) / (variance * strength + self.sigma**2))


@dataclass(frozen=True, eq=False)
class PoissonData:
    """Photon noise, y = gain * Poisson(x / gain), not stabilised: the positive root of a quadratic.

        x = (b + sqrt(b^2 + 4 v y / gain)) / 2,   b = z - v / gain

    Parameters
    ----------
    noisy : (C, *space), the offset taken off; negative values count as no light.
    gain : > 0, units of the image for a photon
    """

    noisy: Array
    gain: float

    def __post_init__(self) -> None:
        positive("gain", self.gain, "it is the brightness of a photon")

    def __call__(self, estimate: Array, variance: float, /) -> Array:
        xp = array_api_compat.array_namespace(estimate)
        middle = estimate - variance / self.gain
        product = variance / self.gain * xp.clip(self.noisy, 0.0, None)
        root = xp.sqrt(middle * middle + 4.0 * product)
        # For dark pixels the sum loses its digits; the two roots of the quadratic have a known product.
        return xp.where(middle > 0.0, (middle + root) / 2.0, 2.0 * product / xp.clip(root - middle, 1e-30, None))


@dataclass(frozen=True, eq=False)
class KnownPixels:
    """Some pixels are known, the others are not: inpainting, and impulse noise once it is detected.

    Parameters
    ----------
    noisy : (C, *space)
    known : bool, of that shape
    sigma : of white noise on the known pixels, >= 0; 0 returns them as they are.
    """

    noisy: Array
    known: Array
    sigma: float = 0.0

    def __post_init__(self) -> None:
        not_negative("sigma", self.sigma, "0 takes known pixels as they are")
        if tuple(self.known.shape) != tuple(self.noisy.shape):
            raise InvalidParameter(f"known has shape {tuple(self.known.shape)}, the image {tuple(self.noisy.shape)}")

    def __call__(self, estimate: Array, variance: float, /) -> Array:
        xp = array_api_compat.array_namespace(estimate)
        trust = variance / (variance + self.sigma**2)
        return xp.where(self.known, estimate + trust * (self.noisy - estimate), estimate)


@dataclass(frozen=True, eq=False)
class PixelwiseData:
    """Any noise whose pixels are independent, by its own density: Rician, speckle and the rest; NumPy arrays.

    The step is found pixel by pixel by golden sections; the densities of this package have one maximum over the clean
    value. Where a closed form exists (Gaussian, Poisson), it is faster and the same.

    Parameters
    ----------
    noisy : (C, *space)
    noise : its parameters are in the units of ``noisy``
    """

    noisy: NDArray[Any]
    noise: PixelwiseNoise

    def __call__(self, estimate: NDArray[Any], variance: float, /) -> NDArray[Any]:
        observed, about = np.asarray(self.noisy, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
        margin = _REACH * (np.sqrt(self.noise.variance(np.maximum(observed, about))) + math.sqrt(variance))
        low = np.minimum(observed, about) - margin
        high = np.maximum(observed, about) + margin

        def cost(clean: NDArray[np.float64]) -> NDArray[np.float64]:
            return 0.5 * (clean - about) ** 2 / variance - self.noise.log_density(observed, clean)

        inner = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        costs = cost(inner[0]), cost(inner[1])
        for _ in range(_ROUNDS):
            left = costs[0] < costs[1]
            low, high = np.where(left, low, inner[0]), np.where(left, inner[1], high)
            kept, kept_cost = np.where(left, inner[0], inner[1]), np.where(left, costs[0], costs[1])
            fresh = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
            fresh_cost = cost(fresh)
            inner = np.where(left, fresh, kept), np.where(left, kept, fresh)
            costs = np.where(left, fresh_cost, kept_cost), np.where(left, kept_cost, fresh_cost)
        return np.asarray((low + high) / 2, dtype=self.noisy.dtype)


def filtered(image: Array, transfer: Array) -> Array:
    """(C, *space) convolved on a periodic grid with what has the transform ``transfer``, (*space) or (C, *space)."""
    xp = array_api_compat.array_namespace(image)
    axes = tuple(range(1, image.ndim))
    convolved = xp.fft.ifftn(xp.fft.fftn(image, axes=axes) * transfer, axes=axes)
    return xp.astype(xp.real(convolved), image.dtype)
