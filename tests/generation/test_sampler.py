from itertools import pairwise

import numpy as np
import pytest

from noiseless.diffusion.schedule import karras
from noiseless.errors import InvalidParameter
from noiseless.generation import SAMPLERS, normal_from_seed, trajectory
from noiseless.score import GaussianPrior

PRIOR = GaussianPrior(mean=0.5, std=0.2)
SIGMA = 0.4


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_trajectory_yields_every_level_with_its_preview(name, rng):
    noisy, sigmas = rng.standard_normal((1, 3, 3)), karras(5, sigma_max=SIGMA, sigma_min=0.01)
    states = list(trajectory(SAMPLERS[name](), PRIOR, noisy, sigmas, normal_from_seed(0)))
    assert tuple(state.sigma for state in states) == sigmas
    assert states[0].denoised is None
    for before, state in pairwise(states):
        assert state.previous_sigma == before.sigma
        assert state.denoised.shape == noisy.shape
        assert state.start is noisy
        assert state.start_sigma == SIGMA


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_gives_the_same_image_on_numpy_and_torch(name, rng):
    torch = pytest.importorskip("torch")
    noisy, sigmas = rng.standard_normal((1, 6, 6)).astype(np.float32), karras(7, sigma_max=SIGMA, sigma_min=0.01)

    def last(start, seed):
        return [*trajectory(SAMPLERS[name](), PRIOR, start, sigmas, normal_from_seed(seed))][-1].image

    here, there = last(noisy, 3), last(torch.from_numpy(noisy), 3)
    assert there.dtype == torch.float32
    # some ten operations in each of at most 7 * 4 rounds, on values of the size of the noisy ones
    rounding = 7 * 4 * 10 * np.finfo(np.float32).eps * np.abs(noisy).max()
    np.testing.assert_allclose(there.numpy(), here, atol=rounding)
    np.testing.assert_array_equal(here, last(noisy, 3))
    assert np.array_equal(here, last(noisy, 4)) != SAMPLERS[name]().random


@pytest.mark.parametrize("sigmas", [(), (0.1,), (0.2, 0.1), (0.1, 0.2, 0.0), (0.2, 0.2, 0.0)])
def test_a_schedule_that_does_not_fall_to_zero_is_refused(sigmas):
    with pytest.raises(InvalidParameter, match="fall strictly"):
        list(trajectory(SAMPLERS["euler"](), PRIOR, np.zeros((1, 2, 2)), sigmas, normal_from_seed(0)))
