"""NumPy arrays for work that is done elsewhere, and back."""

from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array, Denoiser, Sigma


def in_main_memory(array: Array) -> NDArray[Any]:
    """An array of any library as one of NumPy."""
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)


def on_device(denoiser: Denoiser, like: Array) -> Denoiser:
    """The denoiser for NumPy arrays that does its work as ``like`` is: of its kind, on its device."""
    xp = array_api_compat.array_namespace(like)
    device = array_api_compat.device(like)

    def denoise_there(noisy: Array, sigma: Sigma, /) -> Array:
        level = sigma if isinstance(sigma, float) else xp.asarray(np.asarray(sigma), device=device)
        return in_main_memory(denoiser(xp.asarray(np.array(noisy), device=device), level))

    return denoise_there
