"""The Rician law against its own samples, and the estimator on heads with air, without, and on what is not Rician."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from noiseless.noise.estimation import magnitude
from noiseless.noise.estimation.magnitude import fit_rician, rician_variance

MAXIMUM = 254


def rician(clean, sigma, rng):
    real, imaginary = rng.standard_normal((2, *clean.shape))
    return np.hypot(clean + sigma * real, sigma * imaginary)


def phantom(shape=(200, 220), air=True):
    """Nested ellipses of 30 to 200, in air or filling the image."""
    y, x = (np.linspace(-1, 1, length) for length in shape)
    radius = np.hypot(y[:, np.newaxis], x) * (1.25 if air else 0.6)
    return np.select([radius < 0.3, radius < 0.5, radius < 0.8, radius < 1], [200.0, 110.0, 60.0, 150.0], 0.0)


def volume(path):
    """The voxels of a NIfTI-1 file of uint8, (Z, Y, X); in its header dim is at 40, datatype at 70, offset at 108."""
    data = gzip.decompress(path.read_bytes())
    lengths = struct.unpack_from("<8h", data, 40)
    assert struct.unpack_from("<h", data, 70) == (2,)
    (offset,) = struct.unpack_from("<f", data, 108)
    shape = lengths[1 : lengths[0] + 1][::-1]
    return np.frombuffer(data, np.uint8, int(np.prod(shape)), int(offset)).reshape(shape).astype(np.float64)


@pytest.fixture(scope="module")
def head(shared_data):
    return volume(shared_data / "domain" / "nifti" / "ch2.nii.gz")


def test_the_constants_of_air_are_those_of_rayleigh():
    mean, variance, skewness = stats.rayleigh.stats(moments="mvs")
    assert mean / variance**0.5 == pytest.approx(magnitude.RAYLEIGH_RATIO, abs=1e-5)
    assert skewness == pytest.approx(magnitude.RAYLEIGH_SKEWNESS, abs=1e-5)


@pytest.mark.parametrize("theta", [0.0, 0.3, 1.0, 2.5, 6.0, 9.9, 15.0, 100.0])
def test_the_variance_belongs_to_the_mean_as_in_scipy(theta):
    mean, variance = stats.rice.stats(theta, scale=3.0, moments="mv") if theta < 30 else (3 * theta + 1.5 / theta, 9.0)
    # 500 points of theta, interpolated linearly, and 1 - 1 / (2 theta^2) beyond 10.
    assert float(rician_variance(np.array([mean]), 3.0)[0]) == pytest.approx(float(variance), rel=1e-3)


def test_below_the_mean_of_air_the_variance_is_that_of_air():
    assert rician_variance(np.array([0.1, 1.0, 1.25]), 1.0) == pytest.approx(2 - np.pi / 2)


@pytest.mark.parametrize("sigma", [6, 12, 25, 50])
def test_air_around_a_body_gives_sigma_and_proves_the_noise_rician(sigma, rng):
    found = fit_rician(rician(phantom(), sigma, rng))
    assert found.source == "background"
    assert found.likely
    assert found.sigma == pytest.approx(sigma, rel=0.03)
    assert abs(found.sigma / sigma - 1) < 4 * found.error / sigma
    # A third of the phantom is air; patches within 7 pixels of its edge are not.
    assert 0.1 < found.background < 0.45
    assert found.ratio == pytest.approx(1.913, rel=0.03)


@pytest.mark.parametrize("sigma", [6, 12, 25, 50])
def test_a_body_that_fills_the_image_gives_sigma_by_variance_and_mean(sigma, rng):
    found = fit_rician(rician(phantom(air=False), sigma, rng))
    assert found.source == "signal"
    assert found.background == 0
    assert found.sigma == pytest.approx(sigma, rel=0.05)


def test_bright_tissue_alone_cannot_tell_rician_from_gaussian(rng):
    found = fit_rician(rician(200 + phantom(), 10, rng))
    assert not found.likely
    assert abs(found.log_likelihood_ratio) < 1
    assert found.sigma == pytest.approx(10, rel=0.05)


def test_a_masked_background_is_not_air(rng):
    clean = phantom()
    found = fit_rician(np.where(clean > 0, rician(clean, 12, rng), 0))
    assert found.source == "signal"
    assert found.sigma == pytest.approx(12, rel=0.05)
    gaussian = np.where(clean > 0, np.abs(clean + 12 * rng.standard_normal(clean.shape)), 0)
    assert not fit_rician(gaussian).likely


def test_a_negative_value_is_no_magnitude(rng):
    noisy = rician(phantom(), 12, rng)
    noisy[0, 0] = -1e-3
    assert fit_rician(noisy) is None


def test_a_dark_background_of_another_law_is_not_air(rng):
    """Uniform on (a, b) with a mean of 1.913 standard deviations has no negative value either, but no skewness."""
    clean = phantom()
    noisy = np.where(clean > 0, rician(clean, 12, rng), 15 * (1 + rng.uniform(-0.905, 0.905, clean.shape)))
    found = fit_rician(noisy)
    assert found.source == "signal"


def test_units_scale_sigma_and_nothing_else(rng):
    noisy = rician(phantom(), 12, rng)
    one, large = fit_rician(noisy), fit_rician(1024 * noisy)
    assert large.sigma == pytest.approx(1024 * one.sigma, rel=1e-3)
    assert large.confidence == pytest.approx(one.confidence, abs=0.01)
    assert fit_rician(noisy.astype(np.float32)).sigma == pytest.approx(one.sigma, rel=1e-3)


def test_air_may_be_rounded_to_whole_numbers(rng):
    found = fit_rician(np.rint(rician(phantom(), 6, rng)))
    # Rounding adds 1/12 to the mean square, 72.
    assert found.source == "background"
    assert found.sigma == pytest.approx(6, rel=0.03)


@pytest.mark.parametrize("image", [np.zeros((64, 64)), np.zeros((7, 100)), np.ones((5, 64, 64)), np.zeros((0, 9))])
def test_nothing_to_measure_gives_none(image):
    assert fit_rician(image) is None


@pytest.mark.shared
@pytest.mark.parametrize("percent", [3, 5, 10, 20])
def test_a_head_in_air_cropped_and_in_one_slice(percent, head, rng):
    sigma = percent / 100 * MAXIMUM
    brain = head[60:120, 60:150, 50:130]
    for clean, source in ((head[::8], "background"), (head[90], "background"), (brain, "signal")):
        found = fit_rician(rician(clean, sigma, rng))
        assert found.source == source
        assert found.sigma == pytest.approx(sigma, rel=0.05)
    masked = fit_rician(np.where(head[60:120:4] > 0, rician(head[60:120:4], sigma, rng), 0))
    assert masked.source == "signal"
    assert masked.sigma == pytest.approx(sigma, rel=0.07)


@pytest.mark.shared
def test_photographs_with_gaussian_noise_are_not_rician(shared_data):
    called = 0
    for file in sorted((shared_data / "train" / "BSD400").iterdir())[:400:40]:
        clean = np.asarray(Image.open(file).convert("L"), dtype=float)
        noisy = clean + 5 * np.random.default_rng(0).standard_normal(clean.shape)
        for image in (noisy, np.clip(np.rint(noisy), 0, 255)):
            found = fit_rician(image)
            called += found is not None and found.likely
    # Of 200 photographs two are, and only clipped ones; none of these 10 was.
    assert called <= 1
