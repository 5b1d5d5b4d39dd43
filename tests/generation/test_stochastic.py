"""Draws of the posterior against posteriors that are known exactly."""

import numpy as np
import pytest
from scipy.stats import kstest, norm

from noiseless.errors import InvalidParameter
from noiseless.generation import SAMPLERS, Ancestral, AnnealedLangevin, PosteriorSamples, PredictorCorrector
from noiseless.generation.posterior import LAST_LEVEL
from noiseless.generation.sampler import State
from noiseless.generation.stochastic import langevin_step, walk
from noiseless.score import GaussianMixturePrior, GaussianPrior

SIGMA, STD = 0.3, 0.2
PIXELS = (1, 150, 150)
COUNT = 150 * 150
PRIOR = GaussianPrior(mean=0.5, std=STD)
MIXTURE = GaussianMixturePrior([0.3, 0.7], [0.2, 0.8], [0.05, 0.15])
FALL = np.log(1 / LAST_LEVEL)  # of the levels, in all
FINE = {  # name: sampler, steps, Langevin steps at a level, their length
    "ancestral": (Ancestral(), 300, 0, 0.0),
    "predictor-corrector": (PredictorCorrector(corrections=2, length=0.05), 200, 2, 0.05),
    "langevin": (AnnealedLangevin(walks=5, length=0.1), 200, 5, 0.1),
}


def draws(prior, name, observed):
    """Every pixel is a draw of its own, given the same observation."""
    sampler, steps, _, _ = FINE[name]
    return next(PosteriorSamples(prior, sampler, steps)(np.full(PIXELS, observed), SIGMA))


def bias_of(name, observed, mean, variance):
    """How far the mean and the spread of the draws may be off, in stds of a posterior, by the length of the steps.

    An ancestral step of log length d lacks the variance (2 d)^2 Var[x | x_s], which reaches the end times
    (S^2 / (S^2 + s^2))^2; summed over a fall with Gaussian posteriors, d S^2 (1 - (S^2 / (S^2 + sigma^2))^2) of
    variance. Langevin steps of length l, D held, lack up to l / 2 of the variance, l / 4 of the std. Where nothing else
    moves the image, its mean lags behind the levels by 2 (v / sigma^2) (y - E[x | y]) d / (walks l). A half more for
    Karras levels, which are not evenly spaced.
    """
    _, steps, walks, length = FINE[name]
    log_step = 1.5 * FALL / steps
    spread = log_step * STD**2 * (1 - (STD**2 / (STD**2 + SIGMA**2)) ** 2) / (2 * variance) + length / 4
    lag = 2 * variance / SIGMA**2 * abs(observed - mean) / variance**0.5 * log_step / (walks * length) if walks else 0.0
    return lag if name == "langevin" else 0.0, spread


def test_every_random_sampler_is_tested_here():
    assert set(FINE) == {name for name, build in SAMPLERS.items() if build().random}


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("observed", [0.1, 0.9])
def test_a_gaussian_posterior_is_drawn_from(name, observed):
    drawn = draws(PRIOR, name, observed)
    mean, variance = PRIOR(np.float64(observed), SIGMA), PRIOR.posterior_variance(SIGMA)
    lag, narrower = bias_of(name, observed, mean, variance)
    # four standard errors of a mean and of a standard deviation, and the bias of the steps
    assert abs(drawn.mean() - mean) < variance**0.5 * (4 / COUNT**0.5 + lag)
    assert abs(drawn.std() / variance**0.5 - 1) < 4 * (0.5 / COUNT) ** 0.5 + narrower


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("observed", [0.2, 0.5])
def test_a_posterior_of_two_humps_is_drawn_from(name, observed):
    drawn = draws(MIXTURE, name, observed).ravel()
    weights, means, stds = MIXTURE.posterior(np.float64(observed), SIGMA)
    mean, variance = (weights * means).sum(), MIXTURE.posterior_variance(np.float64(observed), SIGMA)
    lag, narrower = bias_of(name, observed, mean, variance)

    def distribution(values):
        return (weights * norm.cdf((values[:, np.newaxis] - means) / stds)).sum(axis=1)

    # Kolmogorov: 2.2 / sqrt(n) is exceeded once in 8000 tests. A shift by t stds moves a normal distribution function
    # by up to 0.4 t, a spread narrower by t by up to 0.24 t; twice that, as the humps are narrower than their mixture.
    assert kstest(drawn, distribution).statistic < 2.2 / COUNT**0.5 + 2 * (0.4 * lag + 0.24 * narrower)


def test_few_ancestral_steps_draw_too_little_spread_and_more_draw_more():
    exact = PRIOR.posterior_variance(SIGMA) ** 0.5
    shares = [
        next(PosteriorSamples(PRIOR, Ancestral(), steps)(np.full(PIXELS, 0.7), SIGMA)).std() / exact
        for steps in (3, 10, 40)
    ]
    assert shares[0] < shares[1] < shares[2] < 1.0


def test_pixels_of_another_sigma_have_another_spread():
    sigma = np.full(PIXELS, 0.1)
    sigma[:, 75:] = 0.4
    drawn = next(PosteriorSamples(PRIOR, Ancestral(), 300)(np.full(PIXELS, 0.5), sigma))
    for part, level in ((drawn[:, :75], 0.1), (drawn[:, 75:], 0.4)):
        variance = PRIOR.posterior_variance(level)
        narrower = 1.5 * FALL / 300 * STD**2 / (2 * variance)
        assert abs(part.std() / variance**0.5 - 1) < 4 * (1 / COUNT) ** 0.5 + narrower


@pytest.mark.parametrize(
    "build",
    [
        lambda: PredictorCorrector(corrections=0),
        lambda: PredictorCorrector(length=0.0),
        lambda: AnnealedLangevin(walks=0),
        lambda: AnnealedLangevin(length=float("nan")),
    ],
)
def test_a_walk_of_no_length_is_refused(build):
    with pytest.raises(InvalidParameter, match="Langevin step"):
        build()


def ones(like):
    """In place of normal numbers: what a step adds to its mean is then seen exactly."""
    return np.ones_like(like)


@pytest.fixture
def state(rng):
    image, start, before = rng.standard_normal((3, 1, 4, 5))
    return State(image, 0.2, start, 0.5, before, 0.3)


def test_an_ancestral_step_is_a_draw_given_the_state_and_the_denoised_image(state):
    after = Ancestral().step(PRIOR, state, 0.1, ones)
    denoised = PRIOR(state.image, 0.2)
    spread = 0.1 * np.sqrt(1 - 0.25)
    np.testing.assert_allclose(after.image, denoised + 0.25 * (state.image - denoised) + spread, rtol=1e-13)
    np.testing.assert_array_equal(after.denoised, denoised)
    assert (after.sigma, after.previous_sigma, after.start_sigma) == (0.1, 0.2, 0.5)


def test_a_langevin_step_follows_the_law_of_an_image_given_the_start(state):
    denoised = PRIOR(state.image, 0.2)
    after = langevin_step(state.image, denoised, state, 0.7, ones)
    mean = 0.84 * denoised + 0.16 * state.start  # 0.16 = (0.2 / 0.5)^2
    spread = 0.2 * np.sqrt(0.84 * (1 - np.exp(-1.4)))
    np.testing.assert_allclose(after, mean + np.exp(-0.7) * (state.image - mean) + spread, rtol=1e-13)


def test_a_walk_goes_from_step_to_step_at_its_own_level(state):
    image, calls = state.image, []

    def counted(noisy, sigma):
        calls.append(sigma)
        return PRIOR(noisy, sigma)

    after = walk(counted, state, 3, 0.7, ones)
    for _ in range(3):
        denoised = PRIOR(image, 0.2)
        image = langevin_step(image, denoised, state, 0.7, ones)
    np.testing.assert_array_equal(after.image, image)
    np.testing.assert_array_equal(after.denoised, denoised)
    assert calls == [0.2] * 3
    assert after.sigma == 0.2


@pytest.mark.parametrize(
    ("sampler", "levels", "length"),
    [(PredictorCorrector(), [0.2, 0.1], 0.2), (AnnealedLangevin(), [0.1, 0.1, 0.1], 0.3)],
)
def test_walks_are_as_long_as_declared_where_nothing_is_said(sampler, levels, length, state):
    calls = []

    def counted(noisy, sigma):
        calls.append(sigma)
        return PRIOR(noisy, sigma)

    after = sampler.step(counted, state, 0.1, ones)
    assert calls == levels
    assert sampler.length == length
    assert (after.sigma, after.previous_sigma) == (0.1, 0.2)
    here = state.moved(state.image, 0.1, state.image)
    walked = walk(PRIOR, here, 3, length, ones) if levels[0] == 0.1 else None
    if walked is not None:
        np.testing.assert_array_equal(after.image, walked.image)


@pytest.mark.parametrize("sampler", [Ancestral(), PredictorCorrector(), AnnealedLangevin()])
def test_at_no_noise_nothing_is_asked_and_nothing_drawn(sampler, state):
    levels = []

    def seen(noisy, sigma):
        levels.append(sigma)
        return PRIOR(noisy, sigma)

    after = sampler.step(seen, state, 0.0, ones)
    assert levels == [0.2]
    np.testing.assert_array_equal(after.image, PRIOR(state.image, 0.2))
