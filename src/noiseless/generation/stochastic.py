"""Samplers that draw noise: the reverse process from an observation makes draws of the posterior.

For y = x + sigma n the forward process passes through y at the time sigma, so run backwards from y it draws x from
p(x | y): no guidance by the likelihood is needed. Its state at a lower level s is bound to the start,

    y = x_s + sqrt(sigma^2 - s^2) n',    grad log p(x_s | y) = (D(x_s, s) - x_s) / s^2 + (y - x_s) / (sigma^2 - s^2).
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from noiseless.argument_checks import positive, whole
from noiseless.denoiser import Array, Denoiser
from noiseless.generation.deterministic import Euler
from noiseless.generation.randomness import Normal
from noiseless.generation.sampler import State


@dataclass(frozen=True)
class Ancestral:
    """The reverse process step by step, one denoiser call each: a draw from p(x_s' | x_s, x = D(x_s, s)).

        x' = D + (s' / s)^2 (x_s - D) + s' sqrt(1 - (s' / s)^2) n

    First order in law: D stands for a draw of x, so that long steps draw too little spread.

    References
    ----------
    Ho, Jain, Abbeel, NeurIPS 2020, arXiv:2006.11239, equation 7; Song and others, ICLR 2021, arXiv:2011.13456.
    """

    random: ClassVar[bool] = True

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:
        if sigma_next == 0.0:
            return Euler().step(denoiser, state, sigma_next, normal)
        denoised = denoiser(state.image, state.sigma)
        kept = (sigma_next / state.sigma) ** 2
        spread = sigma_next * math.sqrt(1.0 - kept)
        image = denoised + kept * (state.image - denoised) + spread * normal(state.image)
        return state.moved(image, sigma_next, denoised)


@dataclass(frozen=True)
class PredictorCorrector:
    """An ancestral step, then Langevin steps at the level that was reached, which undo part of its error.

    Parameters
    ----------
    corrections : Langevin steps after each ancestral step, one denoiser call each
    length : of a Langevin step, see :func:`langevin_step`

    References
    ----------
    Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole, ICLR 2021, arXiv:2011.13456, algorithm 1.
    """

    corrections: int = 1
    length: float = 0.2
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_walk("corrections", self.corrections, self.length)

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:
        state = Ancestral().step(denoiser, state, sigma_next, normal)
        return state if sigma_next == 0.0 else walk(denoiser, state, self.corrections, self.length, normal)


@dataclass(frozen=True)
class AnnealedLangevin:
    """Langevin steps alone, level after level: no step relies on the one before having been right.

    Parameters
    ----------
    walks : Langevin steps at each level, one denoiser call each
    length : of one, see :func:`langevin_step`

    References
    ----------
    Song & Ermon, NeurIPS 2019, arXiv:1907.05600; given an observation: Kawar, Vaksman, Elad 2021, arXiv:2101.09552.
    """

    walks: int = 3
    length: float = 0.3
    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check_walk("walks", self.walks, self.length)

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:
        if sigma_next == 0.0:
            return Euler().step(denoiser, state, sigma_next, normal)
        # The image keeps its place: the first walk at the new level takes away the noise that is too much for it.
        here = state.moved(state.image, sigma_next, state.image)
        return walk(denoiser, here, self.walks, self.length, normal)


def walk(denoiser: Denoiser, state: State, count: int, length: float, normal: Normal) -> State:
    """The state after ``count`` Langevin steps at its own level."""
    image, denoised = state.image, state.denoised
    for _ in range(count):
        denoised = denoiser(image, state.sigma)
        image = langevin_step(image, denoised, state, length, normal)
    return replace(state, image=image, denoised=denoised)


def langevin_step(image: Array, denoised: Array, state: State, length: float, normal: Normal) -> Array:
    """One step of Langevin dynamics that keeps p(x_s | start).

    Were the clean image known to be D, x_s given the start would be normal, with

        mean (1 - u^2) D + u^2 start,   variance s^2 (1 - u^2),   u = s / start_sigma.

    The step is the exact solution, over the time ``length`` of that law's relaxation, with D held: stable at any
    length, and for short ones the usual step along grad log p(x_s | start) with noise.
    """
    share = (state.sigma / state.start_sigma) ** 2
    mean = (1.0 - share) * denoised + share * state.start
    kept = math.exp(-length)
    spread = state.sigma * math.sqrt((1.0 - share) * (1.0 - kept**2))
    return mean + kept * (image - mean) + spread * normal(image)


def _check_walk(name: str, count: int, length: float) -> None:
    whole(name, count, 1, "use 1 Langevin step at each level, or more")
    positive("length", length, "it is that of a Langevin step, usually 0.2")
