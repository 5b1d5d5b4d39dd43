"""What every entry of NOISE_MODELS must satisfy. A new entry is tested by being there, and by one example here."""

import numpy as np
import pytest

from noiseless.names import lookup
from noiseless.noise import NOISE_MODELS

# Parameters of a typical instance, in units of an image with nominal range [0, 1].
EXAMPLES = {
    "gaussian": {"sigma": 0.1},
}


@pytest.fixture(params=sorted(NOISE_MODELS))
def model(request):
    return lookup(NOISE_MODELS, request.param, kind="noise model")(**EXAMPLES[request.param])


@pytest.fixture
def clean(rng):
    return rng.uniform(0.1, 0.9, (2, 30, 40))


def test_every_model_has_an_example():
    assert set(EXAMPLES) == set(NOISE_MODELS)


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


def test_likelihood_integrates_to_one(model):
    clean = np.full((1, 1, 1), 0.4)
    sigma = float(np.sqrt(model.variance(clean).flat[0]))
    grid = np.linspace(0.4 - 10 * sigma, 0.4 + 10 * sigma, 4001)
    density = np.exp([model.log_likelihood(np.full((1, 1, 1), value), clean) for value in grid])
    # The trapezoid rule on a smooth density that is 0 at both ends converges faster than any power of the step;
    # 1e-6 is left for models with a kink.
    assert np.trapezoid(density, grid) == pytest.approx(1, abs=1e-6)


def test_likelihood_of_an_image_is_the_sum_over_its_pixels(model, clean, rng):
    noisy = model.sample(clean, rng)
    parts = [model.log_likelihood(noisy[:, row : row + 1], clean[:, row : row + 1]) for row in range(clean.shape[1])]
    assert model.log_likelihood(noisy, clean) == pytest.approx(sum(parts), rel=1e-12)  # float64 sums


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
