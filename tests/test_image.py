import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.image import Image, from_array, with_channel_axis, with_channel_first


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float32", "float64"])
def test_stored_values_come_back(dtype, rng):
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
    low, high = (info.min, info.max) if info else (-3.0, 5.0)
    values = rng.uniform(low, high, (20, 21)).astype(dtype)
    back = from_array(values).stored()[0]
    assert back.dtype == values.dtype
    # float32 keeps 24 bits of a value of the size of the span
    tolerance = (float(high) - float(low)) * 2.0**-23
    np.testing.assert_allclose(back.astype(float), values.astype(float), atol=max(tolerance, 0), rtol=0)


def test_integers_up_to_16_bits_come_back_exactly():
    for dtype in (np.uint8, np.int8, np.uint16, np.int16):
        info = np.iinfo(dtype)
        values = np.arange(info.min, info.max + 1, dtype=dtype).reshape(16, -1)
        np.testing.assert_array_equal(from_array(values).stored()[0], values)


def test_what_lies_outside_the_range_is_clipped_not_wrapped():
    image = Image(np.array([[[-0.5, 0.5, 1.5]]], np.float32), scale=255, stored_dtype="uint8")
    np.testing.assert_array_equal(image.stored(), [[[0, 128, 255]]])


def test_pixels_are_read_only_and_the_input_is_not_locked():
    values = np.zeros((1, 4, 4), np.float32)
    image = Image(values)
    with pytest.raises(ValueError, match="read-only"):
        image.pixels[0, 0, 0] = 1
    values[0, 0, 0] = 1


def test_black_that_is_not_zero_is_moved_there():
    thermal = np.linspace(290.0, 310.0, 400).reshape(20, 20)
    image = from_array(thermal)
    assert abs(float(np.median(image.pixels)) - 0.5) < 0.1
    assert from_array(np.linspace(-0.1, 1.1, 400).reshape(20, 20)).offset == 0.0


def test_a_constant_image_has_a_scale():
    image = from_array(np.full((4, 4), -7.0))
    assert image.scale > 0
    np.testing.assert_allclose(image.stored(), -7.0)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_the_channel_axis_comes_back(axis, rng):
    array = rng.random((4, 5)) if axis is None else rng.random((3, 4, 5))
    np.testing.assert_array_equal(with_channel_axis(with_channel_first(array, axis), axis), array)


def test_axes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidImage, match="do not fit the axes"):
        Image(np.zeros((4, 4), np.float32))
    with pytest.raises(InvalidImage, match="shape"):
        Image(np.zeros((1, 4, 4), np.float32)).with_pixels(np.zeros((1, 4, 5), np.float32))
    with pytest.raises(InvalidParameter, match="channel_axis is 5"):
        from_array(np.zeros((4, 4)), channel_axis=5)


def test_volumes_are_taken_one_by_one(rng):
    pixels = rng.random((1, 6, 4, 5))
    mask = rng.random((6, 4, 5)) > 0.5
    image = Image(pixels, "CZYX", mask=mask, volumes=3)
    part = image.volume(2)
    assert np.array_equal(part.pixels, image.pixels[:, 4:])
    assert np.array_equal(part.mask, mask[4:])
    assert part.volumes == 1


@pytest.mark.parametrize(
    ("axes", "settings", "message"),
    [
        ("CZYX", {"volumes": 4}, "4 volumes do not fit"),
        ("CZYX", {"volumes": 0}, "0 volumes do not fit"),
        ("CYX", {"volumes": 2}, "2 volumes do not fit"),
        ("CYX", {"mask": np.ones((2, 2), bool)}, "the mask has type bool and shape"),
        ("CYX", {"mask": np.ones((4, 5))}, "the mask has type float64"),
    ],
)
def test_masks_and_volumes_fit_the_pixels(axes, settings, message):
    with pytest.raises(InvalidImage, match=message):
        Image(np.zeros((1, 6, 4, 5) if axes == "CZYX" else (1, 4, 5)), axes, **settings)
