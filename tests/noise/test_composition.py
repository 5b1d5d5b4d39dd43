import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import Gaussian
from noiseless.noise.camera import Camera
from noiseless.noise.composition import Quantised, Sum, WithImpulses, compose
from noiseless.noise.correlated import Correlated, gaussian_kernel
from noiseless.noise.impulse import HotPixels, RandomImpulses, SaltAndPepper
from noiseless.noise.model import ImpulsiveNoise, NoiseModel, PixelwiseNoise, StationaryNoise
from noiseless.noise.quantisation import Quantisation
from noiseless.noise.stripes import Stripes

BLURRED = Correlated(2.0, gaussian_kernel(0.7))
IMPULSES = [SaltAndPepper(0.3, 0, 4), RandomImpulses(0.3, 0, 4), HotPixels(0.3, 2, 4)]


def assert_moments_are_those_of_samples(model, clean, rng):
    noisy = model.sample(clean, rng)
    mean, variance = (float(moment(clean).flat[0]) for moment in (model.mean, model.variance))
    assert abs(noisy.mean() - mean) < 4 * (variance / noisy.size) ** 0.5
    squares = (noisy - mean) ** 2
    assert abs(squares.mean() - variance) < 4 * squares.std() / noisy.size**0.5


@pytest.mark.parametrize("impulses", IMPULSES)
def test_moments_under_impulses_are_the_laws_of_total_mean_and_variance(impulses, rng):
    model, clean = WithImpulses(Gaussian(0.5), impulses), np.full((1, 300, 300), 1.0)
    middle = (impulses.low + impulses.high) / 2
    spread = (impulses.high - impulses.low) ** 2 / (4 if isinstance(impulses, SaltAndPepper) else 12)
    assert model.mean(clean)[0, 0, 0] == pytest.approx(0.7 + 0.3 * middle, rel=1e-12)
    second = 0.7 * (1 + 0.25) + 0.3 * (middle**2 + spread)
    assert model.variance(clean)[0, 0, 0] == pytest.approx(second - (0.7 + 0.3 * middle) ** 2, rel=1e-12)
    assert_moments_are_those_of_samples(model, clean, rng)


@pytest.mark.parametrize("impulses", IMPULSES)
def test_density_and_masses_under_impulses_make_one(impulses):
    model, clean = WithImpulses(Gaussian(0.5), impulses), np.full((1, 1, 1), 1.0)
    # Midpoints of a fine grid, so that no point lies on a bound: each of the two jumps costs half a step at most.
    grid = np.linspace(-5, 9, 28_001)[:-1] + 0.00025
    density = np.array([np.exp(model.log_likelihood(np.full((1, 1, 1), y), clean)) for y in grid[::4]])
    total = density.sum() * 0.002
    masses = [np.exp(model.log_likelihood(np.full((1, 1, 1), y), clean)) for y in (0.0, 4.0)]
    if isinstance(impulses, SaltAndPepper):
        assert masses == pytest.approx([0.15, 0.15], rel=1e-12)
        total += sum(masses)
    assert total == pytest.approx(1, abs=2 * 0.002 * 0.15)


def test_the_mixture_is_the_closed_form(rng):
    clean, noisy = rng.uniform(1, 3, (2, 2, 5, 6))
    log_kept = Gaussian(0.5).log_density(noisy, clean)
    expected = np.log(0.9 * np.exp(log_kept) + 0.1 / 4).sum()
    assert WithImpulses(Gaussian(0.5), RandomImpulses(0.1, 0, 4)).log_likelihood(noisy, clean) == pytest.approx(
        expected, rel=1e-12
    )


def test_a_defect_through_a_noisy_volume_is_known_by_its_constancy(rng):
    clean = np.full((1, 3, 2, 2), 100.0)
    noisy = clean + rng.standard_normal(clean.shape)
    noisy[..., 0, 0] = 140.0
    kept = Gaussian(1.0).log_density(noisy, clean)
    expected = 3 * np.log(0.99) + kept.sum() - kept[..., 0, 0].sum() + np.log(0.01 / 127.5)
    model = WithImpulses(Gaussian(1.0), HotPixels(0.01))
    assert model.log_likelihood(noisy, clean) == pytest.approx(expected, rel=1e-12)


def test_what_lies_under_impulses_is_a_model_of_noise_without_them():
    model = WithImpulses(Camera(0.01, 0.01), SaltAndPepper(0.1))
    assert isinstance(model, NoiseModel)
    assert isinstance(model, ImpulsiveNoise)
    assert not isinstance(model, PixelwiseNoise | StationaryNoise)
    with pytest.raises(InvalidParameter, match="without impulses"):
        WithImpulses(SaltAndPepper(0.1), HotPixels(0.1))
    with pytest.raises(InvalidParameter, match="without impulses"):
        WithImpulses(0.1, HotPixels(0.1))
    with pytest.raises(InvalidParameter, match="replaces no pixels"):
        WithImpulses(Gaussian(1.0), Gaussian(1.0))


@pytest.mark.parametrize("background", [BLURRED, Camera(0.01, 0.01), Stripes(1.0, 1.0)])
def test_pixels_that_depend_on_each_other_have_samples_under_impulses_but_no_likelihood(background, rng):
    model, clean = WithImpulses(background, RandomImpulses(0.1)), np.full((1, 20, 20), 50.0)
    noisy = model.sample(clean, rng)
    assert noisy.shape == clean.shape
    with pytest.raises(InvalidParameter, match="depend on each other"):
        model.log_likelihood(noisy, clean)


def test_impulses_are_found_over_noise(rng):
    model, clean = WithImpulses(Gaussian(5.0), SaltAndPepper(0.2)), np.full((1, 100, 100), 128.0)
    noisy = model.sample(clean, rng)
    assert np.array_equal(model.detect(noisy), (noisy == 0) | (noisy == 255))


def test_rounded_noise_has_the_moments_of_both(rng):
    model, clean = Quantised(Gaussian(2.0), Quantisation(3.0)), np.full((1, 300, 300), 10.7)
    assert np.array_equal(model.mean(clean), clean)
    assert model.variance(clean)[0, 0, 0] == pytest.approx(4 + 9 / 12, rel=1e-15)
    # By Poisson summation the moments are off by exp(-2 pi^2 sigma^2 / step^2) = 2e-4 of a step: below the errors.
    assert_moments_are_those_of_samples(model, clean, rng)
    assert set(np.unique(model.sample(clean, rng) % 3)) == {0.0}


@pytest.mark.parametrize("sigma", [0.1, 0.7, 5.0])
def test_the_probability_of_a_step_is_the_integral_over_it(sigma):
    from math import erf

    model, clean = Quantised(Gaussian(sigma), Quantisation(2.0)), np.full((1, 1, 41), 0.3)
    steps = 2.0 * np.arange(-20, 21).reshape(1, 1, 41)
    masses = np.exp(model.log_mass(steps, clean)).ravel()
    cumulative = [0.5 * (1 + erf((edge - 0.3) / (sigma * 2**0.5))) for edge in 2.0 * np.arange(-20, 22) - 1]
    assert masses == pytest.approx(np.diff(cumulative), abs=1e-13)
    assert masses.sum() == pytest.approx(1, abs=1e-12)
    assert model.log_likelihood(steps, clean) == pytest.approx(model.log_mass(steps, clean).sum())
    assert model.log_likelihood(steps + 0.5, clean) == -np.inf


def test_impulses_over_rounded_noise_have_masses_only(rng):
    model = WithImpulses(Quantised(Gaussian(10.0), Quantisation(1.0)), SaltAndPepper(0.2))
    values = np.arange(-100, 356, dtype=float)[:, np.newaxis, np.newaxis, np.newaxis]
    clean = np.full((1, 1, 1), 100.0)
    assert sum(np.exp(model.log_likelihood(value, clean)) for value in values) == pytest.approx(1, abs=1e-12)


def test_what_cannot_be_rounded_is_refused():
    with pytest.raises(InvalidParameter, match="does not round"):
        Quantised(Gaussian(1.0), Gaussian(1.0))
    for background in (Quantisation(1.0), Quantised(Gaussian(1.0), Quantisation(1.0)), None):
        with pytest.raises(InvalidParameter, match="cannot be rounded"):
            Quantised(background, Quantisation(1.0))
    with pytest.raises(InvalidParameter, match="too little for steps of 1"):
        Quantised(Gaussian(0.001), Quantisation(1.0)).log_likelihood(np.zeros((1, 2, 2)), np.zeros((1, 2, 2)))
    with pytest.raises(InvalidParameter, match="depend on each other"):
        Quantised(BLURRED, Quantisation(1.0)).log_likelihood(np.zeros((1, 9, 9)), np.zeros((1, 9, 9)))
    with pytest.raises(InvalidImage, match="must be the same"):
        Quantised(Gaussian(1.0), Quantisation(1.0)).log_likelihood(np.zeros((1, 2, 2)), np.zeros((1, 2, 3)))


def test_variances_and_spectra_of_a_sum_add(rng):
    model = Sum(Sum(Gaussian(1.5), BLURRED), Stripes(0.5))
    assert isinstance(model, StationaryNoise)
    assert not isinstance(model, PixelwiseNoise | ImpulsiveNoise)
    clean = np.zeros((300, 24, 16))
    assert model.variance(clean)[0, 0, 0] == pytest.approx(1.5**2 + 4 + 0.25, rel=1e-14)
    expected = 1.5**2 + BLURRED.spectrum((24, 16)) + Stripes(0.5).spectrum((24, 16))
    assert model.spectrum((24, 16)) == pytest.approx(expected, rel=1e-14)
    assert model.spectrum((24, 16)).mean() == pytest.approx(6.5, rel=1e-12)
    # Every channel is a draw of its own; its mean square has a standard error of less than 6.5 sqrt(2 / 16), from
    # stripes and blur that at most leave one independent value a column.
    squares = np.square(model.sample(clean, rng)).mean(axis=(1, 2))
    assert abs(squares.mean() - 6.5) < 4 * squares.std() / 300**0.5


def test_the_likelihood_of_a_sum_of_white_noises_is_that_of_one(rng):
    noisy, clean = rng.standard_normal((2, 2, 6, 7))
    both, one = Sum(Gaussian(0.6), Gaussian(0.8)), Gaussian(1.0)
    assert both.log_likelihood(noisy, clean) == pytest.approx(one.log_likelihood(noisy, clean), rel=1e-12)
    striped = Sum(Gaussian(0.6), Stripes(0.5, 0.8)).log_likelihood(noisy, clean)
    assert striped == pytest.approx(Stripes(0.5, 1.0).log_likelihood(noisy, clean), rel=1e-12)


def test_what_is_not_stationary_is_in_no_sum():
    for part in (Gaussian([1.0, 2.0]), Camera(0.01, 0.01), SaltAndPepper(0.1)):
        for parts in ((part, Gaussian(1.0)), (Gaussian(1.0), part)):
            with pytest.raises(InvalidParameter, match="is not stationary") as raised:
                Sum(*parts)
            assert "\n" not in str(raised.value)


def test_the_second_decides_how_two_are_composed():
    assert compose(BLURRED, SaltAndPepper(0.1)) == WithImpulses(BLURRED, SaltAndPepper(0.1))
    assert compose(BLURRED, Quantisation(1.0)) == Quantised(BLURRED, Quantisation(1.0))
    assert compose(BLURRED, Gaussian(1.0)) == Sum(BLURRED, Gaussian(1.0))
    for first, second in [(Camera(0.1, 0.1), BLURRED), (SaltAndPepper(0.1), Gaussian(1.0)), (BLURRED, Camera(0.1, 0))]:
        with pytest.raises(InvalidParameter, match=r"cannot follow .* can come impulses or rounding"):
            compose(first, second)


@pytest.mark.parametrize(
    "model",
    [
        WithImpulses(Gaussian(5.0), HotPixels(0.1)),
        Quantised(Gaussian(5.0), Quantisation(1.0)),
        Sum(Gaussian(1.0), BLURRED),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_keep_the_dtype_and_the_seed_decides(model, dtype):
    clean = np.full((1, 12, 14), 100, dtype)
    clean.flags.writeable = False
    first, again, other = (model.sample(clean, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == model.mean(clean).dtype == model.variance(clean).dtype == dtype
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_counts_keep_their_masses_under_impulses(rng):
    poisson = pytest.importorskip("noiseless.noise.poisson")
    background, clean = poisson.Poisson(2.0), np.full((1, 1, 1), 7.0)
    lattice = 2.0 * np.arange(80)
    for impulses, masses in [(SaltAndPepper(0.1, 0, 100), 1.0), (RandomImpulses(0.1, 0, 100), 0.9)]:
        model = WithImpulses(background, impulses)
        total = sum(np.exp(model.log_likelihood(np.full((1, 1, 1), value), clean)) for value in lattice)
        assert total == pytest.approx(masses, abs=1e-9)  # the rest of uniform impulses lies between the counts
    off = model.log_likelihood(np.full((1, 1, 1), 6.5), clean)
    assert off == pytest.approx(np.log(0.1 / 100), rel=1e-12)
    with pytest.raises(InvalidParameter, match="counts are whole"):
        Quantised(background, Quantisation(1.0)).log_likelihood(clean, clean)
    smooth = WithImpulses(poisson.PoissonGaussian(2.0, 0.5), SaltAndPepper(0.1, 0, 100))
    assert np.exp(smooth.log_likelihood(np.zeros((1, 1, 1)), clean)) == pytest.approx(0.05, rel=1e-12)
