"""How much work a frame gets: the best effort that its latency budget allows, without flicker between two efforts.

A step down is taken at once, since a late frame cannot be made good. A step up waits until the better effort has been
predicted to fit, with room to spare, for many frames in a row; and each time a step up turns out wrong soon after, the
wait doubles, so that a load at the edge between two efforts does not make the picture pump.
"""

import math
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from noiseless.argument_checks import positive, shown, word
from noiseless.errors import InvalidParameter

WEIGHT = 0.3
"""Of the newest frame in the average of recent ones: after five frames, old load counts for a sixth."""

RECENT = 15
SPARE = 0.2
PATIENCE = 30
"""Frames, one second of most cameras, that a better effort must be predicted to fit before it is taken."""

MOST_PATIENCE = 32 * PATIENCE

EXPIRY, IDLE = 10, 1 / 3
"""Where so many times the patience long no more than a third of the time is used, the better effort is tried whatever
it took before: the machine may have been busy with something else."""


@dataclass(frozen=True)
class Effort:
    """How one frame is denoised.

    Parameters
    ----------
    model : base, tiny, none (earlier frames alone), or another that the denoiser knows
    motion : flow follows motion from frame to frame, none takes what moves from one frame alone
    """

    model: str
    motion: str

    def __str__(self) -> str:
        return f"{self.model}/{self.motion}"


EFFORTS = (Effort("base", "flow"), Effort("tiny", "flow"), Effort("tiny", "none"), Effort("none", "none"))
"""From best to cheapest."""

MODELS, MOTIONS = ("base", "tiny", "none"), ("flow", "none")


def efforts_for(model: str, motion: str, *, budget_ms: float | None) -> tuple[Effort, ...]:
    """The efforts that may be used, from best to cheapest; the first alone where there is no budget to meet.

    Parameters
    ----------
    model, motion : as in :class:`Effort`, or auto: what the budget allows
    budget_ms : None: as long as it takes

    Raises
    ------
    InvalidParameter : no such motion, or a budget that is not positive. What models there are the denoiser knows.
    """
    word("model", model, "the name of a shipped model, the path of a checkpoint, or 'auto'")
    if not isinstance(motion, str) or motion not in (*MOTIONS, "auto"):
        raise InvalidParameter(f"motion is {shown(motion)}; use {', '.join(MOTIONS)} or auto")
    if budget_ms is not None:
        positive("budget_ms", budget_ms, "give some milliseconds, such as 40 for 25 frames a second")
    if model == motion == "auto":
        allowed: tuple[Effort, ...] = EFFORTS
    else:
        models = MODELS if model == "auto" else (model,)
        motions = MOTIONS if motion == "auto" else (motion,)
        allowed = tuple(Effort(one, other) for one in models for other in motions)
    return allowed if budget_ms is not None else allowed[:1]


class Controller:
    """Chooses the effort of each frame from what the frames before took. Pure arithmetic: it reads no clock.

    Parameters
    ----------
    efforts : from best to cheapest
    budget_s : from the arrival of a frame to its denoised pixels; None never leaves the first effort
    patience : frames that a better effort must be predicted to fit before it is taken
    """

    def __init__(self, efforts: Sequence[Effort], budget_s: float | None, *, patience: int = PATIENCE) -> None:
        self._paces = [_Pace(effort) for effort in efforts]
        self._budget_s = math.inf if budget_s is None else budget_s
        self._least_patience = self._patience = patience
        self._level = 0
        self._fitting = 0  # frames in a row for which the next better effort was predicted to fit
        self._since_measured = 0  # frames in a row that left most of the time unused
        self._since_climb: int | None = None  # frames since the last step up; None where it has proved itself

    @property
    def effort(self) -> Effort:
        return self._paces[self._level].effort

    def choose(self, waited_s: float, *, interval_s: float = math.inf) -> Effort:
        """The effort for the next frame.

        Parameters
        ----------
        waited_s : how long it has waited since it arrived
        interval_s : between frames of the source, where they cannot be told to wait: slower work loses frames
        """
        limit = min(self._budget_s - waited_s, interval_s) if math.isfinite(self._budget_s) else math.inf
        here = self._paces[self._level]
        if here.is_known and here.expected > limit and self._level + 1 < len(self._paces):
            self._step_down()
        elif self._level > 0:
            self._consider_step_up(limit)
        return self.effort

    def is_stale(self, waited_s: float) -> bool:
        """Whether a frame has waited so long that a fresher one should take its place.

        That is where waiting, not work, breaks the budget; where the work itself does, a cheaper effort is the remedy,
        unless there is none.
        """
        expected = self._paces[self._level].expected
        is_cheapest = self._level + 1 == len(self._paces)
        return waited_s + expected > self._budget_s and (is_cheapest or expected <= self._budget_s)

    def observe(self, seconds: float) -> None:
        """Learn how long the work on a frame took at the present effort."""
        self._paces[self._level].add(seconds)
        if self._since_climb is not None:
            self._since_climb += 1
            if self._since_climb > self._patience:
                self._since_climb, self._patience = None, self._least_patience

    def _step_down(self) -> None:
        if self._since_climb is not None:
            self._patience = min(2 * self._patience, MOST_PATIENCE)
        self._since_climb, self._fitting, self._since_measured = None, 0, 0
        self._level += 1
        self._paces[self._level].begin_reference()

    def _consider_step_up(self, limit: float) -> None:
        here, better = self._paces[self._level], self._paces[self._level - 1]
        predicted = better.usual * here.relative_load
        self._fitting = self._fitting + 1 if predicted <= (1.0 - SPARE) * limit else 0
        self._since_measured = self._since_measured + 1 if here.expected <= IDLE * limit else 0
        if self._fitting >= self._patience or self._since_measured >= EXPIRY * self._patience:
            self._level -= 1
            self._since_climb, self._fitting, self._since_measured = 0, 0, 0
            better.begin_anew(min(predicted, limit))


class _Pace:
    """What frames take at one effort."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._average = self._before = self._latest = 0.0
        self._seen = 0
        self._reference = 0.0
        self._referenced = 0

    def add(self, seconds: float) -> None:
        self._seen += 1
        # The very first frame also loads the network: it stands in until there is a second one, and judges nothing.
        blended = self._average + WEIGHT * (seconds - self._average)
        self._average = seconds if self._seen <= 2 else blended
        if self._seen == 2:
            self._recent.clear()
        self._recent.append(seconds)
        self._before, self._latest = self._latest, seconds
        if self._seen > 1 and self._referenced < RECENT // 3:
            self._referenced += 1
            self._reference = max(self._reference, seconds)

    @property
    def is_known(self) -> bool:
        return self._seen >= 2

    @property
    def expected(self) -> float:
        """Seconds for the next frame: the average, or more where two frames in a row took more; 0 where unknown."""
        if not self.is_known:
            return 0.0
        return max(self._average, min(self._before, self._latest))

    @property
    def usual(self) -> float:
        """Seconds of the middle one of recent frames: the hiccup that drove the effort down does not bar its return."""
        return statistics.median(self._recent) if self._recent else 0.0

    @property
    def relative_load(self) -> float:
        """How busy the machine is now, compared with the first frames after the effort was taken (1: the same).

        A better effort was last measured just before those, so this brings its time up to date.
        """
        return self._average / self._reference if self._reference > 0.0 else 1.0

    def begin_anew(self, predicted: float) -> None:
        """Forget the late frames that drove the effort down, or they would again."""
        self._average = self._before = self._latest = predicted

    def begin_reference(self) -> None:
        """What follows is what the time of the next better effort, just measured, compares with."""
        self._reference, self._referenced = 0.0, 0
