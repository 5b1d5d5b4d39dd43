"""The constants against their definitions, and the estimator on images whose statistics are known."""

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy import stats

from noiseless.noise.estimation import flat_patches
from noiseless.noise.estimation.flat_patches import LEAKAGE, band_powers, difference_sigma, measure, white_variance

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
    assert np.array_equal(np.count_nonzero(flat_patches._BANDS, axis=0), [27, 26, 10])
    # Each coefficient but the mean of a patch is in one of the three bands.
    assert np.array_equal(np.count_nonzero(flat_patches._BANDS, axis=1), [0] + [1] * 63)


def test_texture_of_the_usual_spectrum_is_taken_off_exactly(rng):
    texture = np.linspace(0, 0.8, 2000)
    bands = 4 * np.stack([1 + 5 * texture, 1 + texture, 1 + LEAKAGE * texture], axis=-1).astype(np.float32)
    variance, error = white_variance(rng.permutation(bands), 1.0, 50)
    assert variance == pytest.approx(4, rel=1e-5)  # float32
    # Least texture, but not so few patches: the error is more than chance alone gives for all of them.
    assert error > (2 * ((1 / (1 - LEAKAGE)) ** 2 / 10) / 2000) ** 0.5 / 2


def test_white_texture_is_kept_out_by_the_calmer_patches(rng):
    bands = rng.chisquare(30, (4000, 3)).astype(np.float32) / 30
    bands[1000:] *= 9  # three quarters of the patches hold noise three times as strong
    variance, _ = white_variance(bands, 1.0, 50)
    # 1000 patches of 30 degrees of freedom: sqrt(2 / 30 000) = 0.8 %, less than doubled by what is taken off.
    assert variance == pytest.approx(1, rel=4 * 0.016)


def test_patches_that_are_left_out_do_not_count_and_too_few_have_no_error_bound(rng):
    bands = band_powers(rng.chisquare(1, (3, 300, 64)).astype(np.float32))
    bands[1, 100:] = np.inf, 0, 0
    bands[2, 20:] = np.inf, 0, 0
    variance, error = white_variance(bands, 1.0, 40)
    alone, alone_error = white_variance(bands[1, :100], 1.0, 40)
    # Their numbers are tried at 50 steps from 40 to all, so the last step need not be the same.
    assert variance[1] == pytest.approx(alone, rel=3 * alone_error)
    assert error[1] == pytest.approx(alone_error, rel=0.1)
    assert error[0] < error[1] < error[2] == np.inf


@pytest.mark.shared
def test_the_declared_error_is_honest_on_photographs(shared_data):
    ratios = []
    for index, file in enumerate(sorted((shared_data / "train" / "BSD400").glob("*.jpg"))[11::25]):
        clean = np.asarray(PillowImage.open(file).convert("L"), dtype=np.float64)
        for sigma in (5, 15, 25, 50, 75):
            noise = measure((clean + sigma * np.random.default_rng(index).standard_normal(clean.shape)).astype("f4"))
            ratios.append(abs(noise.sigma / sigma - 1) / noise.error)
    # 80 ratios, five of each image alike in part: the root mean square of perhaps 40 has an error of 11 %.
    assert 0.7 < np.sqrt(np.mean(np.square(ratios))) < 1.4
    assert np.mean(np.array(ratios) < 3) >= 0.98


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
    # Patches look flat with probability 0.95 each. 400 calm patches, perhaps 60 of them independent, have 15 high
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
    # A ninth of the image is flat; 100 * 150 pixels, 10/64 of the coefficients, twice the variance for what is taken
    # off: 1 / sqrt(2344) = 2.1 %, less by overlap.
    assert noise.sigma == pytest.approx(0.02, rel=4 * 0.021)


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
    assert noise.sigma == pytest.approx(0.05, rel=4 * noise.error)
    assert noise.error < 0.02


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


def test_values_that_repeat_four_times_are_quantised_and_three_times_are_not():
    for repeats, step in ((4, 2.0), (3, 0.0)):
        patches = np.repeat(2.0 * np.arange(50, dtype=np.float32), repeats)[:, np.newaxis]
        assert flat_patches._step(patches) == step
    assert flat_patches._step(np.ones((40, 1), np.float32)) == 0
