"""The constants against their definitions, and the estimator on images whose statistics are known."""

import numpy as np
import pytest
from scipy import stats

from noiseless.noise.estimation import flat_patches
from noiseless.noise.estimation.flat_patches import difference_sigma, measure

LOW_BAND = 48


def textureless(rng, shape, sigma):
    return (0.5 + sigma * rng.standard_normal(shape)).astype(np.float32)


def test_the_constants_are_those_of_chi_squared():
    assert stats.chi2.ppf(0.95, LOW_BAND) / LOW_BAND == pytest.approx(flat_patches.WHITE_LIMIT, rel=1e-4)
    assert energy_of_lowest(flat_patches.CALM_SHARE, LOW_BAND) == pytest.approx(flat_patches.CALM_ENERGY, abs=1e-4)


@pytest.mark.parametrize("degrees", [5, 8, 15, 30, 48])
def test_the_calmest_patches_show_the_stated_part_of_their_energy(degrees):
    share = flat_patches.QUIET_SHARE
    assert flat_patches.energy_of_calmest(share, degrees) == pytest.approx(energy_of_lowest(share, degrees), rel=1e-9)


def energy_of_lowest(share, degrees):
    """E[x | x < q] / k = F_(k+2)(q) / F_k(q) for chi^2 with k degrees of freedom."""
    return stats.chi2.cdf(stats.chi2.ppf(share, degrees), degrees + 2) / share


def test_the_transform_is_orthonormal_and_the_bands_are_disjoint():
    basis = flat_patches._DCT
    assert np.abs(basis @ basis.T - np.eye(64)).max() < 1e-6  # float32
    assert flat_patches._LOW.sum() == LOW_BAND
    assert flat_patches._HIGH.sum() == 15
    assert not np.any(flat_patches._LOW & flat_patches._HIGH)


@pytest.mark.parametrize("shape", [(40, 40), (321, 481), (1000, 1200), (12, 90, 100)])
def test_white_noise_without_texture_is_unbiased(shape, rng):
    runs = 12 if np.prod(shape) < 1e6 else 3
    found = [measure(textureless(rng, shape, 0.1)) for _ in range(runs)]
    # The declared error counts each coefficient of half-overlapping patches once or less, so it is an upper bound.
    error = found[0].error / runs**0.5
    mean = np.mean([noise.sigma for noise in found])
    assert abs(mean / 0.1 - 1) < 4 * error
    assert np.std([noise.sigma for noise in found]) < 2 * 0.1 * max(noise.error for noise in found)


def test_white_noise_is_called_white(rng):
    noise = measure(textureless(rng, (321, 481), 0.1))
    # Patches are kept with probability 0.95 each. 400 calm patches, perhaps 60 of them independent, have 15 high
    # coefficients each: the ratio has a standard error of sqrt(2 / 900) = 0.05.
    assert noise.flat == pytest.approx(0.95, abs=0.02)
    assert noise.colour == pytest.approx(1, abs=0.2)
    assert abs(noise.correlation) < 0.1
    assert not noise.correlated
    assert noise.clipped == 0
    assert noise.usable == 1


def test_flat_areas_are_found_among_strong_texture(rng):
    image = 0.3 * rng.standard_normal((300, 400))
    image[100:200, 100:250] = 0.02 * rng.standard_normal((100, 150))
    noise = measure(image.astype(np.float32))
    # A ninth of the image is flat; 100 * 150 pixels, 15/64 of the coefficients: error 1 / sqrt(2 * 3500) = 1.2 %.
    assert noise.sigma == pytest.approx(0.02, rel=4 * 0.012)


def test_a_ramp_and_a_step_are_not_noise(rng):
    rows, columns = np.mgrid[:300, :300]
    image = rows / 300 + (columns > 150) + 0.01 * rng.standard_normal((300, 300))
    noise = measure(image.astype(np.float32))
    assert noise.sigma == pytest.approx(0.01, rel=4 * noise.error)


def test_saturated_areas_do_not_pull_sigma_down(rng):
    image = textureless(rng, (300, 300), 0.05)
    image[:200] = 1.0
    noise = measure(image)
    assert noise.clipped == pytest.approx(2 / 3, abs=0.02)
    assert noise.usable == pytest.approx(1 / 3, abs=0.03)
    assert noise.sigma == pytest.approx(0.05, rel=4 * 0.005)  # 30 000 pixels, 15/64 of them: 0.8 %, halved by overlap


def test_the_step_of_quantised_values_is_seen(rng):
    image = np.rint(255 * textureless(rng, (200, 200), 0.05)) / 255
    assert measure(image.astype(np.float32)).step == pytest.approx(1 / 255, rel=1e-3)  # float32
    assert measure(textureless(rng, (200, 200), 0.05)).step == 0


@pytest.mark.parametrize("shape", [(7, 100), (100, 7), (50, 3, 3), (1, 1)])
def test_no_patch_no_measurement(shape):
    assert measure(np.zeros(shape, np.float32)) is None


def test_differences_give_sigma_of_a_flat_image(rng):
    # The median absolute deviation has efficiency 0.37, differences of neighbours share pixels: at most
    # sqrt(2 / (2 * 0.37 * n)) for n pixels.
    sigma = difference_sigma(textureless(rng, (7, 3000), 0.1))
    assert sigma == pytest.approx(0.1, rel=4 * (1 / (0.37 * 21_000)) ** 0.5)
    assert difference_sigma(np.ones((1, 1), np.float32)) == 0
    assert difference_sigma(np.array([[1.0], [1.5]], np.float32)) > 0
