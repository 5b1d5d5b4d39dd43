"""The risk by bands: less chance where the denoiser is a posterior mean, Stein's where it is not."""

import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import Correlated, Gaussian, gaussian_kernel
from noiseless.restoration import spectral_risk, unbiased_risk

SIGMA = 3.0
SIDE = 48
SHAPE = (1, SIDE, SIDE)
DRAWS = 80


def power():
    """Of images whose spectrum falls as that of photographs."""
    f = np.hypot(np.fft.fftfreq(SIDE)[:, np.newaxis], np.fft.fftfreq(SIDE))
    return 1.0 / (f + 0.02) ** 2 / 100


def filtered(gain, image):
    return np.fft.ifft2(gain * np.fft.fft2(image)).real


def covariance(correlation):
    """The matrix of a correlation that is given at every distance, modulo its own size."""
    rows, columns = (index.ravel() for index in np.indices((SIDE, SIDE)))
    height, width = correlation.shape
    apart = [(index[:, np.newaxis] - index) % length for index, length in ((rows, height), (columns, width))]
    return correlation[apart[0], apart[1]]


def posterior_mean(noise_covariance):
    images = covariance(np.fft.ifft2(power()).real)
    gain = images @ np.linalg.inv(images + noise_covariance)
    return lambda noisy: (gain @ noisy.ravel()).reshape(noisy.shape)


def too_strong(noisy):
    return filtered(power() / (power() + 100 * SIGMA**2), noisy)


def white():
    return Gaussian(SIGMA), SIGMA**2 * np.eye(SIDE * SIDE)


def correlated():
    noise = Correlated(SIGMA, gaussian_kernel(0.8))
    # On a grid of twice the size no two pixels of the image are neighbours round the edge.
    return noise, covariance(np.fft.ifft2(noise.spectrum((2 * SIDE, 2 * SIDE))).real)


def runs(denoise, noise, rng):
    """(spectral, Stein's, true) for draws of image and noise."""
    results = []
    for seed in range(DRAWS):
        clean = filtered(np.sqrt(power()), rng.standard_normal(SHAPE))
        noisy = noise.sample(clean, rng)
        risks = [estimate(denoise, noisy, noise, seed=seed) for estimate in (spectral_risk, unbiased_risk)]
        results.append((*risks, np.mean((denoise(noisy) - clean) ** 2)))
    return results


@pytest.mark.parametrize("case", [white, correlated])
def test_it_is_right_for_a_posterior_mean_and_has_less_chance_in_it_than_stein(case, rng):
    noise, noise_covariance = case()
    results = runs(posterior_mean(noise_covariance), noise, rng)
    off = np.array([spectral.mse - true for spectral, _, true in results])
    stein = np.array([unbiased.mse - true for _, unbiased, true in results])
    assert abs(off.mean()) < 4.0 * off.std(ddof=1) / np.sqrt(DRAWS)
    # A standard deviation over 80 draws is known to 8 %, the ratio of two to at most 11 %: 1 - 3 * 0.11.
    assert off.std() < 0.67 * stein.std()
    inside = np.mean([abs(spectral.mse - true) < 1.96 * spectral.standard_error for spectral, _, true in results])
    assert inside > 0.95 - 4 * np.sqrt(0.95 * 0.05 / DRAWS)


def test_a_sigma_that_is_off_misleads_it_less_than_stein(rng):
    draws = []
    for off in (-0.05, 0.05):
        said = Gaussian(SIGMA * (1 + off))
        denoise = posterior_mean(said.sigma**2 * np.eye(SIDE * SIDE))
        for seed in range(DRAWS // 2):
            clean = filtered(np.sqrt(power()), rng.standard_normal(SHAPE))
            noisy = Gaussian(SIGMA).sample(clean, rng)
            spectral = spectral_risk(denoise, noisy, said, sigma_off=0.05, seed=seed)
            stein = unbiased_risk(denoise, noisy, said, seed=seed)
            draws.append([risk.mse - np.mean((denoise(noisy) - clean) ** 2) for risk in (spectral, stein)])
            draws[-1].append(spectral.standard_error)
    off, of_stein, told = np.array(draws).T
    # 5 % of sigma is 10 % of sigma^2 to Stein's.
    assert np.sqrt(np.mean(of_stein**2)) > 0.09 * SIGMA**2
    assert np.sqrt(np.mean(off**2)) < 0.5 * np.sqrt(np.mean(of_stein**2))
    inside = np.mean(np.abs(off) < 1.96 * told)
    assert inside > 0.95 - 4 * np.sqrt(0.95 * 0.05 / DRAWS)


def test_it_is_steins_where_the_jacobian_knows_nothing_of_the_error(rng):
    results = runs(too_strong, Gaussian(SIGMA), rng)
    stein = np.sqrt(np.mean([(unbiased.mse - true) ** 2 for _, unbiased, true in results]))
    off = np.sqrt(np.mean([(spectral.mse - true) ** 2 for spectral, _, true in results]))
    # What is lost is less than the two are known to: 8 % each, three times their root of squares.
    assert off < stein * (1 + 3 * 0.11)


def test_what_cannot_be_measured_is_refused(rng):
    with pytest.raises(InvalidParameter, match="probes is 0"):
        spectral_risk(too_strong, rng.standard_normal(SHAPE), Gaussian(SIGMA), probes=0)
    with pytest.raises(InvalidImage, match="they must be equal"):
        spectral_risk(lambda noisy: noisy[..., 1:], rng.standard_normal(SHAPE), Gaussian(SIGMA))
