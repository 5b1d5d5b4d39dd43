import numpy as np
import pytest
from scipy import integrate, special, stats

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import AmplitudeSpeckle, PixelwiseNoise, Speckle, StabilisableNoise
from noiseless.noise.speckle import MANY_LOOKS, _log_mean_root, _log_peak

KINDS = (Speckle, AmplitudeSpeckle)
LOOKS = (0.3, 1.0, 2.5, 8.0, 300.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", [0, -1.0, float("nan"), float("inf"), "3", True, None])
def test_looks_out_of_range_are_refused(kind, looks):
    with pytest.raises(InvalidParameter, match=r"looks is .*; it must be") as raised:
        kind(looks)
    assert "\n" not in str(raised.value)


def test_models_compare_by_their_looks():
    assert Speckle(np.float32(2)) == Speckle(2)
    assert isinstance(Speckle(2).looks, float)
    assert Speckle(2) != AmplitudeSpeckle(2)
    for kind in KINDS:
        assert isinstance(kind(3), PixelwiseNoise)
        assert isinstance(kind(3), StabilisableNoise)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize("level", [0.0, 1e-3, 40.0])
def test_samples_have_the_declared_moments(kind, looks, level, rng):
    model, clean = kind(looks), np.full((1, 200, 200), level)
    noisy = model.sample(clean, rng)
    variance = model.variance(clean).flat[0]
    deviation = noisy - model.mean(clean)
    assert abs(deviation.mean()) <= 4 * (variance / noisy.size) ** 0.5
    assert abs((deviation**2).mean() - variance) <= 4 * (deviation**2).std() / noisy.size**0.5
    assert noisy.min() >= 0


@pytest.mark.parametrize("looks", [0.2, 1.0, 4.0, 19.999, 20.0, 1e4, 1e9])
def test_variances_are_the_closed_forms(looks):
    clean = np.array([[3.0]])
    assert Speckle(looks).variance(clean).item() == pytest.approx(9 / looks, rel=1e-14)
    # Of the root of a Gamma variable; for many looks by the expansion 1 / (4 looks) + 1 / (32 looks^2) - ...
    if looks < 1000:
        relative = looks * np.exp(2 * (special.gammaln(looks) - special.gammaln(looks + 0.5))) - 1
    else:
        relative = 1 / (4 * looks) + 1 / (32 * looks**2)
    assert AmplitudeSpeckle(looks).variance(clean).item() == pytest.approx(9 * relative, rel=1e-10)


def test_amplitude_speckle_of_one_look_is_rayleigh(rng):
    noisy = AmplitudeSpeckle(1.0).sample(np.full((1, 100, 100), 5.0), rng)
    assert AmplitudeSpeckle(1.0).variance(np.ones(1)) == pytest.approx(4 / np.pi - 1, rel=1e-13)
    rayleigh = stats.rayleigh(scale=5 / (np.pi / 2) ** 0.5)
    # Kolmogorov and Smirnov: 1.95 / sqrt(N) is passed in one of a thousand.
    assert stats.kstest(noisy.ravel(), rayleigh.cdf).statistic < 1.95 / 100


@pytest.mark.parametrize("looks", LOOKS)
def test_log_densities_are_those_of_gamma_and_nakagami(looks):
    clean, ratio = 7.0, np.geomspace(1e-4, 8, 200)
    expected = stats.gamma.logpdf(clean * ratio, looks, scale=clean / looks)
    found = Speckle(looks).log_density(clean * ratio, np.full(200, clean))
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)
    root = np.exp(special.gammaln(looks + 0.5) - special.gammaln(looks)) / looks**0.5
    expected = stats.nakagami.logpdf(clean * ratio, looks, scale=clean / root)
    found = AmplitudeSpeckle(looks).log_density(clean * ratio, np.full(200, clean))
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", [0.7, 1.0, 4.0, 300.0, 1e10])
def test_density_integrates_to_one(kind, looks):
    model, clean = kind(looks), 40.0
    sigma = model.variance(np.array([clean])).item() ** 0.5
    # Over the log of the value: there the density is smooth, and 0 at both ends, for any number of looks.
    spread = min(sigma / clean, 1.0)
    log = np.linspace(-14 * spread - (60 if looks < 10 else 0), min(14 * spread, 6.0), 20001)
    noisy = clean * np.exp(log)
    density = np.exp(model.log_density(noisy, np.full(log.shape, clean))) * noisy
    # At 1e10 looks a value is rounded to 1e-11 of the standard deviation, and the density to 1e-6 of itself.
    assert np.trapezoid(density, log) == pytest.approx(1, abs=1e-9 + 1e-16 * looks)


def test_values_that_cannot_be_have_no_density():
    noisy = np.array([-1.0, 0.0])
    assert Speckle(3.0).log_density(noisy, np.ones(2)).tolist() == [-np.inf, -np.inf]
    assert AmplitudeSpeckle(3.0).log_density(noisy, np.ones(2)).tolist() == [-np.inf, -np.inf]
    # The exponential law ends at 0 with the density 1 / clean; for fewer looks it has no bound.
    assert Speckle(1.0).log_density(noisy, np.full(2, 4.0)).tolist() == [-np.inf, pytest.approx(-np.log(4))]
    assert Speckle(0.5).log_density(noisy, np.ones(2)).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("kind", KINDS)
def test_without_signal_there_is_no_noise(kind, rng):
    model, clean = kind(2.0), np.array([[0.0, -3.0]])
    assert np.array_equal(model.sample(clean, rng), np.zeros((1, 2)))
    assert np.array_equal(model.mean(clean), np.zeros((1, 2)))
    assert np.array_equal(model.variance(clean), np.zeros((1, 2)))
    assert model.log_likelihood(np.zeros((1, 2)), clean) == 0
    assert model.log_likelihood(np.array([[0.0, 1.0]]), clean) == -np.inf


def expectation(looks, function):
    """E function(g) for Gamma g of mean 1, over log g by adaptive quadrature."""
    law = stats.gamma(looks, scale=1 / looks)
    width = special.polygamma(1, looks) ** 0.5
    low, high = special.digamma(looks) - np.log(looks) - 40 * width, 8 * width
    return integrate.quad(
        lambda t: function(np.exp(t)) * law.pdf(np.exp(t)) * np.exp(t), low, high, epsabs=1e-12, limit=400
    )[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("looks", [0.5, 1.0, 2.5, 8.0, 100.0])
def test_stabilised_noise_has_variance_one_and_leads_back_without_bias(kind, looks):
    model = kind(looks)

    def stabilised(g):
        noisy = 6 * g if kind is Speckle else 6 * g**0.5 / root
        return model.stabilise(np.array([noisy])).item()

    root = np.exp(special.gammaln(looks + 0.5) - special.gammaln(looks)) / looks**0.5
    mean = expectation(looks, stabilised)
    assert expectation(looks, lambda g: (stabilised(g) - mean) ** 2) == pytest.approx(1, abs=1e-7)
    assert model.unstabilise(np.array([mean])).item() == pytest.approx(6, rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_has_no_logarithm_is_as_dark_as_the_darkest_pixel(kind, dtype):
    model = kind(4.0)
    noisy = np.array([[-5.0, 0.0, 0.25, 7.0]], dtype)
    stabilised = model.stabilise(noisy)
    assert np.isfinite(stabilised).all()
    assert stabilised[0, 0] == stabilised[0, 1] == stabilised[0, 2] < stabilised[0, 3]
    assert np.array_equal(model.stabilise(np.zeros((1, 2), dtype)), np.zeros((1, 2)))
    least = np.finfo(dtype).smallest_subnormal
    assert np.isfinite(model.stabilise(np.array([[0.0, least]], dtype))).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_maps_keep_dtype_and_order_and_stay_finite(kind, dtype):
    model, values = kind(4.0), np.geomspace(1e-20, 1e20, 4001).reshape(1, 4001, 1).astype(dtype)
    stabilised = model.stabilise(values)
    back = model.unstabilise(stabilised)
    assert stabilised.dtype == back.dtype == model.mean(values).dtype == model.variance(values[:, :9]).dtype == dtype
    assert np.all(np.diff(stabilised.ravel()) > 0)
    # The inverse of one value is above it by the bias that it takes away, which is the same factor everywhere.
    # float32 rounds a logarithm of 90 standard deviations to 4e-6, and so the value by as much.
    factor = back / values
    assert factor == pytest.approx(np.full(values.shape, factor.flat[2000]), rel=2e-5)
    assert np.isfinite(model.unstabilise(np.full((1, 1), 1e6, dtype))).all()
    assert np.isfinite(model.unstabilise(np.full((1, 1), -1e6, dtype))).all()


@pytest.mark.parametrize("kind", KINDS)
def test_speckle_does_not_look_at_the_scale_of_the_image(kind, rng):
    model, clean = kind(3.0), rng.uniform(0, 50, (1, 20, 30))
    noisy = model.sample(clean, np.random.default_rng(5))
    assert model.sample(16 * clean, np.random.default_rng(5)) == pytest.approx(16 * noisy, rel=1e-13)
    assert model.variance(16 * clean) == pytest.approx(256 * model.variance(clean), rel=1e-13)
    shifted = model.log_density(noisy, clean) - np.log(16)
    assert model.log_density(16 * noisy, 16 * clean) == pytest.approx(shifted, rel=1e-12)
    noisy[0, 0, 0] = 0
    moved = model.stabilise(16 * noisy) - model.stabilise(noisy)
    assert moved == pytest.approx(np.full(moved.shape, moved[0, 1, 1]), rel=1e-12)
    stabilised = model.stabilise(noisy)
    assert model.unstabilise(stabilised + moved) == pytest.approx(16 * model.unstabilise(stabilised), rel=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_images_that_cannot_be_are_refused(kind, rng):
    model, whole = kind(1.0), np.zeros((1, 4, 4), np.uint8)
    for use in (lambda: model.sample(whole, rng), lambda: model.stabilise(whole), lambda: model.unstabilise(whole)):
        with pytest.raises(InvalidImage, match="astype"):
            use()
    with pytest.raises(InvalidImage, match="must be the same"):
        model.log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 4)))


@pytest.mark.parametrize("looks", [MANY_LOOKS, 31.0])
def test_the_series_of_many_looks_go_on_where_the_gamma_function_ends(looks):
    # log Gamma of 31 is 75, known to 1e-14; the terms left out are below 1e-13
    peak = looks * np.log(looks) - looks - special.gammaln(looks)
    root = special.gammaln(looks + 0.5) - special.gammaln(looks) - 0.5 * np.log(looks)
    assert _log_peak(looks) == pytest.approx(peak, abs=3e-13)
    assert _log_mean_root(looks) == pytest.approx(root, abs=3e-13)
