import numpy as np
import pytest

import noiseless
from noiseless.streams.pixels import nominal, stored_like
from noiseless.streams.raw_layout import SAMPLES, RawLayout, layout_of, parsed


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_stored_value_comes_back(dtype):
    values = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(16, -1)
    planes = nominal(values)
    assert (planes.min(), planes.max()) == (0.0, 1.0)
    back = stored_like(planes, values)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, values)


def test_colour_becomes_planes_and_comes_back(rng):
    frame = rng.random((5, 7, 3), dtype=np.float32)
    planes = nominal(frame)
    np.testing.assert_array_equal(planes, frame.transpose(2, 0, 1))
    back = stored_like(planes, frame)
    np.testing.assert_array_equal(back, frame)
    assert back is not frame
    assert back.flags.c_contiguous


def test_integers_are_rounded_and_clipped_and_floats_are_not():
    planes = np.array([[[-0.1, 0.5019, 1.2]]], np.float32)
    assert stored_like(planes, np.zeros((1, 3), np.uint8)).tolist() == [[0, 128, 255]]
    np.testing.assert_array_equal(stored_like(planes, np.zeros((1, 3), np.float32)), planes[0])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.zeros((4, 4)), "dtype float64; give uint8, uint16, or float32"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\); give \(Y, X\) gray or \(Y, X, 3\) RGB"),
        (np.zeros((0, 4), np.uint8), "shape"),
        (np.full((4, 4), np.nan, np.float32), "16 of 16 pixels are NaN"),
    ],
)
def test_what_is_no_frame_is_refused(frame, said):
    with pytest.raises(noiseless.InvalidImage, match=said):
        nominal(frame)


@pytest.mark.parametrize("samples", [name for name in SAMPLES if name != "yuv420p"])
def test_raw_frames_come_back_byte_for_byte(samples, rng):
    layout = RawLayout(6, 4, samples)
    data = rng.random(layout.frame_bytes // 4, dtype=np.float32).tobytes()
    pixels = layout.decode(data)
    assert pixels.shape[:2] == (4, 6)
    assert layout.encode(pixels) == data


def test_bgr_is_turned_around():
    assert RawLayout(1, 1, "bgr24").decode(b"\x01\x02\x03").tolist() == [[[3, 2, 1]]]


def test_raw_frames_of_yuv_are_colour_within_the_rounding_of_their_levels():
    pytest.importorskip("av")
    layout = RawLayout(8, 6, "yuv420p")
    gray = np.full((6, 8, 3), 100, np.uint8)
    assert len(layout.encode(gray)) == layout.frame_bytes == 8 * 6 * 3 // 2
    assert np.abs(layout.decode(layout.encode(gray)).astype(int) - 100).max() <= 2


def test_a_layout_is_read_from_words():
    assert parsed("640x480:gray8@30") == RawLayout(640, 480, "gray8", 30.0)
    assert parsed("640x480:gray16le@29.97").frame_bytes == 640 * 480 * 2
    assert parsed("640x480:rgb24").rate is None
    assert layout_of(np.zeros((2, 3, 3), np.uint16)) == RawLayout(3, 2, "rgb48le")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("640x480", "write WIDTHxHEIGHT:SAMPLES@RATE, as 640x480:gray8@30"),
        ("640x480:gray9", "'gray9'; use gray8, gray16le"),
        ("0x480:gray8", "0x480; each side is 1 to 65535"),
        ("7x4:yuv420p", "7x4; their sides are even"),
        ("8x4:gray8@0", "0 a second"),
    ],
)
def test_other_words_are_refused(text, said):
    with pytest.raises(noiseless.InvalidParameter, match=said):
        parsed(text)


def test_a_frame_of_another_size_does_not_go_into_a_raw_pipe():
    with pytest.raises(noiseless.InvalidImage, match=r"shape \(4, 5\) .* no raw 4x4:gray8"):
        RawLayout(4, 4, "gray8").encode(np.zeros((4, 5), np.uint8))
