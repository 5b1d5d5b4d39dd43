"""What every network inside the package must satisfy; a new one is tested by being there."""

import numpy as np
import pytest

from noiseless.restoration.tiling import Tiled
from noiseless.score import NetworkDenoiser, is_blind, shipped

STEP = 1 / 255
ROUNDING = 1e-5  # the bar of the design for float32, for images of range [0, 1]


@pytest.fixture(params=shipped())
def name(request):
    return request.param


@pytest.fixture
def denoiser(name):
    return NetworkDenoiser(name.rpartition("-")[0], precision="float32")


@pytest.fixture
def noisy(name, rng):
    """Edges, a shading and texture, with noise of sigma 0.1; of odd size."""
    rows, columns = np.mgrid[:141, :117].astype(np.float32)
    clean = 0.3 + 0.002 * rows + 0.2 * (columns > 60) + 0.05 * np.sin(0.8 * columns + 0.3 * rows)
    channels = {"gray": 1, "colour": 3}[name.rpartition("-")[2]]
    return (clean + 0.1 * rng.standard_normal((channels, *clean.shape))).astype(np.float32)


@pytest.mark.parametrize("scale", [1 / 3, 7.0])
def test_scaling_image_and_noise_scales_the_result(denoiser, noisy, scale):
    scaled = denoiser(np.float32(scale) * noisy, 0.1 * scale) / np.float32(scale)
    np.testing.assert_allclose(scaled, denoiser(noisy, 0.1), atol=ROUNDING)


def test_faint_noise_changes_the_image_as_little(denoiser, noisy):
    smooth = denoiser(noisy, 0.1)  # without noise to speak of
    faint = 0.2 * STEP
    if not is_blind(denoiser.model):  # to which a level is only a hint
        assert np.sqrt(np.mean((denoiser(smooth, faint) - smooth) ** 2)) <= faint
    assert np.abs(denoiser(smooth, faint / 6) - smooth).max() <= faint + ROUNDING
    np.testing.assert_array_equal(denoiser(smooth, 0.0), smooth)


def test_tiles_equal_the_whole(denoiser, noisy):
    np.testing.assert_allclose(Tiled(denoiser, tile=64)(noisy, 0.1), denoiser(noisy, 0.1), atol=ROUNDING)


@pytest.mark.parametrize("sigma", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_the_result_is_finite_at_the_ends(denoiser, noisy, sigma, level):
    flat = np.full_like(noisy, level)
    for image in (flat, noisy, noisy + np.float32(sigma)):
        assert np.isfinite(denoiser(image, sigma)).all()


def test_noise_goes_and_edges_stay(denoiser, noisy):
    denoised = denoiser(noisy, 0.1)
    left, right = denoised[:, 50:90, 20:50].mean(), denoised[:, 50:90, 70:100].mean()
    assert np.diff(denoised[:, 50:90, 70:100], axis=1).std() < 0.5 * np.diff(noisy[:, 50:90, 70:100], axis=1).std()
    assert 0.15 < right - left < 0.25  # 0.2 in the clean image
