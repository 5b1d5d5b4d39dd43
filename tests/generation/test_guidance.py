"""Guided draws against posteriors that are known exactly."""

from itertools import islice

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.generation import Guided, guided_samples
from noiseless.generation.data_step import KnownPixels, PixelwiseData, StationaryData
from noiseless.generation.randomness import normal_from_seed, seed_of_sample
from noiseless.generation.sampler import State
from noiseless.noise import Gaussian
from noiseless.score import GaussianPrior

STD, STEPS = 0.2, 300
PRIOR = GaussianPrior(mean=0.5, std=STD)
SPACE = (128, 128)
# Steps of the schedule at log distance 4.6 / 300, a half more where Karras levels are wide: what an ancestral step
# loses of the variance is at most that (test_stochastic.py). The jump from the last level loses its square.
BIAS = 1.5 * 4.6 / STEPS


def spectrum():
    rows, columns = np.fft.fftfreq(SPACE[0])[:, np.newaxis], np.fft.fftfreq(SPACE[1])
    power = np.exp(-20 * (rows**2 + columns**2)) + 0.02
    return 0.15**2 * power / power.mean()


def test_each_frequency_has_its_posterior_mean_and_variance(rng):
    clean = 0.5 + STD * rng.standard_normal((1, *SPACE))
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((1, *SPACE))) * np.sqrt(spectrum())).real
    noisy, strongest = clean + noise, spectrum().max() ** 0.5
    drawn = next(
        guided_samples(
            PRIOR, StationaryData(noisy, spectrum()), noisy, sigma=4 * strongest, spread=STD, steps=STEPS, seed=1
        )
    )
    gain = STD**2 / (STD**2 + spectrum())
    mean = 0.5 + np.fft.ifft2(np.fft.fft2(noisy - 0.5) * gain).real
    departure = np.abs(np.fft.fft2(drawn - mean)[0]) ** 2 / np.prod(SPACE)
    exact = STD**2 * spectrum() / (STD**2 + spectrum())
    strong = spectrum() > np.median(spectrum())
    for part in (strong, ~strong):
        # half of the frequencies repeat the others, and a power has the relative standard deviation 1
        jump = (0.01 * 4 * strongest) ** 2 / exact[part].mean()
        tolerance = 4 * (2 / part.sum()) ** 0.5 + BIAS + jump
        assert abs((departure[part] / exact[part]).mean() - 1) < tolerance


def test_what_is_known_stays_and_what_is_not_is_drawn_from_the_prior():
    known = np.zeros((1, *SPACE), bool)
    known[:, ::2] = True
    noisy = np.where(known, 0.9, 0.0)
    drawn = next(guided_samples(PRIOR, KnownPixels(noisy, known), noisy, sigma=4.0, spread=STD, steps=STEPS))
    np.testing.assert_allclose(drawn[known], 0.9, atol=1e-12)
    count = int((~known).sum())
    # The start keeps (0.2 / 4)^2 of its place; then four standard errors, and the steps.
    assert abs(drawn[~known].mean() - 0.5) < STD * 4 / count**0.5 + 0.5 * (STD / 4) ** 2
    assert abs(drawn[~known].std() / STD - 1) < 4 * (0.5 / count) ** 0.5 + BIAS


def test_a_density_without_closed_form_guides_as_well():
    noisy = np.full((1, 60, 60), 0.8)
    drawn = next(guided_samples(PRIOR, PixelwiseData(noisy, Gaussian(0.3)), noisy, sigma=3.0, spread=STD, steps=60))
    variance = PRIOR.posterior_variance(0.3)
    tolerance = 4 / 60 + 0.3 * (0.3 / 3) ** 2
    assert abs(drawn.mean() - PRIOR(np.float64(0.8), 0.3)) < variance**0.5 * tolerance
    assert abs(drawn.std() / variance**0.5 - 1) < 4 * (0.5 / 3600) ** 0.5 + 1.5 * 4.6 / 60


def test_a_seed_gives_the_same_images_and_they_differ():
    noisy, known = np.zeros((1, 6, 6)), np.zeros((1, 6, 6), bool)
    options = {"sigma": 1.0, "spread": STD, "steps": 4, "seed": 3}
    first, second = islice(guided_samples(PRIOR, KnownPixels(noisy, known), noisy, **options), 2)
    again = next(guided_samples(PRIOR, KnownPixels(noisy, known), noisy, **options))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)


def test_what_makes_no_sense_is_refused():
    noisy, known = np.zeros((1, 6, 6)), np.zeros((1, 6, 6), bool)
    with pytest.raises(InvalidParameter, match="steps is 1: one step is a mean"):
        next(guided_samples(PRIOR, KnownPixels(noisy, known), noisy, sigma=1.0, spread=STD, steps=1))
    with pytest.raises(InvalidParameter, match="spread is 0"):
        Guided(KnownPixels(noisy, known), 0.0)


class Seen:
    """A denoiser, or a data step, that remembers what it was asked."""

    def __init__(self, answer):
        self.answer, self.images, self.levels = answer, [], []

    def __call__(self, image, level):
        self.images.append(image)
        self.levels.append(level)
        return self.answer(image, level)


def test_fifty_steps_lead_from_noise_over_the_start_down_to_a_hundredth_of_it(rng):
    start, data = rng.standard_normal((1, 3, 4)), Seen(lambda estimate, _: estimate)
    denoiser = Seen(PRIOR)
    drawn = next(guided_samples(denoiser, data, start, sigma=3.0, spread=STD))
    assert len(denoiser.levels) == 50
    assert (denoiser.levels[0], denoiser.levels[-1]) == pytest.approx((3.0, 0.03))
    noise = normal_from_seed(seed_of_sample(0, 0))(start)
    np.testing.assert_allclose(denoiser.images[0], start + 3.0 * noise, rtol=1e-13)
    np.testing.assert_array_equal(drawn, PRIOR(denoiser.images[-1], denoiser.levels[-1]))


def test_the_data_is_weighed_by_how_far_the_clean_image_may_be_from_the_estimate(rng):
    image, data = rng.standard_normal((1, 3, 4)), Seen(lambda estimate, _: estimate + 1)
    state = State(image, 0.4, image, 0.4)
    after = Guided(data, 0.3).step(PRIOR, state, 0.0, np.zeros_like)
    np.testing.assert_array_equal(data.images[0], PRIOR(image, 0.4))
    assert data.levels == pytest.approx([0.16 * 0.09 / 0.25])
    np.testing.assert_array_equal(after.image, PRIOR(image, 0.4) + 1)


def test_two_steps_are_enough_and_a_negative_seed_is_refused():
    noisy, known = np.zeros((1, 3, 3)), np.zeros((1, 3, 3), bool)
    options = {"sigma": 1.0, "spread": STD, "steps": 2}
    assert next(guided_samples(PRIOR, KnownPixels(noisy, known), noisy, **options)).shape == noisy.shape
    with pytest.raises(InvalidParameter, match="seed is -1"):
        next(guided_samples(PRIOR, KnownPixels(noisy, known), noisy, **options, seed=-1))
