"""The map of sigma on noise whose strength is known everywhere, and the question whether one number would do."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from noiseless.noise.estimation.local_level import UNIFORM, is_uniform, measure_locally, sigma_map

# A window of 64x64 pixels holds 64 patches of 10 high coefficients; taking off r times the middle band doubles the
# variance of their mean, overlap gains 1.5, and a root halves it: sqrt(2 * 2 / (1.5 * 640)) / 2 = 3.2 % of sigma.
WINDOW_ERROR = 0.032


def noisy(clean, sigma, rng):
    return (clean + sigma * rng.standard_normal(clean.shape)).astype(np.float32)


def photographs(shared_data, start, step):
    files = sorted((shared_data / "train" / "BSD400").glob("*.jpg"))[start::step]
    return [np.asarray(PillowImage.open(file).convert("L"), float) for file in files]


@pytest.mark.parametrize("shape", [(200, 300), (3, 100, 90), (64, 64), (20, 9), (8, 8), (5, 40)])
def test_the_map_has_the_shape_of_the_channel(shape, rng):
    found = sigma_map(noisy(np.full(shape, 7.0), 2.0, rng))
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_constant_noise_gives_a_constant_map(rng):
    level = measure_locally(noisy(np.full((400, 400), 0.5), 0.1, rng))
    assert np.sqrt(np.mean((level.sigma / 0.1 - 1) ** 2)) < WINDOW_ERROR
    assert level.sigma.mean() == pytest.approx(0.1, rel=4 * WINDOW_ERROR / 6)  # 39 windows of 64x64 fit in
    assert level.uniform


def test_a_ramp_of_sigma_is_followed(rng):
    sigma = np.broadcast_to(np.linspace(5, 25, 480), (320, 480))
    level = measure_locally(noisy(np.zeros(sigma.shape), sigma, rng))
    assert np.sqrt(np.mean((level.sigma / sigma - 1) ** 2)) < 0.08
    assert not level.uniform
    # The spread of the logarithm of a number that is uniform from 5 to 25 is 0.44; the outermost windows are half a
    # window from the border, from 6.3 to 23.7, which leaves 0.37.
    assert level.unevenness == pytest.approx(0.37, abs=0.05)


def test_the_map_follows_units_and_offsets(rng):
    image = noisy(np.zeros((150, 170)), np.linspace(1, 2, 170), rng)
    found = sigma_map(image)
    assert sigma_map(64 * image) == pytest.approx(64 * found, rel=1e-5)  # a power of two: float32 loses nothing
    assert sigma_map(image + 16) == pytest.approx(found, rel=1e-3)  # 16 costs four binary digits of 24


def test_a_transposed_image_has_the_transposed_map(rng):
    image = noisy(np.zeros((150, 230)), np.linspace(1, 2, 230), rng)
    # The DCT bands are symmetric in u and v; only ties in the order of patches and rounding differ.
    assert sigma_map(image.T) == pytest.approx(sigma_map(image).T, rel=1e-3)


def test_an_area_of_texture_is_filled_from_around(rng):
    clean = np.zeros((320, 320))
    clean[100:220, 100:220] = 30 * np.sin(np.add.outer(np.arange(120), np.arange(120)) * 1.3)
    found = sigma_map(noisy(clean, 5.0, rng))
    # The amplitude of the texture is 21 root mean square: without filling, the middle would show that.
    assert found[140:180, 140:180] == pytest.approx(5, rel=0.15)


def test_a_masked_half_is_filled_from_the_other(rng):
    image = 100 + 5 * rng.standard_normal((256, 256))
    image[:, :128] = 0
    # 8 windows of 64x64 know sigma; half a window beyond the mask the plane may tilt, by one error for each window.
    assert sigma_map(image.astype(np.float32)) == pytest.approx(5, rel=4 * WINDOW_ERROR)


def test_a_constant_channel_has_no_noise():
    level = measure_locally(np.full((100, 100), 3.0, np.float32))
    assert not level.sigma.any()
    assert level.uniform


@pytest.mark.parametrize("size", [64, 96, 128, 200])
def test_constant_noise_in_small_images_is_called_uniform(size):
    # 20 images: with the 2 % of false alarms that are allowed, 3 or more would come in 1 of 140 such tests.
    draws = (np.random.default_rng(seed).standard_normal((size, size), dtype=np.float32) for seed in range(20))
    assert sum(not is_uniform(draw) for draw in draws) < 3


@pytest.mark.shared
@pytest.mark.parametrize("sigma", [5, 15, 50])
def test_constant_noise_on_photographs_is_called_uniform(sigma, shared_data, rng):
    images = photographs(shared_data, 2, 20)
    alarms = [measure_locally(noisy(image, sigma, rng)).unevenness > UNIFORM for image in images]
    # 20 images at the 2 % of false alarms that are allowed: 3 or more in 1 of 140 such tests.
    assert sum(alarms) < 3


@pytest.mark.shared
def test_ramps_on_photographs_are_followed_and_called_uneven(shared_data, rng):
    squares, uneven = [], []
    for image in photographs(shared_data, 6, 40):
        sigma = np.broadcast_to(np.linspace(5, 25, image.shape[1]), image.shape)
        level = measure_locally(noisy(image, sigma, rng))
        squares.append(np.mean((level.sigma / sigma - 1) ** 2))
        uneven.append(not level.uniform)
    assert np.sqrt(np.mean(squares)) < 0.10  # the bar of the project; 6 % is usual
    assert all(uneven)
