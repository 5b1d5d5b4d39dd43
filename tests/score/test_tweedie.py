import numpy as np

from noiseless.score import GaussianPrior, denoised_from_score, noise_from_denoised, score, score_from_denoised

PRIOR = GaussianPrior(mean=0.4, std=0.2)


def test_the_score_of_a_gaussian_prior_is_the_gradient_of_its_log_density(rng):
    noisy, sigma = rng.standard_normal((1, 5, 4)), 0.3
    # p_sigma = N(mean, std**2 + sigma**2), so grad log p = (mean - y) / (std**2 + sigma**2)
    exact = (PRIOR.mean - noisy) / (PRIOR.std**2 + sigma**2)
    np.testing.assert_allclose(score(PRIOR, noisy, sigma), exact, rtol=1e-12)


def test_score_noise_and_denoised_image_give_each_other_back(rng):
    noisy, sigma = rng.standard_normal((3, 6, 5)), 0.1
    denoised = PRIOR(noisy, sigma)
    np.testing.assert_allclose(denoised_from_score(noisy, score(PRIOR, noisy, sigma), sigma), denoised, rtol=1e-12)
    eps = noise_from_denoised(noisy, denoised, sigma)
    np.testing.assert_allclose(score_from_denoised(noisy, denoised, sigma), -eps / sigma, rtol=1e-9)
