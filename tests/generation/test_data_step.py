"""Data steps against the conditions that their results must meet, and against one another."""

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.generation.data_step import BlurredData, KnownPixels, PixelwiseData, PoissonData, StationaryData
from noiseless.noise import Gaussian, Poisson, Rician, Speckle

VARIANCE = 0.04


@pytest.fixture
def estimate(rng):
    return rng.uniform(0.1, 0.9, (2, 7, 9))


@pytest.fixture
def noisy(rng, estimate):
    return estimate + 0.2 * rng.standard_normal(estimate.shape)


def kernel_transfer(shape):
    kernel = np.zeros(shape)
    kernel[np.ix_([0, 1, -1], [0, 1, -1])] = np.outer([2, 1, 1], [2, 1, 1]) / 16
    return np.fft.fftn(kernel)


def test_white_noise_is_a_weighted_mean(noisy, estimate):
    mean = (VARIANCE * noisy + 0.09 * estimate) / (VARIANCE + 0.09)
    white = StationaryData(noisy, np.full(noisy.shape[1:], 0.09))
    np.testing.assert_allclose(white(estimate, VARIANCE), mean, atol=1e-14)
    np.testing.assert_allclose(KnownPixels(noisy, noisy > -9, sigma=0.3)(estimate, VARIANCE), mean, atol=1e-14)
    identity = BlurredData(noisy, np.ones(noisy.shape[1:]), sigma=0.3)
    np.testing.assert_allclose(identity(estimate, VARIANCE), mean, atol=1e-14)
    # a bracket of size 3 shrinks by 2e-7
    np.testing.assert_allclose(PixelwiseData(noisy, Gaussian(0.3))(estimate, VARIANCE), mean, atol=3 * 2e-7)


def test_the_step_of_a_blur_zeroes_the_gradient(noisy, estimate):
    transfer = kernel_transfer(noisy.shape[1:])
    found = BlurredData(noisy, transfer, sigma=0.3)(estimate, VARIANCE)

    def filtered(image, by):
        return np.fft.ifftn(np.fft.fftn(image, axes=(1, 2)) * by, axes=(1, 2)).real

    gradient = filtered(filtered(found, transfer) - noisy, np.conj(transfer)) / 0.09 + (found - estimate) / VARIANCE
    np.testing.assert_allclose(gradient, 0, atol=1e-11)


def test_photons_zero_the_gradient(rng, estimate):
    gain = 0.05
    noisy = gain * rng.poisson(estimate / gain)
    noisy[0, 0, :3] = 0.0
    found = PoissonData(noisy, gain)(estimate, VARIANCE)
    lit = noisy > 0
    gradient = 1 / gain - noisy[lit] / (gain * found[lit]) + (found[lit] - estimate[lit]) / VARIANCE
    np.testing.assert_allclose(gradient, 0, atol=1e-9)
    # without a photon the likelihood is exp(-x / gain), over x >= 0
    np.testing.assert_allclose(found[~lit], np.maximum(estimate[~lit] - VARIANCE / gain, 0), atol=1e-12)


def test_the_search_finds_the_closed_form_of_photons(rng, estimate):
    noisy = 0.05 * rng.poisson(estimate / 0.05 + 1)
    exact = PoissonData(noisy, 0.05)(estimate, VARIANCE)
    np.testing.assert_allclose(PixelwiseData(noisy, Poisson(0.05))(estimate, VARIANCE), exact, atol=1e-5)


@pytest.mark.parametrize("noise", [Rician(0.2), Speckle(4.0)], ids=["rician", "speckle"])
def test_the_search_finds_a_minimum(noise, rng, estimate):
    noisy = noise.sample(estimate, rng)
    found = PixelwiseData(noisy, noise)(estimate, VARIANCE)

    def cost(clean):
        return 0.5 * (clean - estimate) ** 2 / VARIANCE - noise.log_density(noisy, clean)

    inside = found > 0.02  # beside the least clean value there is nothing to compare with
    for step in (-0.01, 0.01):
        assert np.all((cost(found) <= cost(found + step))[inside])


def test_unknown_pixels_keep_the_estimate_and_known_ones_themselves(noisy, estimate):
    known = np.zeros(noisy.shape, bool)
    known[:, ::2] = True
    found = KnownPixels(noisy, known)(estimate, VARIANCE)
    np.testing.assert_allclose(found[known], noisy[known], rtol=1e-14)
    np.testing.assert_array_equal(found[~known], estimate[~known])


def test_torch_takes_the_same_road(noisy, estimate):
    torch = pytest.importorskip("torch")
    for build in (
        lambda image, like: StationaryData(image, like(np.full(noisy.shape[1:], 0.09))),
        lambda image, like: BlurredData(image, like(kernel_transfer(noisy.shape[1:])), 0.3),
        lambda image, like: PoissonData(image, 0.05),
        lambda image, like: KnownPixels(image, image > 0.5, 0.1),
    ):
        here = build(noisy, np.asarray)(estimate, VARIANCE)
        there = build(torch.from_numpy(noisy), torch.from_numpy)(torch.from_numpy(estimate), VARIANCE)
        np.testing.assert_allclose(there.numpy(), here, atol=1e-12)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda y: StationaryData(y, np.ones((3, 3))), "spectrum has shape"),
        (lambda y: StationaryData(y, -np.ones(y.shape[1:])), "negative"),
        (lambda y: BlurredData(y, np.ones((3, 3)), 0.1), "transfer has shape"),
        (lambda y: BlurredData(y, np.ones(y.shape[1:]), 0.0), "sigma is 0"),
        (lambda y: PoissonData(y, 0.0), "gain is 0"),
        (lambda y: KnownPixels(y, np.ones((1, 2, 2), bool)), "known has shape"),
        (lambda y: KnownPixels(y, y > 0, -1.0), "sigma is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(noisy, build, message):
    with pytest.raises(InvalidParameter, match=message):
        build(noisy)


def test_the_search_looks_six_standard_deviations_around_and_costs_34_densities():
    asked = []

    class Asked:
        def variance(self, clean):
            return np.full_like(clean, 0.09)

        def log_density(self, noisy, clean):
            asked.append(clean[0, 0, 0])
            return -((noisy - clean) ** 2) / 0.18

    found = PixelwiseData(np.full((1, 1, 1), 2.0, np.float32), Asked())(np.full((1, 1, 1), 1.0), VARIANCE)
    low, high = 1.0 - 6 * 0.5, 2.0 + 6 * 0.5  # 0.3 of the noise and 0.2 of the estimate
    golden = (5**0.5 - 1) / 2
    np.testing.assert_allclose(asked[:2], [high - golden * (high - low), low + golden * (high - low)], rtol=1e-12)
    assert len(asked) == 34
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (0.04 * 2 + 0.09 * 1) / 0.13, atol=(high - low) * 2e-7)


def test_a_dark_pixel_at_the_bend_of_the_root_is_dark():
    dark = PoissonData(np.zeros((1, 1, 1)), 0.5)
    np.testing.assert_array_equal(dark(np.full((1, 1, 1), VARIANCE / 0.5), VARIANCE), 0.0)
    np.testing.assert_array_equal(PoissonData(np.full((1, 1, 1), -1.0), 0.5)(np.zeros((1, 1, 1)), VARIANCE), 0.0)


def test_each_channel_may_have_its_spectrum_and_a_frequency_may_have_no_noise(noisy, estimate):
    levels = np.zeros(noisy.shape)
    levels[1] = 0.09
    found = StationaryData(noisy, levels)(estimate, VARIANCE)
    np.testing.assert_allclose(found[0], noisy[0], atol=1e-14)
    np.testing.assert_allclose(found[1], (VARIANCE * noisy[1] + 0.09 * estimate[1]) / (VARIANCE + 0.09), atol=1e-14)
    with pytest.raises(InvalidParameter, match="not finite"):
        StationaryData(noisy, np.full(noisy.shape[1:], np.inf))
