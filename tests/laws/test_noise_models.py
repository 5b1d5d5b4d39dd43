"""What every entry of NOISE_MODELS must satisfy. A new entry is tested by being there, and by one example here."""

import numpy as np
import pytest

from noiseless.names import lookup
from noiseless.noise import NOISE_MODELS, PixelwiseNoise, StabilisableNoise, StationaryNoise, gaussian_kernel

# Parameters of a typical instance, in units of an image with nominal range [0, 1].
EXAMPLES = {
    "gaussian": {"sigma": 0.1},
    "poisson": {"gain": 0.02},
    "poisson-gaussian": {"gain": 0.02, "sigma": 0.05, "offset": 0.02},
    "rician": {"sigma": 0.1},
    "non-central-chi": {"sigma": 0.1, "coils": 4},
    "speckle": {"looks": 8.0},
    "amplitude-speckle": {"looks": 4.0},
    "salt-and-pepper": {"density": 0.1, "low": 0.0, "high": 1.0},
    "random-impulses": {"density": 0.1, "low": 0.0, "high": 1.0},
    "hot-pixels": {"density": 0.1, "low": 0.5, "high": 1.0},
    "correlated": {"sigma": 0.1, "kernel": gaussian_kernel(0.5)},
    "stripes": {"stripe": 0.1, "sigma": 0.1},
    "quantisation": {"step": 0.01},
    "camera": {"gain": 1e-4, "sigma": 0.005, "white": 1.0},
    "srgb-photons": {"gain": 1e-4, "sigma": 0.005, "white": 1.0},
}
# Rounding draws nothing, and the pixels of a stripe share one draw: their moments are tested in their own files.
NO_DRAW_A_PIXEL = {"quantisation", "stripes"}
# Masses on single values, or a jump on the grid: their normalisation is tested in their own files.
NO_SMOOTH_DENSITY = {"poisson", "salt-and-pepper", "random-impulses", "hot-pixels", "quantisation"}
# Rows know of each other.
TIED_ROWS = {"correlated"}


def of(*, without=frozenset()):
    return pytest.mark.parametrize("model", sorted(set(NOISE_MODELS) - without), indirect=True)


@pytest.fixture(params=sorted(NOISE_MODELS))
def model(request):
    return lookup(NOISE_MODELS, request.param, kind="noise model")(**EXAMPLES[request.param])


@pytest.fixture
def clean(rng):
    return rng.uniform(0.1, 0.9, (2, 30, 40))


def test_every_model_has_an_example():
    assert set(EXAMPLES) == set(NOISE_MODELS)


@of(without=NO_DRAW_A_PIXEL)
@pytest.mark.parametrize("level", [0.05, 0.4, 0.9])
def test_sample_mean_and_variance_are_the_declared_ones(model, rng, level):
    flat = np.full((1, 400, 500), level)
    noise = model.sample(flat, rng) - model.mean(flat)
    variance = model.variance(flat)
    assert variance.shape == flat.shape
    assert np.ptp(variance) == 0
    expected = float(variance.flat[0])
    # Standard errors of a sample mean, and of a sample variance by the sample's own fourth moment.
    assert abs(noise.mean()) < 4 * (expected / noise.size) ** 0.5
    squares = (noise - noise.mean()) ** 2
    assert abs(squares.mean() - expected) < 4 * squares.std() / noise.size**0.5


@of(without=NO_SMOOTH_DENSITY)
def test_likelihood_integrates_to_one(model):
    clean = np.full((1, 1, 1), 0.4)
    sigma = float(np.sqrt(model.variance(clean).flat[0]))
    grid = np.linspace(0.4 - 10 * sigma, 0.4 + 10 * sigma, 4001)
    density = np.exp([model.log_likelihood(np.full((1, 1, 1), value), clean) for value in grid])
    # The trapezoid rule on a smooth density that is 0 at both ends converges faster than any power of the step;
    # 1e-6 is left for models with a kink.
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=1e-6)


@of(without=TIED_ROWS)
def test_likelihood_of_an_image_is_the_sum_over_its_pixels(model, clean, rng):
    noisy = model.sample(clean, rng)
    parts = [model.log_likelihood(noisy[:, row : row + 1], clean[:, row : row + 1]) for row in range(clean.shape[1])]
    assert model.log_likelihood(noisy, clean) == pytest.approx(sum(parts), rel=1e-12)  # float64 sums


@of(without={"quantisation"})
def test_same_generator_gives_same_sample(model, clean):
    first = model.sample(clean, np.random.default_rng(3))
    assert np.array_equal(first, model.sample(clean, np.random.default_rng(3)))
    assert not np.array_equal(first, model.sample(clean, np.random.default_rng(4)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sample_keeps_shape_and_dtype(model, clean, dtype, rng):
    sample = model.sample(clean.astype(dtype), rng)
    assert sample.shape == clean.shape
    assert sample.dtype == dtype


def test_inputs_are_not_written_to(model, clean, rng):
    clean.flags.writeable = False
    noisy = model.sample(clean, rng)
    noisy.flags.writeable = False
    model.variance(clean)
    model.log_likelihood(noisy, clean)
    assert not np.shares_memory(noisy, clean)


@pytest.mark.parametrize("name", sorted(NOISE_MODELS))
def test_equal_parameters_make_equal_models(name):
    kind = lookup(NOISE_MODELS, name, kind="noise model")
    assert kind(**EXAMPLES[name]) == kind(**EXAMPLES[name])


def test_the_density_of_the_pixels_sums_to_the_likelihood(model, clean, rng):
    if not isinstance(model, PixelwiseNoise):
        pytest.skip("the pixels depend on each other")
    noisy = model.sample(clean, rng)
    density = model.log_density(noisy, clean)
    assert density.shape == clean.shape
    assert model.log_likelihood(noisy, clean) == pytest.approx(density.sum(), rel=1e-12)


@pytest.mark.parametrize("level", [0.3, 0.6, 0.9])
def test_stabilised_noise_has_sigma_one_and_its_mean_leads_back(model, rng, level):
    if not isinstance(model, StabilisableNoise):
        pytest.skip("no map makes this noise white")
    clean = np.full((1, 300, 400), level)
    stabilised = model.stabilise(model.sample(clean, rng))
    # The approximations of the field hold to 3 % from a few counts, or three sigma, on.
    assert stabilised.std() == pytest.approx(1, abs=0.03 + 4 / (2 * stabilised.size) ** 0.5)
    # The mean of the stabilised noise has the standard error 1 / sqrt(N); the inverse turns it into image units.
    slack = 5 * float(np.sqrt(model.variance(clean).flat[0])) / stabilised.size**0.5
    back = model.unstabilise(np.full((1, 1, 1), stabilised.mean()))
    assert back.item() == pytest.approx(level, abs=slack)


def test_the_mean_of_the_spectrum_is_the_variance(model):
    if not isinstance(model, StationaryNoise):
        pytest.skip("not stationary")
    spectrum = model.spectrum((24, 30))
    assert spectrum.shape == (24, 30)
    assert (spectrum >= 0).all()
    assert spectrum.mean() == pytest.approx(float(model.variance(np.zeros((1, 24, 30))).mean()), rel=1e-9)
