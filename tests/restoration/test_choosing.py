import numpy as np
import pytest

import noiseless
from noiseless.errors import InvalidParameter
from noiseless.noise import Correlated, Gaussian, gaussian_kernel
from noiseless.restoration import Recipe, choosing
from noiseless.restoration.choosing import choose

SIGMA = 20.0


def noisy(rng, size=96):
    rows, columns = np.mgrid[0:size, 0:size]
    clean = 120.0 + 50.0 * np.sin(rows / 6.0) * np.cos(columns / 9.0)
    return clean, clean + SIGMA * rng.standard_normal(clean.shape)


@pytest.fixture
def few(monkeypatch):
    """A good method, a bad one, and a dear one."""
    candidates = {"heat:time=0.01": 0.01, "heat": 0.02, "score:model=tiny": 1000.0}
    monkeypatch.setattr(choosing, "CANDIDATES", candidates)


def test_the_least_predicted_error_is_taken_and_said(rng, few):
    _, image = noisy(rng)
    restored = noiseless.restore(image, Recipe(budget_s=5.0), sigma=SIGMA)
    assert restored.recipe.method == "heat"
    choice = restored.report["choice"]
    assert [tried["method"] for tried in choice["tried"]] == ["heat:time=0.01", "heat"]
    assert choice["untried"] == ["score:model=tiny"]
    assert choice["why"].startswith("heat: predicted error 0.")
    assert "no time for score:model=tiny" in choice["why"]
    expected = noiseless.restore(image, Recipe("heat"), sigma=SIGMA).image
    np.testing.assert_array_equal(restored.image, expected)


def test_the_predicted_errors_are_those_of_the_methods(rng, few):
    clean, image = noisy(rng)
    choice = choose(noiseless.from_array(image), Gaussian(SIGMA), Recipe(budget_s=5.0))
    for tried in choice.tried:
        denoised = noiseless.restore(image, Recipe(tried.method), sigma=SIGMA).image
        # Stein's estimate has the standard deviation sqrt(2 / N) from the energy of the noise, and some of the probes.
        assert abs(tried.risk - np.mean((denoised - clean) ** 2) / SIGMA**2) < 4.0 * np.sqrt(4.0 / image.size)


def test_something_comes_out_of_no_time(rng, few):
    _, image = noisy(rng)
    choice = choose(noiseless.from_array(image), Gaussian(SIGMA), Recipe(budget_s=1e-9))
    assert choice.method == "heat:time=0.01"
    assert choice.untried == ("heat", "score:model=tiny")


def test_without_a_budget_nothing_is_chosen(rng):
    _, image = noisy(rng, 48)
    assert "choice" not in noiseless.restore(image, sigma=SIGMA).report


def test_noise_that_would_fool_it_is_refused(rng, few):
    law = Correlated(SIGMA, gaussian_kernel(1.0))
    image = 100.0 + law.sample(np.zeros((1, 128, 128), np.float32), rng)[0]
    with pytest.raises(InvalidParameter, match="not white"):
        noiseless.restore(image, Recipe(budget_s=5.0), sigma=SIGMA)


@pytest.mark.parametrize(
    "given", [{"method": "heat"}, {"strength": 0.5}, {"steps": 4}, {"samples": 2, "steps": 4}, {"budget_s": -1.0}]
)
def test_a_budget_is_for_the_least_error(given):
    with pytest.raises(InvalidParameter, match="budget"):
        Recipe(**{"budget_s": 5.0, **given})
