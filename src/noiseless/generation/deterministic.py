"""Solvers of the probability-flow equation dx / dsigma = (x - D(x, sigma)) / sigma."""

import math
from dataclasses import dataclass
from typing import ClassVar

from noiseless.denoiser import Array, Denoiser
from noiseless.generation.randomness import Normal
from noiseless.generation.sampler import State


def slope(image: Array, denoised: Array, sigma: float) -> Array:
    """Dx / dsigma of the probability flow, which is also eps(x, sigma)."""
    return (image - denoised) / sigma


@dataclass(frozen=True)
class Euler:
    """First order, one denoiser call a step.

        x' = x + (sigma' - sigma) (x - D(x, sigma)) / sigma

    This is DDIM (Denoising Diffusion Implicit Models) at eta = 0, in the variance-exploding parametrisation. One
    step to sigma' = 0 gives D(x, sigma): the posterior mean is the sampler with a single step.

    References
    ----------
    Song, Meng, Ermon, ICLR 2021, arXiv:2010.02502.
    """

    order: ClassVar[int] = 1
    random: ClassVar[bool] = False

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:  # noqa: ARG002
        denoised = denoiser(state.image, state.sigma)
        if sigma_next == 0.0:
            return state.moved(denoised, 0.0, denoised)
        image = state.image + (sigma_next - state.sigma) * slope(state.image, denoised, state.sigma)
        return state.moved(image, sigma_next, denoised)


@dataclass(frozen=True)
class Heun:
    """Second order, two denoiser calls a step; the last step, to sigma 0, is an Euler step.

    The slope is the mean of the slopes at both ends of the step. At sigma = 0 there is none, so a schedule that ends
    in a long step falls back to first order there.

    References
    ----------
    Karras, Aittala, Aila, Laine, NeurIPS 2022, arXiv:2206.00364, algorithm 1.
    """

    order: ClassVar[int] = 2
    random: ClassVar[bool] = False

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:
        first = Euler().step(denoiser, state, sigma_next, normal)
        if sigma_next == 0.0 or first.denoised is None:
            return first
        here = slope(state.image, first.denoised, state.sigma)
        there = slope(first.image, denoiser(first.image, sigma_next), sigma_next)
        image = state.image + (sigma_next - state.sigma) * 0.5 * (here + there)
        return state.moved(image, sigma_next, first.denoised)


@dataclass(frozen=True)
class Multistep:
    """DPM-Solver++ 2M: second order with one denoiser call a step, by what the step before saw.

        x' = (s' / s) x + (1 - s' / s) D~,   D~ = D + (D - D_before) h / (2 h_before),   h = log(s / s')

    Exact in the linear part of the equation; D~ is D carried on to the middle of the step. The first step has no step
    before it and is an Euler step, whose error is local, so the order stays 2.

    References
    ----------
    Lu, Zhou, Bao, Chen, Li, Zhu 2022, arXiv:2211.01095, algorithm 2.
    """

    order: ClassVar[int] = 2
    random: ClassVar[bool] = False

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:
        if sigma_next == 0.0 or state.denoised is None or state.previous_sigma is None:
            return Euler().step(denoiser, state, sigma_next, normal)
        denoised = denoiser(state.image, state.sigma)
        length = math.log(state.sigma / sigma_next)
        before = math.log(state.previous_sigma / state.sigma)
        ahead = denoised + (denoised - state.denoised) * (length / (2.0 * before))
        kept = sigma_next / state.sigma
        return state.moved(kept * state.image + (1.0 - kept) * ahead, sigma_next, denoised)
