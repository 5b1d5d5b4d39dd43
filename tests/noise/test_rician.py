import numpy as np
import pytest
from scipy import special, stats

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import NonCentralChi, PixelwiseNoise, Rician, StabilisableNoise
from noiseless.noise.rician import FAR, stabilising_tables

COILS = (1, 2, 4, 12, 32)


def law(amplitude, coils):
    """A grid of magnitudes (N, 1201) and their weights by the density of scipy: r^2 is non-central chi-square."""
    centre = np.sqrt(amplitude**2 + 2 * coils)
    r = np.linspace(np.maximum(centre - 9, 1e-9), centre + 9, 1201, axis=-1)
    density = 2 * r * stats.ncx2.pdf(r**2, 2 * coils, amplitude[:, np.newaxis] ** 2)
    # Past amplitudes of 30 ncx2 loses digits that only scale the whole row.
    return r, density / density.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf"), "3", True, None])
def test_a_sigma_out_of_range_is_refused(sigma):
    for kind in (Rician, NonCentralChi):
        with pytest.raises(InvalidParameter, match=r"sigma is .*; it must be") as raised:
            kind(sigma)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("coils", [0, -2, 257, 1.0, 2.5, True, "4"])
def test_coils_that_cannot_be_counted_are_refused(coils):
    with pytest.raises(InvalidParameter, match=r"coils is .*; it must be a whole number from 1 to 256"):
        NonCentralChi(1.0, coils)


def test_models_compare_by_their_parameters():
    assert Rician(np.float32(2)) == Rician(2)
    assert isinstance(Rician(2).sigma, float)
    assert NonCentralChi(2, np.int64(3)) == NonCentralChi(2.0, 3)
    assert type(NonCentralChi(2, np.int64(3)).coils) is int
    assert len({Rician(1), Rician(1.0), NonCentralChi(1.0), NonCentralChi(1.0, 1)}) == 2
    for model in (Rician(1), NonCentralChi(1, 3)):
        assert isinstance(model, PixelwiseNoise)
        assert isinstance(model, StabilisableNoise)


@pytest.mark.parametrize(
    ("amplitude", "bias"), [(0, 1.2533), (1, 0.5486), (2, 0.2724), (3, 0.1726), (5, 0.1011), (10, 0.0501)]
)
def test_the_bias_is_that_of_the_rice_law(amplitude, bias):
    clean = np.full((1, 2, 2), 7.0 * amplitude)
    # Given to four decimals.
    assert (Rician(7.0).mean(clean) - clean) / 7 == pytest.approx(np.full(clean.shape, bias), abs=6e-5)


@pytest.mark.parametrize("coils", COILS)
def test_moments_are_the_laguerre_function(coils):
    amplitude = np.concatenate([np.linspace(0, 12, 200), np.geomspace(12, 300, 50)])
    model = NonCentralChi(3.0, coils)
    mean = 2**0.5 * special.poch(coils, 0.5) * special.hyp1f1(-0.5, coils, -(amplitude**2) / 2)
    assert model.mean(3 * amplitude) == pytest.approx(3 * mean, abs=1e-8)
    # The second moment is exact; the difference of squares loses eps * amplitude^2 in the oracle.
    variance = amplitude**2 + 2 * coils - mean**2
    assert model.variance(3 * amplitude) / 9 == pytest.approx(variance, abs=3e-8 + 1e-14 * 300**2)


@pytest.mark.parametrize("coils", [1, 5, 256])
def test_moments_far_above_the_noise_are_the_asymptotic_ones(coils):
    amplitude = np.geomspace(1e3, 1e9, 7) * coils**0.5
    model = NonCentralChi(1.0, coils)
    # The next terms are of order (coils / amplitude^2)^2, below 1e-12.
    assert model.variance(amplitude) == pytest.approx(1 - (coils - 0.5) / amplitude**2, abs=2e-8)
    assert model.mean(amplitude) == pytest.approx(amplitude + (coils - 0.5) / amplitude, rel=1e-12)


@pytest.mark.parametrize("coils", [1, 3, 64])
@pytest.mark.parametrize("amplitude", [-1.0, 0.0, 0.7, 3.0, 40.0])
def test_samples_have_the_declared_moments(coils, amplitude, rng):
    model, clean = NonCentralChi(5.0, coils), np.full((1, 200, 200), 5 * amplitude)
    noisy = model.sample(clean, rng)
    variance = model.variance(clean).flat[0]
    deviation = noisy - model.mean(clean)
    assert abs(deviation.mean()) < 4 * (variance / noisy.size) ** 0.5
    assert abs((deviation**2).mean() - variance) < 4 * (deviation**2).std() / noisy.size**0.5
    assert noisy.min() >= 0


def test_samples_of_one_coil_have_the_rice_law(rng):
    for amplitude in (0.0, 1.5, 6.0):
        noisy = Rician(2.0).sample(np.full((1, 100, 100), 2 * amplitude), rng)
        # Kolmogorov and Smirnov: 1.95 / sqrt(N) is passed in one of a thousand.
        assert stats.kstest(noisy.ravel() / 2, stats.rice(amplitude).cdf).statistic < 1.95 / 100


@pytest.mark.parametrize("coils", [1, 2, 8, 40])
@pytest.mark.parametrize("amplitude", [0.0, 1e-6, 0.3, 1.0, 4.0, 15.0])
def test_log_density_is_that_of_the_root_of_chi_square(coils, amplitude):
    r = np.linspace(0.05, 25, 300)
    expected = np.log(2 * r) + (
        stats.ncx2.logpdf(r**2, 2 * coils, amplitude**2) if amplitude else stats.chi2.logpdf(r**2, 2 * coils)
    )
    found = NonCentralChi(2.0, coils).log_density(2 * r, np.full(300, 2 * amplitude)) + np.log(2)
    likely = expected > -600  # where ncx2 has not lost itself in underflow
    assert found[likely] == pytest.approx(expected[likely], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("coils", [1, 2, 7, 256])
@pytest.mark.parametrize("amplitude", [0.0, 0.5, 3.0, 30.0, 1e4])
def test_density_integrates_to_one(coils, amplitude):
    centre = (amplitude**2 + 2 * coils) ** 0.5
    grid = np.linspace(max(centre - 12, 0), centre + 12, 4001)
    density = np.exp(NonCentralChi(1.0, coils).log_density(grid, np.full(4001, amplitude)))
    # One coil at amplitude 0: the trapezoid rule errs by step^2 / 12 at r = 0, where the slope of the density is 1.
    # 256 coils at 1e4: log of a Bessel function of argument 1e8 from two terms.
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=4e-6)


@pytest.mark.parametrize("coils", [1, 3, 256])
def test_log_density_far_above_the_noise_is_gaussian(coils):
    for amplitude in (1e5, 1e8, 1e12):
        z = np.linspace(-5, 5, 11)
        found = NonCentralChi(1.0, coils).log_density(amplitude + z, np.full(11, amplitude))
        # r is rounded to eps * amplitude, and the mean is moved by (coils - 1/2) / amplitude.
        slack = 5 * (coils / amplitude + 1e-16 * amplitude) + 1e-7
        assert found == pytest.approx(stats.norm.logpdf(amplitude + z - amplitude), abs=10 * slack)


def test_magnitudes_that_are_not_positive_are_impossible():
    density = NonCentralChi(1.0, 2).log_density(np.array([-1.0, 0.0, 1.0]), np.zeros(3))
    assert density[:2].tolist() == [-np.inf, -np.inf]
    assert np.isfinite(density[2])
    assert Rician(1.0).log_likelihood(np.zeros(2), np.ones(2)) == -np.inf


def test_negative_clean_values_count_as_zero(rng):
    model, negative, zero = Rician(2.0), np.full((1, 3, 3), -9.0), np.zeros((1, 3, 3))
    noisy = model.sample(zero, rng)
    assert np.array_equal(model.mean(negative), model.mean(zero))
    assert np.array_equal(model.variance(negative), model.variance(zero))
    assert np.array_equal(model.log_density(noisy, negative), model.log_density(noisy, zero))


@pytest.mark.parametrize(
    ("coils", "deviation", "skewness"), [(1, 0.021, 0.5), (2, 0.014, 0.45), (4, 0.008, 0.4), (32, 0.002, 0.2)]
)
def test_stabilised_noise_has_standard_deviation_one_at_every_amplitude(coils, deviation, skewness):
    r, weight = law(np.linspace(0, 30, 120), coils)
    stabilised = NonCentralChi(6.0, coils).stabilise(6 * r)
    centred = stabilised - (weight * stabilised).sum(axis=1, keepdims=True)
    found = np.sqrt((weight * centred**2).sum(axis=1))
    assert np.abs(found - 1).max() < deviation  # what the docstring says
    assert np.abs((weight * centred**3).sum(axis=1) / found**3).max() < skewness


@pytest.mark.parametrize("coils", COILS)
def test_inverse_is_unbiased(coils):
    amplitude = np.concatenate([np.linspace(0, 10, 100), np.linspace(10, 30, 21)])
    r, weight = law(amplitude, coils)
    model = NonCentralChi(6.0, coils)
    found = model.unstabilise((weight * model.stabilise(6 * r)).sum(axis=1)) / 6
    # E f is flat at amplitude 0, where it grows with the square of the amplitude: so squares are compared there.
    assert np.abs(found**2 - amplitude**2)[amplitude < 1].max() < 1e-4
    assert np.abs(found - amplitude)[amplitude >= 1].max() < 1e-4


@pytest.mark.parametrize("coils", [1, 4, 64, 256])
def test_map_and_inverse_go_on_beyond_their_tables(coils):
    model, end = NonCentralChi(1.0, coils), FAR * max(coils - 0.5, 1) ** 0.5
    tables = stabilising_tables(coils)
    assert tables.forward.end >= end
    r = np.concatenate([np.linspace(0.9, 1.1, 201) * tables.forward.end, np.geomspace(2, 1e6, 20) * end])
    stabilised = model.stabilise(r)
    # The slope is r / sqrt(r^2 - coils + 1/2) there, at the seam as well, from 1 to 1.002.
    slope = np.diff(stabilised) / np.diff(r)
    assert slope.min() > 1 - 1e-9
    assert slope.max() < 1.002
    # Far above the noise E f is constant + sqrt(a^2 - excess), so back(f(r)) is r but for a shift of excess / r.
    assert model.unstabilise(stabilised) == pytest.approx(np.sqrt(r**2 - 2 * (coils - 0.5)), abs=2e-4, rel=1e-12)


def test_what_no_signal_can_give_is_zero():
    for coils in (1, 4):
        r, weight = law(np.zeros(1), coils)
        model = NonCentralChi(3.0, coils)
        dark = float((weight * model.stabilise(3 * r)).sum())
        assert np.array_equal(model.unstabilise(np.array([dark - 1e-3, 0.0, -50.0])), np.zeros(3))
    assert np.array_equal(model.stabilise(np.array([-5.0, -1e-3])), model.stabilise(np.zeros(2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_maps_keep_dtype_and_order(dtype):
    values = np.linspace(-20, 4000, 5001).reshape(1, 5001, 1).astype(dtype)
    for model in (Rician(8.0), NonCentralChi(8.0, 3)):
        stabilised = model.stabilise(values)
        back = model.unstabilise(stabilised)
        assert stabilised.dtype == back.dtype == model.mean(values).dtype == model.variance(values).dtype == dtype
        assert stabilised.shape == back.shape == values.shape
        assert np.all(np.diff(stabilised.ravel()) >= 0)
        assert np.all(np.diff(back.ravel()) >= 0)
        assert back.min() == 0


def test_all_scales_with_the_image(rng):
    model, scaled = NonCentralChi(1.5, 2), NonCentralChi(24.0, 2)
    clean = rng.uniform(0, 20, (1, 20, 30))
    noisy = model.sample(clean, np.random.default_rng(5))
    assert scaled.sample(16 * clean, np.random.default_rng(5)) == pytest.approx(16 * noisy, rel=1e-12)
    assert scaled.mean(16 * clean) == pytest.approx(16 * model.mean(clean), rel=1e-12)
    assert scaled.variance(16 * clean) == pytest.approx(256 * model.variance(clean), rel=1e-12)
    shifted = model.log_density(noisy, clean) - np.log(16)
    assert scaled.log_density(16 * noisy, 16 * clean) == pytest.approx(shifted, rel=1e-11)
    stabilised = model.stabilise(noisy)
    assert scaled.stabilise(16 * noisy) == pytest.approx(stabilised, rel=1e-12)
    assert scaled.unstabilise(stabilised) == pytest.approx(16 * model.unstabilise(stabilised), rel=1e-12)


def test_rician_is_non_central_chi_of_one_coil(rng):
    one, many = Rician(2.5), NonCentralChi(2.5, 1)
    clean = rng.uniform(0, 20, (2, 8, 9))
    noisy = one.sample(clean, np.random.default_rng(3))
    assert np.array_equal(noisy, many.sample(clean, np.random.default_rng(3)))
    assert np.array_equal(one.mean(clean), many.mean(clean))
    assert np.array_equal(one.variance(clean), many.variance(clean))
    assert np.array_equal(one.log_density(noisy, clean), many.log_density(noisy, clean))
    assert one.log_likelihood(noisy, clean) == many.log_likelihood(noisy, clean)
    assert np.array_equal(one.unstabilise(one.stabilise(noisy)), many.unstabilise(many.stabilise(noisy)))


def test_images_that_cannot_be_are_refused(rng):
    model, whole = Rician(1.0), np.zeros((1, 4, 4), np.uint8)
    for use in (lambda: model.sample(whole, rng), lambda: model.mean(whole), lambda: model.stabilise(whole)):
        with pytest.raises(InvalidImage, match="astype"):
            use()
    with pytest.raises(InvalidImage, match="must be the same"):
        model.log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 4)))
