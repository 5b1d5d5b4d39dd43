import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise.camera import COLOUR_MATRIX, Camera
from noiseless.noise.model import NoiseModel, PixelwiseNoise
from noiseless.noise.srgb import light_of

COLOUR = np.array([200.0, 150.0, 120.0])[:, np.newaxis, np.newaxis]
INSIDE = np.s_[..., 4:-4, 4:-4]  # the border is mirrored, and its noise is stronger


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gain": -1}, "gain is -1; it must be finite and >= 0"),
        ({"gain": 1e-15}, "gain is 1e-15; below 1e-12"),
        ({"sigma": float("nan")}, "sigma is nan"),
        ({"white": 0}, "white is 0; it must be finite and > 0"),
        ({"red": -2.0}, "red is -2; it must be finite and > 0"),
        ({"blue": "x"}, "blue is 'x'; it must be a number"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, message):
    with pytest.raises(InvalidParameter, match=message) as raised:
        Camera(**{"gain": 0.01, "sigma": 0.01} | wrong)
    assert "\n" not in str(raised.value)


def test_colours_are_not_pixelwise():
    assert isinstance(Camera(0.01, 0.01), NoiseModel)
    assert not isinstance(Camera(0.01, 0.01), PixelwiseNoise)


def test_white_stays_white_in_the_colour_matrix():
    assert COLOUR_MATRIX.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-15)


@pytest.mark.parametrize("channels", [1, 3])
def test_without_noise_the_photograph_is_left_exactly(channels, rng):
    clean = rng.uniform(-20, 300, (channels, 21, 18))
    noisy = Camera(0.0, 0.0).sample(clean, rng)
    assert np.array_equal(noisy, clean)
    assert not np.shares_memory(noisy, clean)


def test_development_undoes_the_mosaic_of_smooth_images():
    # Malvar's filters keep images that are linear in place; with one slope for all colours nothing is lost.
    y, x = np.mgrid[:20, :24]
    linear = 0.2 + 0.01 * (y + 2 * x) * np.array([1.0, 0.8, 0.6])[:, np.newaxis, np.newaxis]
    camera = Camera(0.0, 0.0)
    developed = camera._developed(camera._raw(linear))
    assert developed[INSIDE] == pytest.approx(linear[INSIDE], abs=1e-12)


def test_the_pattern_is_red_green_green_blue_with_white_balance():
    camera = Camera(0.0, 0.0, red=2.0, blue=1.6)
    raw = camera._raw(np.ones((3, 4, 4)))
    assert raw[:2, :2] == pytest.approx(np.array([[0.5, 1.0], [1.0, 0.625]]), abs=1e-14)


def test_the_variance_before_the_curve_is_the_sum_of_squared_weights():
    # The response to every single raw pixel, by the linearity of development.
    camera = Camera(0.0, 0.1)
    place = (slice(None), slice(6, 8), slice(6, 8))
    total = np.zeros((3, 2, 2))
    for y in range(14):
        for x in range(14):
            impulse = np.zeros((14, 14))
            impulse[y, x] = 1.0
            total += camera._developed(impulse)[place] ** 2
    variance = camera._linear_variance(np.full((3, 14, 14), 0.5))[place]
    assert variance == pytest.approx(0.01 * total, rel=1e-12)


@pytest.mark.parametrize("gain", [0.0, 1e-4])
@pytest.mark.parametrize("level", [0.02, 0.4, 0.9])
def test_gray_samples_have_the_declared_mean_and_variance(gain, level, rng):
    # At level 0.02 the noise spans the knee of the curve; 1e-4 is ten thousand photons at white.
    model = Camera(gain, 0.005, white=1.0)
    clean = np.full((1, 400, 500), level)
    noise = model.sample(clean, rng) - model.mean(clean)
    variance = model.variance(clean)
    assert np.ptp(variance) == 0
    expected = float(variance.flat[0])
    assert abs(noise.mean()) < 4 * (expected / noise.size) ** 0.5
    squares = (noise - noise.mean()) ** 2
    assert abs(squares.mean() - expected) < 4 * squares.std() / noise.size**0.5


def test_colour_samples_have_the_declared_variance_at_every_place_of_the_pattern(rng):
    model = Camera(1e-4, 0.002)
    clean = COLOUR * np.ones((3, 400, 400))
    noise, variance = model.sample(clean, rng) - model.mean(clean), model.variance(clean)
    for y in (0, 1):
        for x in (0, 1):
            part = np.s_[:, 4 + y : -4 : 2, 4 + x : -4 : 2]
            squares = noise[part] ** 2
            expected = variance[part].mean(axis=(1, 2))
            # Noise of one place overlaps with that two pixels on: neighbours share raw pixels, which at most triples
            # the error of a mean over 38 000 places.
            error = 3 * squares.std(axis=(1, 2)) / squares[0].size ** 0.5
            assert np.all(np.abs(squares.mean(axis=(1, 2)) - expected) < 4 * error)
            assert np.all(error < 0.03 * expected)


def test_in_bright_places_the_variance_is_that_of_the_tangent():
    model = Camera(0.0, 1e-4, white=1.0)
    value = 0.7
    light = light_of(np.array(value))
    slope = 1.055 / 2.4 * light ** (1 / 2.4 - 1)
    variance = model.variance(np.full((1, 1, 1), value))
    assert variance == pytest.approx(slope**2 * 1e-8, rel=1e-6)  # the next term has (sigma / light)^2 = 5e-8


def test_fewer_photons_and_stronger_balance_make_stronger_noise():
    clean = COLOUR * np.ones((3, 8, 8))
    weak, few, red = Camera(1e-4, 0.001), Camera(1e-3, 0.001), Camera(1e-4, 0.001, red=3.0)
    assert np.all(few.variance(clean) > weak.variance(clean))
    assert np.all(red.variance(clean)[0][INSIDE] > weak.variance(clean)[0][INSIDE])


def test_units_are_those_of_white(rng):
    clean = rng.uniform(0, 255, (3, 10, 12))
    eight, one = Camera(0.001, 0.01), Camera(0.001, 0.01, white=1.0)
    samples = [model.sample(clean / 255 * model.white, np.random.default_rng(1)) for model in (eight, one)]
    assert samples[0] == pytest.approx(255 * samples[1], abs=1e-9)
    assert eight.variance(clean) == pytest.approx(255**2 * one.variance(clean / 255), rel=1e-9)


def test_colours_are_correlated_as_development_mixes_them(rng):
    model = Camera(0.0, 0.005, white=1.0)
    # The covariance of the colours, averaged over the pattern: the responses to a raw pixel of each of its places.
    covariance = np.zeros((3, 3))
    for y, x in ((6, 6), (6, 7), (7, 6), (7, 7)):
        impulse = np.zeros((14, 14))
        impulse[y, x] = 1.0
        response = model._developed(impulse).reshape(3, -1)
        covariance += response @ response.T
    scale = np.sqrt(np.diag(covariance))
    expected = covariance / np.outer(scale, scale)
    # Gray, so that one slope of the curve is in all colours; bright, so that it is straight over the noise.
    clean = np.full((3, 300, 300), 0.9)
    noise = (model.sample(clean, rng) - clean)[INSIDE]
    # Standard error of a correlation over 85 000 pixels, tripled since they share raw pixels.
    assert np.corrcoef(noise.reshape(3, -1)) == pytest.approx(expected, abs=4 * 3 / noise[0].size ** 0.5)
    assert np.abs(expected - np.eye(3)).max() > 0.1


def test_the_likelihood_is_that_of_independent_pixels(rng):
    model, clean = Camera(1e-3, 0.01), rng.uniform(20, 200, (1, 5, 6))
    noisy = model.sample(clean, rng)
    z2 = (noisy - model.mean(clean)) ** 2 / model.variance(clean)
    expected = -0.5 * (z2 + np.log(2 * np.pi * model.variance(clean))).sum()
    assert model.log_likelihood(noisy, clean) == pytest.approx(expected, rel=1e-12)


def test_what_has_no_density_or_no_pattern_is_refused(rng):
    with pytest.raises(InvalidParameter, match="use a sigma above 0"):
        Camera(0.01, 0.0).log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 3)))
    with pytest.raises(InvalidImage, match="must be the same"):
        Camera(0.01, 0.01).log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 4)))
    with pytest.raises(InvalidImage, match="3x3"):
        Camera(0.01, 0.01).sample(np.zeros((3, 2, 9)), rng)
    with pytest.raises(InvalidImage, match="astype"):
        Camera(0.01, 0.01).sample(np.zeros((3, 9, 9), np.uint8), rng)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 5, 7), (2, 1, 1), (3, 2, 6, 5)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_keep_shape_and_dtype_and_the_seed_decides(shape, dtype):
    clean = np.full(shape, 100, dtype)
    clean.flags.writeable = False
    first, again, other = (Camera(0.01, 0.01).sample(clean, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == Camera(0.01, 0.01).variance(clean).shape == shape
    assert first.dtype == Camera(0.01, 0.01).mean(clean).dtype == Camera(0.01, 0.01).variance(clean).dtype == dtype
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
