"""The risk against the true squared error, which is known where the clean image is."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import (
    Correlated,
    Gaussian,
    Poisson,
    PoissonGaussian,
    Rician,
    gaussian_kernel,
)
from noiseless.restoration import Risk, self_supervised_loss, unbiased_risk
from noiseless.score import GaussianMixturePrior

DRAWS = 300
SHAPE = (1, 20, 24)


def blur(noisy):
    return gaussian_filter(noisy, (0.0, 0.8, 1.2), mode="wrap")


def shrink(noisy):
    """Not linear, not symmetric, and bent at the scale of the noise: x is pulled to 0 or to 12."""
    return GaussianMixturePrior(means=(0.0, 12.0), stds=(0.8, 2.0), weights=(0.6, 0.4))(noisy, 2.0) + 0.1 * blur(noisy)


def level_map():
    rows = np.linspace(0.5, 3.0, SHAPE[1])[:, np.newaxis]
    return np.broadcast_to(rows, SHAPE[1:]).copy()


NOISES = {
    "white": Gaussian(2.0),
    "map": Gaussian(level_map()),
    "correlated": Correlated(2.0, gaussian_kernel(1.0)),
    "poisson": Poisson(gain=0.5),
    "poisson-gaussian": PoissonGaussian(gain=0.3, sigma=1.0, offset=-2.0),
}


def clean_image(rng):
    return np.abs(4.0 + 3.0 * blur(4.0 * rng.standard_normal(SHAPE)))


def differences(denoise, noise, rng, estimate):
    """Over draws of the noise: the estimates, and how far each is from the true squared error."""
    clean = clean_image(rng)
    risks, truth = [], []
    for seed in range(DRAWS):
        noisy = noise.sample(clean, rng)
        risks.append(estimate(noisy, seed))
        truth.append(np.mean((denoise(noisy) - clean) ** 2))
    return risks, np.array([risk.mse for risk in risks]) - np.array(truth)


# Curved denoisers have a bias under Poisson noise, which the docstring states, so only the linear one is asked there.
CASES = [(name, blur) for name in NOISES] + [(name, shrink) for name in ("white", "map", "correlated")]


@pytest.mark.parametrize(("name", "denoise"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_the_mean_of_the_estimate_is_the_true_error(name, denoise, rng):
    noise = NOISES[name]
    _, off = differences(denoise, noise, rng, lambda noisy, seed: unbiased_risk(denoise, noisy, noise, seed=seed))
    assert abs(off.mean()) < 4.0 * off.std(ddof=1) / np.sqrt(DRAWS)


@pytest.mark.parametrize(("name", "denoise"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_its_standard_error_is_how_far_it_is_off(name, denoise, rng):
    noise = NOISES[name]
    risks, off = differences(denoise, noise, rng, lambda noisy, seed: unbiased_risk(denoise, noisy, noise, seed=seed))
    told = np.sqrt(np.mean([risk.standard_error**2 for risk in risks]))
    seen = np.sqrt(np.mean(off**2))
    # The root of a mean square over 300 draws is known to 1 / sqrt(2 * 300) = 4 %, four times that is 16 %. What is
    # told bounds from above what comes of probes and of Jacobians that are not symmetric: up to 15 % here.
    assert 0.84 < told / seen < 1.16 * 1.15
    assert np.mean(np.abs(off) < 1.96 * told) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / DRAWS)


def test_more_probes_leave_less_to_chance(rng):
    noisy = NOISES["white"].sample(clean_image(rng), rng)
    few, many = (
        [unbiased_risk(shrink, noisy, NOISES["white"], probes=probes, seed=seed).mse for seed in range(100)]
        for probes in (1, 16)
    )
    # A quarter; each standard deviation over 100 seeds is known to 7 %, so the ratio to 10 %.
    assert 0.25 * 0.6 < np.std(many) / np.std(few) < 0.25 * 1.4


def test_hidden_pixels_are_guessed_as_the_mean_over_noise_says(rng):
    noise = Gaussian(2.0)
    clean = clean_image(rng)

    def guessed(noisy):
        """The denoiser that is judged: every pixel as found when it is hidden."""
        result = np.empty_like(noisy)
        edged = np.pad(noisy, ((0, 0), (1, 1), (1, 1)), mode="reflect")
        around = (edged[:, :-2, 1:-1] + edged[:, 2:, 1:-1] + edged[:, 1:-1, :-2] + edged[:, 1:-1, 2:]) / 4
        for row in range(4):
            for column in range(4):
                given = noisy.copy()
                given[:, row::4, column::4] = around[:, row::4, column::4]
                result[:, row::4, column::4] = blur(given)[:, row::4, column::4]
        return result

    off = []
    for _ in range(100):
        noisy = noise.sample(clean, rng)
        loss = self_supervised_loss(blur, noisy)
        off.append(loss.mse - np.mean((guessed(noisy) - clean) ** 2) - 4.0)
    assert abs(np.mean(off)) < 4.0 * np.std(off, ddof=1) / np.sqrt(100)


def test_a_loss_that_holds_the_noise_gives_no_decibels(rng):
    loss = self_supervised_loss(blur, clean_image(rng))
    with pytest.raises(InvalidParameter, match="gives no PSNR; give noise"):
        loss.psnr()


def test_decibels_and_their_interval():
    risk = Risk(mse=25.0, standard_error=5.0)
    assert risk.psnr(255.0) == pytest.approx(10 * np.log10(255**2 / 25))
    low, high = risk.psnr_interval(255.0)
    assert (low, high) == pytest.approx((10 * np.log10(255**2 / 34.8), 10 * np.log10(255**2 / 15.2)))
    assert Risk(mse=1.0, standard_error=1.0).psnr_interval()[1] == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"noise": Gaussian(0.0)}, "0 everywhere"),
        ({"noise": Rician(3.0)}, "not known for Rician; it is for Gaussian noise"),
        ({"noise": Gaussian(2.0), "probes": 0}, "probes is 0; the divergence needs one or more"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, message, rng):
    with pytest.raises(InvalidParameter, match=message):
        unbiased_risk(blur, clean_image(rng), **arguments)


def test_a_denoiser_that_changes_the_shape_is_refused(rng):
    with pytest.raises(InvalidImage, match="they must be equal"):
        unbiased_risk(lambda noisy: noisy[..., 1:], clean_image(rng), Gaussian(2.0))
    with pytest.raises(InvalidImage, match="3 x 24; hiding pixels needs at least 4"):
        self_supervised_loss(blur, clean_image(rng)[:, :3])
