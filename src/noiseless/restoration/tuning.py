"""The parameters of a method that suit an image, or a series of images, found without a clean one."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from noiseless.argument_checks import number, positive, shown, whole
from noiseless.denoiser import Array, Sigma
from noiseless.diffusion import FILTERS
from noiseless.errors import InvalidParameter
from noiseless.image import Image
from noiseless.names import lookup
from noiseless.noise import NoiseModel, StationaryNoise
from noiseless.restoration.cross_validation import Gain, cross_validated, gain_on
from noiseless.restoration.measurable import check_measurable
from noiseless.restoration.methods import ENSEMBLE, METHODS, in_words, parsed
from noiseless.restoration.noise_at_hand import Noise, as_image, given_noise, known_noise
from noiseless.restoration.recipe import Recipe
from noiseless.restoration.sample import RISKS, STEIN, Sample, sample_of
from noiseless.restoration.searching import Domain, Range, Values, search

Given: TypeAlias = Mapping[str, tuple[float, float] | list[Any]]

OF_RECIPE = ("strength", "bound")
"""What a recipe has beside its method that is a matter of more or less."""

SMALLEST_SIDE = 32

_EVOLUTION = {"time": Range(1.0, 60.0), "contrast_per_sigma": Range(0.05, 1.0)}

USUAL_PARAMETERS: Mapping[str, Mapping[str, Domain]] = {
    **dict.fromkeys(FILTERS, _EVOLUTION),
    "heat": {"time": Range(0.02, 20.0)},
    "total-variation": {"time": Range(1.0, 60.0)},
    "non-local-means": {"tolerance": Range(1.0, 12.0)},
    "cosine-shrinkage": {"threshold": Range(1.0, 5.0)},
}
"""What is tuned of a method unless something else is named; of any other, ``USUAL_STRENGTH``."""

USUAL_STRENGTH: Mapping[str, Domain] = {"strength": Range(0.5, 2.0)}


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Parameters
    ----------
    values : of the parameters that are tuned; empty for the recipe as it was
    risk : mean over the images of the estimated squared error, in units of the variance of the noise; the
        self-supervised one has the noise itself in it
    """

    values: Values
    risk: float


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Parameters
    ----------
    recipe : the best that was tried
    values : what in it was tuned; empty where nothing was better than the recipe as it was
    trials : all that was tried, in its order; the first is the recipe as it was
    gain : how much better the recipe is than it was
    risk : by which measure: "stein" or "self-supervised"
    images : how many it was tuned on
    finished : False where the time was over first
    """

    recipe: Recipe
    values: Values
    trials: tuple[Trial, ...]
    gain: Gain
    risk: str
    images: int
    finished: bool

    def summary(self) -> dict[str, Any]:
        """Plain values, for reports and recipe files."""
        return {
            "risk": self.risk,
            "images": self.images,
            "finished": self.finished,
            **self.gain.summary(),
            "trials": [{**trial.values, "risk": float(f"{trial.risk:.6g}")} for trial in self.trials],
        }


def tune(  # noqa: PLR0913  the one door: every choice a user has, by its name
    method: str,
    images: Array | Image | Sequence[Array | Image],
    parameters: Given | None = None,
    risk: str = STEIN,
    budget_s: float = 60.0,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    channel_axis: int | None = None,
    model: str = "base",
    side: int = 256,
    folds: int = 5,
    seed: int = 0,
) -> Tuned:
    """Find the parameters of a method by the error that is estimated from the noisy images themselves.

    Of each image the part most like the whole is taken; its estimated squared error is made least by golden section
    for one parameter, by a simplex for several. Over several images the mean counts, and cross-validation tells how
    much better an image will come out that was not tuned on.

    Parameters
    ----------
    method : name in ``METHODS``, or in words: what it says of a parameter is where the search begins
    images : noisy; one, or a list of several that are to share their parameters
    parameters : by name (low, high) for a range or a list of values to choose from; fields of the method, or
        "strength" or "bound" of the recipe. None: what is usual for the method.
    risk : "stein": Stein's, the noise being known or found; "self-supervised": how well hidden pixels are guessed, for
        independent noise of which nothing else is sure. 3 calls an image and setting, or 16.
    budget_s : seconds after which the best so far is taken, > 0
    sigma, noise, channel_axis : as in :func:`~noiseless.denoise`; None for sigma and noise estimates it image by image
    model : of a learned method
    side : of the part in pixels, 32 or more; a volume gives as many voxels. A larger one is surer and slower.
    folds : of the cross-validation, 2 or more; at most one an image
    seed : of the probes of Stein's risk

    Returns
    -------
    Tuned : its ``recipe`` goes to :func:`~noiseless.restore`, or to a file by ``noiseless.restoration.recipe_text``.

    Raises
    ------
    InvalidParameter : a parameter is none of the method's, a range is none, or the noise does not allow the risk.
    UnknownName : there is no such method.
    """
    recipe = Recipe(method=method, model=model, seed=seed)
    domains = _domains(recipe, parameters)
    _check(risk, budget_s, side, folds)
    listed = images if isinstance(images, list | tuple) else [images]
    if not listed:
        raise InvalidParameter("there is no image to tune on; give one, or several")
    deadline = time.perf_counter() + budget_s
    samples = [
        _sample(as_image(image, channel_axis), recipe, risk, side, sigma, noise, channel_axis) for image in listed
    ]
    folds = min(folds, len(samples)) if len(samples) > 1 else 0
    share = (deadline - time.perf_counter()) / (folds + 1)
    trials, finished = _searched(samples, recipe, domains, risk, share)
    tuned = min(trials, key=lambda trial: trial.risk)
    best = recipe_with(recipe, tuned.values)
    if folds:

        def tuned_on(others: Sequence[Sample]) -> Recipe:
            tried, _ = _searched(others, recipe, domains, risk, share)
            return recipe_with(recipe, min(tried, key=lambda trial: trial.risk).values)

        gain = cross_validated(samples, recipe, tuned_on, risk, folds)
    else:
        gain = gain_on(samples[0], recipe, best, risk)
    return Tuned(best, tuned.values, tuple(trials), gain, risk, len(samples), finished)


def recipe_with(recipe: Recipe, values: Values) -> Recipe:
    """The recipe with other values: of its method, or of its own."""
    name, own = parsed(recipe.method)
    of_method = {**own, **{key: value for key, value in values.items() if key not in OF_RECIPE}}
    of_recipe = {key: value for key, value in values.items() if key in OF_RECIPE}
    return replace(recipe, method=in_words(name, of_method), **of_recipe)


def _searched(
    samples: Sequence[Sample], recipe: Recipe, domains: Mapping[str, Domain], risk: str, seconds: float
) -> tuple[list[Trial], bool]:
    """All that was tried on the samples, the recipe as it is first, and whether the search came to its end."""
    deadline = time.perf_counter() + seconds
    trials: list[Trial] = []

    def measured(values: Values) -> float:
        tried = recipe_with(recipe, values)
        found = float(np.mean([sample.risk(tried, risk).mse / sample.power for sample in samples]))
        trials.append(Trial(dict(values), found))
        return found

    measured({})
    start = {name: usual for name in domains if (usual := _usual(recipe, name)) is not None}
    return trials, search(measured, domains, start, deadline)


def _sample(
    image: Image,
    recipe: Recipe,
    risk: str,
    side: int,
    sigma: Sigma | None,
    noise: Noise,
    channel_axis: int | None,
) -> Sample:
    given = given_noise(sigma, noise, image, channel_axis)
    known = known_noise(given, image, recipe.method_name).model
    if risk == STEIN:
        check_measurable(known, image, told=isinstance(given, NoiseModel))
    elif isinstance(known, StationaryNoise):
        raise InvalidParameter(
            "neighbours share the noise, so hidden pixels can be guessed with it, and the self-supervised risk is "
            f"fooled; use risk {STEIN!r}"
        )
    return sample_of(image, known, side=side, seed=recipe.seed)


def _domains(recipe: Recipe, parameters: Given | None) -> Mapping[str, Domain]:
    """What to tune, checked against the method by building it with every end and choice."""
    name = recipe.method_name
    if name == ENSEMBLE:
        raise InvalidParameter("an ensemble chooses for itself, by the same risk; tune one of its members")
    if parameters is None:
        return USUAL_PARAMETERS.get(name, USUAL_STRENGTH)
    _check_named(parameters)
    domains: dict[str, Domain] = {}
    for key, given in parameters.items():
        if isinstance(given, tuple):
            if len(given) != 2:
                raise InvalidParameter(f"{key} is {given!r}; give (low, high) for a range, or a list of values")
            domains[key] = Range(*(number(key, end, "it is an end of a range") for end in given))
        elif isinstance(given, list) and given:
            domains[key] = tuple(given)
        else:
            raise InvalidParameter(f"{key} is {given!r}; give (low, high) for a range, or a list of values")
    for key, domain in domains.items():
        for value in (domain.low, domain.high) if isinstance(domain, Range) else domain:
            recipe_with(recipe, {key: value})
    return domains


def _check_named(parameters: Given) -> None:
    if not isinstance(parameters, Mapping):
        raise InvalidParameter(f"parameters is {shown(parameters)}; give (low, high), or a list of values, by name")
    if not parameters:
        raise InvalidParameter("there is no parameter to tune; leave parameters out for what is usual, or name some")


def _usual(recipe: Recipe, name: str) -> float | None:
    """Where a search for a parameter begins: what the recipe says, or else the method."""
    method, own = parsed(recipe.method)
    if name in OF_RECIPE:
        usual: Any = getattr(recipe, name)
    else:
        kind = lookup(METHODS, method if method != "auto" else "score", kind="method")
        usual = own.get(name, getattr(kind, name, None))
        usual = getattr(kind, f"usual_{name}", None) if usual is None else usual
    return float(usual) if isinstance(usual, int | float) else None


def _check(risk: str, budget_s: float, side: int, folds: int) -> None:
    if not isinstance(risk, str) or risk not in RISKS:
        raise InvalidParameter(f"risk is {shown(risk)}; use {' or '.join(map(repr, RISKS))}")
    positive("budget_s", budget_s, "give some seconds, usually 60")
    whole("side", side, SMALLEST_SIDE, f"a part of an image to tune on has {SMALLEST_SIDE} pixels or more")
    whole("folds", folds, 2, "cross-validation takes 2 or more, usually 5")
