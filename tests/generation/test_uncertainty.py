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
    raw[0] = 0.0  # each channel is an array of its own
    assert raw[2].all()


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
    with pytest.raises(InvalidParameter, match="rounds is 0"):
        posterior_components(row_means, noisy, SIGMA, everywhere, rounds=0)


def cube(image, sigma=None):
    return image**3


def test_the_difference_is_central_and_its_step_a_twentieth_of_the_noise(rng):
    noisy, direction = rng.standard_normal((2, 1, 3, 4))
    step = 0.05 * 0.3 / np.sqrt(np.mean(direction**2))
    sigma = np.full((3, 4), 0.1)
    sigma[1, 2] = 0.3  # of a map, the largest counts
    exact = 3 * noisy**2 * direction + step**2 * direction**3
    for level in (0.3, sigma):
        # differences of numbers of size 10 over a step of 0.03
        np.testing.assert_allclose(jacobian_product(cube, noisy, level, direction), exact, atol=1e-15 * 10 / 0.015)


def test_probes_are_followed_by_a_twentieth_and_averaged(rng):
    noisy, probes = np.full((1, 6, 7), 0.5), [np.full((1, 6, 7), 0.3), np.full((1, 6, 7), -0.2)]
    found = propagated_noise(cube, noisy, cube(noisy), iter(probes))
    change = [((0.5 + 0.05 * w) ** 3 - 0.125) / 0.05 for w in (0.3, -0.2)]
    np.testing.assert_allclose(found.std, np.sqrt(np.mean(np.square(change))), rtol=1e-12)
    np.testing.assert_allclose(found.trace, (0.3 * change[0] - 0.2 * change[1]) / 2, rtol=1e-12)


def test_energies_are_smoothed_within_slices_by_a_gaussian_of_one_and_a_half_pixels():
    probe = np.zeros((1, 3, 41, 41))
    probe[0, 1, 20, 20] = 1.0
    energy = propagated_noise(lambda y: y, 0 * probe, 0 * probe, [probe]).std ** 2
    assert energy[0, [0, 2]].max() < 1e-15  # rounding of transforms of numbers up to 1
    assert energy.sum() == pytest.approx(1.0)
    # The heat flow of a lattice spreads a point by 2 t = 1.5^2 along each axis; the borders are 13 such widths away.
    along = np.arange(-20, 21) ** 2
    assert (energy[0, 1].sum(axis=0) @ along, energy[0, 1].sum(axis=1) @ along) == pytest.approx((2.25, 2.25), rel=1e-6)


def test_sign_probes_are_of_the_size_of_the_noise_and_of_both_signs():
    probes = list(sign_probes(np.zeros((1, 20, 20), np.float32), 0.25, 3, seed=1))
    assert len(probes) == 3
    for probe in probes:
        assert probe.dtype == np.float32
        assert set(np.unique(probe)) == {-0.25, 0.25}
        assert abs(np.sign(probe).mean()) < 4 / 20
    assert not np.array_equal(probes[0], probes[1])


def test_four_components_take_eight_calls_in_each_of_twelve_rounds(wiener, rng):
    calls = []

    def counted(noisy, sigma):
        calls.append(sigma)
        return wiener(noisy, sigma)

    noisy, region = rng.standard_normal((1, 6, 8)), (slice(1, 3), slice(2, 4))
    found = posterior_components(counted, noisy, SIGMA, region)
    assert len(calls) == 12 * 2 * 4
    assert found.images.shape == (4, 1, 6, 8)  # as many as the region has values
    again = posterior_components(wiener, noisy, SIGMA, region, count=4, rounds=12, seed=0)
    np.testing.assert_array_equal(found.images, again.images)
    with pytest.raises(InvalidParameter, match="count is 0"):
        posterior_components(wiener, noisy, SIGMA, region, count=0)


def test_components_of_a_denoiser_that_sharpens_have_no_negative_variance(rng):
    found = posterior_components(lambda y, sigma: -y, rng.standard_normal((1, 3, 3)), SIGMA, (slice(3), slice(3)))
    np.testing.assert_array_equal(found.stds, 0.0)
