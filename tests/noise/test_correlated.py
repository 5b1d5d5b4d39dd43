import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import Gaussian
from noiseless.noise.correlated import (
    Correlated,
    gaussian_kernel,
    ramp_kernel,
    spectral_log_likelihood,
    width_of_gaussian,
)
from noiseless.noise.model import NoiseModel, PixelwiseNoise, StationaryNoise

LOPSIDED = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 0.25]])


@pytest.mark.parametrize("sigma", [-1, float("nan"), float("inf"), "25", True, np.ones(2)])
def test_a_sigma_out_of_range_is_refused(sigma):
    with pytest.raises(InvalidParameter, match="sigma is") as raised:
        Correlated(sigma, LOPSIDED)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (1.0, r"shape \(\)"),
        (np.ones((2, 2, 2, 2)), "1 to 3 axes"),
        (np.zeros((3, 3)), "not 0 everywhere"),
        ([[1.0, np.nan]], "greatest value of nan"),
        ([[1.0, np.inf]], "greatest value of inf"),
        ([], r"shape \(0,\)"),
        ([["a"]], "type <U1"),
    ],
)
def test_what_is_no_kernel_is_refused(kernel, message):
    with pytest.raises(InvalidParameter, match=message):
        Correlated(1.0, kernel)


@pytest.mark.parametrize(
    ("power", "message"),
    [
        (np.float64(1.0), r"shape \(\)"),
        (np.ones((1, 2, 2, 2)), "1 to 3 axes"),
        (np.array([[1.0, -2.0]]), "value -2"),
        (np.array([1.0, np.nan]), "value nan"),
        (np.array([1.0, 2.0, 3.0, 4.0]), "differs between f and -f"),
        (np.zeros((4, 4)), "not 0 everywhere"),
    ],
)
def test_a_spectrum_that_no_noise_has_is_refused(power, message):
    with pytest.raises(InvalidParameter, match=message):
        Correlated.from_spectrum(power)


def test_kernels_are_kept_as_read_only_copies_of_unit_energy():
    given = LOPSIDED.copy()
    model = Correlated(2, given)
    given[0] = 7
    assert np.square(model.kernel).sum() == pytest.approx(1, rel=1e-14)
    assert model.kernel == pytest.approx(LOPSIDED / np.sqrt(np.square(LOPSIDED).sum()), rel=1e-14)
    assert model == Correlated(2.0, 1e200 * LOPSIDED)
    assert model != Correlated(2.0, -LOPSIDED)
    assert len({model, Correlated(2.0, model.kernel), Correlated(3.0, LOPSIDED)}) == 2
    with pytest.raises(ValueError, match="read-only"):
        model.kernel[0] = 1


def test_it_is_stationary_and_not_pixelwise():
    model = Correlated(1.0, LOPSIDED)
    assert isinstance(model, NoiseModel)
    assert isinstance(model, StationaryNoise)
    assert not isinstance(model, PixelwiseNoise)


@pytest.mark.parametrize("kernel", [LOPSIDED, gaussian_kernel(1.0), np.ones(3), ramp_kernel(8), np.ones((2, 2, 2))])
def test_covariances_of_samples_are_those_of_the_kernel_up_to_the_border(kernel, rng):
    space = (6, 8) if kernel.ndim < 3 else (3, 6, 8)
    clean = np.full((6000, *space), 5.0)
    noise = Correlated(2.0, kernel).sample(clean, rng) - clean
    # Independent channels are independent draws; products of two normals of standard deviation 2 have a standard
    # deviation of at most sqrt(2) * 4.
    standard_error = 2**0.5 * 4 / len(noise) ** 0.5
    unit = kernel / np.sqrt(np.square(kernel).sum())
    unit = unit.reshape((1,) * (len(space) - unit.ndim) + unit.shape)
    for place, other in [((0, 0), (0, 0)), ((0, 0), (0, 1)), ((0, 0), (-1, -1)), ((2, 3), (3, 3)), ((5, 7), (4, 6))]:
        shift = tuple((b % n) - (a % n) for a, b, n in zip(place, other, space[-2:], strict=True))
        measured = np.mean(noise[(..., *place)] * noise[(..., *other)])
        expected = 4 * autocovariance(unit, (0,) * (len(space) - 2) + shift)
        assert abs(measured - expected) < 4 * standard_error


def autocovariance(kernel, shift):
    """The sum over x of kernel(x) kernel(x + shift), 0 where they do not overlap."""
    here = tuple(slice(max(0, -s), max(0, min(n, n - s))) for s, n in zip(shift, kernel.shape, strict=True))
    there = tuple(slice(max(0, s), max(0, min(n, n + s))) for s, n in zip(shift, kernel.shape, strict=True))
    return float((kernel[here] * kernel[there]).sum())


@pytest.mark.parametrize("space", [(16, 12), (4, 16, 12), (3, 2), (1, 1)])
def test_the_spectrum_is_the_transform_of_the_covariance_and_its_mean_the_variance(space):
    spectrum = Correlated(3.0, gaussian_kernel(0.5)).spectrum(space)
    assert spectrum.shape == space
    assert np.all(spectrum >= 0)
    assert spectrum.mean() == pytest.approx(9.0, rel=1e-12)


def test_the_spectrum_of_two_pixels_is_the_closed_form():
    # Kernel (1, 1) / sqrt(2): |K(f)|^2 = 1 + cos(2 pi f), on the last axis.
    spectrum = Correlated(2.0, [1.0, 1.0]).spectrum((3, 8))
    expected = 4 * (1 + np.cos(2 * np.pi * np.fft.fftfreq(8)))
    assert spectrum == pytest.approx(np.broadcast_to(expected, (3, 8)), abs=1e-14)


def test_samples_have_the_declared_spectrum(rng):
    model = Correlated(1.5, gaussian_kernel(0.7))
    noise = model.sample(np.zeros((400, 64, 64)), rng)
    # A window takes the edges off, since samples do not wrap; the power under it is that of the spectrum, blurred.
    window = np.outer(np.hanning(64), np.hanning(64))
    power = np.mean(np.abs(np.fft.fft2(noise * window)) ** 2, axis=0) / np.square(window).sum()
    expected = model.spectrum((64, 64))
    strong = expected > 0.01 * expected.max()
    # Exponential distribution: a relative standard error of 1/sqrt(400) = 0.05 each; 2 % is left for the blur.
    assert np.abs(power[strong] / expected[strong] - 1).max() < 5 * 0.05 + 0.02
    assert np.mean(power[strong] / expected[strong]) == pytest.approx(1, abs=0.02)


def test_a_spectrum_comes_back_from_its_noise():
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(9), np.fft.fftfreq(12), indexing="ij"))
    power = 3.0 / (0.1 + frequency**2)
    assert Correlated.from_spectrum(power).spectrum((9, 12)) == pytest.approx(power, rel=1e-12)
    assert Correlated.from_spectrum(power).sigma == pytest.approx(np.sqrt(power.mean()), rel=1e-14)


def test_a_ramp_has_power_in_proportion_to_frequency():
    spectrum = Correlated(1.0, ramp_kernel(32)).spectrum((32, 32))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32), indexing="ij"))
    assert spectrum == pytest.approx(frequency / frequency.mean(), abs=1e-12)


@pytest.mark.parametrize("size", [2, 0, -1, 3.5, True, 2000])
def test_the_size_of_a_ramp_is_bounded(size):
    with pytest.raises(InvalidParameter, match="size is"):
        ramp_kernel(size)


@pytest.mark.parametrize("width", [-0.1, float("nan"), 101])
def test_the_width_of_a_gaussian_is_bounded(width):
    with pytest.raises(InvalidParameter, match="width is"):
        gaussian_kernel(width)


@pytest.mark.parametrize("width", [0.0, 0.1, 0.25, 0.5, 1.0, 1.2345678, 3.3, 20.0])
def test_the_width_of_a_gaussian_comes_back_from_its_kernel(width):
    assert width_of_gaussian(Correlated(1.0, gaussian_kernel(width)).kernel) == width


@pytest.mark.parametrize("kernel", [LOPSIDED, np.ones((3, 3)), ramp_kernel(9), -gaussian_kernel(1.0), np.eye(3)])
def test_what_is_not_gaussian_has_no_width(kernel):
    assert width_of_gaussian(kernel) is None


def test_white_noise_has_the_likelihood_of_gaussian_noise(rng):
    clean = rng.uniform(0, 1, (2, 9, 7))
    noisy = Gaussian(0.3).sample(clean, rng)
    white = Correlated(0.3, [[1.0]])
    assert white.log_likelihood(noisy, clean) == pytest.approx(Gaussian(0.3).log_likelihood(noisy, clean), rel=1e-12)


def test_the_likelihood_is_that_of_the_periodic_covariance_matrix(rng):
    model, space = Correlated(0.5, LOPSIDED + np.eye(2, 3)), (4, 5)
    # Row i of the covariance: the inverse transform of the spectrum, rolled to pixel i.
    row = np.fft.ifftn(model.spectrum(space)).real
    rolled = [np.roll(row, (y, x), axis=(0, 1)).ravel() for y in range(4) for x in range(5)]
    covariance = np.array(rolled)
    residual = rng.standard_normal((1, *space))
    quadratic = residual.ravel() @ np.linalg.solve(covariance, residual.ravel())
    expected = -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])
    assert model.log_likelihood(residual, np.zeros((1, *space))) == pytest.approx(expected, rel=1e-9)


def test_likelihood_is_greatest_at_the_true_width(rng):
    clean = np.zeros((1, 64, 64))
    noisy = Correlated(2.0, gaussian_kernel(0.6)).sample(clean, rng)
    best = max((0.5, 0.6, 0.7), key=lambda w: Correlated(2.0, gaussian_kernel(w)).log_likelihood(noisy, clean))
    assert best == 0.6


@pytest.mark.parametrize("model", [Correlated(0, [[1.0]]), Correlated(1.0, ramp_kernel(8)), Correlated(1, [1.0, 1.0])])
def test_noise_without_power_somewhere_has_no_density(model):
    with pytest.raises(InvalidParameter, match="add white noise"):
        model.log_likelihood(np.zeros((1, 8, 8)), np.zeros((1, 8, 8)))


def test_shapes_that_do_not_fit_are_refused(rng):
    with pytest.raises(InvalidImage, match="must be the same"):
        spectral_log_likelihood(np.zeros((1, 4, 4)), np.zeros((1, 4, 5)), np.ones((4, 4)))
    with pytest.raises(InvalidParameter, match=r"spectrum has shape \(4,\)"):
        spectral_log_likelihood(np.zeros((1, 4, 4)), np.zeros((1, 4, 4)), np.ones(4))
    with pytest.raises(InvalidImage, match="kernel has 2 axes"):
        Correlated(1.0, LOPSIDED).sample(np.zeros((3, 8)), rng)
    with pytest.raises(InvalidImage, match="astype"):
        Correlated(1.0, LOPSIDED).sample(np.zeros((3, 8, 8), np.uint8), rng)


def test_a_kernel_that_cancels_itself_on_a_small_grid_is_told():
    with pytest.raises(InvalidParameter, match="cancels itself"):
        Correlated(1.0, [1.0, -1.0]).spectrum((1,))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_samples_keep_the_dtype_and_the_seed_decides(dtype):
    clean = np.linspace(0, 1, 60).astype(dtype).reshape(1, 6, 10)
    clean.flags.writeable = False
    model = Correlated(0.1, LOPSIDED)
    first, again = (model.sample(clean, np.random.default_rng(1)) for _ in range(2))
    assert first.dtype == dtype
    assert np.array_equal(first, again)
    assert not np.array_equal(first, model.sample(clean, np.random.default_rng(2)))
    assert np.array_equal(Correlated(0, LOPSIDED).sample(clean, np.random.default_rng(1)), clean)
    assert np.ptp(model.variance(clean)) == 0
    assert model.variance(clean)[0, 0, 0] == pytest.approx(0.01)
