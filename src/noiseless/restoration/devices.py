"""Denoisers of NumPy arrays that do their work elsewhere."""

import array_api_compat
import numpy as np

from noiseless.denoiser import Array, Denoiser, Sigma


def on_device(denoiser: Denoiser, like: Array) -> Denoiser:
    """The denoiser for NumPy arrays that does its work as ``like`` is: of its kind, on its device."""
    xp = array_api_compat.array_namespace(like)
    device = array_api_compat.device(like)

    def denoise_there(noisy: Array, sigma: Sigma, /) -> Array:
        level = sigma if isinstance(sigma, float) else xp.asarray(np.asarray(sigma), device=device)
        return np.asarray(denoiser(xp.asarray(np.array(noisy), device=device), level).cpu().numpy())

    return denoise_there
