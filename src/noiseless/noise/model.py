"""The one contract of step 1: what every model of noise can do."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class NoiseModel(Protocol):
    """A law p(noisy | clean), pixel by pixel or with a known correlation.

    A model is a frozen value; its parameters are in the units of the image it is used on.
    ``tests/laws/test_noise_models.py`` holds every entry of ``NOISE_MODELS`` to what is said here.
    """

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """One noisy version of ``clean``, (C, *space) float; same shape and dtype, ``clean`` is not written to."""
        ...

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """E[(noisy - E noisy)^2 | clean] for each pixel, in the shape of ``clean``, in squared image units."""
        ...

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The log of p(noisy | clean), summed over all pixels, in nats."""
        ...
