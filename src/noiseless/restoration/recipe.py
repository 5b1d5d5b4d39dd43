"""What was asked of a restoration, as data."""

import math
from dataclasses import dataclass

from noiseless.argument_checks import is_number, not_negative, number, shown, whole, word
from noiseless.denoiser import Denoiser
from noiseless.errors import InvalidParameter
from noiseless.generation import SAMPLERS, PosteriorSamples, ProbabilityFlow, Sampler
from noiseless.names import lookup
from noiseless.restoration.level_range import ByLevels
from noiseless.restoration.methods import ENSEMBLE, USUAL_MEMBERS, USUAL_MODEL, build, ensemble_of, parsed
from noiseless.restoration.tiling import USUAL_TILE
from noiseless.score import LEARNED, is_blind

AUTO = "auto"

LARGEST_STRENGTH = 4.0

MOST_STEPS = 10_000

USUAL_SAMPLERS = {"flow": "euler", "samples": "ancestral"}
"""What "auto" means for a flow and for samples."""


@dataclass(frozen=True)
class Recipe:
    """How to denoise, apart from the noise itself.

    Parameters
    ----------
    method : a name in ``METHODS``, with parameters or without ("non-local-means:patch=7"), or "auto": the score
        network, and its model "camera" for raw files and for colour photographs whose noise JPEG went over
    model : of a learned method: "base", "camera" (colour photographs with the noise of cameras, which it finds for
        itself), or the path of a checkpoint; of a density the path of one
    strength : factor on sigma. 1 removes the noise there is; less leaves grain, more smooths further; 0 to 4.
    steps : 1 for the posterior mean (best PSNR), more to follow the probability flow (sharper, less faithful). With
        ``samples`` the image is the mean, and the steps are those of each sample: 10 or more.
    sampler : the rule of such a step, a name in ``generation.SAMPLERS``; "auto": "euler" (DDIM) for the flow,
        "ancestral" for samples
    seed : for samplers that draw noise, and for the probes of the error
    tile : a tile has the pixels of a square of this side, a multiple of 8; smaller ones need less memory and more time
    samples : how many images to draw that may have been the clean one; sigma must be given then.
    error : True finds, at the cost of 8 more calls in float32, how far each pixel may be wrong.
    predict : True finds, at the cost of 5 more calls in float32, how good the result is: its PSNR, with an interval.
    bound : the most, in standard deviations of the noise, that a pixel may change; inf for no bound
    members : of the method "ensemble", each like ``method``; the first is what the others have to better
    budget_s : seconds in which "auto" may choose among methods by their predicted error, and denoise; 0: it does not
        choose, and takes the score network

    Raises
    ------
    UnknownName : there is no such method or sampler; the message suggests the nearest.
    InvalidParameter : a number is out of its range, the sampler cannot draw samples, or an ensemble is asked for more
        than the least error.
    """

    method: str = AUTO
    model: str = USUAL_MODEL
    strength: float = 1.0
    steps: int = 1
    sampler: str = "auto"
    seed: int = 0
    tile: int = USUAL_TILE
    samples: int = 0
    error: bool = False
    predict: bool = False
    bound: float = math.inf
    members: tuple[str, ...] = USUAL_MEMBERS
    budget_s: float = 0.0

    def __post_init__(self) -> None:
        word("method", self.method, "a name in METHODS, with parameters or without")
        word("model", self.model, "the name of a shipped model, or the path of a checkpoint")
        word("sampler", self.sampler, "a name in generation.SAMPLERS, or 'auto'")
        whole("steps", self.steps, 1, "1 is the posterior mean", most=MOST_STEPS)
        whole("seed", self.seed, 0, "it fixes the noise that is drawn")
        if not 0.0 <= number("strength", self.strength, "it is a factor on sigma") <= LARGEST_STRENGTH:
            raise InvalidParameter(
                f"strength is {self.strength:g}; it is a factor on sigma, from 0 to {LARGEST_STRENGTH:g}, 1 for the "
                "noise that there is"
            )
        whole("samples", self.samples, 0, "usually 8")
        if not (is_number(self.bound) and self.bound > 0.0):
            raise InvalidParameter(
                f"bound is {shown(self.bound)}; use some standard deviations of the noise, usually 3"
            )
        not_negative("budget_s", self.budget_s, "give some seconds, or 0 for no choice of methods")
        if not (isinstance(self.members, tuple) and all(isinstance(member, str) for member in self.members)):
            raise InvalidParameter(f"members is {shown(self.members)}; give a tuple of methods")
        if self.budget_s and (self.method != AUTO or self.steps != 1 or self.samples or self.strength != 1.0):
            raise InvalidParameter(
                f"a budget is for method 'auto', which seeks the least error, at strength 1 and one step, without "
                f"samples; method is {self.method!r}, strength {self.strength:g}, steps {self.steps}, samples "
                f"{self.samples}"
            )
        if self.method_name == ENSEMBLE and (self.strength, self.steps, self.samples) != (1.0, 1, 0):
            raise InvalidParameter(
                f"an ensemble seeks the least error, at strength 1 and one step, without samples; strength is "
                f"{self.strength:g}, steps {self.steps}, samples {self.samples}: use method score for that"
            )
        self._sampler("flow")
        denoiser = self.build_denoiser()
        if self.samples:
            self.build_samples(denoiser)

    @property
    def method_name(self) -> str:
        """The method without its parameters."""
        return parsed(self._method)[0]

    @property
    def _method(self) -> str:
        return "score" if self.method == AUTO else self.method

    @property
    def model_name(self) -> str:
        """The model, be it named beside the method or in its parameters."""
        return str(parsed(self._method)[1].get("model", self.model))

    @property
    def blind(self) -> bool:
        """Whether the network finds the noise for itself, so that sigma is only a hint to it."""
        return self.method_name in LEARNED and is_blind(self.model_name)

    def build_denoiser(self) -> Denoiser:
        """What gives the image: named method, in tiles where its reach is known, in ``steps`` steps."""
        if self.method_name == ENSEMBLE:
            return ensemble_of(self.members, self.model, tile=self.tile)
        # bfloat16 rounds away the small differences that tell the error.
        denoiser = build(self._method, self.model, tile=self.tile, exact=self.error or self.predict)
        if self.steps == 1 and not self.samples:
            return denoiser
        # Where a flow ends there is hardly any noise, and contrast of many times that: no reason to go by levels.
        denoiser = denoiser.denoiser if isinstance(denoiser, ByLevels) else denoiser
        if self.samples:
            return denoiser
        return ProbabilityFlow(denoiser, self._sampler("flow"), self.steps, self.seed)

    def build_samples(self, denoiser: Denoiser) -> PosteriorSamples:
        """What draws samples, by a denoiser that gives the posterior mean."""
        return PosteriorSamples(denoiser, self._sampler("samples"), self.steps, self.seed)

    def _sampler(self, use: str) -> Sampler:
        name = USUAL_SAMPLERS[use] if self.sampler == "auto" else self.sampler
        sampler: Sampler = lookup(SAMPLERS, name, kind="sampler")()
        return sampler
