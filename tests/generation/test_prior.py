import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.generation import Euler, normal_from_seed, sample
from noiseless.score import GaussianPrior
from noiseless.sigma_map import LARGEST_SIGMA

PRIOR = GaussianPrior(mean=0.3, std=0.1)


def test_what_is_drawn_has_the_law_of_the_prior():
    drawn = sample((1, 200, 200), PRIOR, steps=300, sigma=5.0)
    # The start keeps 0.04 % of its variance. Four standard errors, and what the steps lose (see test_stochastic.py):
    # half a log step, of ln(5 / 0.002) / 300.
    assert abs(drawn.mean() - 0.3) < 4 * 0.1 / 200 + 0.02 * 0.1
    assert abs(drawn.std() / 0.1 - 1) < 4 * 0.5**0.5 / 200 + 0.02


def test_the_shipped_network_draws_structure_and_the_seed_fixes_it():
    drawn = sample((1, 48, 48), steps=20)
    assert drawn.dtype == np.float32
    neighbours = np.corrcoef(drawn[0, :, 1:].ravel(), drawn[0, :, :-1].ravel())[0, 1]
    assert neighbours > 0.5  # noise has none
    np.testing.assert_array_equal(drawn, sample((1, 48, 48), steps=20))
    assert not np.array_equal(drawn, sample((1, 48, 48), steps=20, seed=1))


def test_another_sampler_may_be_asked_for():
    assert sample((1, 4, 4), PRIOR, sampler=Euler(), steps=5).shape == (1, 4, 4)


@pytest.mark.parametrize(("shape", "options"), [((8, 8), {}), ((1, 0, 8), {}), ((1, 8, 8), {"sigma": 0.0})])
def test_what_makes_no_sense_is_refused(shape, options):
    with pytest.raises(InvalidParameter, match=r"give channels|level above"):
        sample(shape, PRIOR, **options)


def test_where_nothing_is_said_noise_of_one_over_mid_grey_runs_down_in_150_steps():
    images, levels = [], []

    def seen(image, sigma):
        images.append(image)
        levels.append(sigma)
        return PRIOR(image, sigma)

    sample((1, 2, 3), seen)
    assert len(levels) == 150
    assert (levels[0], levels[-1]) == pytest.approx((1.0, 0.002))
    noise = normal_from_seed(0)(np.zeros((1, 2, 3), np.float32))
    np.testing.assert_allclose(images[0], 0.5 + noise, rtol=1e-6)
    assert images[0].dtype == np.float32


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 1, 1), {}),
        ([2, 1, 3], {}),
        ((1, 2, 2, 2), {}),
        ((1, 2, 2), {"sigma": LARGEST_SIGMA}),
        ((1, 2, 2), {"level": 0}),
    ],
)
def test_what_is_at_the_bounds_is_drawn(shape, options):
    assert sample(shape, PRIOR, steps=2, **options).shape == tuple(shape)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1, 2, 2, 2, 2), {}, "give channels"),
        ((1, 2, "2"), {}, "give channels"),
        (8, {}, "give channels"),
        ((1, 2, 2), {"sigma": 0.002}, "level above"),
        ((1, 2, 2), {"sigma": 1.001 * LARGEST_SIGMA}, "level above"),
        ((1, 2, 2), {"level": "grey"}, "level"),
    ],
)
def test_what_is_beyond_the_bounds_is_refused(shape, options, message):
    with pytest.raises(InvalidParameter, match=message):
        sample(shape, PRIOR, steps=2, **options)
