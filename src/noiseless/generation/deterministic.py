"""Solvers of the probability-flow equation dx / dsigma = (x - D(x, sigma)) / sigma."""

from dataclasses import dataclass

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

    order: int = 1

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:  # noqa: ARG002
        denoised = denoiser(state.image, state.sigma)
        if sigma_next == 0.0:
            return State(denoised, 0.0, denoised, state.sigma)
        image = state.image + (sigma_next - state.sigma) * slope(state.image, denoised, state.sigma)
        return State(image, sigma_next, denoised, state.sigma)


@dataclass(frozen=True)
class Heun:
    """Second order, two denoiser calls a step; the last step, to sigma 0, is an Euler step.

    The slope is the mean of the slopes at both ends of the step. At sigma = 0 there is none, so a schedule that ends
    in a long step falls back to first order there.

    References
    ----------
    Karras, Aittala, Aila, Laine, NeurIPS 2022, arXiv:2206.00364, algorithm 1.
    """

    order: int = 2

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State:
        first = Euler().step(denoiser, state, sigma_next, normal)
        if sigma_next == 0.0:
            return first
        here = slope(state.image, first.denoised, state.sigma)
        there = slope(first.image, denoiser(first.image, sigma_next), sigma_next)
        image = state.image + (sigma_next - state.sigma) * 0.5 * (here + there)
        return State(image, sigma_next, first.denoised, state.sigma)
