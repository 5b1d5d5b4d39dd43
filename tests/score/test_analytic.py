import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.score import EmpiricalPrior, GaussianPrior


def test_gaussian_prior_has_the_least_error_of_all_linear_denoisers(rng):
    prior, sigma, n = GaussianPrior(0.5, 0.2), 0.1, 200_000
    clean = 0.5 + 0.2 * rng.standard_normal((1, 1, n))
    noisy = clean + sigma * rng.standard_normal(clean.shape)
    error = np.mean((prior(noisy, sigma) - clean) ** 2)
    exact = prior.posterior_variance(sigma)
    # squares of a Gaussian error: the standard error of their mean is exact * sqrt(2 / n)
    assert abs(error - exact) < 4 * exact * (2 / n) ** 0.5


def test_gaussian_flow_is_its_own_inverse(rng):
    prior = GaussianPrior(0.5, 0.2)
    start = rng.standard_normal((1, 3, 3))
    there = prior.flow(start, 0.3, 0.05)
    np.testing.assert_allclose(prior.flow(there, 0.05, 0.3), start, rtol=1e-12)


def test_empirical_prior_of_one_image_always_answers_with_it(rng):
    image = rng.random((1, 1, 4, 4))
    np.testing.assert_array_equal(EmpiricalPrior(image)(rng.random((1, 4, 4)), 0.5), image[0])


def test_empirical_prior_weighs_two_images_by_their_likelihood(rng):
    first, second = np.zeros((1, 1, 2)), np.ones((1, 1, 2))
    noisy, sigma = np.full((1, 1, 2), 0.3), 0.7
    log_odds = -(np.sum((noisy - first) ** 2) - np.sum((noisy - second) ** 2)) / (2 * sigma**2)
    weight_second = 1 / (1 + np.exp(log_odds))
    np.testing.assert_allclose(EmpiricalPrior(np.stack([first, second]))(noisy, sigma), weight_second, rtol=1e-12)


def test_empirical_prior_finds_the_image_when_noise_is_weak(rng):
    images = rng.random((5, 1, 8, 8))
    noisy = images[3] + 0.01 * rng.standard_normal((1, 8, 8))
    # the next image is hundreds of sigma away, so its weight underflows
    np.testing.assert_allclose(EmpiricalPrior(images)(noisy, 0.01), images[3], atol=1e-12)


def test_priors_refuse_what_has_no_density():
    with pytest.raises(InvalidParameter, match="above 0"):
        GaussianPrior(0.0, 0.0)
    with pytest.raises(InvalidParameter, match="N >= 1"):
        EmpiricalPrior(np.zeros((0, 1, 2, 2)))
    with pytest.raises(InvalidParameter, match="sigma must be above 0"):
        EmpiricalPrior(np.zeros((1, 1, 2, 2)))(np.zeros((1, 2, 2)), 0.0)
