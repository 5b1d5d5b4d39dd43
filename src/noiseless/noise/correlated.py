"""Gaussian noise whose pixels depend on their neighbours: white noise after a filter, the same everywhere.

Demosaicking, resampling and compression blur the noise of photographs; the reconstruction of computed tomography
sharpens it. Both are stationary to a good approximation, and then a kernel, or the power spectrum, says everything.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, number
from noiseless.errors import InvalidImage, InvalidParameter

NARROWEST = 0.1
# A Gaussian of less than a tenth of a pixel gives its neighbours exp(-50): white noise.

SINGULAR = 1e-12
# Below this share of the mean power, rounding of the Fourier transform in float64 is as strong as the noise.


@dataclass(frozen=True, eq=False)
class Correlated:
    """Stationary Gaussian noise: noisy = clean + sigma * (kernel * n), n ~ N(0, I), with a kernel of unit energy.

    Parameters
    ----------
    sigma : >= 0, in the units of the image. Standard deviation of a pixel; larger is stronger.
    kernel : array of 1 to 3 axes, over as many of the last axes of the image. Its scale does not matter, its shape
        says how the noise is correlated: a wide positive kernel makes coarse blotches. Noise is white along the other
        axes, and from channel to channel. Kept as a read-only float64 copy of unit energy (sum of squares 1).

    Raises
    ------
    InvalidParameter : sigma is negative or not finite; kernel has no or more than 3 axes, is empty, not finite, or 0.

    See Also
    --------
    gaussian_kernel, ramp_kernel : two kernels of common use.
    """

    sigma: float
    kernel: NDArray[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", _checked_sigma(self.sigma))
        object.__setattr__(self, "kernel", _checked_kernel(self.kernel))

    @classmethod
    def from_spectrum(cls, power: NDArray[Any]) -> "Correlated":
        """The noise with a given power at every frequency of ``numpy.fft.fftn`` over the grid of ``power``.

        ``spectrum(power.shape)`` of the result is ``power``, and sigma^2 its mean. The kernel has the shape of
        ``power`` and no phase, so that it is symmetric about its centre.

        Raises
        ------
        InvalidParameter : power has no or more than 3 axes, is negative, not finite, or 0 everywhere; or differs
            between a frequency and its opposite, which the noise of a real image cannot.
        """
        values = np.asarray(power)
        if values.dtype.kind not in "iuf" or not 1 <= values.ndim <= 3 or values.size == 0:
            raise InvalidParameter(
                f"the spectrum has shape {values.shape} and type {values.dtype}; give real numbers on 1 to 3 axes"
            )
        bad = values[~(np.isfinite(values) & (values >= 0))]
        if bad.size:
            raise InvalidParameter(f"the spectrum has the value {bad.flat[0]:g}; power must be finite and >= 0")
        values = values.astype(np.float64)
        opposite = np.roll(np.flip(values), 1, axis=tuple(range(values.ndim)))
        if not np.allclose(values, opposite, rtol=1e-6, atol=1e-9 * values.max()):
            raise InvalidParameter(
                "the spectrum differs between f and -f, as no real noise does; "
                "give the power in the order of numpy.fft.fftn, symmetric about the frequency 0"
            )
        kernel = np.fft.fftshift(np.fft.ifftn(np.sqrt(values)).real)
        return cls(float(np.sqrt(values.mean())), kernel)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Correlated) and self.sigma == other.sigma and np.array_equal(self.kernel, other.kernel)

    def __hash__(self) -> int:
        return hash((self.sigma, self.kernel.shape, self.kernel.tobytes()))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype.

        White noise is drawn on a grid that is larger by the kernel, filtered, and cropped: stationary up to the
        border, and nothing wraps around.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, or has fewer spatial axes than the kernel.
        """
        if clean.dtype.kind != "f":
            raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")
        self._check_axes(clean.ndim - 1)
        draw: Any = np.float64 if clean.dtype.itemsize >= 8 else np.float32
        rank = self.kernel.ndim
        over = clean.shape[-rank:]
        # Beyond the reach of the kernel a circular convolution is a linear one: its first pixels are cropped away.
        padded = tuple(length + reach - 1 for length, reach in zip(over, self.kernel.shape, strict=True))
        white = rng.standard_normal(clean.shape[:-rank] + padded, dtype=draw)
        axes = tuple(range(-rank, 0))
        transfer = np.fft.rfftn(self.kernel.astype(draw), s=padded, axes=axes)
        filtered = np.fft.irfftn(np.fft.rfftn(white, axes=axes) * transfer, s=padded, axes=axes)
        inside: Any = (..., *(slice(reach - 1, None) for reach in self.kernel.shape))
        noise = filtered[inside]
        return np.asarray(clean + draw(self.sigma) * noise).astype(clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``: the noise has no bias."""
        return clean

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """sigma^2, as a read-only view of the shape of ``clean``; float32, or float64 where ``clean`` is."""
        dtype = np.result_type(clean.dtype, np.float32)
        return np.broadcast_to(np.asarray(self.sigma**2, dtype=dtype), clean.shape)

    def spectrum(self, space: tuple[int, ...]) -> NDArray[np.float64]:
        """Power at every frequency of ``numpy.fft.fftn`` over ``space``; its mean is sigma^2.

        The grid is periodic: a kernel larger than ``space`` wraps around, and is brought back to unit energy.

        Raises
        ------
        InvalidImage : ``space`` has fewer axes than the kernel.
        InvalidParameter : on so small a periodic grid the kernel cancels itself.
        """
        self._check_axes(len(space))
        rank = self.kernel.ndim
        over = space[-rank:]
        wrapped = np.zeros(over)
        places = np.ix_(*(np.arange(reach) % length for reach, length in zip(self.kernel.shape, over, strict=True)))
        np.add.at(wrapped, places, self.kernel)
        energy = float(np.square(wrapped).sum())
        if energy <= SINGULAR:
            raise InvalidParameter(f"the kernel cancels itself on a periodic grid of {over} pixels; use a larger image")
        power = self.sigma**2 / energy * np.abs(np.fft.fftn(wrapped)) ** 2
        return np.broadcast_to(power, space).copy()

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The log of the normal density of ``noisy - clean``, with the covariance of a periodic grid (Whittle).

        On it the Fourier coefficients are independent: -1/2 sum over frequencies of |R|^2 / S + log(2 pi S). The error
        is a border effect: relative to the whole about the width of the kernel over that of the image.

        Raises
        ------
        InvalidImage : the two images differ in shape, or have fewer spatial axes than the kernel.
        InvalidParameter : sigma is 0, or there are frequencies without power: there is no density then.
        """
        return spectral_log_likelihood(noisy, clean, self.spectrum(noisy.shape[1:]))

    def _check_axes(self, axes: int) -> None:
        if axes < self.kernel.ndim:
            raise InvalidImage(f"the kernel has {self.kernel.ndim} axes, the image {axes} in space; give it fewer axes")


def gaussian_kernel(width: float) -> NDArray[np.float64]:
    """A Gaussian in the plane, exp(-(y^2 + x^2) / (2 width^2)), cut off at four widths; (N, N), of unit energy.

    Parameters
    ----------
    width : standard deviation in pixels: 0, or 0.1 to 100. Larger makes coarser noise; below 0.1 it is white: [[1]].

    Raises
    ------
    InvalidParameter : width is negative, above 100, or not finite.
    """
    if not 0 <= number("width", width, "give the standard deviation in pixels, 0 to 100") <= 100:
        raise InvalidParameter(f"width is {width:g}; it must be from 0 to 100 pixels")
    if width < NARROWEST:
        return np.ones((1, 1))
    reach = int(np.ceil(4 * width))
    profile = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    profile /= np.sqrt(np.square(profile).sum())
    return np.outer(profile, profile)


def width_of_gaussian(kernel: NDArray[Any]) -> float | None:
    """The width for which :func:`gaussian_kernel` is ``kernel``, up to scale and rounding; None if there is none."""
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        return None
    centre = len(kernel) // 2
    if centre == 0:
        return 0.0
    first, second = float(kernel[centre, centre]), float(kernel[centre, centre + 1])
    if not first > second > 0:
        return None
    raw = float((2 * np.log(first / second)) ** -0.5)
    # The logarithm costs digits: of the numbers near it, the shortest that makes the kernel is the one meant.
    for digits in range(1, 17):
        width = float(f"{raw:.{digits}g}")
        if NARROWEST <= width <= 100:
            made = gaussian_kernel(width)
            if made.shape == kernel.shape and np.allclose(made, kernel, rtol=0, atol=1e-13):
                return width
    return None


def ramp_kernel(size: int) -> NDArray[np.float64]:
    """The kernel of noise with the power |f|, as filtered backprojection leaves it in computed tomography; (N, N).

    Noise of this kind has no power at frequency 0: it hardly touches flat areas, and has no density.

    Parameters
    ----------
    size : 3 to 1024, pixels a side. The spectrum is exact on a grid of this size; 64 is enough for most uses.

    References
    ----------
    Riederer, Pelc & Chesler 1978, Phys. Med. Biol. 23, 446, doi:10.1088/0031-9155/23/3/008.

    Raises
    ------
    InvalidParameter : size is not an integer from 3 to 1024.
    """
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 3 <= size <= 1024:
        raise InvalidParameter(f"size is {size!r}; it must be an integer from 3 to 1024 pixels")
    frequency = np.fft.fftfreq(size)
    return np.array(Correlated.from_spectrum(np.hypot(*np.meshgrid(frequency, frequency, indexing="ij"))).kernel)


def spectral_log_likelihood(noisy: NDArray[Any], clean: NDArray[Any], spectrum: NDArray[np.float64]) -> float:
    """The log-density of ``noisy - clean``, (C, *space), as stationary Gaussian noise of a ``spectrum`` over space.

    Raises
    ------
    InvalidImage : the two images differ in shape.
    InvalidParameter : the spectrum is of another shape; or is 0 somewhere, to rounding, where there is no density.
    """
    if noisy.shape != clean.shape:
        raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
    if spectrum.shape != noisy.shape[1:]:
        raise InvalidParameter(f"the spectrum has shape {spectrum.shape}; it must be that of space, {noisy.shape[1:]}")
    if not spectrum.min() > SINGULAR * spectrum.mean():
        raise InvalidParameter(
            f"the noise has the power {spectrum.min():g} at some frequency, so no density; add white noise to it"
        )
    axes = tuple(range(1, noisy.ndim))
    residual = np.fft.fftn(noisy.astype(np.float64) - clean.astype(np.float64), axes=axes, norm="ortho")
    terms = (residual.real**2 + residual.imag**2) / spectrum + np.log(2 * np.pi * spectrum)
    return float(-0.5 * terms.sum())


def _checked_sigma(sigma: Any) -> float:
    return not_negative("sigma", sigma, "give the standard deviation in image units")


def _checked_kernel(kernel: Any) -> NDArray[np.float64]:
    values = np.asarray(kernel)
    if values.dtype.kind not in "iuf" or not 1 <= values.ndim <= 3 or values.size == 0:
        raise InvalidParameter(
            f"the kernel has shape {values.shape} and type {values.dtype}; give real numbers on 1 to 3 axes"
        )
    kept = values.astype(np.float64)
    peak = float(np.abs(kept).max())
    if not 0 < peak < np.inf:
        raise InvalidParameter(f"the kernel has a greatest value of {peak:g}; it must be finite, and not 0 everywhere")
    kept /= peak  # squares of very large or small values would leave the range of float64
    norm = float(np.sqrt(np.square(kept).sum()))
    # A kernel of unit energy is kept to the bit, so that a model made from the kernel of another is equal to it.
    kept = values.astype(np.float64) if abs(norm * peak - 1) < 1e-14 else kept / norm
    kept.flags.writeable = False
    return kept
