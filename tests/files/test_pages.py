"""Between the axes of a TIFF file and (C, *space)."""

import numpy as np
import pytest

from noiseless.errors import UnsupportedFormat
from noiseless.files.pages import channel_first, kept_axes, planes

SIZES = {"T": 3, "C": 2, "Z": 5, "I": 5, "Q": 5, "Y": 7, "X": 11, "S": 4}


def array(axes):
    shape = [SIZES[letter] for letter in axes]
    return np.arange(np.prod(shape)).reshape(shape)


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("YX", (1, 7, 11)),
        ("YXS", (4, 7, 11)),
        ("SYX", (4, 7, 11)),
        ("CYX", (2, 7, 11)),
        ("ZYX", (1, 5, 7, 11)),
        ("IYXS", (4, 5, 7, 11)),
        ("QSYX", (4, 5, 7, 11)),
        ("ZCYX", (2, 5, 7, 11)),
        ("CZYX", (2, 5, 7, 11)),
    ],
)
def test_planes_are_the_inverse_of_channel_first(axes, shape):
    values = array(axes)
    samples = channel_first(values, axes)
    assert samples.shape == shape
    page_ndim = 3 if "S" in axes else 2
    np.testing.assert_array_equal(np.stack(list(planes(samples, axes))), values.reshape(-1, *values.shape[-page_ndim:]))


def test_channels_are_told_from_slices():
    values = array("ZCYX")
    np.testing.assert_array_equal(channel_first(values, "ZCYX")[1, 3], values[3, 1])


def test_leading_axes_of_length_one_go():
    assert kept_axes((1, 5, 1, 1, 3), "TZCYX", "YX") == ((5, 1, 3), "ZYX")


def test_a_time_series_is_refused_by_name():
    with pytest.raises(UnsupportedFormat, match="time series"):
        kept_axes(array("TYX").shape, "TYX", "YX")


@pytest.mark.parametrize(
    ("axes", "page"), [("CYXS", "YXS"), ("ZQYX", "YX"), ("ZYXC", "YX"), ("RYX", "YX"), ("DYX", "DYX")]
)
def test_other_orders_are_refused_by_name(axes, page):
    sizes = tuple(SIZES.get(letter, 6) for letter in axes)
    with pytest.raises(UnsupportedFormat, match=axes):
        kept_axes(sizes, axes, page)
