import numpy as np
import pytest

from noiseless.diffusion.arguments import channel_sigmas, check_spacing, spacing_of
from noiseless.errors import InvalidParameter

IMAGE = np.zeros((3, 4, 5), np.float32)


@pytest.mark.parametrize(
    "sigma", [0.5, np.float32(0.5), np.array(0.5), np.full(1, 0.5), np.full((1, 1, 1), 0.5), np.full((3, 1, 1), 0.5)]
)
def test_sigmas_are_one_python_float_a_channel(sigma):
    sigmas = channel_sigmas(IMAGE, sigma)
    assert sigmas == (0.5, 0.5, 0.5)
    assert all(type(value) is float for value in sigmas)


def test_channels_keep_their_order():
    assert channel_sigmas(IMAGE, np.array([0.5, 0.0, 2.0]).reshape(3, 1, 1)) == (0.5, 0.0, 2.0)


@pytest.mark.parametrize("spacing", [(1.0,), (1.0, 1.0, 1.0, 1.0), (1.0, 0.0), (1.0, -2.0), (float("nan"), 1.0)])
def test_a_spacing_is_two_or_three_lengths(spacing):
    with pytest.raises(InvalidParameter, match="2 or 3 finite lengths > 0"):
        check_spacing(spacing)


def test_a_spacing_fits_the_image():
    assert spacing_of(IMAGE, ()) == (1.0, 1.0)
    assert spacing_of(IMAGE, (2.0, 3.0)) == (2.0, 3.0)
    with pytest.raises(InvalidParameter, match=r"3 entries, but .* 2 spatial axes"):
        spacing_of(IMAGE, (1.0, 1.0, 1.0))
