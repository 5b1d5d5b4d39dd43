"""The layout of a TIFF file: kept where it fits, plain where it does not."""

from dataclasses import replace

import numpy as np
import pytest

from noiseless.files.layout import DEFLATE, MINISBLACK, RGB, STRAIGHT, Layout, layout_for, needs_big, writer_options
from noiseless.image import from_array

GRAY = from_array(np.zeros((4, 5), np.uint8))
COLOUR = from_array(np.zeros((4, 5, 3), np.uint8), channel_axis=-1)
VOLUME = from_array(np.zeros((2, 4, 5), np.uint8))
SOURCE = Layout(">", "YX", 0, None, compression=5, tile=(16, 16))


@pytest.mark.parametrize(
    ("image", "axes", "photometric", "alpha"),
    [
        (GRAY, "YX", MINISBLACK, None),
        (COLOUR, "YXS", RGB, None),
        (VOLUME, "ZYX", MINISBLACK, None),
        (replace(GRAY, alpha=np.zeros((4, 5), np.uint8)), "YXS", MINISBLACK, STRAIGHT),
    ],
)
def test_an_image_from_elsewhere_has_a_plain_layout(image, axes, photometric, alpha):
    layout = layout_for(image, "<")
    assert (layout.axes, layout.photometric, layout.alpha, layout.compression) == (axes, photometric, alpha, DEFLATE)


def test_the_layout_of_the_source_is_kept_where_it_fits():
    assert layout_for(replace(GRAY, header={"tiff_layout": SOURCE}), "<") is SOURCE


@pytest.mark.parametrize("image", [COLOUR, VOLUME, replace(GRAY, alpha=np.zeros((4, 5), np.uint8))])
def test_a_layout_that_does_not_fit_gives_only_its_byte_order(image):
    layout = layout_for(replace(image, header={"tiff_layout": SOURCE}), "<")
    assert layout.axes != SOURCE.axes
    assert (layout.byteorder, layout.compression) == (">", DEFLATE)


def test_print_size_becomes_resolution():
    layout = layout_for(replace(GRAY, header={"dpi": (300.0, 72.009)}), "<")
    assert layout.resolution == ((300, 1), (720090, 10000), 2)
    assert layout.per_unit == pytest.approx((300.0, 72.009))


@pytest.mark.parametrize(
    ("dtype", "compression", "predictor", "expected"),
    [
        ("uint8", DEFLATE, None, (DEFLATE, 2)),
        ("float32", DEFLATE, None, (DEFLATE, 3)),
        ("uint16", 5, 1, (5, None)),
        ("uint16", 5, 2, (5, 2)),
        ("float32", 5, 2, (5, None)),  # differences of floats are not what readers expect
        ("uint8", 7, 1, (DEFLATE, 2)),  # JPEG would lose
        ("uint8", 1, 1, (1, None)),
        ("uint8", 32773, None, (32773, None)),
    ],
)
def test_compression_is_lossless_and_its_predictor_fits(dtype, compression, predictor, expected):
    layout = Layout("<", "YX", MINISBLACK, None, compression=compression, predictor=predictor)
    options = writer_options(layout, np.zeros((1, 4, 5), dtype))
    assert (options["compression"], options["predictor"]) == expected


def test_files_beyond_four_gigabytes_are_big():
    small = np.zeros((1, 2, 2), np.uint8)
    assert not needs_big(SOURCE, small)
    assert needs_big(replace(SOURCE, is_big=True), small)
    assert needs_big(SOURCE, np.broadcast_to(small[:, :1, :1], (1, 2**16, 2**16)))
