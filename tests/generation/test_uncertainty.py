"""Error maps and components against Jacobians and posteriors that are known exactly."""

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.generation import jacobian_product, posterior_components, propagated_noise, sign_probes
from noiseless.score import GaussianPrior, NetworkDenoiser

SIGMA = 0.3


class Wiener:
    """The exact denoiser of images x ~ N(0, K) of a few pixels."""

    def __init__(self, covariance):
        self.covariance = covariance

    def __call__(self, noisy, sigma):
        noise = sigma**2 * np.eye(len(self.covariance))
        gain = self.covariance @ np.linalg.inv(self.covariance + noise)
        return (gain @ noisy.ravel()).reshape(noisy.shape)

    def posterior(self, sigma):
        gain = self.covariance @ np.linalg.inv(self.covariance + sigma**2 * np.eye(len(self.covariance)))
        return self.covariance - gain @ self.covariance


@pytest.fixture
def wiener(rng):
    mixing = rng.standard_normal((48, 48)) / np.arange(1, 49)
    return Wiener(mixing @ mixing.T)


def row_means(image):
    return np.broadcast_to(image.mean(axis=-1, keepdims=True), image.shape)


def test_the_product_is_exact_for_a_linear_denoiser(wiener, rng):
    noisy, direction = rng.standard_normal((2, 1, 6, 8))
    exact = wiener(direction, SIGMA)
    # the difference of two results of size 1 is taken over a step of 0.05 * SIGMA * 2, in float64
    np.testing.assert_allclose(jacobian_product(wiener, noisy, SIGMA, direction), exact, atol=1e-15 * 8 / (0.1 * SIGMA))
    np.testing.assert_array_equal(jacobian_product(wiener, noisy, SIGMA, 0 * direction), 0 * direction)


def test_torch_differentiates_what_numpy_takes_the_difference_of(rng):
    torch = pytest.importorskip("torch")
    denoiser = NetworkDenoiser(precision="float32")
    noisy = (0.5 + 0.1 * rng.standard_normal((1, 40, 40))).astype(np.float32)
    direction = rng.standard_normal(noisy.shape).astype(np.float32)
    difference = jacobian_product(denoiser, noisy, 0.1, direction)
    exact = jacobian_product(denoiser, torch.from_numpy(noisy), 0.1, torch.from_numpy(direction)).numpy()
    # The network is linear in pieces, and a step crosses into a few others: part of the pixels differ, most agree.
    assert np.corrcoef(difference.ravel(), exact.ravel())[0, 1] > 0.98
    assert np.median(np.abs(difference - exact)) < 0.1 * np.median(np.abs(exact))


def test_pixels_on_their_own_pass_on_their_share_of_the_noise(rng):
    prior = GaussianPrior(mean=0.5, std=0.2)
    noisy = rng.standard_normal((1, 9, 11))
    raw = propagated_noise(
        lambda y: prior(y, SIGMA), noisy, prior(noisy, SIGMA), sign_probes(noisy, SIGMA, 3, seed=0)
    ).std
    # signs have the square 1, so there is no chance in it
    np.testing.assert_allclose(raw, SIGMA * 0.2**2 / (0.2**2 + SIGMA**2), rtol=1e-9)


def test_a_projection_passes_on_the_posterior_standard_deviation(rng):
    noisy = rng.standard_normal((1, 400, 50))
    raw = propagated_noise(row_means, noisy, row_means(noisy), sign_probes(noisy, SIGMA, 8, seed=0)).std
    # Var[x | y] = SIGMA^2 / 50; a mean of 8 * 400 squares of nearly normal values has the relative error sqrt(2 / 3200)
    assert abs(np.mean(raw**2) / (SIGMA**2 / 50) - 1) < 4 * (2 / 3200) ** 0.5


def test_channels_share_their_error(rng):
    noisy = rng.standard_normal((3, 8, 8))
    raw = propagated_noise(
        lambda y: y * [[[0.0]], [[0.6]], [[0.9]]], noisy, 0, sign_probes(noisy, SIGMA, 2, seed=0)
    ).std
    assert raw.shape == noisy.shape
    np.testing.assert_array_equal(raw[0], raw[2])


def test_an_error_map_needs_a_probe(rng):
    with pytest.raises(InvalidParameter, match="no probe"):
        propagated_noise(row_means, np.zeros((1, 4, 4)), np.zeros((1, 4, 4)), [])


def test_eight_probes_cost_eight_calls(rng):
    calls = []

    def counted(image):
        calls.append(1)
        return row_means(image)

    noisy = rng.standard_normal((1, 5, 5))
    propagated_noise(counted, noisy, row_means(noisy), sign_probes(noisy, SIGMA, 8, seed=0))
    assert len(calls) == 8


def test_components_are_the_leading_eigenvectors_of_the_posterior(wiener, rng):
    noisy = rng.standard_normal((1, 6, 8))
    found = posterior_components(wiener, noisy, SIGMA, (slice(None), slice(None)), count=3, rounds=200)
    values, vectors = np.linalg.eigh(wiener.posterior(SIGMA))
    # the least separated of the first four eigenvalues settles which error remains after 200 rounds
    ratio = (values[-2:-5:-1] / values[-1:-4:-1]).max()
    np.testing.assert_allclose(found.stds**2, values[-1:-4:-1], rtol=ratio**200 + 1e-9)
    for image, vector in zip(found.images, vectors.T[::-1], strict=False):
        assert abs(abs(image.ravel() @ vector) - 1) < ratio**200 + 1e-9


def test_components_stay_within_their_region(rng):
    noisy = (0.5 + 0.1 * rng.standard_normal((1, 40, 44))).astype(np.float32)
    region = (slice(10, 18), slice(20, 30))
    found = posterior_components(NetworkDenoiser(precision="float32"), noisy, 0.1, region, count=2, rounds=3)
    assert found.images.shape == (2, 1, 40, 44)
    assert np.all(np.diff(found.stds) <= 0)
    outside = found.images.copy()
    outside[:, :, 10:18, 20:30] = 0
    assert not outside.any()
    inside = found.images[:, :, 10:18, 20:30].reshape(2, -1)
    np.testing.assert_allclose(inside @ inside.T, np.eye(2), atol=1e-4)


def test_what_makes_no_sense_is_refused(rng):
    noisy, everywhere = np.zeros((1, 4, 4)), (slice(None), slice(None))
    with pytest.raises(InvalidParameter, match="direction has shape"):
        jacobian_product(row_means, noisy, SIGMA, np.zeros((1, 4, 5)))
    with pytest.raises(InvalidParameter, match="sigma is 0"):
        jacobian_product(row_means, noisy, 0.0, noisy)
    with pytest.raises(InvalidParameter, match="components need more"):
        posterior_components(row_means, noisy, SIGMA, (slice(0, 1), slice(0, 2)), count=3)
    with pytest.raises(InvalidParameter, match="at least 1"):
        posterior_components(row_means, noisy, SIGMA, everywhere, rounds=0)
