"""Stripes: every line of the image has an offset of its own, as amplifiers and scanners leave it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative
from noiseless.errors import InvalidImage, InvalidParameter


@dataclass(frozen=True)
class Stripes:
    """One Gaussian offset for every line, and white noise: noisy = clean + stripe * m(line) + sigma * n.

    All m and n are independent N(0, 1). Every channel, and every plane of a volume, has lines of its own.

    Parameters
    ----------
    stripe : >= 0, in the units of the image. Standard deviation of the offsets; larger is stronger.
    sigma : >= 0, in the units of the image. Standard deviation of the white noise.
    axis : 0 or 1, the axis of the plane (Y, X) along which the offset changes. 0: every row has an offset, and the
        stripes are horizontal. 1: every column has one, and they are vertical.

    Raises
    ------
    InvalidParameter : stripe or sigma is negative or not finite, or axis is neither 0 nor 1.
    """

    stripe: float
    sigma: float = 0.0
    axis: int = 0

    def __post_init__(self) -> None:
        for name in ("stripe", "sigma"):
            value = not_negative(name, getattr(self, name), "give the standard deviation in image units")
            object.__setattr__(self, name, value)
        if isinstance(self.axis, bool) or not isinstance(self.axis, int | np.integer) or self.axis not in (0, 1):
            raise InvalidParameter(f"axis is {self.axis!r}; it must be 0 (an offset a row) or 1 (an offset a column)")
        object.__setattr__(self, "axis", int(self.axis))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, or has no plane (Y, X).
        """
        if clean.dtype.kind != "f":
            raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")
        draw: Any = np.float64 if clean.dtype.itemsize >= 8 else np.float32
        lines = list(clean.shape)
        lines[self._along(clean.shape[1:])] = 1
        noisy: NDArray[Any] = clean + draw(self.stripe) * rng.standard_normal(lines, dtype=draw)
        if self.sigma > 0:
            noisy = noisy + draw(self.sigma) * rng.standard_normal(clean.shape, dtype=draw)
        return noisy.astype(clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``: the noise has no bias over many images, though within one the mean of a line has."""
        return clean

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """stripe^2 + sigma^2, as a read-only view of the shape of ``clean``; at least float32."""
        dtype = np.result_type(clean.dtype, np.float32)
        return np.broadcast_to(np.asarray(self.stripe**2 + self.sigma**2, dtype=dtype), clean.shape)

    def spectrum(self, space: tuple[int, ...]) -> NDArray[np.float64]:
        """sigma^2 at every frequency of ``numpy.fft.fftn``, and N stripe^2 more where that along the lines is 0.

        N is the length of a line in pixels. The grid is periodic, and here this is no approximation.

        Raises
        ------
        InvalidImage : ``space`` has fewer than two axes.
        """
        along = self._along(space)
        power = np.full(space, self.sigma**2)
        constant: list[Any] = [slice(None)] * len(space)
        constant[along] = 0
        power[tuple(constant)] += space[along] * self.stripe**2
        return power

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The exact log of the normal density, line by line.

        The covariance of a line of N pixels is sigma^2 I + stripe^2 1 1^T. By the matrix determinant lemma and
        Sherman & Morrison, with t = sigma^2 + N stripe^2 and the residual r of mean m, a line has
        -1/2 (|r - m|^2 / sigma^2 + N m^2 / t + (N - 1) log sigma^2 + log t + N log 2 pi).

        Raises
        ------
        InvalidImage : the two images differ in shape, or have no plane (Y, X).
        InvalidParameter : sigma is 0, where there is no density.
        """
        if noisy.shape != clean.shape:
            raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
        if self.sigma == 0:
            raise InvalidParameter("sigma is 0, where noise of stripes alone has no density; use a sigma above 0")
        along = self._along(noisy.shape[1:])
        residual = noisy.astype(np.float64) - clean.astype(np.float64)
        offset = residual.mean(axis=along, keepdims=True)
        length = noisy.shape[along]
        white, total = self.sigma**2, self.sigma**2 + length * self.stripe**2
        squares = np.square(residual - offset).sum() / white + length * np.square(offset).sum() / total
        determinant = offset.size * ((length - 1) * np.log(white) + np.log(total))
        return float(-0.5 * (squares + determinant + residual.size * np.log(2 * np.pi)))

    def _along(self, space: tuple[int, ...]) -> int:
        """The axis along which a line runs, counted from the end."""
        if len(space) < 2:
            raise InvalidImage(f"stripes need a plane (Y, X), and the image has {len(space)} axes in space")
        return -1 if self.axis == 0 else -2
