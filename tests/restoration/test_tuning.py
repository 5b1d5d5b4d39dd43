import numpy as np
import pytest

import noiseless
from noiseless.errors import InvalidParameter, UnknownName
from noiseless.noise import Correlated, Gaussian, PoissonGaussian, Rician, gaussian_kernel
from noiseless.restoration import Recipe
from noiseless.restoration.sample import STEIN, Sample, sample_of
from noiseless.restoration.searching import search
from noiseless.restoration.tuning import USUAL_PARAMETERS, recipe_with

SIGMA = 20.0


def scene(size=96):
    rows, columns = np.mgrid[0:size, 0:size]
    return 120.0 + 50.0 * np.sin(rows / 6.0) * np.cos(columns / 9.0) + 40.0 * (columns > size / 2)


def noisy(seed=0, size=96, sigma=SIGMA):
    return scene(size) + sigma * np.random.default_rng(seed).standard_normal((size, size))


@pytest.mark.parametrize("method", ["heat", "total-variation", "non-local-means", "perona-malik"])
def test_tuned_parameters_are_as_good_as_the_best_but_for_the_chance_of_the_risk(method):
    clean, image = scene(), noisy()
    tuned = noiseless.tune(method, image, sigma=SIGMA)

    def error(values):
        recipe = recipe_with(Recipe(method), values)
        return float(np.mean((noiseless.restore(image, recipe, sigma=SIGMA).image - clean) ** 2))

    tried = []

    def measure(values):
        tried.append((error(values), dict(values)))
        return tried[-1][0]

    search(measure, USUAL_PARAMETERS[method], tuned.values, np.inf)
    least, oracle = min(tried, key=lambda trial: trial[0])
    sample = sample_of(noiseless.from_array(image), Gaussian(SIGMA), side=256, seed=0)
    # The tuned one has the lower estimate, so its true error exceeds the other's by the chance of their difference.
    chance = sample.error_of_difference(tuned.recipe, recipe_with(Recipe(method), oracle))
    # Where two settings are alike there is no chance, but there is the precision of the searches.
    assert error(tuned.values) - least < 4.0 * chance + 0.01 * least


def test_the_error_of_a_difference_covers_what_it_says():
    one, other = Recipe("heat:time=1.0"), Recipe("heat:time=3.0")
    clean, misses = scene(), []
    for seed in range(40):
        sample = Sample(noiseless.from_array(noisy(seed)), Gaussian(SIGMA), seed)
        estimated = sample.risk(one, STEIN).mse - sample.risk(other, STEIN).mse
        errors = [float(np.mean((sample.whole(recipe)(sample.pixels)[0] - clean) ** 2)) for recipe in (one, other)]
        misses.append((estimated - (errors[0] - errors[1])) / sample.error_of_difference(one, other))
    # An upper bound: the spread is at most 1. Of 40 its estimate is above 1.4 once in 10 000 times.
    assert np.sqrt(np.mean(np.square(misses))) < 1.4
    assert abs(np.mean(misses)) < 4.0 / np.sqrt(40)


def test_the_recipe_as_it_was_is_kept_where_nothing_is_better():
    best = noiseless.tune("heat", noisy(), {"time": (0.1, 10.0)}, sigma=SIGMA)
    again = noiseless.tune(best.recipe.method, noisy(), {"time": [0.05, 30.0]}, sigma=SIGMA)
    assert again.values == {}
    assert again.recipe.method == best.recipe.method
    assert again.gain.fall == 0.0


def test_the_gain_says_what_the_true_error_does():
    image, clean = noisy(), scene()
    tuned = noiseless.tune("heat:time=8", image, {"time": (0.2, 20.0)}, sigma=SIGMA)
    usual, best = (
        float(np.mean((noiseless.restore(image, recipe, sigma=SIGMA).image - clean) ** 2)) / SIGMA**2
        for recipe in (Recipe("heat:time=8"), tuned.recipe)
    )
    low, high = tuned.gain.interval
    assert tuned.gain.sure
    assert low < usual - best < high
    assert tuned.trials[0].values == {}
    assert min(trial.risk for trial in tuned.trials) < tuned.trials[0].risk


def test_several_images_share_a_recipe_and_images_left_out_judge_it():
    images = [noisy(seed, 64) for seed in range(4)]
    tuned = noiseless.tune("heat:time=8", images, {"time": (0.2, 20.0)}, sigma=SIGMA, folds=4)
    assert tuned.images == 4
    assert tuned.gain.cross_validated
    assert tuned.gain.sure
    noise_alone = noiseless.tune("heat:time=1.5", images, {"time": (1.4, 1.6)}, sigma=SIGMA)
    assert not noise_alone.gain.sure or noise_alone.gain.fall < 0.01


@pytest.mark.parametrize("parameters", [{"strength": (0.25, 3.0)}, {"tolerance": [1.0, 3.5], "strength": [0.5, 1.0]}])
def test_the_recipe_itself_is_tuned_too(parameters):
    tuned = noiseless.tune("non-local-means", noisy(size=64), parameters, sigma=SIGMA)
    assert set(tuned.values) <= set(parameters)
    assert tuned.recipe.strength == tuned.values.get("strength", 1.0)


def test_without_the_law_of_the_noise_hidden_pixels_tell():
    image, clean = noisy(size=64), scene(64)
    tuned = noiseless.tune("heat:time=12", image, {"time": (0.2, 20.0)}, "self-supervised", sigma=SIGMA)
    usual, best = (
        float(np.mean((noiseless.restore(image, recipe, sigma=SIGMA).image - clean) ** 2))
        for recipe in (Recipe("heat:time=12"), tuned.recipe)
    )
    assert best < usual
    assert tuned.gain.decibels(tuned.gain.fall) is None


def test_photons_and_magnitudes_are_measured_by_their_own_law(rng):
    photons = PoissonGaussian(2.0, 3.0)
    counts = photons.sample(np.abs(scene(64)), rng)
    assert noiseless.tune("heat:time=9", counts, {"time": (0.1, 20.0)}, noise=photons).gain.sure
    magnitude = Rician(12.0).sample(scene(64), rng)
    assert noiseless.tune("heat:time=9", magnitude, {"time": (0.1, 20.0)}, noise=Rician(12.0)).gain.sure


def test_correlated_noise_does_not_fool_it(rng):
    law = Correlated(SIGMA, gaussian_kernel(1.0))
    image = scene(128) + law.sample(np.zeros((1, 128, 128), np.float32), rng)[0]
    with pytest.raises(InvalidParameter, match="neighbours share it"):
        noiseless.tune("heat", image, sigma=SIGMA)
    with pytest.raises(InvalidParameter, match="use risk 'stein'"):
        noiseless.tune("heat", image, risk="self-supervised", noise=law)
    tuned = noiseless.tune("heat:time=0.1", image, {"time": (0.1, 20.0)}, noise=law)
    before, after = (
        np.mean((noiseless.restore(image, recipe, noise=law).image - scene(128)) ** 2)
        for recipe in (Recipe("heat:time=0.1"), tuned.recipe)
    )
    assert after < before


def test_the_budget_is_kept_and_said():
    tuned = noiseless.tune("non-local-means", noisy(), sigma=SIGMA, budget_s=1e-6)
    assert not tuned.finished
    assert len(tuned.trials) == 1
    assert tuned.values == {}


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("heat", {"parameters": {"tiem": (1.0, 2.0)}}, "no parameter 'tiem'"),
        ("heat", {"parameters": {"time": (2.0, 1.0)}}, "is no range"),
        ("heat", {"parameters": {"time": (-1.0, 1.0)}}, "time is -1"),
        ("heat", {"parameters": {"time": 3.0}}, "give .low, high. for a range"),
        ("heat", {"parameters": {}}, "no parameter to tune"),
        ("ensemble", {}, "chooses for itself"),
        ("heat", {"risk": "guess"}, "use 'stein' or 'self-supervised'"),
        ("heat", {"budget_s": 0.0}, "give some seconds"),
        ("heat", {"side": 8}, "has 32 pixels or more"),
        ("heat", {"folds": 1}, "2 or more"),
        ("heat", {"sigma": 0.0}, "nothing to tune"),
    ],
)
def test_wrong_use_is_refused(method, given, words):
    with pytest.raises(InvalidParameter, match=words):
        noiseless.tune(method, noisy(size=40), **{"sigma": SIGMA, **given})


def test_no_image_and_no_such_method_are_refused():
    with pytest.raises(InvalidParameter, match="no image to tune on"):
        noiseless.tune("heat", [], sigma=SIGMA)
    with pytest.raises(UnknownName, match="did you mean 'heat'"):
        noiseless.tune("heet", noisy(size=40), sigma=SIGMA)
