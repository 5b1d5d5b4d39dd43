"""One loop for every sampler: it yields states, and the caller decides what to do with them.

Sigma is the clock of the density diffusion: x_sigma = x + sigma * n has the marginals of the variance-exploding
process, whose reverse flow is dx / dsigma = (x - D(x, sigma)) / sigma.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from noiseless.argument_checks import not_negative
from noiseless.denoiser import Array, Denoiser
from noiseless.errors import InvalidParameter
from noiseless.generation.randomness import Normal


@dataclass(frozen=True, eq=False)
class State:
    """Where a trajectory stands.

    Parameters
    ----------
    image : (C, *space) array, a draw at noise level ``sigma``
    sigma : float; 0 at the end
    start, start_sigma : where the trajectory began. A process that runs backwards from there makes draws of what the
        image was *given* the start, so rules that walk about at one level need to know it.
    denoised : what the denoiser saw in the step that led here, E[x | y]: the preview. None at the start.
    previous_sigma : noise level of the state before; None at the start.
    """

    image: Array
    sigma: float
    start: Array
    start_sigma: float
    denoised: Array | None = None
    previous_sigma: float | None = None

    def moved(self, image: Array, sigma: float, denoised: Array) -> "State":
        """The state after a step to the level ``sigma``."""
        return replace(self, image=image, sigma=sigma, denoised=denoised, previous_sigma=self.sigma)


class Sampler(Protocol):
    """A rule that takes a state to a lower noise level.

    ``random`` says whether it draws noise. A step to 0 gives what the denoiser says: the posterior mean.
    """

    @property
    def random(self) -> bool: ...

    def step(self, denoiser: Denoiser, state: State, sigma_next: float, normal: Normal, /) -> State: ...


def trajectory(
    sampler: Sampler, denoiser: Denoiser, start: Array, sigmas: Sequence[float], normal: Normal
) -> Iterator[State]:
    """Follow a schedule of noise levels down, yielding the start and the state after each step.

    Parameters
    ----------
    sampler : see :data:`noiseless.generation.SAMPLERS`
    denoiser : any
    start : (C, *space) array that is a draw at ``sigmas[0]``. A noisy observation is one, at its own sigma.
    sigmas : strictly decreasing, ends in 0; from :mod:`noiseless.diffusion.schedule`
    normal : source of the noise of random samplers

    Raises
    ------
    InvalidParameter : the schedule does not decrease to 0.
    """
    levels = [not_negative("a sigma", sigma, "take them from diffusion.karras") for sigma in sigmas]
    if len(levels) < 2 or levels[-1] != 0.0 or any(a <= b for a, b in pairwise(levels)):
        raise InvalidParameter(f"the sigmas {levels} must fall strictly and end in 0; use diffusion.karras")
    state = State(start, levels[0], start, levels[0])
    yield state
    for sigma_next in levels[1:]:
        state = sampler.step(denoiser, state, sigma_next, normal)
        yield state


def integrate(sampler: Sampler, denoiser: Denoiser, start: Array, sigmas: Sequence[float], normal: Normal) -> Array:
    """The image at the end of :func:`trajectory`."""
    *_, final = trajectory(sampler, denoiser, start, sigmas, normal)
    return final.image
