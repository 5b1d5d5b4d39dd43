"""Samplers, data steps, priors and risks take any float array: a right answer, or one clear line."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

from noiseless import generation, restoration, score
from noiseless.diffusion import Heat, karras
from noiseless.generation import SAMPLERS
from noiseless.noise import Gaussian, gaussian_kernel, parse_noise

from .hostile_arrays import PLAIN_LAYOUTS, answer, examples, images, is_finite, plain, same

HEAT = Heat(0.5)
SIGMA = 0.2
NATIVE = tuple(layout for layout in PLAIN_LAYOUTS if layout != "other byte order")
"""The inner rooms take floats in the byte order of the machine, and say so."""

FLOATS = images(
    dtypes=("float32", "float64"),
    shapes=((1, 1, 1), (1, 1, 7), (3, 8, 9), (2, 3, 5, 8)),
    layouts=NATIVE,
    values=("unit", "negative", "constant", "zero", "narrow", "subnormal"),
)
PLANES = images(
    dtypes=("float32",),
    shapes=((1, 16, 17), (3, 12, 16)),
    layouts=NATIVE,
    values=("unit", "zero", "narrow"),
)


def check(noisy, before, result):
    assert (result.shape, result.dtype) == (before.shape, before.dtype)
    assert is_finite(result)
    assert same(plain(noisy), before)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@examples(6)
@given(noisy=FLOATS)
def test_a_sampler_takes_any_layout(name, noisy):
    before = plain(noisy)
    levels = karras(3, sigma_max=SIGMA, sigma_min=0.01)
    result = generation.integrate(SAMPLERS[name](), HEAT, noisy, levels, generation.normal_from_seed(1))
    check(noisy, before, result)
    states = list(generation.trajectory(SAMPLERS[name](), HEAT, before, levels, generation.normal_from_seed(1)))
    assert same(states[-1].image, result)
    check(noisy, before, generation.ProbabilityFlow(HEAT, SAMPLERS[name](), 2, 3)(noisy, SIGMA))


@examples(8)
@given(noisy=FLOATS)
def test_samples_have_a_mean_and_a_spread(noisy):
    before = plain(noisy)
    draws = generation.PosteriorSamples(HEAT, generation.Ancestral(), 2)(noisy, SIGMA)
    mean, spread = generation.mean_and_spread([next(draws), next(draws)])
    check(noisy, before, mean)
    assert (spread >= 0).all()


@examples(12)
@given(noisy=FLOATS)
def test_a_data_step_takes_any_layout(noisy):
    before, space = plain(noisy), noisy.shape[1:]
    spectrum = np.full(space, SIGMA**2)
    known = np.random.default_rng(0).random(noisy.shape) > 0.5
    steps = (
        generation.StationaryData(noisy, spectrum),
        generation.BlurredData(noisy, np.ones(space), SIGMA),
        generation.PoissonData(noisy, 0.01),
        generation.KnownPixels(noisy, known, SIGMA),
        generation.PixelwiseData(noisy, Gaussian(SIGMA)),
    )
    for step in steps:
        check(noisy, before, plain(step(before, 0.04)))
    check(noisy, before, generation.PlugAndPlay(HEAT)(noisy, spectrum))
    check(noisy, before, generation.alternate(HEAT, steps[0], noisy, (SIGMA, SIGMA / 2)))
    check(noisy, before, next(generation.guided_samples(HEAT, steps[3], noisy, sigma=0.4, spread=0.3, steps=2)))
    assert generation.Guided(steps[0], 0.3).random


@examples(10)
@given(noisy=FLOATS)
def test_what_is_unsure_is_finite(noisy):
    before = plain(noisy)
    direction = generation.normal_from_seed(2)(noisy)
    check(noisy, before, plain(generation.jacobian_product(HEAT, noisy, SIGMA, direction)))
    probes = list(generation.sign_probes(noisy, SIGMA, 2, 0))
    found = generation.propagated_noise(lambda image: HEAT(image, SIGMA), noisy, HEAT(noisy, SIGMA), probes)
    assert is_finite(found.std)
    bars = generation.normal_error_bars(found.std)
    assert (bars.half95 >= bars.half68).all()
    region = (slice(0, noisy.shape[-2]), slice(0, noisy.shape[-1]))
    parts = answer(generation.posterior_components, HEAT, noisy, SIGMA, region, count=1, rounds=1)
    assert parts is None or is_finite(parts.images)
    for calibration in generation.shipped_calibrations().values():
        assert is_finite(np.asarray(calibration(found.std, SIGMA).half95))


def test_calibrations_are_fitted_or_refused():
    rng = np.random.default_rng(0)
    raw = rng.uniform(0.1, 0.3, 2000)
    fitted = generation.fit_calibration([0.1], [raw], [raw * rng.standard_normal(2000)])
    assert is_finite(fitted.half95)
    assert answer(generation.fit_calibration, [0.1], [raw[:9]], [raw[:9]]) is None


@examples(8)
@given(noisy=PLANES)
def test_error_bars_are_widened_by_any_residual(noisy):
    denoised = HEAT(noisy, SIGMA)
    probes = generation.sign_probes(noisy, SIGMA, 2, 0)
    found = generation.propagated_noise(lambda image: HEAT(image, SIGMA), noisy, denoised, probes)
    bars = generation.normal_error_bars(found.std)
    sigma = np.full(noisy.shape, SIGMA)
    wider = answer(generation.widened_by_residual, bars, noisy, denoised, sigma, found)
    assert wider is None or (is_finite(wider.half95) and wider.half95.shape == noisy.shape)


@examples(10)
@given(noisy=PLANES)
def test_a_risk_is_a_number(noisy):
    before = plain(noisy)

    def denoise(image):
        return HEAT(image, SIGMA)

    for risk in (
        answer(restoration.unbiased_risk, denoise, noisy, Gaussian(SIGMA)),
        answer(restoration.spectral_risk, denoise, noisy, parse_noise("correlated:sigma=0.2,width=1")),
        answer(restoration.self_supervised_loss, denoise, noisy),
    ):
        assert risk is None or np.isfinite(risk.mse)
    assert same(plain(noisy), before)
    for wrapped in (restoration.SelfEnsemble(score.NetworkDenoiser("tiny")), restoration.Tiled(score.Experts(), 8)):
        check(noisy, before, wrapped(noisy, SIGMA))
    whole = restoration.Ensemble({"heat": HEAT, "still": Heat(0.01)})(noisy, SIGMA)
    check(noisy, before, whole)


@examples(15)
@given(noisy=FLOATS, sigma=st.sampled_from((1e-6, 0.1, 1.0, 1e6)))
def test_exact_priors_and_tweedie_take_any_layout(noisy, sigma):
    before = plain(noisy)
    priors = (
        score.GaussianPrior(0.5, 0.2),
        score.GaussianMixturePrior([0.5, 0.5], [0.0, 1.0], [0.1, 0.2]),
        score.EmpiricalPrior(np.stack([before, before + 1])),
    )
    for prior in priors:
        check(noisy, before, plain(prior(noisy, sigma)))
        slope = score.score(prior, noisy, sigma)
        assert np.allclose(
            score.denoised_from_score(noisy, slope, sigma), prior(noisy, sigma), atol=1e-3 * max(sigma, 1)
        )
        assert is_finite(score.noise_from_denoised(noisy, prior(noisy, sigma), sigma))
        assert is_finite(score.score_from_denoised(noisy, prior(noisy, sigma), sigma))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 1, 9), (1, 2, 4, 4)])
def test_a_texture_is_drawn_in_any_shape(shape):
    drawn = generation.sample(shape, HEAT, steps=2)
    assert drawn.shape == shape
    assert is_finite(drawn)
    assert gaussian_kernel(1.0).sum() > 0
