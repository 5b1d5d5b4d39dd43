import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import Gaussian


@pytest.mark.parametrize(
    ("sigma", "value"),
    [(-1, "-1"), (float("nan"), "nan"), (float("inf"), "inf"), ([0.1, -0.2], "-0.2"), (np.array([np.nan, 1]), "nan")],
)
def test_a_sigma_out_of_range_is_refused_with_value_and_bound(sigma, value):
    with pytest.raises(InvalidParameter, match=rf"sigma is {value}; it must be finite and >= 0") as raised:
        Gaussian(sigma)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("sigma", ["25", None, True, 1j, [], np.array(["a"])])
def test_what_is_no_number_is_refused(sigma):
    with pytest.raises(InvalidParameter, match="must be a number"):
        Gaussian(sigma)


def test_numbers_become_a_float_and_maps_a_read_only_copy():
    assert isinstance(Gaussian(np.float32(2)).sigma, float)
    assert isinstance(Gaussian(np.array(2)).sigma, float)
    given = np.array([1.0, 2.0])
    model = Gaussian(given)
    given[0] = 7.0
    assert model.sigma[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        model.sigma[0] = 3.0


def test_equality_and_hash_follow_the_values():
    assert Gaussian(1) == Gaussian(1.0)
    assert Gaussian(1.0) != Gaussian(2.0)
    assert Gaussian(1.0) != 1.0
    assert Gaussian([1.0, 2.0]) == Gaussian(np.array([1.0, 2.0]))
    assert Gaussian([1.0, 2.0]) != Gaussian([1.0, 3.0])
    assert Gaussian([1.0, 1.0]) != Gaussian(1.0)
    assert len({Gaussian(1), Gaussian(1.0), Gaussian([1.0, 2.0]), Gaussian([1, 2])}) == 2


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_sigma_zero_is_the_identity(dtype, rng):
    clean = np.linspace(-1, 2, 60).astype(dtype).reshape(3, 4, 5)
    noisy = Gaussian(0).sample(clean, rng)
    assert np.array_equal(noisy, clean)
    assert noisy.dtype == dtype
    assert not np.shares_memory(noisy, clean)


def test_samples_are_not_clipped(rng):
    noisy = Gaussian(1.0).sample(np.zeros((1, 50, 50), np.float32), rng)
    assert noisy.min() < -1
    assert noisy.max() > 1


@pytest.mark.parametrize("shape", [(3, 1, 1), (80, 90), (1, 80, 90), (3, 80, 90), (1,)])
def test_a_map_gives_each_pixel_its_own_strength(shape, rng):
    sigma = rng.uniform(0.5, 2, shape)
    clean = np.full((3, 80, 90), 0.5)
    model = Gaussian(sigma)
    assert np.array_equal(model.variance(clean), np.broadcast_to(sigma**2, clean.shape))
    z = (model.sample(clean, rng) - clean) / sigma
    # Standard errors of a Gaussian sample's mean and variance.
    assert abs(z.mean()) < 4 / z.size**0.5
    assert abs(z.var() - 1) < 4 * (2 / z.size) ** 0.5


@pytest.mark.parametrize("shape", [(2, 1, 1), (5, 7), (1, 1, 4, 6), (2, 4, 6)])
def test_a_map_that_does_not_fit_is_refused(shape, rng):
    model, clean = Gaussian(np.ones(shape)), np.zeros((3, 4, 6))
    for use in (lambda: model.sample(clean, rng), lambda: model.variance(clean)):
        with pytest.raises(InvalidParameter, match="does not broadcast"):
            use()


def test_variance_of_half_precision_does_not_overflow():
    variance = Gaussian(300).variance(np.zeros((1, 2, 2), np.float16))
    assert variance.dtype == np.float32
    assert np.all(variance == 90_000)


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_integers_cannot_hold_noise(dtype, rng):
    with pytest.raises(InvalidImage, match="astype"):
        Gaussian(1).sample(np.zeros((1, 4, 4), dtype), rng)


def test_log_likelihood_is_the_closed_form():
    # Two pixels at z = 1 and z = -2, sigma = 0.5 and 2: -(1 + 4)/2 - log(0.5) - log(2) - log(2 pi).
    noisy, clean = np.array([[[1.5, -3.0]]]), np.array([[[1.0, 1.0]]])
    value = Gaussian([0.5, 2.0]).log_likelihood(noisy, clean)
    assert value == pytest.approx(-2.5 - np.log(2 * np.pi), rel=1e-14)


def test_log_likelihood_counts_every_pixel_under_one_sigma():
    clean = np.zeros((2, 5, 5), np.float32)
    expected = -50 * (np.log(0.3) + 0.5 * np.log(2 * np.pi))
    assert Gaussian(0.3).log_likelihood(clean, clean) == pytest.approx(expected, rel=1e-14)


def test_likelihood_is_greatest_at_the_true_sigma(rng):
    clean = np.zeros((1, 200, 200))
    noisy = Gaussian(0.2).sample(clean, rng)
    best = max((0.19, 0.2, 0.21), key=lambda sigma: Gaussian(sigma).log_likelihood(noisy, clean))
    assert best == 0.2  # the standard error of sigma is 0.2 / sqrt(2 * 40000) = 0.0007


@pytest.mark.parametrize("sigma", [0, np.array([0.0, 1.0, 1.0])])
def test_log_likelihood_needs_a_positive_sigma(sigma):
    with pytest.raises(InvalidParameter, match="use a sigma above 0"):
        Gaussian(sigma).log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 3)))


def test_log_likelihood_needs_images_of_one_shape():
    with pytest.raises(InvalidImage, match="must be the same"):
        Gaussian(1).log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 1, 3)))
