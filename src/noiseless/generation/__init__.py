"""Step 4: draw the denoised image back from what was learned."""

from collections.abc import Callable, Mapping

from noiseless.generation.deterministic import Euler, Heun
from noiseless.generation.plug_and_play import PlugAndPlay
from noiseless.generation.posterior import ProbabilityFlow
from noiseless.generation.randomness import Normal, normal_from_seed
from noiseless.generation.sampler import Sampler, State, sample, trajectory

SAMPLERS: Mapping[str, Callable[[], Sampler]] = {"euler": Euler, "heun": Heun}

__all__ = [
    "SAMPLERS",
    "Euler",
    "Heun",
    "Normal",
    "PlugAndPlay",
    "ProbabilityFlow",
    "Sampler",
    "State",
    "normal_from_seed",
    "sample",
    "trajectory",
]
