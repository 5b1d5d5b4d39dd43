"""How much better a setting is than another, and how sure that is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from noiseless.names import Lazy, load
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.sample import SELF_SUPERVISED, STEIN, Sample

_STUDENT = Lazy("scipy.special:stdtrit")


@dataclass(frozen=True)
class Gain:
    """By how much the squared error is less.

    Parameters
    ----------
    fall : of the mean squared error, in units of the variance of the noise
    interval : where it is with 95 % probability
    left : the error that remains, in the same units; None where the risk has the noise in it
    cross_validated : True where it is of images on which the setting was not tuned, and the interval of their mean
    """

    fall: float
    interval: tuple[float, float]
    left: float | None
    cross_validated: bool

    @property
    def sure(self) -> bool:
        """Whether it is a gain with 95 % probability."""
        return self.interval[0] > 0.0

    def decibels(self, fall: float) -> float | None:
        """What a fall is in PSNR; None where the error that remains is not known."""
        if self.left is None or self.left <= 0.0 or self.left + fall <= 0.0:
            return None
        return 10.0 * math.log10((self.left + fall) / self.left)

    def summary(self) -> dict[str, Any]:
        """Plain values, for reports."""
        found: dict[str, Any] = {"fall": self.fall, "fall_interval": list(self.interval)}
        decibels, ends = self.decibels(self.fall), [self.decibels(end) for end in self.interval]
        if decibels is not None and None not in ends:
            found |= {"gain_db": decibels, "gain_db_interval": ends}
        return {**found, "cross_validated": self.cross_validated}


def gain_on(sample: Sample, usual: Recipe, tuned: Recipe, kind: str) -> Gain:
    """The gain on the very sample that the setting was tuned on, by its risk."""
    before, after = sample.risk(usual, kind), sample.risk(tuned, kind)
    if kind == SELF_SUPERVISED:
        # Its differences vary less than the losses, which share the noise; how much less is not known.
        error = math.hypot(before.standard_error, after.standard_error) if usual != tuned else 0.0
    else:
        error = sample.error_of_difference(usual, tuned)
    fall, half = (before.mse - after.mse) / sample.power, 1.96 * error / sample.power
    return Gain(fall, (fall - half, fall + half), _left(after.mse / sample.power, kind), cross_validated=False)


def cross_validated(
    samples: Sequence[Sample],
    usual: Recipe,
    tuned_on: Callable[[Sequence[Sample]], Recipe],
    kind: str,
    folds: int,
) -> Gain:
    """The gain on samples that the setting was not tuned on: each is left out once, with the others of its fold.

    Parameters
    ----------
    samples : two or more
    usual : what the gain is over
    tuned_on : tunes anew on what it is given
    kind : of the risk
    folds : 2 to as many as there are samples
    """
    falls, left = [], []
    for fold in range(folds):
        held_out = samples[fold::folds]
        tuned = tuned_on([sample for index, sample in enumerate(samples) if index % folds != fold])
        for sample in held_out:
            before, after = (sample.risk(recipe, kind).mse / sample.power for recipe in (usual, tuned))
            falls.append(before - after)
            left.append(after)
    fall, freedom = float(np.mean(falls)), len(falls) - 1
    half = float(load(_STUDENT)(freedom, 0.975) * np.std(falls, ddof=1)) / math.sqrt(len(falls))
    return Gain(fall, (fall - half, fall + half), _left(float(np.mean(left)), kind), cross_validated=True)


def _left(risk: float, kind: str) -> float | None:
    return risk if kind == STEIN else None
