import numpy as np
import pytest

from noiseless.restoration.blocks import block_means, interpolated


@pytest.mark.parametrize("block", [1, 2, 4])
@pytest.mark.parametrize("shape", [(64, 96), (33, 47), (17, 19), (5, 7)])
def test_means_interpolated_give_a_ramp_back(shape, block):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    ramp = (100 + 3.0 * rows + 2.0 * columns)[np.newaxis]
    back = interpolated(block_means(ramp, block), block, ramp.shape)
    assert back.shape == ramp.shape
    error = np.abs(back - ramp)
    # Lines between the centres of whole blocks are the ramp itself; only the border half blocks are held constant, and
    # a block that was filled up by reflection has its mean less than a block away from where it seems to be.
    inner = error[:, block:-block, block:-block] if block == 1 else error[:, block : -2 * block, block : -2 * block]
    assert inner.size == 0 or inner.max() < 1e-9
    assert error.max() < (3.0 + 2.0) * block


@pytest.mark.parametrize("block", [2, 4])
def test_means_interpolated_err_by_the_curvature(block):
    rows, columns = np.mgrid[0:81, 0:99]
    wave = np.sin(rows / 9.0)[np.newaxis] + np.cos(columns / 9.0)[np.newaxis]
    back = interpolated(block_means(wave, block), block, wave.shape)
    # The mean of a block differs from its centre by h^2 / 24 f'', a line from its curve by at most h^2 / 8 f''; f'' is
    # at most 1 / 81 along each of two axes.
    assert np.abs(back - wave)[:, block : -2 * block, block : -2 * block].max() < 2 * block**2 / 6 / 81


def test_means_keep_the_mean_and_the_dtype():
    image = np.arange(3 * 8 * 12, dtype=np.float32).reshape(3, 8, 12)
    means = block_means(image, 4)
    assert means.shape == (3, 2, 3)
    np.testing.assert_allclose(means.mean(axis=(1, 2)), image.mean(axis=(1, 2)))
    assert interpolated(means, 4, image.shape).dtype == np.float32
