"""Photon noise in linear light, on values for the eye. The laws of all models are in ``tests/laws``."""

import numpy as np
import pytest

import noiseless
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import PoissonGaussian, SrgbPhotons
from noiseless.noise.srgb import light_of, value_of


def test_in_light_it_is_poisson_gaussian():
    clean = np.full((1, 300, 300), 120.0)
    model = SrgbPhotons(0.004, 0.01)
    sample = light_of(model.sample(clean, np.random.default_rng(1)) / 255)
    expected = PoissonGaussian(0.004, 0.01).sample(light_of(clean / 255), np.random.default_rng(1))
    assert sample == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("level", [20.0, 90.0, 230.0])
def test_stabilised_noise_is_white_and_comes_back_without_bias_in_light(level, rng):
    model = SrgbPhotons(0.002, 0.01)
    stabilised = model.stabilise(model.sample(np.full((1, 500, 500), level), rng))
    assert stabilised.std() == pytest.approx(1.0, abs=0.04)  # 1.00 to 1.03 by the transform, and 0.0014 by chance
    back = light_of(model.unstabilise(stabilised.mean(keepdims=True)) / 255).item()
    truth = light_of(np.array(level / 255)).item()
    deviation = (0.002 * truth + 0.01**2) ** 0.5
    assert abs(back - truth) < 4 * deviation / 500


def test_without_read_noise_only_counts_have_a_probability():
    model = SrgbPhotons(0.01, 0.0)
    for dtype in (np.float32, np.float64):
        counts = (255 * value_of(0.01 * np.arange(120.0))).astype(dtype)[np.newaxis, np.newaxis]
        clean = np.full(counts.shape, 255 * value_of(np.array(0.3)))
        assert np.exp(model.log_density(counts, clean)).sum() == pytest.approx(1.0, abs=1e-12)
        assert np.all(np.isneginf(model.log_density(counts + dtype(0.05), clean)))


def test_light_below_black_has_read_noise_only(rng):
    model = SrgbPhotons(0.01, 0.001)
    below = np.full((1, 200, 200), -0.5)
    change = light_of(model.sample(below, rng) / 255) - light_of(below / 255)
    assert change.std() == pytest.approx(0.001, rel=4 / 40_000**0.5)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"gain": 0.0, "sigma": 0.1}, "gain is 0"),
        ({"gain": 0.1, "sigma": -1.0}, "sigma is -1"),
        ({"gain": 0.1, "sigma": 0.1, "white": 0.0}, "white is 0"),
        ({"gain": 0.1, "sigma": 1e-12}, "sigma is 1e-12"),
        ({"gain": "much", "sigma": 0.1}, "must be a number"),
    ],
)
def test_bad_parameters_are_named(numbers, said):
    with pytest.raises(InvalidParameter, match=said):
        SrgbPhotons(**numbers)


def test_integers_are_refused(rng):
    with pytest.raises(InvalidImage, match="astype"):
        SrgbPhotons(0.1, 0.1).sample(np.zeros((1, 8, 8), np.uint8), rng)


def test_removing_it_in_light_beats_the_best_single_sigma(rng):
    y, x = np.mgrid[:192, :192]
    clean = np.clip(20 + 200 * (x / 191) ** 2 + 12 * np.sin(y / 9), 4, 250)[np.newaxis]
    model = SrgbPhotons(0.005, 0.02)
    noisy = model.sample(clean, rng)
    level = np.sqrt(np.mean((noisy - clean) ** 2))
    told = noiseless.psnr(noiseless.denoise(noisy[0], noise=model), clean[0], data_range=255)
    single = max(
        noiseless.psnr(noiseless.denoise(noisy[0], sigma=level * factor), clean[0], data_range=255)
        for factor in (0.5, 0.7, 1.0, 1.4, 2.0)
    )
    assert told > single + 0.5
