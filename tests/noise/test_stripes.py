import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import Gaussian
from noiseless.noise.correlated import spectral_log_likelihood
from noiseless.noise.model import NoiseModel, PixelwiseNoise, StationaryNoise
from noiseless.noise.stripes import Stripes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"stripe": -1}, "stripe is -1; it must be finite and >= 0"),
        ({"stripe": float("nan")}, "stripe is nan"),
        ({"stripe": 1, "sigma": float("inf")}, "sigma is inf"),
        ({"stripe": "1"}, "stripe is '1'; it must be a number"),
        ({"stripe": 1, "axis": 2}, "axis is 2; it must be 0"),
        ({"stripe": 1, "axis": -1}, "axis is -1"),
        ({"stripe": 1, "axis": 0.5}, r"axis is 0\.5"),
        ({"stripe": 1, "axis": True}, "axis is True"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong, message):
    with pytest.raises(InvalidParameter, match=message) as raised:
        Stripes(**wrong)
    assert "\n" not in str(raised.value)


def test_it_is_stationary_and_not_pixelwise():
    assert isinstance(Stripes(1), NoiseModel)
    assert isinstance(Stripes(1), StationaryNoise)
    assert not isinstance(Stripes(1), PixelwiseNoise)


@pytest.mark.parametrize("axis", [0, 1])
def test_every_line_has_one_offset_and_planes_have_their_own(axis, rng):
    noise = Stripes(2.0, axis=axis).sample(np.zeros((2, 3, 300, 200)), rng)
    lines = noise if axis == 0 else noise.swapaxes(-1, -2)
    assert np.ptp(lines, axis=-1).max() == 0
    offsets = lines[..., 0].ravel()
    assert len(np.unique(offsets)) == len(offsets)
    # Standard errors of the mean and variance of N(0, 4) over independent lines.
    assert abs(offsets.mean()) < 4 * 2 / len(offsets) ** 0.5
    assert abs(offsets.var() - 4) < 4 * 4 * (2 / len(offsets)) ** 0.5


def test_variance_is_the_sum_and_the_mean_is_clean(rng):
    clean = rng.uniform(0, 1, (1, 500, 40)).astype(np.float32)
    clean.flags.writeable = False
    model = Stripes(3.0, 4.0)
    assert np.all(model.variance(clean) == 25)
    assert model.variance(clean).dtype == np.float32
    assert model.mean(clean) is clean
    noise = (model.sample(clean, rng) - clean).astype(np.float64)
    assert abs(noise.mean()) < 4 * (9 / 500 + 16 / noise.size) ** 0.5
    # The variance of a line's mean is 9 + 16 / 40; within lines it is 16.
    assert abs(noise.mean(axis=-1).var() - 9.4) < 4 * 9.4 * (2 / 500) ** 0.5
    assert abs(noise.var(axis=-1, ddof=1).mean() - 16) < 4 * 16 * (2 / (500 * 39)) ** 0.5


@pytest.mark.parametrize("axis", [0, 1])
def test_the_spectrum_is_the_closed_form_and_that_of_samples(axis, rng):
    model = Stripes(1.5, 0.5, axis)
    spectrum = model.spectrum((6, 8))
    line = np.s_[:, 0] if axis == 0 else np.s_[0, :]
    expected = np.full((6, 8), 0.25)
    expected[line] += 2.25 * (8 if axis == 0 else 6)
    assert np.array_equal(spectrum, expected)
    assert spectrum.mean() == pytest.approx(2.5, rel=1e-14)
    noise = model.sample(np.zeros((20_000, 6, 8)), rng)
    power = np.mean(np.abs(np.fft.fft2(noise)) ** 2, axis=0) / 48
    # |R|^2 has a relative standard deviation of 1, or sqrt(2) where R is real; 48 frequencies, so five errors.
    assert np.abs(power / expected - 1).max() < 5 * (2 / 20_000) ** 0.5
    assert np.array_equal(model.spectrum((3, 6, 8)), np.broadcast_to(expected, (3, 6, 8)))


@pytest.mark.parametrize("axis", [0, 1])
def test_the_likelihood_is_that_of_the_covariance_matrix(axis, rng):
    model, residual = Stripes(0.7, 0.4, axis), rng.standard_normal((2, 4, 5))
    lines = residual if axis == 0 else residual.swapaxes(-1, -2)
    length = lines.shape[-1]
    covariance = 0.16 * np.eye(length) + 0.49 * np.ones((length, length))
    determinant = np.linalg.slogdet(2 * np.pi * covariance)[1]
    expected = sum(
        -0.5 * (line @ np.linalg.solve(covariance, line) + determinant) for line in lines.reshape(-1, length)
    )
    assert model.log_likelihood(residual, np.zeros_like(residual)) == pytest.approx(expected, rel=1e-12)
    spectral = spectral_log_likelihood(residual, np.zeros_like(residual), model.spectrum((4, 5)))
    assert spectral == pytest.approx(expected, rel=1e-10)  # lines are circulant, so the periodic grid is exact


def test_without_stripes_it_is_white_noise(rng):
    clean, noisy = rng.uniform(0, 1, (2, 1, 6, 7))
    expected = Gaussian(0.3).log_likelihood(noisy, clean)
    assert Stripes(0.0, 0.3).log_likelihood(noisy, clean) == pytest.approx(expected, rel=1e-12)


def test_what_has_no_density_or_no_plane_is_refused(rng):
    with pytest.raises(InvalidParameter, match="use a sigma above 0"):
        Stripes(1.0).log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 3)))
    with pytest.raises(InvalidImage, match="must be the same"):
        Stripes(1.0, 1.0).log_likelihood(np.zeros((1, 3, 3)), np.zeros((1, 3, 4)))
    with pytest.raises(InvalidImage, match="plane"):
        Stripes(1.0).sample(np.zeros((1, 9)), rng)
    with pytest.raises(InvalidImage, match="astype"):
        Stripes(1.0).sample(np.zeros((1, 9, 9), int), rng)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_samples_keep_the_dtype_and_the_seed_decides(dtype):
    clean = np.zeros((1, 6, 10), dtype)
    first, again, other = (Stripes(1, 1).sample(clean, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.dtype == dtype
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
