"""The risk of denoisers that are simple enough to do it by hand, so that no chance is in it."""

import numpy as np
import pytest

from noiseless.noise import Gaussian
from noiseless.restoration import Risk, self_supervised_loss, unbiased_risk
from noiseless.restoration.risk import response_of, risk_of

SIGMA, SHARE = 2.0, 0.3


@pytest.fixture
def noisy(rng):
    return 5.0 * rng.standard_normal((2, 6, 7))


def by_hand(noisy, probes):
    """Of y -> 0.3 y: its Jacobian is 0.3, and probes of signs have the square sigma^2, one like another."""
    count, left = noisy.size, (1 - SHARE) ** 2 * np.sum(noisy**2)
    squared = left - count * SIGMA**2 + 2 * count * SHARE * SIGMA**2
    energy = count * SHARE**2 * SIGMA**4
    variance = 4 * SIGMA**2 * left + 4 * energy - 2 * count * SIGMA**4
    return squared / count, np.sqrt(variance + 8 * energy / probes) / count


@pytest.mark.parametrize("probes", [1, 3])
def test_a_share_of_the_image_has_the_risk_and_the_error_of_the_formulas(noisy, probes):
    risk = unbiased_risk(lambda image: SHARE * image, noisy, Gaussian(SIGMA), probes=probes)
    # differences of numbers up to 15 over a step of 0.04
    np.testing.assert_allclose((risk.mse, risk.standard_error), by_hand(noisy, probes), rtol=1e-12)
    assert risk.absolute
    assert risk.over_own is None


def test_four_probes_are_taken_and_the_seed_is_0_where_nothing_is_said(noisy):
    calls = []

    def counted(image):
        calls.append(image)
        return image**2

    unsaid = unbiased_risk(counted, noisy, Gaussian(SIGMA))
    assert len(calls) == 1 + 4
    assert unsaid == unbiased_risk(counted, noisy, Gaussian(SIGMA), probes=4, seed=0)
    assert unsaid != unbiased_risk(counted, noisy, Gaussian(SIGMA), probes=4, seed=1)
    assert unsaid == risk_of(response_of(counted, noisy, Gaussian(SIGMA)), noisy, Gaussian(SIGMA))
    np.testing.assert_allclose(np.abs(calls[1] - noisy), 0.02 * SIGMA, rtol=1e-12)


def test_the_response_holds_the_residual_and_the_mean_over_the_probes(noisy):
    image, asked = noisy.astype(np.float32), []

    def square(values):
        asked.append(values.astype(np.float64))
        return values.astype(np.float64) ** 2 / 10

    response = response_of(square, image, Gaussian(SIGMA), probes=2)
    assert (response.probes, response.divergence.dtype) == (2, np.float32)
    np.testing.assert_allclose(response.residual, image.astype(np.float64) ** 2 / 10 - image, rtol=1e-6)
    signs = [np.sign(values - asked[0]) for values in asked[1:]]
    change = [(2 * SIGMA * sign * asked[0] + 0.02 * SIGMA**2) / 10 for sign in signs]
    # float32 images of size 15 are moved by 0.04: to 1e-6 / 0.04
    product = np.mean([SIGMA * sign * one for sign, one in zip(signs, change, strict=True)], axis=0)
    np.testing.assert_allclose(response.divergence, product, atol=1e-4 * np.abs(product).max())
    energy = np.mean([SIGMA**2 * np.sum(one**2) for one in change])
    assert response.energy == pytest.approx(energy, rel=1e-4)


def test_where_the_formula_falls_below_zero_the_error_is_that_of_the_probes():
    nothing = np.zeros((1, 5, 5))
    assert unbiased_risk(lambda image: 0 * image, nothing, Gaussian(SIGMA)) == Risk(-(SIGMA**2), 0.0)


def test_no_error_is_endless_decibels_and_the_range_is_255_where_nothing_is_said():
    assert Risk(0.0, 1.0).psnr() == np.inf
    assert Risk(-1.0, 1.0).psnr() == np.inf
    assert Risk(25.0, 5.0).psnr() == pytest.approx(10 * np.log10(255**2 / 25))
    assert Risk(25.0, 5.0).psnr(1.0) == pytest.approx(-10 * np.log10(25))
    assert Risk(25.0, 5.0).psnr_interval() == Risk(25.0, 5.0).psnr_interval(255.0)
    assert Risk(25.0, 5.0).psnr_interval(1.0)[0] == pytest.approx(-10 * np.log10(25 + 1.96 * 5))


@pytest.mark.parametrize("shape", [(2, 4, 9), (1, 3, 6, 4)])
def test_each_pixel_is_hidden_once_in_sixteen_calls_among_others_four_apart(shape, rng):
    noisy, calls = rng.standard_normal(shape).astype(np.float32), []

    def doubled(image):
        calls.append(image)
        return 2 * image

    risk = self_supervised_loss(doubled, noisy)
    edged = np.pad(noisy.astype(np.float64), [(0, 0)] * (len(shape) - 2) + [(1, 1)] * 2, mode="reflect")
    around = (
        edged[..., :-2, 1:-1] + edged[..., 2:, 1:-1] + edged[..., 1:-1, :-2] + edged[..., 1:-1, 2:]
    ) / 4  # what a hidden pixel is replaced by
    squared = (2 * around - noisy) ** 2
    assert len(calls) == 16
    assert calls[0].dtype == np.float32
    hidden = np.stack([image != noisy for image in calls])
    np.testing.assert_array_equal(hidden.sum(axis=0), 1)
    first = np.zeros(shape, bool)
    first[..., ::4, ::4] = True
    np.testing.assert_array_equal(hidden[0], first)
    assert risk.mse == pytest.approx(squared.mean(), rel=1e-5)  # float32 images
    assert risk.standard_error == pytest.approx(squared.std() / np.sqrt(squared.size), rel=1e-5)
    assert not risk.absolute
