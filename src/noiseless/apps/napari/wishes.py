"""What a person wishes of a denoiser, and the recipe that it makes."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import noiseless

NONE = "none"
"""No preset."""

AUTO, SIGMA = "auto", "sigma"
"""Noise that is found in the image, or is Gaussian of a strength that is told; else it is a kind."""


@dataclass(frozen=True)
class Wishes:
    """The state of the panel.

    Parameters
    ----------
    preset : a name in ``noiseless.PRESETS``, or "none": what the other parameters leave open, such as the bound
    method, model, strength : see :class:`noiseless.Recipe`
    noise : "auto", "sigma", or a kind in ``noiseless.noise.KINDS`` whose parameters are found in the image
    sigma : of Gaussian noise, in the units of the layer; only for ``noise`` "sigma"
    error, structure : whether a map of the error, and of structure in what was removed, are to be layers too
    predict : whether the PSNR is to be predicted
    """

    preset: str = NONE
    method: str = "auto"
    model: str = "base"
    strength: float = 1.0
    noise: str = AUTO
    sigma: float = 0.0
    error: bool = False
    predict: bool = False
    structure: bool = False

    def recipe(self) -> noiseless.Recipe:
        """How to denoise.

        Raises
        ------
        noiseless.NoiselessError : a name is unknown, or two wishes contradict.
        """
        start: noiseless.Recipe = self._start().recipe
        return dataclasses.replace(
            start,
            method=self.method,
            model=self.model,
            strength=self.strength,
            error=self.error,
            predict=self.predict,
        )

    def law(self) -> Any:
        """The noise: a model, a kind, or None where it is to be found.

        Raises
        ------
        noiseless.InvalidParameter : sigma is out of its range.
        """
        if self.noise == SIGMA:
            if not self.sigma > 0.0:
                raise noiseless.InvalidParameter(
                    f"sigma is {self.sigma:g}; give the strength of the noise, above 0, in the units of the layer, or "
                    f"choose the noise {AUTO!r}"
                )
            return noiseless.noise.Gaussian(self.sigma)
        return None if self.noise == AUTO else self.noise

    def _start(self) -> Any:
        if self.preset == NONE:
            return noiseless.restoration.RecipeFile(noiseless.Recipe())
        return noiseless.restoration.preset_named(self.preset)


def wishes_of(preset: str) -> Wishes:
    """What a preset wishes, for a panel to show.

    Raises
    ------
    noiseless.UnknownName : there is no such preset.
    """
    if preset == NONE:
        return Wishes()
    start = noiseless.restoration.preset_named(preset)
    recipe = start.recipe
    noise = start.noise if isinstance(start.noise, str) else AUTO
    return Wishes(preset, recipe.method, recipe.model, recipe.strength, noise)


def looks_across(preset: str) -> bool:
    """Whether a preset is for volumes: it looks from one slice to the next."""
    members = noiseless.PRESETS[preset].recipe.members if preset in noiseless.PRESETS else ()
    return any("normal=" in member for member in members)


def methods() -> tuple[str, ...]:
    """To choose from; the usual one first."""
    return (AUTO, *sorted(noiseless.METHODS))


def models() -> tuple[str, ...]:
    """To choose from; the usual one first."""
    return noiseless.score.model_names()


def presets() -> tuple[str, ...]:
    return (NONE, *noiseless.PRESETS)


def noises() -> tuple[str, ...]:
    return (AUTO, SIGMA, *noiseless.noise.KINDS)
