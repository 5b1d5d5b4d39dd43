"""Samplers against the exact flow of a Gaussian prior."""

import numpy as np
import pytest

from noiseless.diffusion.schedule import karras
from noiseless.errors import InvalidParameter
from noiseless.generation import SAMPLERS, ProbabilityFlow, normal_from_seed, sample, trajectory
from noiseless.score import GaussianPrior

PRIOR = GaussianPrior(mean=0.5, std=0.2)
SIGMA = 0.4


def error_after(sampler, steps, start, sigma_end=0.05):
    """Distance to the exact flow at sigma_end: before 0, where Heun has no slope and would drop to first order."""
    sigmas = np.linspace(SIGMA, sigma_end, steps + 1)
    states = trajectory(sampler, PRIOR, start, [*map(float, sigmas), 0.0], normal_from_seed(0))
    reached = [state for state in states if state.sigma > 0.0][-1]
    return np.abs(reached.image - PRIOR.flow(start, SIGMA, sigma_end)).max()


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_error_falls_with_the_declared_order(name, rng):
    sampler = SAMPLERS[name]()
    start = 0.5 + SIGMA * rng.standard_normal((1, 4, 4))
    steps = np.array([16, 32, 64, 128])
    errors = [error_after(sampler, int(count), start) for count in steps]
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    # the fit of a p-th order method over steps 1/16 to 1/128 is off by the next term, of relative size 1/16
    assert abs(order - sampler.order) < 2 / 16


@pytest.mark.parametrize("name", SAMPLERS)
def test_one_step_to_zero_is_the_denoiser(name, rng):
    noisy = rng.standard_normal((1, 4, 4))
    once = sample(SAMPLERS[name](), PRIOR, noisy, (SIGMA, 0.0), normal_from_seed(0))
    np.testing.assert_array_equal(once, PRIOR(noisy, SIGMA))


@pytest.mark.parametrize("name", SAMPLERS)
def test_many_steps_reach_the_exact_flow(name, rng):
    noisy = 0.5 + SIGMA * rng.standard_normal((3, 5, 4))
    flow = ProbabilityFlow(PRIOR, SAMPLERS[name](), steps=400)
    exact = PRIOR.flow(noisy, SIGMA, 0.0)
    # first order: the error is about the spread of the start over the number of steps
    np.testing.assert_allclose(flow(noisy, SIGMA), exact, atol=4 * SIGMA / 400)


@pytest.mark.parametrize("name", SAMPLERS)
def test_numpy_and_torch_take_the_same_road(name, rng):
    torch = pytest.importorskip("torch")
    noisy = rng.standard_normal((1, 6, 6)).astype(np.float32)
    flow = ProbabilityFlow(PRIOR, SAMPLERS[name](), steps=7)
    other = flow(torch.from_numpy(noisy), SIGMA)
    assert other.dtype == torch.float32
    rounding = 7 * 4 * np.finfo(np.float32).eps * np.abs(noisy).max()
    np.testing.assert_allclose(other.numpy(), flow(noisy, SIGMA), atol=rounding)


def test_a_map_of_sigmas_flows_pixel_by_pixel(rng):
    noisy = 0.5 + rng.standard_normal((1, 1, 2))
    flow = ProbabilityFlow(PRIOR, SAMPLERS["heun"](), steps=50)
    together = flow(noisy, np.array([[[0.1, 0.4]]]))
    np.testing.assert_allclose(together[..., 0], flow(noisy, 0.1)[..., 0], rtol=1e-12)
    np.testing.assert_allclose(together[..., 1], flow(noisy, 0.4)[..., 1], rtol=1e-12)


def test_more_steps_keep_more_of_the_variance_of_the_prior(rng):
    clean = 0.5 + 0.2 * rng.standard_normal((1, 300, 300))
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    mean = ProbabilityFlow(PRIOR, SAMPLERS["heun"](), steps=1)(noisy, SIGMA)
    flow = ProbabilityFlow(PRIOR, SAMPLERS["heun"](), steps=40)(noisy, SIGMA)
    # a variance over n pixels has the relative standard error sqrt(2 / n); the mean keeps std**4 / (std**2 + sigma**2)
    tolerance = 4 * (2 / clean.size) ** 0.5
    np.testing.assert_allclose(mean.var(), 0.2**4 / (0.2**2 + SIGMA**2), rtol=tolerance)
    np.testing.assert_allclose(flow.var(), 0.2**2, rtol=tolerance + 0.02)  # and 2 % for the first-order last step


def test_the_trajectory_yields_every_level_with_its_preview(rng):
    noisy, sigmas = rng.standard_normal((1, 3, 3)), karras(5, sigma_max=SIGMA, sigma_min=0.01)
    states = list(trajectory(SAMPLERS["euler"](), PRIOR, noisy, sigmas, normal_from_seed(0)))
    assert tuple(state.sigma for state in states) == sigmas
    assert states[0].denoised is None
    np.testing.assert_array_equal(states[1].denoised, PRIOR(noisy, SIGMA))
    assert states[3].previous_sigma == states[2].sigma


@pytest.mark.parametrize("sigmas", [(), (0.1,), (0.2, 0.1), (0.1, 0.2, 0.0), (0.2, 0.2, 0.0)])
def test_a_schedule_that_does_not_fall_to_zero_is_refused(sigmas):
    with pytest.raises(InvalidParameter, match="fall strictly"):
        list(trajectory(SAMPLERS["euler"](), PRIOR, np.zeros((1, 2, 2)), sigmas, normal_from_seed(0)))


def test_less_than_one_step_is_refused():
    with pytest.raises(InvalidParameter, match="steps is 0"):
        ProbabilityFlow(PRIOR, SAMPLERS["euler"](), steps=0)
