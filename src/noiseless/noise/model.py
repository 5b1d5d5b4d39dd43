"""The contracts of step 1: what every model of noise can do, and what some can do besides."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class NoiseModel(Protocol):
    """A law p(noisy | clean) of images (C, *space).

    A model is a frozen value; its parameters are in the units of the image it is used on.
    ``tests/laws/test_noise_models.py`` holds every entry of ``NOISE_MODELS`` to what is said here.
    """

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """One noisy version of ``clean``, (C, *space) float; same shape and dtype, ``clean`` is not written to."""
        ...

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """E[noisy | clean] for each pixel: ``clean`` itself where the noise has no bias."""
        ...

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """E[(noisy - E noisy)^2 | clean] for each pixel, in the shape of ``clean``, in squared image units."""
        ...

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The log of p(noisy | clean), summed over all pixels, in nats; -inf where ``noisy`` cannot be."""
        ...


@runtime_checkable
class PixelwiseNoise(NoiseModel, Protocol):
    """Noise whose pixels are independent given the clean image."""

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        """The log of p(noisy | clean) for each pixel; its sum is the log-likelihood."""
        ...


@runtime_checkable
class StabilisableNoise(NoiseModel, Protocol):
    """Noise that a pointwise map turns into white noise of standard deviation about 1, whatever the clean image."""

    def stabilise(self, noisy: NDArray[Any]) -> NDArray[Any]:
        """f(noisy), increasing, with var f(noisy) about 1."""
        ...

    def unstabilise(self, stabilised: NDArray[Any]) -> NDArray[Any]:
        """The exact unbiased inverse: the clean value for which E[f(noisy) | clean] is the given one."""
        ...


@runtime_checkable
class StationaryNoise(NoiseModel, Protocol):
    """Additive Gaussian noise with the same correlation everywhere in the image."""

    def spectrum(self, space: tuple[int, ...]) -> NDArray[np.float64]:
        """Its power at every frequency of ``numpy.fft.fftn`` over ``space``: sigma^2 everywhere for white noise.

        The mean of the spectrum is the variance of a pixel. The grid is taken to be periodic.
        """
        ...


@runtime_checkable
class ImpulsiveNoise(NoiseModel, Protocol):
    """Noise that replaces some pixels and leaves the others as they are."""

    def detect(self, noisy: NDArray[Any]) -> NDArray[np.bool_]:
        """Which pixels were replaced, as far as can be told from their neighbours; (C, *space) bool."""
        ...
