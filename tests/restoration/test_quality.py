import math

import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.restoration import psnr, ssim


def test_psnr_of_a_known_error():
    clean = np.zeros((10, 10))
    assert psnr(clean + 25.5, clean) == pytest.approx(20.0, abs=1e-12)
    assert psnr(clean + 0.1, clean, data_range=1) == pytest.approx(20.0, abs=1e-12)
    assert psnr(clean, clean) == math.inf


def test_integers_do_not_wrap_around():
    assert psnr(np.uint8([[0]]), np.uint8([[255]])) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("channel_axis", [None, -1, 0])
def test_ssim_equals_that_of_scikit_image(channel_axis, rng):
    metrics = pytest.importorskip("skimage.metrics")
    shape = {None: (40, 53), -1: (40, 53, 3), 0: (3, 40, 53)}[channel_axis]
    clean = 255 * rng.random(shape)
    image = clean + 20 * rng.standard_normal(shape)
    expected = metrics.structural_similarity(
        image,
        clean,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=channel_axis,
    )
    # the same formula in another order of summation: float64 rounding, amplified by the small constants
    assert ssim(image, clean, channel_axis=channel_axis) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_an_image_with_itself_is_one(rng):
    image = 255 * rng.random((20, 20))
    assert ssim(image, image) == pytest.approx(1.0, abs=1e-12)


def test_images_that_cannot_be_compared_are_refused():
    with pytest.raises(InvalidImage, match="shapes"):
        psnr(np.zeros((4, 4)), np.zeros((4, 5)))
    with pytest.raises(InvalidImage, match="bool mask"):
        psnr(np.zeros((4, 4), bool), np.zeros((4, 4)))
    with pytest.raises(InvalidParameter, match="data_range"):
        psnr(np.zeros((4, 4)), np.zeros((4, 4)), data_range=0)
    with pytest.raises(InvalidImage, match="11 pixels"):
        ssim(np.zeros((10, 20)), np.zeros((10, 20)))
