"""Solvers of the probability flow against its exact solutions."""

import numpy as np
import pytest
from scipy.stats import norm

from noiseless.generation import SAMPLERS, integrate, normal_from_seed, trajectory
from noiseless.score import GaussianMixturePrior, GaussianPrior

PRIOR = GaussianPrior(mean=0.5, std=0.2)
MIXTURE = GaussianMixturePrior([0.3, 0.7], [0.2, 0.8], [0.05, 0.15])
SIGMA, SIGMA_END = 0.4, 0.05
SOLVERS = [name for name, build in SAMPLERS.items() if not build().random]


def reached(sampler, prior, steps, start):
    """Where a solver is at SIGMA_END: before 0, where Heun has no slope and would drop to first order."""
    sigmas = np.geomspace(SIGMA, SIGMA_END, steps + 1)
    states = trajectory(sampler, prior, start, [*map(float, sigmas), 0.0], normal_from_seed(0))
    return [state for state in states if state.sigma > 0.0][-1].image


def order_of(errors, steps):
    return -np.polyfit(np.log(steps), np.log(errors), 1)[0]


def share_below(values, sigma):
    """The distribution function of the mixture under noise; the flow in one dimension keeps it, as it keeps order."""
    spread = np.sqrt(MIXTURE.stds**2 + sigma**2)
    return (MIXTURE.weights * norm.cdf((values[..., np.newaxis] - MIXTURE.means) / spread)).sum(axis=-1)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_error_falls_with_the_declared_order(name, rng):
    sampler = SAMPLERS[name]()
    start = 0.5 + SIGMA * rng.standard_normal((1, 4, 4))
    exact = PRIOR.flow(start, SIGMA, SIGMA_END)
    steps = np.array([16, 32, 64, 128])
    errors = [np.abs(reached(sampler, PRIOR, int(count), start) - exact).max() for count in steps]
    # log(sigma) falls by 2.1 in all, so by h = 2.1 / 16 to 2.1 / 128 a step; the next term of the error, of relative
    # size h, tilts the fit by at most that much over one octave
    # (the leading error of the multistep rule is nearly zero here, so its order looks higher)
    assert order_of(errors, steps) > sampler.order - 2.1 / 16


@pytest.mark.parametrize("name", SOLVERS)
def test_the_order_holds_where_the_score_is_not_linear(name):
    sampler = SAMPLERS[name]()
    start = np.linspace(-0.3, 1.3, 33).reshape(1, 1, 33)
    steps = np.array([32, 64, 128, 256])
    kept = share_below(start, SIGMA)
    errors = [np.abs(share_below(reached(sampler, MIXTURE, int(n), start), SIGMA_END) - kept).max() for n in steps]
    # the derivatives of the score grow by up to (0.4 / 0.05)^(1/2) between the two humps: the next term counts for more
    assert abs(order_of(errors, steps) - sampler.order) < 2.8 * 2.1 / 32 + 0.05


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_step_to_zero_is_the_denoiser(name, rng):
    noisy = rng.standard_normal((1, 4, 4))
    once = integrate(SAMPLERS[name](), PRIOR, noisy, (SIGMA, 0.0), normal_from_seed(0))
    np.testing.assert_array_equal(once, PRIOR(noisy, SIGMA))


def test_multistep_asks_the_denoiser_once_a_step(rng):
    calls = []

    def counted(image, sigma):
        calls.append(sigma)
        return PRIOR(image, sigma)

    reached(SAMPLERS["dpm-solver++"](), counted, 9, rng.standard_normal((1, 2, 2)))
    assert len(calls) == 9 + 1
