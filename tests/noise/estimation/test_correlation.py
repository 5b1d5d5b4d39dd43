"""White or not, the spectrum and the strength of correlated noise: by closed form, and on photographs."""

import numpy as np
import pytest
from PIL import Image

from noiseless.noise.correlated import Correlated, gaussian_kernel, ramp_kernel
from noiseless.noise.estimation.correlation import measure_correlation


def flat(rng, sigma, width, shape=(384, 384)):
    return Correlated(sigma, gaussian_kernel(width)).sample(np.full((1, *shape), 100.0), rng)[0]


@pytest.fixture(scope="module")
def photographs(shared_data):
    files = sorted((shared_data / "eval" / "CID22val").glob("*.png"))[::10]
    return [np.asarray(Image.open(path).convert("L"), dtype=np.float64) for path in files]


@pytest.mark.parametrize("width", [0.0, 0.7, 1.0, 2.0])
def test_sigma_of_stationary_noise_is_right_whatever_its_width(rng, width):
    # 30 patches of 32x32 that overlap hold at least 3 independent ones; the effective number of values in one is
    # 1024 / (4 pi width^2) >= 20 at width 2, so the error of sigma is at most sqrt(1 / (2 * 60)) = 9 %: two of them,
    # and far less for white noise. Several fields are averaged to bring it down.
    found = [measure_correlation(flat(rng, 12.0, width)).sigma for _ in range(6)]
    assert np.mean(found) == pytest.approx(12.0, rel=0.08)


def test_the_autocovariance_is_that_of_the_kernel(rng):
    # Blurred by width w, noise has the correlation exp(-lag^2 / (4 w^2)). The mean over six fields; error as above.
    mean = np.mean([measure_correlation(flat(rng, 10.0, 1.0)).autocovariance for _ in range(6)], axis=0)
    lag = np.arange(-8, 9)
    truth = 100.0 * np.exp(-np.add.outer(lag**2, lag**2) / 4.0)
    assert mean.shape == (17, 17)
    np.testing.assert_allclose(mean, truth, atol=12.0)


def test_the_spectrum_has_the_variance_as_its_mean_on_any_grid_and_makes_a_noise_model(rng):
    measured = measure_correlation(flat(rng, 10.0, 1.0))
    for space in ((64, 48), (33, 35), (5, 32, 32)):
        power = measured.spectrum(space)
        assert power.shape == space
        assert power.min() >= 0
        assert power.mean() == pytest.approx(measured.sigma**2, rel=1e-9)
    model = Correlated.from_spectrum(measured.spectrum((33, 35)))
    assert model.sigma == pytest.approx(measured.sigma, rel=1e-6)


def test_even_and_odd_modes_are_independent_so_that_choosing_is_not_biased(rng):
    # The rank correlation of n pairs has the standard error 1 / sqrt(n): 1500 patches of which about 40 are disjoint.
    assert abs(measure_correlation(flat(rng, 10.0, 1.0)).dependence) < 4 / 40**0.5
    assert abs(measure_correlation(flat(rng, 10.0, 1.0)).growth) < 0.25


def test_white_noise_is_white_and_blurred_or_sharpened_noise_is_not(rng):
    assert not any(measure_correlation(flat(rng, 10.0, 0.0)).correlated for _ in range(10))
    for width in (0.5, 0.7, 2.0):
        assert measure_correlation(flat(rng, 10.0, width)).correlated
    ramp = measure_correlation(Correlated(10.0, ramp_kernel(64)).sample(np.zeros((1, 384, 384)), rng)[0])
    assert ramp.correlated
    assert ramp.rising
    assert ramp.adjacent < 0


def test_sigma_is_in_the_units_of_the_channel_and_does_not_mind_an_offset(rng):
    noisy = flat(rng, 10.0, 1.0)
    one = measure_correlation(noisy)
    other = measure_correlation(noisy * 8.0 + 4096.0)
    assert other.sigma == pytest.approx(8.0 * one.sigma, rel=1e-4)
    assert other.adjacent == pytest.approx(one.adjacent, abs=1e-4)


def test_constant_small_and_volumetric_channels(rng):
    constant = measure_correlation(np.full((64, 64), 7.0))
    assert constant.sigma == 0
    assert not constant.correlated
    assert not constant.spectrum((8, 8)).any()
    assert measure_correlation(np.zeros((23, 100))) is None
    assert measure_correlation(rng.standard_normal((24, 24))) is not None
    volume = measure_correlation(5.0 * rng.standard_normal((12, 96, 96)))
    assert volume.sigma == pytest.approx(5.0, rel=0.08)
    assert not volume.correlated


@pytest.mark.shared
@pytest.mark.parametrize(("width", "sigma"), [(0.7, 25.0), (2.0, 50.0)])
def test_sigma_of_blurred_noise_in_photographs_is_right_to_fifteen_percent_on_average(photographs, rng, width, sigma):
    kernel = gaussian_kernel(width)
    found = [measure_correlation(Correlated(sigma, kernel).sample(clean[None], rng)[0]) for clean in photographs]
    assert all(noise.correlated for noise in found)
    assert np.mean([noise.sigma for noise in found]) == pytest.approx(sigma, rel=0.15)


@pytest.mark.shared
def test_white_noise_in_photographs_is_not_called_correlated(photographs, rng):
    for sigma in (15.0, 50.0):
        noisy = [clean + sigma * rng.standard_normal(clean.shape) for clean in photographs]
        assert not any(measure_correlation(image).correlated for image in noisy)
