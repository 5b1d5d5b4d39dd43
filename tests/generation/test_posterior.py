import itertools

import numpy as np
import pytest

from noiseless.diffusion import SCHEDULES
from noiseless.errors import InvalidParameter
from noiseless.generation import SAMPLERS, Ancestral, Euler, Heun, PosteriorSamples, ProbabilityFlow, mean_and_spread
from noiseless.generation.randomness import seed_of_sample
from noiseless.score import GaussianPrior

PRIOR = GaussianPrior(mean=0.5, std=0.2)
SIGMA = 0.4


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", [name for name, build in SAMPLERS.items() if not build().random])
def test_many_steps_reach_the_exact_flow(name, schedule, rng):
    noisy = 0.5 + SIGMA * rng.standard_normal((3, 5, 4))
    flow = ProbabilityFlow(PRIOR, SAMPLERS[name](), steps=400, schedule=SCHEDULES[schedule])
    # first order: the error is about the spread of the start over the number of steps
    np.testing.assert_allclose(flow(noisy, SIGMA), PRIOR.flow(noisy, SIGMA, 0.0), atol=4 * SIGMA / 400)


def test_a_map_of_sigmas_flows_pixel_by_pixel(rng):
    noisy = 0.5 + rng.standard_normal((1, 1, 2))
    flow = ProbabilityFlow(PRIOR, Heun(), steps=50)
    together = flow(noisy, np.array([[[0.1, 0.4]]]))
    np.testing.assert_allclose(together[..., 0], flow(noisy, 0.1)[..., 0], rtol=1e-12)
    np.testing.assert_allclose(together[..., 1], flow(noisy, 0.4)[..., 1], rtol=1e-12)


def test_more_steps_keep_more_of_the_variance_of_the_prior(rng):
    clean = 0.5 + 0.2 * rng.standard_normal((1, 300, 300))
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    mean = ProbabilityFlow(PRIOR, Heun(), steps=1)(noisy, SIGMA)
    flow = ProbabilityFlow(PRIOR, Heun(), steps=40)(noisy, SIGMA)
    # a variance over n pixels has the relative standard error sqrt(2 / n); the mean keeps std**4 / (std**2 + sigma**2)
    tolerance = 4 * (2 / clean.size) ** 0.5
    np.testing.assert_allclose(mean.var(), 0.2**4 / (0.2**2 + SIGMA**2), rtol=tolerance)
    np.testing.assert_allclose(flow.var(), 0.2**2, rtol=tolerance + 0.02)  # and 2 % for the first-order last step


def test_samples_differ_from_one_another_and_come_back_with_their_seed(rng):
    noisy = rng.standard_normal((1, 5, 5))
    first, second = itertools.islice(PosteriorSamples(PRIOR, Ancestral(), 5, seed=1)(noisy, SIGMA), 2)
    assert not np.array_equal(first, second)
    again = itertools.islice(PosteriorSamples(PRIOR, Ancestral(), 5, seed=1)(noisy, SIGMA), 2)
    np.testing.assert_array_equal(np.stack([first, second]), np.stack([*again]))
    other = next(PosteriorSamples(PRIOR, Ancestral(), 5, seed=2)(noisy, SIGMA))
    assert not np.array_equal(first, other)


def test_mean_and_spread_are_those_of_the_samples(rng):
    samples = [rng.standard_normal((1, 3, 4)) for _ in range(5)]
    mean, spread = mean_and_spread(samples)
    np.testing.assert_allclose(mean, np.mean(samples, axis=0))
    np.testing.assert_allclose(spread, np.std(samples, axis=0, ddof=1))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InvalidParameter, match="steps is 0"):
        ProbabilityFlow(PRIOR, Euler(), steps=0)
    with pytest.raises(InvalidParameter, match="steps is 1"):
        PosteriorSamples(PRIOR, Ancestral(), steps=1)
    with pytest.raises(InvalidParameter, match="Euler draws no noise"):
        PosteriorSamples(PRIOR, Euler(), steps=10)
    with pytest.raises(InvalidParameter, match="1 samples"):
        mean_and_spread([np.zeros((1, 2, 2))])


def test_correlated_noise_is_drawn_from_its_posterior_frequency_by_frequency(rng):
    class Correlated:
        """E[x | y] for independent Gaussian pixels under noise of any one spectrum, in place of plug-and-play."""

        def __init__(self, denoiser):
            pass

        def __call__(self, noisy, spectrum):
            gain = 0.2**2 / (0.2**2 + spectrum)
            return 0.5 + np.fft.ifft2(np.fft.fft2(noisy - 0.5) * gain).real

    space = (128, 128)
    rows, columns = np.fft.fftfreq(space[0])[:, np.newaxis], np.fft.fftfreq(space[1])
    spectrum = np.exp(-20 * (rows**2 + columns**2)) + 0.02
    spectrum *= 0.15**2 / spectrum.mean()
    noisy = 0.5 + 0.3 * rng.standard_normal((1, *space))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("noiseless.generation.posterior.PlugAndPlay", Correlated)
        drawn = ProbabilityFlow(PRIOR, Ancestral(), steps=300, seed=1).correlated(noisy, spectrum)
    departure = np.abs(np.fft.fft2(drawn - Correlated(PRIOR)(noisy, spectrum))[0]) ** 2 / np.prod(space)
    exact = 0.2**2 * spectrum / (0.2**2 + spectrum)
    for part in (spectrum > np.median(spectrum), spectrum <= np.median(spectrum)):
        # half of the frequencies repeat the others, and a power has the relative standard deviation 1; the steps lose
        # up to 1.5 * ln(100) / 300 of the variance (test_stochastic.py), the jump to 0 a hundredth of a hundredth
        tolerance = 4 * (2 / part.sum()) ** 0.5 + 1.5 * 4.6 / 300 + 0.001
        assert abs((departure[part] / exact[part]).mean() - 1) < tolerance


def test_the_levels_fall_from_the_noise_of_the_image_to_a_hundredth_of_it_and_to_none(rng):
    noisy, levels = rng.standard_normal((1, 2, 3)), []

    def seen(image, sigma):
        levels.append(sigma)
        return PRIOR(image, sigma)

    states = list(ProbabilityFlow(seen, Euler(), steps=6).states(noisy, SIGMA, np.zeros_like))
    assert (levels[0], levels[-1], len(levels)) == (SIGMA, pytest.approx(0.01 * SIGMA), 6)
    assert [state.sigma for state in states] == pytest.approx([level / SIGMA for level in levels] + [0.0])


def test_a_sample_is_a_flow_with_a_seed_of_its_own(rng):
    noisy = rng.standard_normal((1, 3, 3))
    third = next(itertools.islice(PosteriorSamples(PRIOR, Ancestral(), 2, seed=5)(noisy, SIGMA), 2, None))
    flow = ProbabilityFlow(PRIOR, Ancestral(), 2, seed=seed_of_sample(5, 2))
    np.testing.assert_array_equal(third, flow(noisy, SIGMA))
    unsaid, zero, one = (
        ProbabilityFlow(PRIOR, Ancestral(), 2, **seed)(noisy, SIGMA) for seed in ({}, {"seed": 0}, {"seed": 1})
    )
    np.testing.assert_array_equal(unsaid, zero)
    assert not np.array_equal(unsaid, one)
    unsaid, zero = (next(PosteriorSamples(PRIOR, Ancestral(), 2, **seed)(noisy, SIGMA)) for seed in ({}, {"seed": 0}))
    np.testing.assert_array_equal(unsaid, zero)


def test_two_samples_have_a_spread():
    mean, spread = mean_and_spread([np.zeros((1, 2, 2)), np.full((1, 2, 2), 2.0)])
    np.testing.assert_allclose((mean, spread), (np.ones((1, 2, 2)), np.full((1, 2, 2), 2**0.5)))
