import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise.model import NoiseModel, PixelwiseNoise
from noiseless.noise.quantisation import Quantisation


@pytest.mark.parametrize("step", [0, -1, float("nan"), float("inf"), "1", True, None])
def test_a_step_that_is_none_is_refused(step):
    with pytest.raises(InvalidParameter, match="step is") as raised:
        Quantisation(step)
    assert "\n" not in str(raised.value)


def test_it_is_pixelwise():
    assert isinstance(Quantisation(1), NoiseModel)
    assert isinstance(Quantisation(1), PixelwiseNoise)


@pytest.mark.parametrize("step", [1.0, 0.25, 3.0, 0.1])
def test_values_go_to_the_nearest_step(step, rng):
    clean = rng.uniform(-50, 300, (1, 100, 100))
    clean.flags.writeable = False
    noisy = Quantisation(step).sample(clean, rng)
    assert np.abs(noisy - clean).max() <= step / 2 + 1e-12
    assert noisy / step == pytest.approx(np.round(noisy / step), abs=1e-10)
    assert np.array_equal(Quantisation(step).sample(noisy, rng), noisy)


def test_moments_hold_over_a_uniform_place_in_the_step(rng):
    clean = rng.uniform(0, 1000, (1, 300, 300))  # an image of many steps, in which every place is as likely
    model = Quantisation(5.0)
    error = model.sample(clean, rng) - model.mean(clean)
    variance = float(model.variance(clean).flat[0])
    assert variance == pytest.approx(25 / 12, rel=1e-15)
    assert np.ptp(model.variance(clean)) == 0
    assert abs(error.mean()) < 4 * (variance / error.size) ** 0.5
    squares = error**2
    # A uniform distribution has the fourth moment step^4 / 80.
    assert abs(squares.mean() - variance) < 4 * ((5**4 / 80 - variance**2) / error.size) ** 0.5


def test_the_density_is_uniform_over_one_step():
    clean = np.full((1, 1, 5), 10.0)
    noisy = np.array([[[8.999, 9.0, 10.3, 11.0, 11.001]]])
    density = np.exp(Quantisation(2.0).log_density(noisy, clean))
    assert np.array_equal(density, [[[0, 0.5, 0.5, 0.5, 0]]])  # times its width of 2 this is 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", [1.0, 0.1, 1 / 255])
def test_no_sample_is_impossible_by_rounding(dtype, step, rng):
    places = (rng.integers(-2000, 2000, (1, 50, 50)) + rng.choice([0.5, 0.4999999, 0.25], (1, 50, 50))) * step
    clean = places.astype(dtype)
    noisy = Quantisation(step).sample(clean, rng)
    assert noisy.dtype == dtype
    likelihood = Quantisation(step).log_likelihood(noisy, clean)
    assert likelihood == pytest.approx(-clean.size * np.log(step), rel=1e-12, abs=1e-9)


def test_images_that_do_not_fit_are_refused(rng):
    with pytest.raises(InvalidImage, match="must be the same"):
        Quantisation(1).log_density(np.zeros((1, 3, 3)), np.zeros((1, 3, 4)))
    with pytest.raises(InvalidImage, match="astype"):
        Quantisation(1).sample(np.zeros((1, 3, 3), np.uint8), rng)
