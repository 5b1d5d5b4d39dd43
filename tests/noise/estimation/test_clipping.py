"""The moments of clipped Gaussian noise against quadrature and sampling, and sigma given back on images."""

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy import integrate, stats

from noiseless.noise.estimation.clipping import MARGIN, Bounds, bounds_of, clipped_moments, remaining_variance
from noiseless.noise.estimation.flat_patches import measure


def stored(clean, sigma, rng):
    """As an 8-bit file holds it."""
    return np.clip(np.rint(clean + sigma * rng.standard_normal(clean.shape)), 0, 255).astype(np.float32)


@pytest.mark.parametrize("bounds", [Bounds(0.0, 1.0, 0.1), Bounds(0.0, np.inf, 0.1), Bounds(-np.inf, 1.0, 0.1)])
@pytest.mark.parametrize("level", [-0.2, 0.0, 0.1, 0.5, 1.3])
@pytest.mark.parametrize("sigma", [0.05, 0.3])
def test_the_moments_are_those_of_quadrature(bounds, level, sigma):
    def power(z, order):
        return np.clip(level + sigma * z, bounds.lower, bounds.upper) ** order * stats.norm.pdf(z)

    kinks = [float(np.clip((bound - level) / sigma, -9, 9)) for bound in (bounds.lower, bounds.upper)]
    first, second = (integrate.quad(power, -10, 10, (order,), points=kinks, limit=200)[0] for order in (1, 2))
    mean, variance = clipped_moments(np.array([level]), sigma, bounds)
    # Quadrature is good to 1e-8 of order 1, and the tails beyond 10 sigma hold less than 1e-22.
    assert mean[0] == pytest.approx(first, abs=1e-7)
    assert variance[0] == pytest.approx(second - first**2, abs=1e-7)


def test_without_bounds_nothing_is_lost():
    level = np.array([-1e6, 0.0, 3.0])
    mean, variance = clipped_moments(level, 2.0, Bounds())
    assert mean == pytest.approx(level)
    assert variance == pytest.approx(4.0)
    assert remaining_variance(level, 2.0, Bounds()) == pytest.approx(1.0)


def test_the_part_that_is_left_is_read_from_the_mean():
    bounds = Bounds(0.0, 255.0, 0.1)
    level = np.linspace(0, 255, 101)
    mean, variance = clipped_moments(level, 50.0, bounds)
    part = remaining_variance(mean, 50.0, bounds)
    inside = (level >= MARGIN * 50) & (level <= 255 - MARGIN * 50)
    # A grid of 400 points, 1 grey level apart: linear interpolation errs by h^2 / 8 times a curvature below 1 / 50^2.
    assert part[inside] == pytest.approx(variance[inside] / 50**2, abs=1e-4)
    assert np.isnan(part[~inside]).all()


def test_nothing_can_be_known_where_sigma_fills_the_range():
    assert np.isnan(remaining_variance(np.array([0.5]), 1.0, Bounds(0.0, 1.0, 0.3))).all()


def test_piles_are_found_at_either_end_and_nowhere_else(rng):
    noisy = (100 + 30 * rng.standard_normal((300, 300))).astype(np.float32)
    assert bounds_of(noisy) == Bounds()
    assert bounds_of(np.full((9, 9), 3.0, np.float32)) == Bounds()
    low = bounds_of(np.maximum(noisy, 70))
    assert (low.lower, low.upper) == (70, np.inf)
    # Phi(-1) of 90 000 pixels, with a standard error of 0.0012.
    assert low.share == pytest.approx(stats.norm.cdf(-1), abs=4 * 0.0012)
    both = bounds_of(np.clip(noisy, 70, 130))
    assert (both.lower, both.upper) == (70, 130)


@pytest.mark.parametrize("level", [60.0, 128.0, 200.0])
@pytest.mark.parametrize("sigma", [25, 50, 75])
def test_clipping_is_given_back_on_a_flat_image(level, sigma, rng):
    noise = measure(stored(np.full((300, 400), level), sigma, rng))
    assert abs(noise.sigma / sigma - 1) < 4 * noise.error
    assert not noise.lower_bound
    # Without correction sigma would be 8 to 19 % low at 75; much larger declared errors would make this worth little.
    assert noise.error < 0.03


def test_clipping_is_given_back_on_a_ramp(rng):
    ramp = np.tile(np.linspace(0, 255, 480), (320, 1))
    noise = measure(stored(ramp, 50, rng))
    assert noise.sigma == pytest.approx(50, rel=4 * noise.error)
    assert noise.clipped > 0.1
    # Levels 0.75 sigma and more inside both bounds: 1 - 1.5 * 50 / 255.
    assert noise.usable == pytest.approx(1 - 2 * MARGIN * 50 / 255, abs=0.05)


def test_an_image_at_its_bound_gets_a_lower_bound(rng):
    noise = measure(np.clip(0.02 + 0.1 * rng.standard_normal((200, 200)), 0, 1).astype(np.float32))
    assert noise.lower_bound
    assert noise.usable == 0
    assert noise.sigma < 0.1


def test_a_background_without_noise_is_no_clipping_of_the_rest(rng):
    image = np.zeros((300, 300), np.float32)
    image[100:] = 100 + 5 * rng.standard_normal((200, 300))
    noise = measure(image)
    assert noise.sigma == pytest.approx(5, rel=4 * noise.error)
    assert not noise.lower_bound


@pytest.mark.shared
@pytest.mark.parametrize(("sigma", "bound"), [(25, 0.03), (50, 0.04), (75, 0.08)])
def test_photographs_in_eight_bits_keep_their_sigma(sigma, bound, shared_data):
    files = sorted((shared_data / "train" / "BSD400").glob("*.jpg"))[3::40]
    found = [
        measure(stored(np.asarray(PillowImage.open(file).convert("L"), float), sigma, np.random.default_rng(index)))
        for index, file in enumerate(files)
    ]
    assert np.mean([abs(noise.sigma / sigma - 1) for noise in found]) < bound
    assert not any(noise.lower_bound for noise in found)
