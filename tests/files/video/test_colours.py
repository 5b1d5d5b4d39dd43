"""Pixels that come back: exactly where nothing is lost, within rounding where colours turn."""

import numpy as np
import pytest

pytest.importorskip("av")
import av

from noiseless.files.video.conversion import FrameMaker, FrameReader
from noiseless.files.video.layout import ColourTags, layout_of

from .clips_made import BT2020_HDR, HEIGHT, WIDTH, copied, make, picture


@pytest.mark.parametrize("form", ["gray", "gray10le", "bgr0", "yuv420p", "yuv444p", "yuv420p10le", "yuv422p12le"])
def test_what_ffv1_holds_comes_back_exactly(clips, tmp_path, form):
    source = make(clips / f"{form}.mkv", "ffv1", form)
    frames, result = copied(source, tmp_path / "out.mkv")
    assert (result.codec, result.pixel_format, result.bits) == ("ffv1", form, layout_of(form).bits)
    again = list(result)
    assert [frame.time for frame in again] == [frame.time for frame in frames]
    for before, after in zip(frames, again, strict=True):
        assert before.pixels.dtype == (np.uint8 if result.bits == 8 else np.uint16)
        assert before.pixels.shape == ((HEIGHT, WIDTH) if result.gray else (HEIGHT, WIDTH, 3))
        np.testing.assert_array_equal(before.pixels, after.pixels)


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("span", [1, 2])
@pytest.mark.parametrize("matrix", [1, 5, 6, 7, 9])
def test_colours_are_the_same_after_a_round_trip(matrix, span, bits):
    form = "yuv420p" if bits == 8 else f"yuv420p{bits}le"
    layout, tags = layout_of(form), ColourTags(range=span, matrix=matrix)
    rows, columns = np.mgrid[:240, :320]
    smooth = np.stack([30 + 0.3 * columns, 40 + 0.3 * rows, 128 + 40 * np.sin(columns / 160 + rows / 180)], axis=-1)
    top = 1 if bits == 8 else 257
    pixels = np.rint(smooth * top).astype(np.uint8 if bits == 8 else np.uint16)
    maker = FrameMaker(form, layout, tags, height=240, size=(240, 320))
    back = FrameReader(layout, tags, 240).pixels(maker.frame(pixels))
    difference = (back.astype(float) - pixels) / top
    # Rounding luma by a half makes 0.6 levels, rounding a difference of colours 1.1, and rounding the result 0.5.
    assert np.abs(difference).max() <= 3.0
    assert np.mean(np.abs(difference) > 2.0) < 1e-3
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.05
    np.testing.assert_array_equal(back, FrameReader(layout, tags, 240).pixels(maker.frame(back)))


@pytest.mark.parametrize(("height", "matrix"), [(720, 1), (719, 6)])
@pytest.mark.parametrize("span", [1, 2])
def test_they_are_those_of_ffmpeg(height, matrix, span):
    layout, tags = layout_of("yuv444p"), ColourTags(range=span)  # the matrix goes by the height
    pixels = np.rint(picture(3, height, 80)).astype(np.uint8)
    theirs = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuv444p", dst_colorspace=matrix, dst_color_range=span
    )
    theirs.colorspace, theirs.color_range = 2, span
    ours = FrameReader(layout, tags, height).pixels(theirs)
    assert np.abs(ours.astype(int) - pixels).max() <= 4  # they truncate


@pytest.mark.parametrize(
    ("codec", "form", "suffix", "kept"),
    [
        ("libx264", "yuv420p10le", ".mp4", "h264"),
        ("libx265", "yuv420p10le", ".mp4", "hevc"),
        ("libx265", "yuv422p10le", ".mkv", "hevc"),
        ("prores_ks", "yuv422p10le", ".mov", "prores"),
        ("libsvtav1", "yuv420p10le", ".webm", "av1"),
        ("prores_ks", "yuv422p10le", ".mp4", "h264"),
    ],
)
def test_ten_bits_stay_ten_bits_and_keep_their_tags(clips, tmp_path, codec, form, suffix, kept):
    encoder = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    container = {"prores_ks": ".mov", "libsvtav1": ".mp4"}.get(codec, ".mp4")
    source = make(clips / f"{codec}-{form}{container}", codec, form, tags=BT2020_HDR, encoder=encoder)
    frames, result = copied(source, tmp_path / f"out{suffix}")
    assert (result.codec, result.pixel_format, result.bits) == (kept, form, 10)
    assert result.colours == BT2020_HDR
    for before, after in zip(frames, result, strict=True):
        assert np.abs(before.pixels.astype(float) - after.pixels).mean() < 2.5 * 257  # levels of 8 bits


def test_vp9_is_of_odd_size_and_h264_is_padded(clips, tmp_path, caplog):
    source = make(clips / "odd.webm", "libvpx-vp9", size=(47, 63), encoder={"crf": "20"})
    _, same = copied(source, tmp_path / "out.webm")
    assert (same.width, same.height) == (63, 47)
    assert caplog.text == ""
    frames, padded = copied(source, tmp_path / "out.mp4", codec="h264")
    assert (padded.width, padded.height) == (64, 48)
    assert "63 x 47 becomes 64 x 48" in caplog.text
    first = next(iter(padded)).pixels[:47, :63]
    assert np.abs(first.astype(float) - frames[0].pixels).mean() < 3


def test_gray_in_h264_is_seen_as_it_was(clips, tmp_path):
    frames, result = copied(make(clips / "gray-h264.mkv", "ffv1", "gray"), tmp_path / "out.mp4", codec="libx264")
    shown = [frame.pixels[..., 0] if frame.pixels.ndim == 3 else frame.pixels for frame in result]
    for before, after in zip(frames, shown, strict=True):
        assert np.abs(before.pixels.astype(float) - after).mean() < 2
