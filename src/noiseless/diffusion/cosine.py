"""The cosine transform of type II: the eigenbasis of the Laplacian with a Neumann boundary, on NumPy and torch.

NumPy arrays go through scipy (imported when first needed), on all cores. Torch tensors go through the FFT of the
reordered signal, of the same length (Makhoul), on their own device. Both are orthonormal.

References
----------
Makhoul 1980, IEEE ASSP 28, 27, doi:10.1109/TASSP.1980.1163351.
"""

import math

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.names import Lazy, load

_FORWARD = Lazy("scipy.fft:dctn")
_BACKWARD = Lazy("scipy.fft:idctn")
_ALL_CORES = -1


def cosine_transform(image: Array) -> Array:
    """Orthonormal coefficients of a (C, *space) image over its spatial axes, of the same shape and dtype."""
    if is_numpy_array(image):
        return load(_FORWARD)(image, axes=range(1, image.ndim), norm="ortho", workers=_ALL_CORES)
    for axis in range(1, image.ndim):
        image = _forward(image, axis)
    return image


def inverse_cosine_transform(coefficients: Array) -> Array:
    """The inverse of :func:`cosine_transform`."""
    if is_numpy_array(coefficients):
        return load(_BACKWARD)(coefficients, axes=range(1, coefficients.ndim), norm="ortho", workers=_ALL_CORES)
    for axis in range(1, coefficients.ndim):
        coefficients = _backward(coefficients, axis)
    return coefficients


def laplacian_eigenvalues(size: int, spacing: float) -> NDArray[np.float64]:
    """Eigenvalues of minus the three-point Laplacian with a Neumann boundary, along one axis.

    lambda_k = (2 - 2 cos(pi k / size)) / spacing^2 = (2 sin(pi k / (2 size)) / spacing)^2,  k = 0 ... size - 1

    The eigenvector is cos(pi k (i + 1/2) / size). The values are those of the grid, not (pi k / size)^2 of the
    continuum: with them exp(-t lambda) has a positive kernel for every t, so diffusion keeps the range of the image.
    """
    eigenvalues: NDArray[np.float64] = (2.0 * np.sin(np.pi * np.arange(size) / (2 * size)) / spacing) ** 2
    return eigenvalues


def _forward(image: Array, axis: int) -> Array:
    xp = array_namespace(image)
    last = xp.moveaxis(image, axis, -1)
    reordered = xp.concat([last[..., 0::2], xp.flip(last[..., 1::2], axis=-1)], axis=-1)
    cosine, sine, scale = _twiddle(last)
    spectrum = xp.fft.fft(reordered, axis=-1)
    # Re(spectrum * exp(-i pi k / 2N)), written out so that no complex constant needs a dtype of its own.
    coefficients = (xp.real(spectrum) * cosine + xp.imag(spectrum) * sine) / scale
    return xp.moveaxis(coefficients, -1, axis)


def _backward(coefficients: Array, axis: int) -> Array:
    xp = array_namespace(coefficients)
    last = xp.moveaxis(coefficients, axis, -1)
    size = last.shape[-1]
    cosine, sine, scale = _twiddle(last)
    even = last * scale
    odd = xp.concat([xp.zeros_like(even[..., :1]), -xp.flip(even[..., 1:], axis=-1)], axis=-1)
    spectrum = (even * cosine - odd * sine) + 1j * (even * sine + odd * cosine)
    reordered = xp.real(xp.fft.ifft(spectrum, axis=-1))
    half = (size + 1) // 2
    image = xp.empty_like(last)
    image[..., 0::2] = reordered[..., :half]
    image[..., 1::2] = xp.flip(reordered[..., half:], axis=-1)
    return xp.moveaxis(image, -1, axis)


def _twiddle(last: Array) -> tuple[Array, Array, Array]:
    """Cosine and sine of pi k / 2N, and what divides Re(...) to make the coefficients orthonormal."""
    size = last.shape[-1]
    angle = np.pi * np.arange(size) / (2 * size)
    scale = np.full(size, math.sqrt(size / 2.0))
    scale[0] = math.sqrt(size)
    cosine, sine, divisor = (like(values, last) for values in (np.cos(angle), np.sin(angle), scale))
    return cosine, sine, divisor


def like(values: NDArray[np.float64], array: Array) -> Array:
    """Float64 values as an array of the kind, dtype and device of ``array``."""
    return array_namespace(array).asarray(values, dtype=array.dtype, device=device(array))
