"""What an estimate of noise says: the model, how far to trust it, why, and what it cannot know."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.noise.gaussian import Gaussian
from noiseless.noise.model import NoiseModel

HIGH, MODERATE = 0.7, 0.4
"""Confidence from which the trust is called high, or moderate. At 0.7 the expected error of sigma is 3.3 %."""

INNER = ("background", "first", "quantisation", "second", "impulses")
# The parts of the compositions, in their order.


@dataclass(frozen=True)
class NoiseEstimate:
    """A noise model read from one image, with what is known about its truth.

    Parameters
    ----------
    model : the noise, in the units of the image it was read from.
    confidence : 0 to 1. From the expected relative error e: 1 / (1 + (e / 5 %)^2), so 5 % gives one half; at most
        0.2 where a warning says that an assumption failed; 0 where nothing could be measured.
    reason : one sentence: what the estimate rests on.
    warnings : one sentence for each thing that makes it doubtful; empty when there is none.
    compressed : True where the blocks of JPEG show: what they took of the noise cannot be told from the image.
    """

    model: NoiseModel
    confidence: float
    reason: str
    warnings: tuple[str, ...] = ()
    compressed: bool = False

    @property
    def kind(self) -> str:
        """The kind of noise, as the notation names it; parts of a composition joined by " + "."""
        return " + ".join(_kind(part) for part in parts_of(self.model))

    @property
    def trust(self) -> str:
        """The confidence in a word: "high", "moderate", "low", or "none": cannot tell."""
        if self.confidence == 0.0:
            return "none"
        return "high" if self.confidence >= HIGH else "moderate" if self.confidence >= MODERATE else "low"

    @property
    def sigma(self) -> float | NDArray[Any]:
        """The standard deviation of Gaussian noise: a number, or (C, 1, 1) with one a channel.

        Raises
        ------
        AttributeError : the model is of another kind.
        """
        if not isinstance(self.model, Gaussian):
            raise AttributeError(f"{type(self.model).__name__} noise has no sigma; use model.variance(clean)")
        return self.model.sigma

    def summary(self) -> dict[str, Any]:
        """The estimate as plain values, for reports: arrays as one number a channel, or as their range."""
        parameters: dict[str, Any] = {}
        for part in parts_of(self.model):
            values = {field.name: _plain(getattr(part, field.name)) for field in dataclasses.fields(part)}  # type: ignore[arg-type]
            clash = set(values) & set(parameters)
            parameters |= {f"{_kind(part)} {name}" if name in clash else name: v for name, v in values.items()}
        sigma = {"sigma": parameters["sigma"]} if isinstance(self.model, Gaussian) else {}
        return {
            "noise": self.kind,
            "parameters": parameters,
            **sigma,
            "confidence": self.confidence,
            "trust": self.trust,
            "reason": self.reason,
            "warnings": list(self.warnings),
        }


def parts_of(model: NoiseModel) -> list[NoiseModel]:
    """The simple models that a composition is made of, in their order; the model itself where it is simple."""
    inner = [getattr(model, name) for name in INNER if hasattr(model, name)]
    return [part for model in inner for part in parts_of(model)] if inner else [model]


def _kind(model: NoiseModel) -> str:
    """PoissonGaussian is poisson-gaussian."""
    return re.sub("(?<!^)(?=[A-Z])", "-", type(model).__name__).lower()


def _plain(value: Any) -> Any:
    values = np.asarray(value)
    if values.ndim == 0:
        return values.item()
    if values.size == values.shape[0]:
        return values.reshape(-1).tolist() if values.size > 1 else float(values.reshape(-1)[0])
    return {"min": float(values.min()), "max": float(values.max())}
