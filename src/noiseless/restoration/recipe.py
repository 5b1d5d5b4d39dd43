"""What was asked of a restoration, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseless.denoiser import Denoiser
from noiseless.diffusion import FILTERS
from noiseless.errors import InvalidParameter
from noiseless.generation import SAMPLERS, ProbabilityFlow
from noiseless.names import lookup, with_plugins
from noiseless.restoration.tiling import Tiled
from noiseless.score import DENSITIES, LEARNED

METHODS: Mapping[str, Any] = with_plugins({**FILTERS, **LEARNED, **DENSITIES}, "noiseless.denoisers")
"""Every denoiser by name. An entry of ``LEARNED`` is built with ``model=``, one of ``DENSITIES`` with the path of a
density where ``model`` is one, any other without arguments."""

LARGEST_STRENGTH = 4.0


@dataclass(frozen=True)
class Recipe:
    """How to denoise, apart from the noise itself.

    Parameters
    ----------
    method : a name in ``METHODS``, or "auto": the score network
    model : of a learned method: "base", or the path of a checkpoint; of a density the path of one
    strength : factor on sigma. 1 removes the noise there is; less leaves grain, more smooths further; 0 to 4.
    steps : 1 for the posterior mean (best PSNR), more to follow the probability flow (sharper, less faithful)
    sampler : the rule of such a step: "euler" (DDIM) or "heun"
    seed : for samplers that draw noise
    tile : side of a tile in pixels, a multiple of 8; smaller tiles need less memory

    Raises
    ------
    UnknownName : there is no such method or sampler; the message suggests the nearest.
    InvalidParameter : a number is out of its range.
    """

    method: str = "auto"
    model: str = "base"
    strength: float = 1.0
    steps: int = 1
    sampler: str = "euler"
    seed: int = 0
    tile: int = 512

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= LARGEST_STRENGTH:
            raise InvalidParameter(
                f"strength is {self.strength:g}; it is a factor on sigma, from 0 to {LARGEST_STRENGTH:g}, 1 for the "
                "noise that there is"
            )
        self.build_denoiser()

    @property
    def method_name(self) -> str:
        return "score" if self.method == "auto" else self.method

    def build_denoiser(self) -> Denoiser:
        """The denoiser that was asked for: named method, in tiles where its reach is known, in ``steps`` steps."""
        build = lookup(METHODS, self.method_name, kind="method")
        if self.method_name in LEARNED:
            denoiser = build(model=self.model)
        elif self.method_name in DENSITIES and self.model != Recipe.model:
            denoiser = build(Path(self.model))
        else:
            denoiser = build()
        # The filters need little memory and use all cores on the whole image; at their reach, tiles would overlap much.
        if hasattr(denoiser, "reach") and self.method_name not in FILTERS:
            denoiser = Tiled(denoiser, self.tile)
        sampler = lookup(SAMPLERS, self.sampler, kind="sampler")()
        return denoiser if self.steps == 1 else ProbabilityFlow(denoiser, sampler, self.steps, self.seed)
