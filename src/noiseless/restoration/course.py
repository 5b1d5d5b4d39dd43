"""How far a restoration is: from the values that its denoisers have gone through to a share of the whole."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from noiseless.generation.calibration import PROBES
from noiseless.progress import listening
from noiseless.restoration.methods import ENSEMBLE
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.risk import PROBES as PROBES_OF_RISK

Progress: TypeAlias = Callable[[float, str], None]
"""Called with the share that is done, 0 to 1, never less than before, and what is being done, in words."""

FINDING, REMOVING, MEASURING, DRAWING, PREDICTING = (
    "finding the noise",
    "removing the noise",
    "measuring the error",
    "drawing samples",
    "predicting the PSNR",
)

FINDING_PASSES = 0.5
"""What a look for noise takes, in passes of the network over the image: half of one for photographs (``base``)."""

ALMOST = 0.99
"""The most of a stage that is told before it has ended: it may take longer than was thought."""


@dataclass
class Course:
    """Stages of a restoration, each of some passes over the image.

    Parameters
    ----------
    progress : is told
    values : of the image
    ahead : the stages, with their passes
    a_pass : values that denoisers go through in a pass; known when the noise has been removed
    """

    progress: Progress
    values: int
    ahead: dict[str, float]
    a_pass: float = 0.0
    behind: float = field(default=0.0, init=False)

    @contextmanager
    def stage(self, name: str, *, times: int = 1) -> Iterator[None]:
        """While a stage lasts; ``times``: how often it takes its passes, where that is known only now."""
        self.ahead[name] *= times
        passes, gone = self.ahead[name], 0.0
        whole = (self.behind + sum(self.ahead.values())) or 1.0

        def hear(values: float) -> None:
            nonlocal gone
            gone += values
            share = min(gone / ((self.a_pass or self.values) * passes), ALMOST) if passes else 0.0
            self.progress((self.behind + share * passes) / whole, name)

        self.progress(self.behind / whole, name)
        with listening(hear):
            yield
        self.behind += self.ahead.pop(name)
        if name == REMOVING and passes:
            self.a_pass = gone / passes
        self.progress(self.behind / whole, name)


def course_of(progress: Progress | None, values: int, recipe: Recipe, *, told: bool) -> Course:
    """The stages of a restoration of an image of so many values; ``told``: its noise is known."""
    # Each member of an ensemble is asked for its result and, for its risk, what it makes of some changes.
    members = len(recipe.members) * (1 + PROBES_OF_RISK) if recipe.method_name == ENSEMBLE else 1
    stages = {
        FINDING: 0.0 if told else FINDING_PASSES,
        REMOVING: 1.0 if recipe.samples else float(recipe.steps),
        MEASURING: float(PROBES * recipe.error),
        DRAWING: float(recipe.samples * recipe.steps),
        PREDICTING: float((1 + PROBES_OF_RISK) * recipe.predict),
    }
    return Course(progress or _unheard, values * members, stages)


def _unheard(share: float, text: str) -> None:
    """Nobody listens."""
