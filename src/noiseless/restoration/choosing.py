"""Which method suits an image, by its predicted error, in the time there is."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from noiseless.image import Image
from noiseless.noise import NoiseModel
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.sample import STEIN, Sample, sample_of

CANDIDATES: Mapping[str, float] = {
    "score:model=tiny": 0.1,
    "score": 0.5,
    "score:turns=8": 4.0,
    "ensemble": 20.0,
}
"""From the cheapest to the dearest, with seconds a megapixel that are less than each took on two cores: what would
not fit by that is not even tried."""

SIDE = 192
"""Of the part of the image that methods are tried on, in pixels."""

CALLS = 4
"""Of a candidate on that part: one that loads it, and three for its risk."""


@dataclass(frozen=True)
class Candidate:
    """A method that was tried.

    Parameters
    ----------
    method : in words
    risk : estimated squared error, in units of the variance of the noise
    seconds : that it would take for the whole image
    """

    method: str
    risk: float
    seconds: float


@dataclass(frozen=True)
class Choice:
    """The method of least predicted error that fits into the time.

    Parameters
    ----------
    method : in words
    tried : every candidate, the cheapest first
    untried : methods for which there was no time
    budget_s : that was given
    """

    method: str
    tried: tuple[Candidate, ...]
    untried: tuple[str, ...]
    budget_s: float

    @property
    def why(self) -> str:
        """In a sentence."""
        best = next(candidate for candidate in self.tried if candidate.method == self.method)
        others = [
            f"{other.method} {other.risk:.4f} in {other.seconds:.1f} s" for other in self.tried if other is not best
        ]
        left_out = f"; no time for {', '.join(self.untried)}" if self.untried else ""
        against = f", against {', '.join(others)}" if others else ""
        return (
            f"{best.method}: predicted error {best.risk:.4f} of the noise in {best.seconds:.1f} s{against} "
            f"({self.budget_s:g} s allowed){left_out}"
        )

    def summary(self) -> dict[str, Any]:
        """Plain values, for reports."""
        return {
            "method": self.method,
            "why": self.why,
            "tried": [vars(candidate) for candidate in self.tried],
            "untried": list(self.untried),
        }


def choose(image: Image, noise: NoiseModel, recipe: Recipe) -> Choice:
    """Try the candidates on the most representative part of the image, as long as they and the result fit in the time.

    The cheapest is taken where nothing fits: an image has to come out.

    Parameters
    ----------
    image, noise : in stored units; the risk of the noise is known
    recipe : whose ``budget_s`` counts, for choosing and denoising together
    """
    began = time.perf_counter()
    sample = sample_of(image, noise, side=SIDE, seed=recipe.seed)
    part = sample.image.pixels.size / image.pixels.size
    megapixels = image.pixels.size / 1e6
    tried: list[Candidate] = []
    untried: list[str] = []
    for method, least in CANDIDATES.items():
        left = recipe.budget_s - (time.perf_counter() - began)
        if tried and least * megapixels * (1.0 + CALLS * part) > left:
            untried.append(method)
        else:
            tried.append(_tried(method, sample, recipe, part))
    left = recipe.budget_s - (time.perf_counter() - began)
    fitting = [candidate for candidate in tried if candidate.seconds <= left] or tried[:1]
    best = min(fitting, key=lambda candidate: candidate.risk)
    return Choice(best.method, tuple(tried), tuple(untried), recipe.budget_s)


def _tried(method: str, sample: Sample, recipe: Recipe, part: float) -> Candidate:
    tried = replace(recipe, method=method, budget_s=0.0)
    sample.whole(tried)(sample.pixels)  # compiles and loads
    began = time.perf_counter()
    risk = sample.risk(tried, STEIN).mse / sample.power
    seconds = (time.perf_counter() - began) / (CALLS - 1) / part
    return Candidate(method, risk, seconds)
