import numpy as np
import pytest
from scipy.fft import idctn

from noiseless.diffusion import heat_flow
from noiseless.diffusion.cosine import cosine_transform, laplacian_eigenvalues
from noiseless.diffusion.stopping import least_risk_times

SIGMA = 0.1


@pytest.fixture
def clean():
    """Waves of all lengths, energy falling as 1/f^2 like that of photographs."""
    rng = np.random.default_rng(1)
    shape = (1, 96, 130)
    frequency = sum(k**2 for k in np.ogrid[: shape[1], : shape[2]]) ** 0.5
    spectrum = 10.0 * rng.standard_normal(shape) / np.maximum(frequency, 1.0)
    return 0.5 + idctn(spectrum, axes=(1, 2), norm="ortho")


def risk_of(coefficients, sigma, time):
    """Stein's risk, every coefficient by itself."""
    rates = sum(
        np.expand_dims(laplacian_eigenvalues(size, 1.0), tuple(i for i in range(2) if i != axis))
        for axis, size in enumerate(coefficients.shape[1:])
    )
    kept = np.exp(-time * rates)
    return np.sum((1 - kept) ** 2 * coefficients**2 + sigma**2 * (2 * kept - 1))


def test_pooling_frequencies_costs_no_risk(clean, rng):
    coefficients = cosine_transform(clean + SIGMA * rng.standard_normal(clean.shape))
    (time,) = least_risk_times(coefficients, (SIGMA,), (1.0, 1.0))
    exact = min(risk_of(coefficients, SIGMA, time * factor) for factor in np.geomspace(0.8, 1.25, 101))
    # 1e-4 of the risk is 0.0004 dB.
    assert risk_of(coefficients, SIGMA, time) <= exact * (1 + 1e-4)


def test_the_risk_predicts_the_error_and_the_time_is_nearly_the_best(clean, rng):
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    coefficients = cosine_transform(noisy)
    (time,) = least_risk_times(coefficients, (SIGMA,), (1.0, 1.0))
    errors = {factor: np.sum((heat_flow(noisy, time * factor) - clean) ** 2) for factor in np.geomspace(0.25, 4, 21)}
    # The estimate's standard error is about sigma^2 sqrt(2 N): noise squared is chi-squared with N degrees of freedom.
    assert abs(risk_of(coefficients, SIGMA, time) - errors[1.0]) < 4 * SIGMA**2 * (2 * clean.size) ** 0.5
    assert errors[1.0] < 1.01 * min(errors.values())


def test_the_time_grows_with_sigma(clean, rng):
    noise = rng.standard_normal(clean.shape)
    times = [
        least_risk_times(cosine_transform(clean + sigma * noise), (sigma,), (1.0, 1.0))[0] for sigma in (0.02, 0.1, 0.5)
    ]
    assert times == sorted(times)
    assert times[-1] > 4 * times[0]


def test_noise_alone_leaves_its_mean(rng):
    noise = SIGMA * rng.standard_normal((1, 64, 64))
    (time,) = least_risk_times(cosine_transform(noise), (SIGMA,), (1.0, 1.0))
    # A mode with less energy than sigma^2 is best removed; only the few lowest may have more by chance.
    assert np.var(heat_flow(noise, time)) < 0.01 * SIGMA**2


def test_each_channel_has_its_own_time_and_no_noise_means_no_time(clean, rng):
    noisy = np.concatenate([clean, clean]) + np.array([0.0, SIGMA]).reshape(2, 1, 1) * rng.standard_normal(clean.shape)
    times = least_risk_times(cosine_transform(noisy), (0.0, SIGMA), (1.0, 1.0))
    assert times[0] == 0.0
    assert times[1] == pytest.approx(least_risk_times(cosine_transform(noisy[1:]), (SIGMA,), (1.0, 1.0))[0], rel=1e-6)


def test_time_has_the_unit_of_the_spacing_squared(clean, rng):
    coefficients = cosine_transform(clean + SIGMA * rng.standard_normal(clean.shape))
    (unit,), (half,) = (least_risk_times(coefficients, (SIGMA,), spacing) for spacing in ((1.0, 1.0), (0.5, 0.5)))
    assert half == pytest.approx(unit / 4, rel=1e-6)  # the search stops at 1e-9 of an octave, rounding blurs to 1e-8


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 4, 4)])
def test_an_image_of_zeros_has_a_time(shape):
    times = least_risk_times(np.zeros(shape), (SIGMA,) * shape[0], (1.0, 1.0))
    assert np.isfinite(times).all()
