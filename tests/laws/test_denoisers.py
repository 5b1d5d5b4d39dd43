"""What every denoiser in the table of methods must satisfy; a new entry is tested by being there."""

import numpy as np
import pytest

from noiseless.diffusion import CoherenceEnhancing
from noiseless.restoration import METHODS, Ensemble
from noiseless.score import LEARNED, Experts, GaussianPrior, NetworkDenoiser

SIGMA = 0.1
SHAPES = {"gray": (1, 40, 46), "colour": (3, 40, 46), "volume": (1, 5, 24, 26), "odd": (1, 7, 9)}


def built(name):
    """A denoiser by name; a learned one in float32, whose rounding the tolerances below are made for."""
    return NetworkDenoiser(precision="float32") if name in LEARNED else METHODS[name]()


@pytest.fixture(params=METHODS)
def denoiser(request):
    return built(request.param)


@pytest.fixture(params=SHAPES)
def noisy(request, rng):
    return 0.5 + np.float32(SIGMA) * rng.standard_normal(SHAPES[request.param], dtype=np.float32)


def test_shape_dtype_and_kind_come_back(denoiser, noisy):
    denoised = denoiser(noisy, SIGMA)
    assert isinstance(denoised, np.ndarray)
    assert denoised.shape == noisy.shape
    assert denoised.dtype == np.float32
    assert np.isfinite(denoised).all()


def test_the_dtype_does_not_depend_on_the_kind_of_sigma(denoiser, noisy):
    for sigma in (SIGMA, np.float64(SIGMA), np.float32(SIGMA), 1):
        assert denoiser(noisy, sigma).dtype == np.float32


def test_the_input_is_not_written_to(denoiser, noisy):
    before = noisy.copy()
    noisy.flags.writeable = False
    denoiser(noisy, SIGMA)
    np.testing.assert_array_equal(noisy, before)


def test_without_noise_the_image_stays(denoiser, noisy):
    # a cosine transform there and back rounds by a few units in the last place of values near 1
    np.testing.assert_allclose(denoiser(noisy, 0.0), noisy, atol=16 * np.finfo(np.float32).eps)


def test_the_result_tends_to_the_image_as_sigma_tends_to_zero(denoiser, noisy):
    if isinstance(denoiser, CoherenceEnhancing):
        pytest.skip("it completes lines, however strong: only sigma 0 itself leaves the image as it is")
    sigma = 1e-6
    # The least error is of the order of sigma. On average, not everywhere: where presmoothing happens to cancel a
    # gradient, Perona-Malik moves a single pixel by far more.
    assert np.abs(denoiser(noisy, sigma) - noisy).mean() <= 10 * sigma + 16 * np.finfo(np.float32).eps


def test_scaling_image_and_noise_scales_the_result(denoiser, noisy):
    if isinstance(denoiser, Experts | Ensemble):
        pytest.skip("a density of images in the range 0 to 1 has a scale of its own")
    # a power of two changes no mantissa, so only thresholds that know an absolute scale would show
    np.testing.assert_allclose(denoiser(4 * noisy, 4 * SIGMA) / 4, denoiser(noisy, SIGMA), atol=1e-6)


def test_it_removes_white_noise_from_a_flat_image(denoiser, noisy):
    if noisy.size < 500:
        pytest.skip("too few pixels for the variance of the noise to mean anything")
    assert np.var(denoiser(noisy, SIGMA)) < 0.35 * SIGMA**2


def test_numpy_and_torch_agree(denoiser, noisy):
    torch = pytest.importorskip("torch")
    other = denoiser(torch.from_numpy(noisy), SIGMA)
    assert isinstance(other, torch.Tensor)
    assert other.dtype == torch.float32
    # the bar of the design for two engines in float32
    np.testing.assert_allclose(other.numpy(), denoiser(noisy, SIGMA), atol=1e-4)


def test_the_same_call_gives_the_same_image(denoiser, noisy):
    np.testing.assert_array_equal(denoiser(noisy, SIGMA), denoiser(noisy, SIGMA))


def test_the_laws_can_fail():
    """A prior that knows the brightness of images breaks the scale law: the test above has teeth."""
    prior, image = GaussianPrior(0.5, 0.1), np.full((1, 2, 2), 0.9)
    assert np.abs(prior(4 * image, 4 * SIGMA) / 4 - prior(image, SIGMA)).max() > 0.1
