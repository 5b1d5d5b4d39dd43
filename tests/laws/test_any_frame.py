"""A stream, and the denoiser of videos, take any frame: a right answer, or one clear line."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

from noiseless import Image, Stream, TemporalDenoiser, streams

from .hostile_arrays import answer, anything, examples, images, is_finite, plain, same

FRAMES = ((16, 18), (9, 8), (16, 12, 3))


@examples(40)
@given(anything() | images(dtypes=("uint8", "uint16", "float32", ">u2", ">f4"), shapes=FRAMES))
def test_a_pushed_frame_comes_back_in_its_dtype_or_one_line(frame):
    before = plain(frame) if isinstance(frame, np.ndarray) else None
    stream = Stream(sigma=3.0, model="tiny", motion="none")
    result = answer(stream.push, frame)
    if result is None:
        return
    assert (result.shape, result.dtype) == (before.shape, before.dtype)
    assert is_finite(result)
    assert same(plain(frame), before)
    again = Stream(sigma=3.0, model="tiny", motion="none").push(before)
    assert same(result, again)


@examples(15)
@given(images(dtypes=("uint8", "float32"), shapes=FRAMES), images(dtypes=("uint8", "float32"), shapes=FRAMES))
def test_frames_may_change_their_form_on_the_way(first, second):
    stream = Stream(model="tiny", motion="flow")
    for frame in (first, second, second):
        result = answer(stream.push, frame)
        assert result is None or result.shape == frame.shape
    assert stream.report()["frames"] >= 0


@examples(12)
@given(images(dtypes=("float32", ">f4", "float64", "uint8"), shapes=((1, 16, 18), (16, 18), (1, 1, 1))))
def test_the_denoiser_of_videos_takes_planes_of_floats(frame):
    before = plain(frame)
    denoiser = TemporalDenoiser(sigma=0.1, model="tiny")
    for _ in range(2):
        result = answer(denoiser.push, frame)
        if result is not None:
            assert result.shape == frame.shape
            assert is_finite(np.asarray(result))
    assert same(plain(frame), before)


@examples(10)
@given(st.lists(anything(), max_size=3))
def test_a_stream_of_any_arrays_ends_in_order(frames):
    def run():
        return [frame.pixels for frame in Stream(frames, sigma=3.0, model="tiny", motion="none")]

    answer(run)


def test_one_buffer_may_be_filled_with_frame_after_frame():
    rng = np.random.default_rng(0)
    frames = rng.random((3, 1, 16, 18), dtype=np.float32)
    apart, reused = TemporalDenoiser(sigma=0.1, model="tiny"), TemporalDenoiser(sigma=0.1, model="tiny")
    buffer = np.empty_like(frames[0])
    for frame in frames:
        buffer[...] = frame
        assert same(reused.push(buffer), apart.push(frame.copy()))


def test_a_frame_and_a_picture_are_what_they_are_made_of():
    pixels = np.zeros((4, 5), np.uint8)
    assert streams.Picture(pixels).time is None
    assert streams.Frame(pixels, 0.0, 0, 1.0).pixels is pixels
    assert Image(np.zeros((1, 4, 5))).space == (4, 5)
