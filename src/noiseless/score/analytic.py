"""Priors whose score is known exactly: the oracles against which samplers, risks and error bars are tested."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidParameter


@dataclass(frozen=True, eq=False)
class GaussianPrior:
    """Pixels that are independent Gaussians: x ~ N(mean, std**2).

        E[x | y] = (std**2 y + sigma**2 mean) / (std**2 + sigma**2),   p_sigma = N(mean, std**2 + sigma**2)

    Parameters
    ----------
    mean, std : numbers, or arrays that broadcast against the image; std > 0

    Raises
    ------
    InvalidParameter : std is not above 0, or not finite.
    """

    mean: Any
    std: Any

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.std) > 0):
            raise InvalidParameter(f"std is {self.std}; a Gaussian prior needs a standard deviation above 0")

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        return (self.std**2 * noisy + sigma**2 * self.mean) / (self.std**2 + sigma**2)

    def reach(self, sigma: float, /) -> int:  # noqa: ARG002  pixels are independent, whatever sigma
        return 0

    def flow(self, noisy: Array, sigma: float, sigma_end: float) -> Array:
        """Where the probability flow takes ``noisy`` from ``sigma`` to ``sigma_end``, exactly."""
        shrink = ((self.std**2 + sigma_end**2) / (self.std**2 + sigma**2)) ** 0.5
        return self.mean + shrink * (noisy - self.mean)

    def posterior_variance(self, sigma: Sigma) -> Any:
        """Var[x | y], the same for every y: std**2 sigma**2 / (std**2 + sigma**2)."""
        return self.std**2 * sigma**2 / (self.std**2 + sigma**2)


@dataclass(frozen=True, eq=False)
class GaussianMixturePrior:
    """Pixels that are independent draws from a mixture of Gaussians: p(x) = sum_k w_k N(x; m_k, s_k^2).

    Given y = x + sigma n, x is again a mixture: component k, in which x is Gaussian as under :class:`GaussianPrior`,
    has the weight proportional to w_k N(y; m_k, s_k^2 + sigma^2).

    Parameters
    ----------
    weights, means, stds : (K,) arrays; weights > 0 of sum 1, stds > 0

    Raises
    ------
    InvalidParameter : the arrays differ in length, a weight or std is not above 0, or the weights do not add up to 1.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    stds: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("weights", "means", "stds"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        shapes = {self.weights.shape, self.means.shape, self.stds.shape}
        positive = bool((self.weights > 0).all() and (self.stds > 0).all())
        if len(shapes) != 1 or not positive or abs(self.weights.sum() - 1.0) > 1e-9:
            raise InvalidParameter(
                f"weights {self.weights}, means {self.means}, stds {self.stds}: give one of each for every component, "
                "weights above 0 that add up to 1, and stds above 0"
            )

    def __call__(self, noisy: NDArray[Any], sigma: float, /) -> NDArray[Any]:
        weights, means, _ = self.posterior(noisy, sigma)
        return np.asarray((weights * means).sum(axis=-1)).astype(noisy.dtype)

    def reach(self, sigma: float, /) -> int:  # noqa: ARG002  pixels are independent, whatever sigma
        return 0

    def posterior(
        self, noisy: NDArray[Any], sigma: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Weights, means and stds of p(x | y), one more axis of length K than ``noisy``; stds (K,)."""
        value = np.asarray(noisy, dtype=np.float64)[..., np.newaxis]
        total = self.stds**2 + sigma**2
        exponent = np.log(self.weights) - 0.5 * (value - self.means) ** 2 / total - 0.5 * np.log(total)
        weights = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        means = (self.stds**2 * value + sigma**2 * self.means) / total
        return weights, means, np.sqrt(self.stds**2 * sigma**2 / total)

    def posterior_variance(self, noisy: NDArray[Any], sigma: float) -> NDArray[np.float64]:
        """Var[x | y]: within the components and between them."""
        weights, means, stds = self.posterior(noisy, sigma)
        mean = (weights * means).sum(axis=-1, keepdims=True)
        return np.asarray((weights * (stds**2 + (means - mean) ** 2)).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class EmpiricalPrior:
    """A finite set of images, each as likely as the others: the exact denoiser of a data set.

        E[x | y] = sum_i w_i x_i,   w_i proportional to exp(-|y - x_i|**2 / (2 sigma**2))

    Parameters
    ----------
    images : (N, C, *space) float array, N >= 1

    Raises
    ------
    InvalidParameter : there is no image.
    """

    images: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        if self.images.ndim < 3 or self.images.shape[0] < 1:
            raise InvalidParameter(f"images has shape {self.images.shape}; give (N, C, *space) with N >= 1")

    def __call__(self, noisy: NDArray[Any], sigma: Sigma, /) -> NDArray[Any]:
        if np.any(np.asarray(sigma) <= 0):
            raise InvalidParameter("sigma must be above 0: without noise a finite set of images has no density")
        distance = ((self.images - noisy) / sigma).reshape(len(self.images), -1)
        exponent = -0.5 * np.square(distance.astype(np.float64)).sum(axis=1)
        weight = np.exp(exponent - exponent.max())
        mean = np.tensordot(weight / weight.sum(), self.images.astype(np.float64), axes=1)
        return np.asarray(mean).astype(noisy.dtype)
