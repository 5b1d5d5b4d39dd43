"""Additive white Gaussian noise of one strength, or of one strength a channel or a pixel."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import shown
from noiseless.errors import InvalidImage, InvalidParameter


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Noise that does not look at the image: noisy = clean + sigma * n, n ~ N(0, I).

    Parameters
    ----------
    sigma : number or array, >= 0, in the units of the image
        Standard deviation. An array broadcasts against (C, *space): (C, 1, 1) is one sigma a channel, (Y, X) one a
        pixel. A larger sigma is stronger noise; 0 is none. Kept as a float, or as a read-only copy.

    Raises
    ------
    InvalidParameter : sigma is negative, NaN, infinite, or not a number.
    """

    sigma: float | NDArray[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", _checked(self.sigma))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gaussian) and np.array_equal(self.sigma, other.sigma)

    def __hash__(self) -> int:
        return hash((np.shape(self.sigma), tuple(np.ravel(self.sigma).tolist())))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """A noisy version of ``clean``, of its shape and dtype; never clipped, since clipping biases the noise.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype, which could not hold the noise.
        InvalidParameter : the map of sigma does not broadcast to the shape of ``clean``.
        """
        if clean.dtype.kind != "f":
            raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")
        sigma = self._over(clean)
        # The generator draws float32 and float64 only; float16 is drawn in float32 and rounded once.
        draw: Any = np.float64 if clean.dtype.itemsize >= 8 else np.float32
        normal = rng.standard_normal(clean.shape, dtype=draw)
        noisy: NDArray[Any] = clean + sigma.astype(draw) * normal
        return noisy.astype(clean.dtype)

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """sigma^2, as a read-only view of the shape of ``clean``; float32, or float64 where ``clean`` is.

        Raises
        ------
        InvalidParameter : the map of sigma does not broadcast to the shape of ``clean``.
        """
        dtype = np.result_type(clean.dtype, np.float32)
        return np.broadcast_to((self._over(clean) ** 2).astype(dtype), clean.shape)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``: the noise has no bias."""
        return clean

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        """-(noisy - clean)^2 / (2 sigma^2) - log(2 pi sigma^2) / 2 for each pixel.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        InvalidParameter : sigma is 0 somewhere, where there is no density; or its map does not broadcast.
        """
        if noisy.shape != clean.shape:
            raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
        sigma = self._over(clean)
        if not np.all(sigma > 0):
            raise InvalidParameter("sigma is 0, where Gaussian noise has no density; use a sigma above 0")
        z = (noisy.astype(np.float64) - clean.astype(np.float64)) / sigma
        return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels, with its errors."""
        return float(self.log_density(noisy, clean).sum())

    def _over(self, clean: NDArray[Any]) -> NDArray[np.float64]:
        """Sigma in float64, after a check that it broadcasts to ``clean`` and not the other way round."""
        sigma = np.asarray(self.sigma, dtype=np.float64)
        fits = sigma.ndim <= clean.ndim and all(
            length in (1, full) for length, full in zip(sigma.shape[::-1], clean.shape[::-1], strict=False)
        )
        if not fits:
            raise InvalidParameter(
                f"the map of sigma has shape {sigma.shape}, which does not broadcast to the image of shape "
                f"{clean.shape}; use one value a channel (C, 1, 1) or one a pixel"
            )
        return sigma


def _checked(sigma: Any) -> float | NDArray[Any]:
    try:
        values = np.asarray(sigma)
    except ValueError:  # lists of unequal length
        values = np.asarray(None)
    if values.dtype.kind not in "iuf" or values.size == 0:
        raise InvalidParameter(f"sigma is {shown(sigma)}; it must be a number, or an array of numbers, >= 0")
    bad = values[~(np.isfinite(values) & (values >= 0))]
    if bad.size:
        raise InvalidParameter(
            f"sigma is {bad.flat[0]:g}; it must be finite and >= 0: give the standard deviation in image units"
        )
    if values.ndim == 0:
        return float(values)
    kept = values.astype(values.dtype if values.dtype.kind == "f" else np.float64, copy=True)
    kept.flags.writeable = False
    return kept
