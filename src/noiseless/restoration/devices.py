"""NumPy arrays for work that is done elsewhere, and back."""

import importlib.util
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import word
from noiseless.denoiser import Array, Denoiser, LocalDenoiser, Sigma
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

_TENSOR_ON = Lazy("noiseless.score.devices:tensor_on", extra="torch")


def tensor_on(device: str | None) -> Array | None:
    """A torch tensor that lies on a device, to be given to :func:`on_device`; None for the CPU, where NumPy does it.

    Parameters
    ----------
    device : "cpu", "cuda", "cuda:1" and so on, "auto" for the first GPU if there is one; None is "cpu"

    Raises
    ------
    InvalidParameter : there is no such device.
    MissingExtra : a GPU is asked for, and torch is not installed.
    """
    if device is None or word("device", device, "use 'cpu', 'cuda', 'cuda:1' and so on, or 'auto'") == "cpu":
        return None
    if device == "auto" and importlib.util.find_spec("torch") is None:
        return None
    return load(_TENSOR_ON)(device)


@dataclass(frozen=True)
class LocalOnDevice:
    """A local denoiser for NumPy arrays that does its work as ``like`` is: of its kind, on its device.

    Parameters
    ----------
    denoiser : for arrays of that kind
    like : see :func:`tensor_on`
    """

    denoiser: LocalDenoiser
    like: Array

    def reach(self, sigma: float, /) -> int:
        """Of the denoiser."""
        return self.denoiser.reach(sigma)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        return on_device(self.denoiser, self.like)(noisy, sigma)


def in_main_memory(array: Array) -> NDArray[Any]:
    """An array of any library as one of NumPy."""
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)


def on_device(denoiser: Denoiser, like: Array) -> Denoiser:
    """The denoiser for NumPy arrays that does its work as ``like`` is: of its kind, on its device."""
    xp = array_api_compat.array_namespace(like)
    device = array_api_compat.device(like)

    def denoise_there(noisy: Array, sigma: Sigma, /) -> Array:
        level = sigma if isinstance(sigma, float) else xp.asarray(np.asarray(sigma), device=device)
        try:
            return in_main_memory(denoiser(xp.asarray(np.array(noisy), device=device), level))
        except MemoryError as error:
            raise InvalidParameter(
                f"the memory of {device} is too small for an image of shape {noisy.shape}; use --device cpu, or a TIFF "
                "file or zarr store with less --memory"
            ) from error

    return denoise_there
