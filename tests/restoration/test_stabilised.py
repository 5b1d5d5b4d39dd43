import numpy as np
import pytest
from scipy import stats

from noiseless.diffusion import PeronaMalik
from noiseless.generation.plug_and_play import prior_levels
from noiseless.noise import (
    AmplitudeSpeckle,
    Correlated,
    NonCentralChi,
    Poisson,
    PoissonGaussian,
    Rician,
    Speckle,
    gaussian_kernel,
)
from noiseless.restoration.stabilised import TRUSTS, remove_photon_noise, remove_stabilised

SIDE = 128


def mean_of_all(noisy, _sigma):
    """The denoiser for flat images: what is left is the bias, and the error of one mean."""
    return np.full_like(noisy, noisy.mean())


class Counting:
    """A denoiser that keeps a list of what it was asked."""

    def __init__(self, denoiser):
        self.denoiser, self.asked = denoiser, []

    def __call__(self, noisy, sigma):
        self.asked.append((noisy.shape[1:], sigma))
        return self.denoiser(noisy, sigma)


def picture(peak):
    """A soft hill and an edge, from 0.35 of the peak up to it."""
    rows, columns = np.mgrid[0:96, 0:120]
    values = 110 + 40 * np.sin(rows / 17) * np.cos(columns / 23) + 50 * (columns > 60)
    return (peak / values.max() * values)[np.newaxis]


def rms(difference):
    return float(np.sqrt(np.mean(np.square(difference))))


def quantiles(law):
    """A flat image with the histogram of a law: its means are those of the law to about 1 / N, not 1 / sqrt(N)."""
    return law.ppf((np.arange(SIDE**2) + 0.5) / SIDE**2).reshape(1, SIDE, SIDE)


@pytest.mark.parametrize("level", [0, 5, 10, 20, 100])
def test_the_amplitude_under_rician_noise_is_unbiased(level):
    sigma = 10.0
    flat = remove_stabilised(Rician(sigma), mean_of_all, quantiles(stats.rice(level / sigma, scale=sigma)))
    # Where the amplitude is 0 its estimate is a square root of the error of the mean, so 1e-4 becomes 1e-2. Left as it
    # is, that background would be at sigma * sqrt(pi / 2).
    assert abs(flat.mean() - level) < (0.05 * sigma if level == 0 else 0.01 * sigma)


@pytest.mark.parametrize("coils", [2, 4, 32])
@pytest.mark.parametrize("level", [0, 10, 40])
def test_the_amplitude_of_many_coils_is_unbiased(coils, level):
    sigma = 10.0
    law = stats.ncx2(2 * coils, (level / sigma) ** 2) if level else stats.chi2(2 * coils)
    flat = remove_stabilised(NonCentralChi(sigma, coils), mean_of_all, sigma * np.sqrt(quantiles(law)))
    assert abs(flat.mean() - level) < (0.05 * sigma if level == 0 else 0.01 * sigma)


@pytest.mark.parametrize("looks", [1, 4, 30])
def test_the_intensity_under_speckle_is_unbiased(looks):
    values = quantiles(stats.gamma(looks, scale=50 / looks))
    # The least values are cut off at 0.003 of the bright end, 4.6 times the mean: of one look, that is 1.4 % of the
    # pixels, whose logarithms lie 1 too low on average: exp(0.014), as much of the mean.
    assert remove_stabilised(Speckle(looks), mean_of_all, values).mean() == pytest.approx(50, rel=0.015)


@pytest.mark.parametrize("looks", [1, 4, 30])
def test_the_amplitude_under_speckle_is_unbiased(looks):
    roots = np.sqrt(quantiles(stats.gamma(looks, scale=1 / looks)))
    # The discretised tail of the logarithm at 0 counts for log(N) / N, 6e-4; the cut is far below it here.
    values = 50 * roots / roots.mean()
    assert remove_stabilised(AmplitudeSpeckle(looks), mean_of_all, values).mean() == pytest.approx(50, rel=0.002)


@pytest.mark.parametrize("level", [1, 2, 5, 20, 200])
def test_the_mean_of_counts_is_unbiased(level, rng):
    counts = rng.poisson(level, (1, SIDE, SIDE)).astype(np.float64)
    flat = remove_photon_noise(Poisson(1.0), mean_of_all, counts)
    # 4 standard errors of a mean, and 2 % of sigma: the sum of counts and estimate is no Poisson law (Azzari & Foi).
    assert abs(flat.mean() - level) < 4 * level**0.5 / SIDE + 0.02 * level**0.5


@pytest.mark.parametrize("level", [10, 11, 14, 50, 200])
def test_the_mean_of_counts_with_read_noise_is_unbiased(level, rng):
    noise = PoissonGaussian(2.0, 3.0, 10.0)
    clean = np.full((1, SIDE, SIDE), float(level))
    flat = remove_photon_noise(noise, mean_of_all, noise.sample(clean, rng))
    sigma = (2.0 * (level - 10) + 9.0) ** 0.5
    assert abs(flat.mean() - level) < 4 * sigma / SIDE + 0.02 * sigma


def test_one_pass_of_counts_is_unbiased_too(rng):
    counts = rng.poisson(2.0, (1, SIDE, SIDE)).astype(np.float64)
    flat = remove_stabilised(Poisson(1.0), mean_of_all, counts)
    # 4 standard errors; the stabilised mean is hardly less efficient than the mean (by less than a tenth at 2 counts)
    assert abs(flat.mean() - 2.0) < 1.1 * 4 * 2**0.5 / SIDE
    # Two roots and a square without the correction would be too low by a quarter count: the test can tell.
    assert 3 * 1.1 * 4 * 2**0.5 / SIDE < 0.25


def test_the_denoiser_sees_white_noise_of_sigma_one_with_black_at_zero(rng):
    seen = []

    def look(noisy, sigma):
        seen.append((noisy, sigma))
        return noisy

    clean = picture(2000.0)
    remove_stabilised(Poisson(1.0), look, Poisson(1.0).sample(clean, rng))
    ((stabilised, sigma),) = seen
    assert sigma == 1.0
    residual = stabilised - 2 * np.sqrt(clean)
    # the standard error of a standard deviation over n pixels is 1 / sqrt(2 n); stabilisation errs by 0.1 % here
    assert residual.std() == pytest.approx(1, abs=4 / (2 * residual.size) ** 0.5 + 1e-3)
    assert np.percentile(stabilised, 1) == pytest.approx(0, abs=1e-9)


def test_many_counts_take_one_pass(rng):
    counting = Counting(PeronaMalik())
    clean = picture(500.0)
    remove_photon_noise(Poisson(1.0), counting, Poisson(1.0).sample(clean, rng))
    assert counting.asked == [((96, 120), 1.0)]


def test_few_counts_take_several_passes_from_coarse_to_fine(rng):
    counting = Counting(PeronaMalik())
    remove_photon_noise(Poisson(1.0), counting, Poisson(1.0).sample(picture(2.0), rng))
    assert [shape for shape, _ in counting.asked] == [(24, 30), (48, 60), (96, 120), (96, 120)]
    assert len(counting.asked) == len(TRUSTS)


@pytest.mark.parametrize("peak", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("read", [0.0, 1.0])
def test_several_passes_beat_one_where_counts_are_few(peak, read, rng):
    noise = PoissonGaussian(1.0, read)
    clean = picture(peak)
    noisy = noise.sample(clean, rng)
    several = rms(remove_photon_noise(noise, PeronaMalik(), noisy) - clean)
    once = rms(remove_stabilised(noise, PeronaMalik(), noisy) - clean)
    assert several < once
    assert several < 0.2 * rms(noisy - clean)


@pytest.mark.parametrize("peak", [3.0, 500.0])
def test_offset_and_gain_are_only_units(peak, rng):
    noisy = PoissonGaussian(1.0, 0.5).sample(picture(peak), rng)
    plain = remove_photon_noise(PoissonGaussian(1.0, 0.5), PeronaMalik(), noisy)
    scaled = remove_photon_noise(PoissonGaussian(7.0, 3.5, 40.0), PeronaMalik(), 7.0 * noisy + 40.0)
    # float64; an explicit diffusion of 100 steps and four passes lose three of its digits at most
    np.testing.assert_allclose(scaled, 7.0 * plain + 40.0, rtol=1e-9)


def test_counts_with_no_read_noise_are_the_same_by_either_name(rng):
    noisy = Poisson(2.0, 5.0).sample(picture(20.0), rng)
    by_name = [
        remove_photon_noise(kind(gain=2.0, offset=5.0), PeronaMalik(), noisy) for kind in (Poisson, PoissonGaussian)
    ]
    np.testing.assert_array_equal(*by_name)


def test_no_light_at_all_gives_no_light():
    dark = np.zeros((1, 33, 47), np.float32)
    # the largest of the passes has the scale 1 / 0.25^2; float32 rounding of a root of 3/8 there is 1e-6
    assert np.abs(remove_photon_noise(Poisson(4.0), PeronaMalik(), dark)).max() < 1e-5


def test_stabilised_noise_with_a_spectrum_is_met_frequency_by_frequency(rng):
    """The model says both: then the spectrum is that of the stabilised noise."""
    coloured = Correlated(1.0, gaussian_kernel(1.0))

    class CorrelatedLogarithm:
        """Noisy = clean * exp(0.2 n), n correlated: its logarithm is stationary."""

        def stabilise(self, noisy):
            return np.log(noisy) / 0.2

        def unstabilise(self, stabilised):
            return np.exp(0.2 * stabilised)

        def spectrum(self, space):
            return coloured.spectrum(space)

        def sample(self, clean, rng):
            return clean * np.exp(0.2 * coloured.sample(np.zeros_like(clean), rng))

        def mean(self, clean):
            return clean * np.exp(0.02)

        def variance(self, clean):
            return clean**2 * (np.exp(0.08) - np.exp(0.04))

        def log_likelihood(self, noisy, clean):
            return coloured.log_likelihood(np.log(noisy) / 0.2, np.log(clean) / 0.2)

    clean = picture(200.0)
    noisy = CorrelatedLogarithm().sample(clean, rng)
    counting = Counting(PeronaMalik())
    removed = remove_stabilised(CorrelatedLogarithm(), counting, noisy)
    assert [sigma for _, sigma in counting.asked] == list(prior_levels(coloured.spectrum(clean.shape[1:])))
    assert len(counting.asked) > 1
    assert rms(removed - clean) < rms(PeronaMalik()(noisy, 0.2 * 150.0) - clean)
    assert rms(removed - clean) < rms(noisy - clean) / 2.5
