from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise.impulse import HotPixels, RandomImpulses, SaltAndPepper
from noiseless.noise.model import ImpulsiveNoise, NoiseModel, PixelwiseNoise

KINDS = [SaltAndPepper, RandomImpulses, HotPixels]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"density": -0.1}, r"density is -0\.1; it must be from 0 to 1"),
        ({"density": 1.1}, r"density is 1\.1; it must be from 0 to 1"),
        ({"density": float("nan")}, "density is nan"),
        ({"density": "much"}, "density is 'much'; it must be a number"),
        ({"density": True}, "density is True; it must be a number"),
        ({"density": 0.1, "low": 2.0, "high": 2.0}, "low is 2 and high is 2"),
        ({"density": 0.1, "high": float("inf")}, "high is inf"),
    ],
)
def test_parameters_out_of_range_are_refused_with_value_and_bound(kind, wrong, message):
    with pytest.raises(InvalidParameter, match=message) as raised:
        kind(**wrong)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
def test_impulses_are_impulsive_and_hot_pixels_alone_are_not_pixelwise(kind):
    model = kind(0.1)
    assert isinstance(model, NoiseModel)
    assert isinstance(model, ImpulsiveNoise)
    assert isinstance(model, PixelwiseNoise) == (kind is not HotPixels)


@pytest.mark.parametrize("model", [SaltAndPepper(0.3, 0, 2), RandomImpulses(0.3, 0, 2), HotPixels(0.3, 1, 2)])
@pytest.mark.parametrize("level", [0.0, 0.7, 5.0])
def test_mean_and_variance_are_the_closed_forms_and_those_of_samples(model, level, rng):
    clean = np.full((1, 400, 500), level)
    middle = (model.low + model.high) / 2
    spread = (model.high - model.low) ** 2 / (4 if isinstance(model, SaltAndPepper) else 12)
    mean, variance = 0.7 * level + 0.3 * middle, 0.3 * spread + 0.3 * 0.7 * (level - middle) ** 2
    assert model.mean(clean)[0, 0, 0] == pytest.approx(mean, rel=1e-12)
    assert model.variance(clean)[0, 0, 0] == pytest.approx(variance, rel=1e-12)
    noisy = model.sample(clean, rng)
    # Standard errors of the sample mean, and of the sample variance by the sample's own fourth moment.
    assert abs(noisy.mean() - mean) < 4 * (variance / noisy.size) ** 0.5
    squares = (noisy - mean) ** 2
    assert abs(squares.mean() - variance) < 4 * squares.std() / noisy.size**0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_keep_the_dtype_and_the_pixels_that_are_not_replaced(kind, dtype, rng):
    clean = rng.uniform(0.2, 0.3, (2, 100, 100)).astype(dtype)
    clean.flags.writeable = False
    model = kind(0.2, low=0.5, high=1.0)
    noisy = model.sample(clean, rng)
    assert noisy.dtype == dtype
    replaced = noisy != clean
    assert np.all((noisy[replaced] >= 0.5) & (noisy[replaced] <= 1))
    # Binomial standard error: sqrt(0.2 * 0.8 / 20000) = 0.0028.
    assert abs(replaced.mean() - 0.2) < 4 * 0.0028
    again = [model.sample(clean, np.random.default_rng(5)) for _ in range(2)]
    assert np.array_equal(*again)
    assert model.mean(clean).dtype == model.variance(clean).dtype == dtype


@pytest.mark.parametrize("kind", KINDS)
def test_no_density_leaves_the_image_and_full_density_leaves_nothing(kind, rng):
    clean = rng.uniform(300, 400, (1, 20, 20))
    none, full = kind(0.0), kind(1.0)
    untouched = none.sample(clean, rng)
    assert np.array_equal(untouched, clean)
    assert not np.shares_memory(untouched, clean)
    assert none.log_likelihood(clean, clean) == 0
    assert not none.detect(clean).any()
    assert full.sample(clean, rng).max() <= 255
    assert full.log_likelihood(clean, clean) == -np.inf
    assert full.detect(full.sample(clean, rng)).all()


def test_half_of_the_salt_and_pepper_is_salt(rng):
    noisy = SaltAndPepper(0.4, -1, 3).sample(np.ones((1, 300, 300)), rng)
    # Binomial standard error: sqrt(0.2 * 0.8 / 90000) = 0.00133.
    assert abs(np.mean(noisy == -1) - 0.2) < 4 * 0.00133
    assert abs(np.mean(noisy == 3) - 0.2) < 4 * 0.00133


def test_hot_pixels_stay_where_they_are_through_a_volume_but_not_across_channels(rng):
    clean = rng.uniform(0, 100, (3, 5, 60, 60))
    noisy = HotPixels(0.05).sample(clean, rng)
    hot = noisy != clean
    assert hot.any()
    assert np.array_equal(hot, np.broadcast_to(hot[:, :1], hot.shape))
    assert np.all(np.ptp(noisy, axis=1)[hot[:, 0]] == 0)
    assert not np.array_equal(hot[0], hot[1])


def test_probabilities_of_salt_and_pepper_sum_to_one():
    model = SaltAndPepper(0.3, 0, 1)
    values = np.array([[[0.0, 1.0, 0.5, 0.6]]])
    masses = np.exp(model.log_density(values, np.full_like(values, 0.5)))
    assert masses == pytest.approx(np.array([[[0.15, 0.15, 0.7, 0.0]]]), abs=1e-15)
    # Where the clean value is extreme, its mass and that of the impulses are one point.
    assert np.exp(model.log_density(values, np.ones_like(values))) == pytest.approx(
        np.array([[[0.15, 0.85, 0.0, 0.0]]]), abs=1e-15
    )


@pytest.mark.parametrize("model", [RandomImpulses(0.3, 0, 4), HotPixels(0.3, 2, 4)])
def test_a_mass_at_clean_and_a_density_beside_it_make_one(model):
    clean = np.full((1, 1, 1), 3.0)
    mass = np.exp(model.log_likelihood(clean, clean))
    # The density is constant between the bounds, so its integral is a product; outside it is 0.
    density = np.exp(model.log_likelihood(np.full((1, 1, 1), 2.5), clean))
    assert mass + density * (model.high - model.low) == pytest.approx(1, rel=1e-12)
    assert model.log_likelihood(np.full((1, 1, 1), 4.001), clean) == -np.inf


def test_a_defect_through_a_volume_counts_once():
    clean = np.zeros((1, 4, 1, 2))
    noisy = clean.copy()
    noisy[..., 1] = 200.0
    expected = np.log(0.9) + np.log(0.1 / 127.5)
    assert HotPixels(0.1).log_likelihood(noisy, clean) == pytest.approx(expected, rel=1e-12)
    noisy[0, 2, 0, 1] = 201.0  # a pixel that is stuck at one value in one plane and another in the next is no defect
    assert HotPixels(0.1).log_likelihood(noisy, clean) == -np.inf


@pytest.mark.parametrize("kind", KINDS)
def test_likelihood_is_greatest_at_the_true_density(kind, rng):
    clean = rng.uniform(10, 20, (1, 100, 100))
    noisy = kind(0.2).sample(clean, rng)
    best = max((0.18, 0.2, 0.22), key=lambda density: kind(density).log_likelihood(noisy, clean))
    assert best == 0.2  # the standard error of the density is sqrt(0.2 * 0.8 / 10000) = 0.004


def test_images_that_cannot_hold_impulses_are_refused(rng):
    with pytest.raises(InvalidImage, match="astype"):
        SaltAndPepper(0.1).sample(np.zeros((1, 4, 4), np.uint8), rng)
    with pytest.raises(InvalidImage, match="must be the same"):
        RandomImpulses(0.1).log_likelihood(np.zeros((1, 4, 4)), np.zeros((1, 4, 5)))
    for use in (HotPixels(0.1).detect, SaltAndPepper(0.1).detect, RandomImpulses(0.1).detect):
        with pytest.raises(InvalidImage, match="plane"):
            use(np.zeros((1, 9)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 7), (1, 2, 2), (2, 3, 9, 8)])
def test_detection_takes_images_of_any_size(kind, shape, rng):
    noisy = kind(0.2).sample(rng.uniform(0, 255, shape).astype(np.float32), rng)
    noisy.flags.writeable = False
    found = kind(0.2).detect(noisy)
    assert found.shape == shape
    assert found.dtype == bool


@pytest.mark.parametrize("kind", KINDS)
def test_detection_has_no_units(kind, rng):
    noisy = kind(0.1).sample(rng.normal(100, 10, (1, 80, 80)), rng)
    scaled = kind(0.1, kind(0.1).low * 0.25 - 8, kind(0.1).high * 0.25 - 8)
    # Powers of two and small integers are exact, so that the same pixels are extreme.
    assert np.mean(kind(0.1).detect(noisy) != scaled.detect(noisy * 0.25 - 8)) < 1e-3  # rounding at the thresholds


@pytest.mark.parametrize("value", [0.0, 255.0])
def test_a_sky_that_is_white_and_a_night_that_is_black_are_kept(value, rng):
    clean = rng.normal(120, 10, (1, 120, 120)).astype(np.float32)
    clean[..., 60:, :] = value
    model = SaltAndPepper(0.2)
    noisy = model.sample(clean, rng)
    found = model.detect(noisy)
    truth = noisy != clean
    flat = np.s_[:, 64:, :]  # beyond the reach of the edge in the first windows
    assert np.mean(found[flat] == truth[flat]) > 0.99
    assert np.mean(found == truth) > 0.97


def test_hot_pixels_of_a_volume_are_found_from_all_its_planes(rng):
    clean = rng.normal(100, 10, (1, 9, 64, 64))
    model = HotPixels(0.01, 150, 255)  # at least five standard deviations of the noise above the scene
    noisy = model.sample(clean, rng)
    truth = noisy != clean
    found = model.detect(noisy)
    assert np.array_equal(found, np.broadcast_to(found[:, :1], found.shape))
    assert np.count_nonzero(found & truth) > 0.9 * np.count_nonzero(truth)
    assert np.count_nonzero(found & ~truth) < 0.05 * np.count_nonzero(truth)


@pytest.fixture(scope="module")
def photographs(shared_data):
    """Every 80th training photograph: five of the twenty that the figures below come from."""
    paths = sorted(Path(shared_data, "train", "BSD400").glob("*.jpg"))[::80]
    return [np.asarray(Image.open(path).convert("L"), np.float32)[np.newaxis] for path in paths]


def precision_and_recall(model, images, rng, sigma=0.0):
    """Over all images together; replaced pixels that kept their value by chance do not count."""
    right = wrong = missed = 0
    for image in images:
        clean = image + np.float32(sigma) * rng.standard_normal(image.shape, np.float32)
        noisy = model.sample(clean, rng)
        truth, found = noisy != clean, model.detect(noisy)
        right += np.count_nonzero(truth & found)
        wrong += np.count_nonzero(found & ~truth)
        missed += np.count_nonzero(truth & ~found)
    return right / (right + wrong), right / (right + missed)


# Bars: what was measured on every 20th photograph (in brackets), less two standard errors of a mean over five of them.
@pytest.mark.shared
@pytest.mark.parametrize(
    ("density", "precision", "recall"),
    [(0.01, 0.99, 0.95), (0.1, 0.99, 0.985), (0.7, 0.997, 0.99)],  # (0.997, 0.985), (0.997, 0.995), (0.999, 0.997)
)
def test_salt_and_pepper_is_found_in_photographs(density, precision, recall, photographs, rng):
    found = precision_and_recall(SaltAndPepper(density), photographs, rng)
    assert found[0] > precision
    assert found[1] > recall


@pytest.mark.shared
@pytest.mark.parametrize(
    ("density", "sigma", "precision", "recall"),
    # (0.889, 0.700), (0.942, 0.769), (0.944, 0.791), and over white noise of 10 (0.831, 0.681)
    [(0.01, 0.0, 0.785, 0.62), (0.1, 0.0, 0.89, 0.70), (0.2, 0.0, 0.90, 0.73), (0.1, 10.0, 0.80, 0.63)],
)
def test_random_impulses_are_found_in_photographs(density, sigma, precision, recall, photographs, rng):
    found = precision_and_recall(RandomImpulses(density), photographs, rng, sigma)
    assert found[0] > precision
    assert found[1] > recall


@pytest.mark.shared
def test_hot_pixels_are_found_in_photographs(photographs, rng):
    precision, recall = precision_and_recall(HotPixels(0.001), photographs, rng)
    assert precision > 0.60  # 0.775 on every 20th
    assert recall > 0.55  # 0.697
