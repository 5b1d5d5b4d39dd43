import dataclasses

import numpy as np
import pytest
from scipy import integrate, special, stats

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import PixelwiseNoise, Poisson, PoissonGaussian, StabilisableNoise
from noiseless.noise.poisson import ASYMPTOTIC, expected_anscombe

READS = (0.0, 0.05, 0.3, 1.0, 3.0, 7.0, 9.9, 12.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gain": 0}, "gain is 0; it must be finite and > 0"),
        ({"gain": -2.0}, "gain is -2; it must be finite and > 0"),
        ({"gain": float("nan")}, "gain is nan; it must be finite"),
        ({"gain": float("inf")}, "gain is inf; it must be finite"),
        ({"gain": "2"}, "gain is '2'; it must be a number"),
        ({"gain": True}, "gain is True; it must be a number"),
        ({"gain": 1.0, "sigma": -1}, "sigma is -1; it must be finite and >= 0"),
        ({"gain": 1.0, "sigma": None}, "sigma is None; it must be a number"),
        ({"gain": 1.0, "sigma": 1e-10}, "sigma is 1e-10; it must be 0, or at least 1e-09 of the gain"),
        ({"gain": 1.0, "offset": float("-inf")}, "offset is -inf; it must be finite"),
    ],
)
def test_parameters_out_of_range_are_refused_with_value_and_bound(parameters, message):
    with pytest.raises(InvalidParameter) as raised:
        PoissonGaussian(**parameters)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
    if "sigma" not in parameters:
        with pytest.raises(InvalidParameter):
            Poisson(**parameters)


def test_parameters_become_floats_and_models_compare_by_them():
    model = PoissonGaussian(np.float32(2), 3, np.int16(1))
    assert [type(value) for value in dataclasses.astuple(model)] == [float] * 3
    assert model == PoissonGaussian(2.0, 3.0, 1.0)
    assert hash(model) == hash(PoissonGaussian(2, 3, 1))
    assert Poisson() == Poisson(1, 0.0)
    assert isinstance(Poisson(3).gain, float)
    for kind in (model, Poisson()):
        assert isinstance(kind, PixelwiseNoise)
        assert isinstance(kind, StabilisableNoise)


@pytest.mark.parametrize(
    ("gain", "sigma", "offset"), [(1.0, 0.0, 0.0), (0.01, 0.3, 5.0), (40.0, 2.0, -100.0), (1e-6, 1e-3, 0.0)]
)
def test_mean_and_variance_of_samples_are_the_declared_ones(gain, sigma, offset, rng):
    model = PoissonGaussian(gain, sigma, offset)
    for counts in (0.0, 0.2, 3.0, 5000.0):
        clean = np.full((1, 200, 250), offset + gain * counts)
        noise = model.sample(clean, rng) - model.mean(clean)
        variance = model.variance(clean)
        assert np.ptp(variance) == 0
        assert variance.flat[0] == pytest.approx(gain**2 * counts + sigma**2, rel=1e-9, abs=1e-300)
        error = (variance.flat[0] / noise.size) ** 0.5
        # Rounding of offset + gain * counts is all there is where there is no noise.
        assert abs(noise.mean()) <= 4 * error + 1e-15 * abs(offset)
        squares = noise**2
        assert abs(squares.mean() - variance.flat[0]) <= 4 * squares.std() / noise.size**0.5 + 1e-300


def test_what_is_darker_than_the_offset_counts_as_the_offset(rng):
    model, clean, dark = PoissonGaussian(2.0, 1.0, 10.0), np.full((1, 4, 4), -50.0), np.full((1, 4, 4), 10.0)
    assert np.array_equal(model.mean(clean), dark)
    assert np.array_equal(model.variance(clean), np.ones((1, 4, 4)))
    noisy = model.sample(clean, rng)
    assert np.array_equal(noisy, model.sample(dark, np.random.default_rng(0)))
    assert np.array_equal(model.log_density(noisy, clean), model.log_density(noisy, dark))
    # Without photons only the Gaussian is left.
    assert model.log_density(noisy, clean) == pytest.approx(stats.norm.logpdf(noisy, 10.0, 1.0), rel=1e-13)


def test_more_photons_than_can_be_counted_are_still_drawn(rng):
    clean = np.full((1, 100, 100), 1e22)
    noise = (Poisson().sample(clean, rng) - clean) / 1e11
    # Standard errors of a Gaussian sample's mean and variance.
    assert abs(noise.mean()) < 4 / 100
    assert abs(noise.var() - 1) < 4 * 2**0.5 / 100


@pytest.mark.parametrize("rate", [1e-9, 0.03, 0.7, 4.0, 15.3, 40.0, 200.0, 3000.0, 1e5])
@pytest.mark.parametrize("read", [0.01, 0.3, 1.0, 3.0, 7.0, 20.0, 300.0])
def test_log_density_is_the_sum_over_all_counts(rate, read):
    count = np.arange(int(rate + 14 * rate**0.5 + 60))
    place = rate + np.array([-6, -3, -1, 0.2, 1.1, 4, 6]) * (rate + read**2) ** 0.5
    terms = stats.poisson.logpmf(count, rate) + stats.norm.logpdf(place[:, np.newaxis], count, read)
    expected = special.logsumexp(terms, axis=1)
    found = PoissonGaussian(5.0, 5.0 * read, 2.0).log_density(2 + 5 * place[np.newaxis], np.full((1, 7), 2 + 5 * rate))
    # logpmf of scipy loses digits of rate * log(rate), 1e6 at 1e5 photons; the strided sum is exact to 1e-11. A place
    # between counts loses those of its own rounding, eps * rate / read^2 a unit of deviation.
    rounding = 1e-15 * (rate + 7) * 7 / read**2
    assert found[0] == pytest.approx(expected - np.log(5), abs=1e-9 + 20 * rounding)


def test_log_density_of_very_many_photons_is_that_of_edgeworth():
    rate, read = 1e8, 3e3
    variance = rate + read**2
    z = np.linspace(-4, 4, 9)
    found = PoissonGaussian(1.0, read).log_density(rate + z * variance**0.5, np.full(9, rate))
    skewness = rate / variance**1.5
    expected = stats.norm.logpdf(z) - 0.5 * np.log(variance) + np.log1p(skewness / 6 * (z**3 - 3 * z))
    # The next order is skewness^2 and excess kurtosis, both about 1e-8, times polynomials below 100.
    assert found == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(("gain", "sigma", "offset"), [(1.0, 0.2, 0.0), (3.0, 4.0, 20.0), (0.05, 1.0, -2.0)])
def test_density_integrates_to_one(gain, sigma, offset):
    model = PoissonGaussian(gain, sigma, offset)
    for counts in (0.0, 0.5, 6.0, 120.0):
        spread = (gain**2 * counts + sigma**2) ** 0.5
        # To 12 standard deviations, and 12 counts more for the tail of few photons; the trapezoid rule on a smooth
        # density converges faster than any power of the step, which is sigma / 5.
        grid = np.arange(offset - 12 * sigma, offset + gain * (counts + 12) + 12 * spread, sigma / 5)
        density = np.exp(model.log_density(grid, np.full(grid.shape, offset + gain * counts)))
        assert density.sum() * sigma / 5 == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("model", [Poisson(0.3, 7.0), PoissonGaussian(0.3, 0.0, 7.0)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_without_read_noise_have_masses_on_a_lattice_that_sum_to_one(model, dtype):
    count = np.arange(400)
    for rate in (0.0, 0.4, 9.0, 200.0):
        noisy = np.asarray(7.0, dtype) + np.asarray(0.3, dtype) * count.astype(dtype)
        mass = model.log_density(noisy, np.full(400, 7 + 0.3 * rate))
        # The clean value is rounded: a rate of 200 by 1e-13, and so the log of its masses by about as much, times 200.
        expected = stats.poisson.logpmf(count, rate)
        assert np.array_equal(np.isfinite(mass), np.isfinite(expected))
        likely = expected > -600
        assert mass[likely] == pytest.approx(expected[likely], rel=1e-11, abs=1e-10)
        assert np.exp(mass).sum() == pytest.approx(1, abs=1e-11)
        between = model.log_density(noisy + np.asarray(0.1, dtype), np.full(400, 7 + 0.3 * rate))
        assert np.all(between == -np.inf)
    assert model.log_density(np.array([6.7]), np.array([8.0])) == -np.inf


def test_likelihood_is_greatest_at_the_true_gain(rng):
    clean = np.full((1, 100, 200), 50.0)
    noisy = PoissonGaussian(2.0, 3.0).sample(clean, rng)
    # The variance 109 is known to sqrt(2 / 20000) = 1 %, the gain so to 1.1 %.
    best = max((1.9, 2.0, 2.1), key=lambda gain: PoissonGaussian(gain, 3.0).log_likelihood(noisy, clean))
    assert best == 2.0


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.7, 5.0, 60.0])
def test_expectation_of_the_transform_is_exact(read, rate):
    def of_count(count):
        mean = count + 0.375 + read**2
        if read == 0:
            return 2 * mean**0.5
        root = lambda n: 2 * (mean + read * n) ** 0.5 * np.exp(-n * n / 2) / (2 * np.pi) ** 0.5  # noqa: E731
        return integrate.quad(root, max(-mean / read, -10.0), 10.0, epsabs=1e-11, epsrel=1e-11, limit=300)[0]

    counts = np.arange(int(rate + 10 * rate**0.5 + 20))
    probability = stats.poisson.pmf(counts, rate)
    likely = probability > 1e-14
    expected = sum(p * of_count(k) for k, p in zip(counts[likely], probability[likely], strict=True))
    found = expected_anscombe(np.array([rate]), read)[0] + 2 * read
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("read", READS)
def test_inverse_is_unbiased_at_every_count(read):
    end = max(ASYMPTOTIC - read**2, 0.0)
    rate = np.concatenate([np.geomspace(1e-4, 1000.0, 1500), end + np.array([0.0, 1e-3, 0.1])])
    found = PoissonGaussian(1.0, read).unstabilise(expected_anscombe(rate, read))
    # In standard deviations of the noise; at 1e-4 photons without read noise that is one of 0.01.
    assert np.abs((found - rate) / np.sqrt(rate + read**2)).max() < 5e-5


@pytest.mark.parametrize("read", READS)
def test_inverse_of_what_darkness_cannot_give_is_the_offset(read):
    model = PoissonGaussian(2.0, 2 * read, 30.0)
    dark = expected_anscombe(np.zeros(1), read)[0]
    assert dark > 0
    stabilised = np.array([[dark, dark - 1e-3, 0.0, -1.0, -100.0]])
    # What rounds off at E f(dark) itself is linear in the error of the table.
    assert model.unstabilise(stabilised)[0] == pytest.approx([30.0] * 5, abs=1e-4)
    assert np.array_equal(model.unstabilise(stabilised)[0, 1:], [30.0] * 4)


def deviation_of_stabilised(rate, read):
    """The standard deviation of the stabilised noise, by sums over the counts and a fine grid of Gaussian values."""
    count, n = np.arange(int(rate + 9 * rate**0.5 + 20)), np.linspace(-8, 8, 3001)
    weight = np.outer(stats.poisson.pmf(count, rate), np.exp(-n * n / 2))
    weight /= weight.sum()
    stabilised = PoissonGaussian(1.0, read).stabilise(count[:, np.newaxis] + read * n)
    mean = (weight * stabilised).sum()
    return (weight * (stabilised - mean) ** 2).sum() ** 0.5


@pytest.mark.parametrize("read", [0.0, 0.3, 1.0, 2.0, 5.0])
def test_stabilised_noise_has_standard_deviation_one(read):
    for rate in (4.0, 6.0, 10.0, 30.0):
        assert 0.998 < deviation_of_stabilised(rate, read) < 1.031  # what the docstring says
    assert deviation_of_stabilised(100.0, read) == pytest.approx(1, abs=2e-3)
    if read > 1:
        for rate in (0.0, 0.5, 1.0, 2.0):
            assert 1 < deviation_of_stabilised(rate, read) < 1.1


@pytest.mark.parametrize(
    ("read", "rate", "deviation"), [(1, 1, 1.04), (0.5, 1, 0.96), (0, 1, 0.85), (1, 0, 0.98), (0.5, 0, 0.71), (0, 0, 0)]
)
def test_few_photons_are_stabilised_as_well_as_is_said(read, rate, deviation):
    assert deviation_of_stabilised(rate, float(read)) == pytest.approx(deviation, abs=0.005)


def test_the_transform_is_that_of_anscombe_less_a_constant(rng):
    noisy = rng.uniform(-30, 200, (2, 9, 8))
    counts = (noisy - 4) / 3
    expected = 2 * np.sqrt(np.maximum(counts + 3 / 8 + 4**2, 0)) - 2 * 4
    assert PoissonGaussian(3.0, 12.0, 4.0).stabilise(noisy) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert Poisson(3.0, 4.0).stabilise(noisy) == pytest.approx(2 * np.sqrt(np.maximum(counts + 3 / 8, 0)), rel=1e-12)


def test_noise_that_is_nearly_gaussian_is_only_scaled():
    # A photon of 1e-9 against read noise of 2: the curvature of the root is gain / sigma^2 times (noisy - offset)^2.
    model, noisy = PoissonGaussian(1e-9, 2.0, 5.0), np.linspace(-100, 300, 50)
    assert model.stabilise(noisy) == pytest.approx((noisy - 5) / 2, abs=1e-5)
    stabilised = model.stabilise(noisy.astype(np.float32))
    assert model.unstabilise(stabilised) == pytest.approx(np.maximum(noisy, 5), abs=2e-5 + 300 * 2**-23)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", [Poisson(2.0, 3.0), PoissonGaussian(2.0, 5.0, 3.0), PoissonGaussian(0.01, 5.0, 3.0)])
def test_maps_keep_dtype_and_order(model, dtype):
    values = np.linspace(-40, 4000, 3001).reshape(1, 3001, 1).astype(dtype)
    stabilised = model.stabilise(values)
    back = model.unstabilise(stabilised)
    assert stabilised.dtype == back.dtype == model.variance(values).dtype == model.mean(values).dtype == dtype
    assert stabilised.shape == back.shape == values.shape
    assert np.all(np.diff(stabilised.ravel()) >= 0)
    assert np.all(np.diff(back.ravel()) >= -1e-6 * 4000)  # a unit in the last place of float32
    assert back.min() == 3.0


def test_half_precision_is_stabilised_in_single(rng):
    noisy = rng.uniform(0, 100, (1, 5, 6)).astype(np.float16)
    assert Poisson().stabilise(noisy).dtype == np.float32
    assert Poisson().variance(noisy).dtype == np.float32


def test_all_scales_with_the_image(rng):
    model, scaled = PoissonGaussian(0.7, 1.1, 3.0), PoissonGaussian(0.7 * 16, 1.1 * 16, 3.0 * 16)
    clean = rng.uniform(0, 60, (1, 20, 30))
    noisy = model.sample(clean, np.random.default_rng(5))
    assert scaled.sample(16 * clean, np.random.default_rng(5)) == pytest.approx(16 * noisy, rel=1e-12)
    assert scaled.variance(16 * clean) == pytest.approx(256 * model.variance(clean), rel=1e-12)
    shift = model.log_density(noisy, clean) - np.log(16)
    assert scaled.log_density(16 * noisy, 16 * clean) == pytest.approx(shift, rel=1e-10)
    stabilised = model.stabilise(noisy)
    assert scaled.stabilise(16 * noisy) == pytest.approx(stabilised, rel=1e-11, abs=1e-12)
    assert scaled.unstabilise(stabilised) == pytest.approx(16 * model.unstabilise(stabilised), rel=1e-12)


def test_poisson_is_poisson_gaussian_without_read_noise(rng):
    alone, both = Poisson(0.5, 2.0), PoissonGaussian(0.5, 0.0, 2.0)
    clean = rng.uniform(0, 40, (2, 10, 12))
    noisy = alone.sample(clean, np.random.default_rng(8))
    assert np.array_equal(noisy, both.sample(clean, np.random.default_rng(8)))
    assert np.array_equal(alone.mean(clean), both.mean(clean))
    assert np.array_equal(alone.variance(clean), both.variance(clean))
    assert alone.log_likelihood(noisy, clean) == both.log_likelihood(noisy, clean)
    assert np.array_equal(alone.unstabilise(alone.stabilise(noisy)), both.unstabilise(both.stabilise(noisy)))


def test_images_that_cannot_be_are_refused(rng):
    model, whole = PoissonGaussian(1.0, 1.0), np.zeros((1, 4, 4), np.uint8)
    for use in (lambda: model.sample(whole, rng), lambda: model.stabilise(whole), lambda: model.unstabilise(whole)):
        with pytest.raises(InvalidImage, match="astype"):
            use()
    for kind in (model, Poisson()):
        with pytest.raises(InvalidImage, match="must be the same"):
            kind.log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 4)))


@pytest.mark.parametrize("noise", [Poisson(1.0), PoissonGaussian(1.0, 2.0)])
def test_counts_in_whole_numbers_are_as_likely_as_in_floats(noise):
    clean = np.linspace(0.5, 30, 24).reshape(1, 4, 6)
    counts = np.arange(24).reshape(1, 4, 6)
    np.testing.assert_array_equal(noise.log_density(counts, clean), noise.log_density(counts.astype(float), clean))
