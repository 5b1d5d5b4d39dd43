"""Rounding to steps, as 8-bit files do it, taken as noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import positive
from noiseless.errors import InvalidImage


@dataclass(frozen=True)
class Quantisation:
    """The image on the grid of multiples of a step: noisy = step * round(clean / step).

    Rounding draws nothing at random: for one clean value the outcome is certain, and wrong by up to half a step. What
    is random is where in its step a value lies. So ``sample`` rounds, and the moments and the density are those over
    a uniform place in the step, the usual model: unbiased, of variance step^2 / 12, uniform on +-step / 2. The model is
    close where the clean image, or the noise in it before rounding, varies by a step or more from pixel to pixel;
    on one flat value it is wrong, and the laws of sampling that are tested on flat images cannot hold.

    Parameters
    ----------
    step : > 0, in the units of the image. 1 for 8-bit files; larger is coarser.

    Raises
    ------
    InvalidParameter : step is not positive and finite.

    References
    ----------
    Widrow, Kollár & Liu 1996, IEEE Trans. Instrum. Meas. 45, 353, doi:10.1109/19.492748.
    """

    step: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", positive("step", self.step, "give the spacing in image units"))

    def sample(self, clean: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """``clean`` rounded to the nearest multiple of the step; a new array of its shape and dtype.

        ``rng`` is not used. Halves go to the even multiple, so that rounding has no drift.

        Raises
        ------
        InvalidImage : ``clean`` is not of floating dtype.
        """
        del rng
        if clean.dtype.kind != "f":
            raise InvalidImage(f"noise needs a floating-point image, not {clean.dtype}; convert it with astype first")
        return (np.round(clean.astype(np.float64) / self.step) * self.step).astype(clean.dtype)

    def mean(self, clean: NDArray[Any]) -> NDArray[Any]:
        """``clean``, on average over the place in the step."""
        return clean

    def variance(self, clean: NDArray[Any]) -> NDArray[Any]:
        """step^2 / 12, as a read-only view of the shape of ``clean``; float32, or float64 where ``clean`` is."""
        dtype = np.result_type(clean.dtype, np.float32)
        return np.broadcast_to(np.asarray(self.step**2 / 12, dtype=dtype), clean.shape)

    def log_density(self, noisy: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        """-log(step) within half a step of ``clean``, -inf beyond.

        Raises
        ------
        InvalidImage : the two images differ in shape.
        """
        if noisy.shape != clean.shape:
            raise InvalidImage(f"noisy has shape {noisy.shape}, clean has {clean.shape}; they must be the same")
        noisy_64, clean_64 = noisy.astype(np.float64), clean.astype(np.float64)
        # Both images were rounded to their type once: by half a unit in the last place each, and so is their distance.
        unit = max(np.finfo(image.dtype).eps if image.dtype.kind == "f" else 0.0 for image in (noisy, clean))
        slack = unit * np.maximum(np.abs(noisy_64), np.abs(clean_64))
        return np.where(np.abs(noisy_64 - clean_64) <= self.step / 2 + slack, -np.log(self.step), -np.inf)

    def log_likelihood(self, noisy: NDArray[Any], clean: NDArray[Any]) -> float:
        """The sum of :meth:`log_density` over all pixels."""
        return float(self.log_density(noisy, clean).sum())
