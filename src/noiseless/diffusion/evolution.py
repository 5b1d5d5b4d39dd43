"""What the nonlinear filters have in common: a time, a contrast, a stepping, and the states on the way."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace

from noiseless.argument_checks import not_negative, positive, whole
from noiseless.denoiser import Array, Sigma
from noiseless.diffusion.arguments import (
    LARGEST,
    LEAST_CONTRAST,
    channel_sigmas,
    check_image,
    check_mask,
    check_spacing,
    spacing_of,
)
from noiseless.diffusion.stepping import EXPLICIT, SEMI_IMPLICIT, STEPPINGS, Cycle, check_step_size, cycles_for
from noiseless.diffusion.stopping import state_of_least_risk
from noiseless.errors import InvalidParameter
from noiseless.names import lookup

# Fitted: more channels and more neighbours average the noise sooner.
_CONTRAST_OF_CHANNELS = -1 / 7
_CONTRAST_OF_DIMENSIONS = -1 / 2
_TIME_OF_DIMENSIONS = -3 / 2
_LONGER = 2.0  # how far beyond the usual time the least risk is looked for


class State(NamedTuple):
    """The image after a diffusion time, in the unit of the spacing squared."""

    time: float
    image: Array


@dataclass(frozen=True, kw_only=True)
class Evolution(ABC):
    """A nonlinear image diffusion. Its kinds say by which equation; what follows is common to them.

    sigma rules the contrast, and everything else is a constant: D(a y, a sigma) = a D(y, sigma), and a tile is treated
    as it is in the whole image. The contrast falls as the noise does:

        contrast(t) = contrast_per_sigma * sigma / h * C^(-1/7) * (2 / D)^(1/2) * exp(-cooling * t / h^2)

    for C channels, D dimensions and the finest pixel h. Explicit and semi-implicit steps never leave the range of the
    image.

    Parameters
    ----------
    time : float > 0 or None
        How long it lasts, in the unit of ``spacing`` squared; longer removes more. None is usual_time * h^2 *
        (2 / D)^(3/2), where each filter has its usual_time.
    contrast_per_sigma : float > 0
        The contrast of a gray image in units of sigma per finest pixel. A larger one smooths stronger edges.
    contrast : float > 0 or None
        The contrast itself, in units of the image per unit of ``spacing``, for all channels and the whole time; it
        overrides the rule, and D(a y, a sigma) = a D(y, sigma) is then lost.
    cooling : float >= 0
        How fast the contrast falls. More keeps fainter edges, and needs more time to remove the noise.
    presmoothing : float from 0 to 10
        Standard deviation, in finest pixels, of the smoothing before gradients are measured. Without it noise passes
        for edges, and the equation is ill-posed.
    stepping : a name in ``STEPPINGS``: "explicit", "fast-explicit", "semi-implicit".
    step_size : float > 0 or None
        The most time that an explicit step, or a cycle of the others, may take, in the unit of ``spacing`` squared.
        A smaller one is more exact. None: what ``STEPPINGS`` says.
    least_risk : bool
        True stops at the time where Stein's estimate of the risk is least, at most twice ``time``, instead of at
        ``time``; for white Gaussian noise. It costs four to five times as much.
    spacing : size of a pixel along each spatial axis; empty means 1.
    threads : CPU threads for NumPy arrays; 0 lets it use all cores. The result is the same, to the bit.

    Raises
    ------
    InvalidParameter : a parameter or, when called, ``sigma`` or ``mask`` is out of its range; a step beyond the bound.
    InvalidImage : when called with something that is no finite (C, *space) float32 or float64 array.
    UnknownName : there is no such stepping.
    """

    time: float | None = None
    contrast_per_sigma: float = 0.25
    contrast: float | None = None
    cooling: float = 0.2
    presmoothing: float = 0.5
    stepping: str = EXPLICIT
    step_size: float | None = None
    least_risk: bool = False
    spacing: tuple[float, ...] = ()
    threads: int = 0

    usual_time: ClassVar[float] = 8.0
    steppings: ClassVar[tuple[str, ...]] = tuple(STEPPINGS)

    def __post_init__(self) -> None:
        check_spacing(self.spacing)
        lookup(STEPPINGS, self.stepping, kind="stepping")
        if self.stepping not in self.steppings:
            raise InvalidParameter(
                f"{type(self).__name__} cannot be stepped {self.stepping!r}: its tensor does not split into axes; "
                f"take {' or '.join(map(repr, self.steppings))}"
            )
        positive("contrast_per_sigma", self.contrast_per_sigma, "usually 0.25")
        if self.contrast is not None:
            positive("contrast", self.contrast, "usually 0.25 sigma a pixel")
        if self.time is not None:
            positive("time", self.time, "take sigma 0 to leave an image as is")
        not_negative("cooling", self.cooling, "it is a rate, usually 0.2")
        if not_negative("presmoothing", self.presmoothing, "it is a standard deviation from 0 to 10 pixels") > 10.0:
            raise InvalidParameter(
                f"presmoothing is {self.presmoothing:g}; it is a standard deviation from 0 to 10 pixels, usually 0.5"
            )
        whole("threads", self.threads, 0, "it is a number of threads, or 0 for all cores")
        if self.step_size is not None:
            check_step_size(self.step_size, self.spacing or (1.0, 1.0), self.stepping)

    def __call__(self, noisy: Array, sigma: Sigma, /, *, mask: Array | None = None) -> Array:
        """The image after the whole time.

        Parameters
        ----------
        noisy : (C, *space) float32 or float64 array of NumPy or torch
        sigma : standard deviation of the noise: a number or one a channel. A channel without noise is returned as it
            is, and guides no other.
        mask : (*space) bool array, True where there is image: nothing flows across its border, and what lies outside
            is returned as it is. None: everywhere.
        """
        if self.least_risk:
            longer = replace(self, least_risk=False, time=_LONGER * self._time(spacing_of(noisy, self.spacing)))
            return state_of_least_risk(longer.states, noisy, sigma, mask=mask).image
        evolve, channels, cycles = self._prepared(noisy, sigma, mask)
        return with_channels(noisy, channels, evolve(noisy[channels, ...], cycles) if channels else None)

    def states(
        self, noisy: Array, sigma: Sigma, /, *, mask: Array | None = None, most: int | None = None
    ) -> Iterator[State]:
        """The image at time 0 and then after each cycle, up to the whole time: to watch, to plot, to stop early.

        The first state is the image that was given, the last what calling gives, to the bit. ``most`` is how many
        may follow the first, at about equal distances; None lets it be as many as there are cycles.
        """
        if most is not None:
            whole("most", most, 1, "show at least one state")
        evolve, channels, cycles = self._prepared(noisy, sigma, mask)
        every = 1 if most is None else -(-len(cycles) // most)
        return self._states(evolve, noisy, channels, cycles, every)

    @property
    def reach(self) -> Callable[[float], int]:
        """(sigma) -> how far, in pixels along each axis, an output pixel looks.

        Raises
        ------
        AttributeError : it looks at the whole image: semi-implicit steps, or the time of least risk.
        """
        if self.least_risk or self.stepping == SEMI_IMPLICIT:
            raise AttributeError(f"{self.stepping} diffusion with least_risk={self.least_risk} sees the whole image")
        return self._reach

    def _reach(self, sigma: float) -> int:
        if sigma <= 0.0:
            return 0
        either = (self.spacing,) if self.spacing else ((1.0, 1.0), (1.0, 1.0, 1.0))
        return max(
            sum(self._reach_of_cycle(len(cycle.steps), spacing) for cycle in self._cycles(spacing))
            for spacing in either
        )

    def _states(
        self,
        evolve: "Callable[[Array, list[Cycle]], Array]",
        noisy: Array,
        channels: list[int],
        cycles: list[Cycle],
        every: int,
    ) -> Iterator[State]:
        yield State(0.0, array_namespace(noisy).asarray(noisy, copy=True))
        part, time = noisy[channels, ...], 0.0
        for first in range(0, len(cycles), every):
            now = cycles[first : first + every]
            part = evolve(part, now) if channels else part
            time += sum(sum(cycle.steps) for cycle in now)
            yield State(time, with_channels(noisy, channels, part))

    def _prepared(
        self, noisy: Array, sigma: Sigma, mask: Array | None
    ) -> "tuple[Callable[[Array, list[Cycle]], Array], list[int], list[Cycle]]":
        check_image(noisy, LARGEST)
        spacing = spacing_of(noisy, self.spacing)
        mask = None if mask is None else check_mask(mask, noisy)
        sigmas = channel_sigmas(noisy, sigma)
        if self.step_size is not None:
            check_step_size(self.step_size, spacing, self.stepping)
        channels = [channel for channel, level in enumerate(sigmas) if level > 0.0]
        contrasts = self._contrasts(tuple(sigmas[channel] for channel in channels), spacing)
        return (
            lambda image, cycles: self._evolve(image, contrasts, spacing, cycles, mask),
            channels,
            self._cycles(spacing),
        )

    def _time(self, spacing: tuple[float, ...]) -> float:
        if self.time is not None:
            return self.time
        of_dimensions: float = (len(spacing) / 2) ** _TIME_OF_DIMENSIONS
        return self.usual_time * min(spacing) ** 2 * of_dimensions

    def _contrasts(self, sigmas: tuple[float, ...], spacing: tuple[float, ...]) -> tuple[float, ...]:
        per_sigma = self.contrast_per_sigma / min(spacing) * max(len(sigmas), 1) ** _CONTRAST_OF_CHANNELS
        per_sigma *= (len(spacing) / 2) ** _CONTRAST_OF_DIMENSIONS
        contrasts = (per_sigma * sigma if self.contrast is None else self.contrast for sigma in sigmas)
        return tuple(max(contrast, LEAST_CONTRAST) for contrast in contrasts)

    def _cycles(self, spacing: tuple[float, ...]) -> list[Cycle]:
        cooling = self.cooling / min(spacing) ** 2 if self.contrast is None else 0.0
        return cycles_for(self._time(spacing), self.stepping, self.step_size, spacing, cooling, self._steps_a_cycle)

    _steps_a_cycle: ClassVar[int] = 1

    @abstractmethod
    def _reach_of_cycle(self, steps: int, spacing: tuple[float, ...]) -> int:
        """How far a pixel looks in one cycle of so many explicit steps."""

    @abstractmethod
    def _evolve(
        self,
        image: Array,
        contrasts: tuple[float, ...],
        spacing: tuple[float, ...],
        cycles: list[Cycle],
        mask: Array | None,
    ) -> Array:
        """The image after the cycles; all its channels have noise."""


def with_channels(noisy: Array, channels: list[int], part: Array | None) -> Array:
    """``noisy``, with ``part`` in the place of its ``channels``; a new array."""
    if part is not None and len(channels) == noisy.shape[0]:
        return part
    result = array_namespace(noisy).asarray(noisy, copy=True)
    if part is not None and channels:
        result[channels, ...] = part
    return result
