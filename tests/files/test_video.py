"""Videos in and out: pixels, times, colours and sound that come back; damage; and what is left of a broken run."""

import errno
import logging
import os
import signal
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from noiseless.errors import (
    InvalidImage,
    InvalidParameter,
    UnknownName,
    UnreadableFile,
    UnsupportedFormat,
    UnwritableFile,
)
from noiseless.files import create_video, is_video, open_video, suffix_of_video_result

av = pytest.importorskip("av")

from noiseless.files.video import encoding, writing  # noqa: E402  they import av
from noiseless.files.video.conversion import FrameMaker, FrameReader  # noqa: E402
from noiseless.files.video.layout import ColourTags, layout_of  # noqa: E402

HEIGHT, WIDTH, COUNT = 48, 64, 24
RATE, TICK = Fraction(30000, 1001), Fraction(1, 90000)
VARIABLE = [0, 3000, 6100, 9000, 15007, 18000, 21011, 30000, 90000, 93000, 96000, 200000]
BT2020_HDR = ColourTags(range=1, primaries=9, transfer=16, matrix=9)


def picture(number, height=HEIGHT, width=WIDTH):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([40 + 2 * columns + 3 * number, 60 + 3 * rows, 128 + 40 * np.sin(columns / 9)], axis=-1).clip(
        0, 255
    )


def make(path, codec="libx264", form="yuv420p", times=None, size=(HEIGHT, WIDTH), tags=None, **options):
    """A clip; ``options`` noise, sound, aspect, rotation, metadata, tick, encoder and container."""
    times = [round(number / RATE / TICK) for number in range(COUNT)] if times is None else times
    tick, tags = options.get("tick", TICK), tags or ColourTags()
    layout = layout_of(form)
    maker = FrameMaker(form, layout, tags, height=size[0], size=size)
    with av.open(str(path), "w", format=options.get("format"), container_options=options.get("container", {})) as out:
        out.metadata.update(options.get("metadata", {}))
        stream = out.add_stream(codec, rate=RATE, options=options.get("encoder", {"g": "8"}))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.time_base = size[1], size[0], form, tick
        context.color_range, context.color_primaries = tags.range, tags.primaries
        context.color_trc, context.colorspace = tags.transfer, tags.matrix
        context.sample_aspect_ratio = options.get("aspect", Fraction(1))
        if "rotation" in options:
            stream.set_display_rotation(options["rotation"])
        sound = out.add_stream(options["sound"], rate=48000) if "sound" in options else None
        if sound:
            sound.layout = "mono"
        for number, time in enumerate(times):
            frame = maker.frame(pixels_for(layout, number, size, options.get("noise", 0.0)))
            frame.pts, frame.time_base = time, tick
            frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound:
            for number in range(40):
                wave = 8000 * np.sin(2 * np.pi * 440 * (np.arange(1024) + 1024 * number) / 48000)
                tone = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
                tone.sample_rate, tone.pts = 48000, 1024 * number
                out.mux(sound.encode(tone))
            out.mux(sound.encode())
    return path


def pixels_for(layout, number, size, noise=0.0):
    values = picture(number, *size)
    values = (values + noise * np.random.default_rng(number).standard_normal(values.shape)).clip(0, 255)
    values = np.rint(values).astype(np.uint8) if layout.bits == 8 else np.rint(values * 257).astype(np.uint16)
    return values[..., 1] if layout.kind == "gray" else values


def copied(source, target, **options):
    """The frames of a clip that was written as it is, and the clip."""
    with open_video(source) as video, create_video(target, video, **options) as writer:
        frames = list(video)
        for frame in frames:
            writer.write(frame.pixels, frame.time)
    return frames, open_video(target)


def sound_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clips):
    """H.264 in MP4, with sound, a variable rate, colour tags, rotation and metadata."""
    return make(
        clips / "clip.mp4", times=VARIABLE, sound="aac", rotation=-90, aspect=Fraction(4, 3),
        tags=ColourTags(1, 1, 1, 1), metadata={"title": "a title", "creation_time": "2020-01-02T03:04:05.000000Z"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def lossless(clips):
    return make(clips / "lossless.mkv", "ffv1", "yuv420p", sound="aac", encoder={"g": "1", "slicecrc": "1"})


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


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_times_are_kept_exactly_at_a_variable_rate(clip, tmp_path, suffix):
    frames, result = copied(clip, tmp_path / f"out{suffix}")
    assert [frame.time for frame in frames] == [time * TICK for time in VARIABLE]
    assert [frame.time for frame in result] == [frame.time for frame in frames]


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_matroska_counts_milliseconds(clips, tmp_path, suffix):
    source = make(clips / "silent.mp4", times=VARIABLE)
    frames, result = copied(source, tmp_path / f"out{suffix}")
    for before, after in zip(frames, result, strict=True):
        assert abs(before.time - after.time) <= Fraction(1, 2000)


def test_avi_moves_frames_to_its_rate_and_says_so(clips, tmp_path, caplog):
    source = make(clips / "silent-avi.mp4", times=VARIABLE)
    copied(source, tmp_path / "variable.avi")
    assert "AVI has one rate" in caplog.text
    caplog.clear()
    frames, result = copied(make(clips / "constant.mp4"), tmp_path / "constant.avi")
    assert caplog.text == ""
    assert [frame.time for frame in result] == [number / RATE for number in range(COUNT)]
    assert len(frames) == COUNT


def test_colours_rotation_aspect_sound_and_metadata_are_kept(clip, tmp_path):
    with open_video(clip) as video, create_video(tmp_path / "out.mp4", video) as writer:
        for frame in video:
            writer.write(frame.pixels, frame.time)
        writer.comment = "noise was removed"
    result = open_video(tmp_path / "out.mp4")
    assert result.colours == ColourTags(1, 1, 1, 1)
    assert (result.rotation, result.aspect, result.audio) == (-90, Fraction(4, 3), 1)
    assert result.display_matrix == video.display_matrix
    assert sound_of(tmp_path / "out.mp4") == sound_of(clip)
    assert result.metadata["title"] == "a title"
    assert result.metadata["creation_time"] == "2020-01-02T03:04:05.000000Z"
    assert result.metadata["comment"] == "noise was removed"
    assert result.described()["colours"] == dict.fromkeys(("primaries", "transfer", "matrix"), "bt709") | {
        "range": "limited"
    }
    assert "a title" not in str(result.described())


def test_sound_that_the_container_does_not_hold_is_left_with_a_warning(clip, tmp_path, caplog):
    _, result = copied(clip, tmp_path / "out.webm")
    assert result.codec == "vp9"
    assert result.audio == 0
    assert "audio (aac)" in caplog.text


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


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("out.mp4", {"codec": "ffv1"}, UnsupportedFormat, r"end the name in \.mkv or \.avi"),
        ("out.mp4", {"codec": "h266"}, UnknownName, "h264"),
        ("out.ogg", {}, UnsupportedFormat, r"end its name in \.mp4"),
        ("out.mp4", {"quality": 52}, InvalidParameter, "0 .best. to 51, usually 16"),
        ("out.mkv", {"codec": "ffv1", "quality": 5}, InvalidParameter, "loses nothing; leave it out"),
        ("none/out.mp4", {}, UnwritableFile, "folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_a_frame(clip, tmp_path, name, options, error, message):
    with pytest.raises(error, match=message):
        create_video(tmp_path / name, open_video(clip), **options)
    assert list(tmp_path.iterdir()) == []


def test_a_better_quality_is_larger(clips, tmp_path):
    lossless, sizes = make(clips / "silent.mkv", "ffv1", noise=10.0), []
    for quality in (10, 40):
        copied(lossless, tmp_path / f"{quality}.mp4", codec="h264", quality=quality)
        sizes.append((tmp_path / f"{quality}.mp4").stat().st_size)
    assert sizes[0] > 1.2 * sizes[1]


def test_an_existing_file_is_replaced_only_when_told(clip, tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(UnwritableFile, match="exists"):
        create_video(tmp_path / "out.mp4", open_video(clip))
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"
    copied(clip, tmp_path / "out.mp4", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_frames_of_another_kind_are_refused(clip, tmp_path):
    with open_video(clip) as video:
        frame = next(iter(video))
        for wrong in (frame.pixels[1:], frame.pixels[..., 0], frame.pixels.astype(np.uint16)):
            with (
                pytest.raises(InvalidImage, match="uint8 of shape"),
                create_video(tmp_path / "out.mp4", video) as writer,
            ):
                writer.write(wrong, frame.time)
        with pytest.raises(InvalidImage, match="no frame"), create_video(tmp_path / "out.mp4", video):
            pass
    assert list(tmp_path.iterdir()) == []


def test_frames_can_be_read_twice(lossless):
    with open_video(lossless) as video:
        first, second = (np.stack([frame.pixels for frame in video]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (video.frames, video.rate, video.damaged) == (COUNT, RATE, 0)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [("a.mkv", "libx264", {}), ("a.mp4", "libx264", {"movflags": "+faststart"}), ("a.avi", "mpeg4", {})],
)
def test_a_truncated_file_gives_what_there_is_and_says_what_is_lost(tmp_path, caplog, name, codec, container):
    tick = 1 / RATE if codec == "mpeg4" else TICK
    times = list(range(COUNT)) if codec == "mpeg4" else None
    whole = make(tmp_path / name, codec, tick=tick, times=times, container=container, noise=30.0)
    assert len(list(open_video(whole))) == COUNT
    assert caplog.text == ""
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(whole.read_bytes()[: int(0.7 * whole.stat().st_size)])
    read = list(open_video(cut))
    assert COUNT / 4 < len(read) < COUNT
    assert "is truncated" in caplog.text
    (line,) = [record.getMessage() for record in caplog.records if "is truncated" in record.getMessage()]
    lost = int(line.split("about ")[1].split()[0])
    assert abs(lost - (COUNT - len(read))) <= 1


def test_what_is_no_video_is_refused_in_one_line(tmp_path, clip):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_bytes(b"hello world\n" * 100)
    (tmp_path / "text.txt").write_bytes(b"hello world\n" * 100)
    (tmp_path / "no-index.mp4").write_bytes(clip.read_bytes()[:3000])
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=48000)
        stream.layout = "mono"
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48000
        out.mux(stream.encode(silence))
        out.mux(stream.encode())
    reasons = {
        "empty.mp4": "0 bytes", "text.mp4": "not a video", "text.txt": "not a video", "no-index.mp4": "cut off",
        "sound.m4a": "no video, only audio", "missing.mp4": "does not exist", ".": "folder",
    }  # fmt: skip
    for name, reason in reasons.items():
        with pytest.raises(UnreadableFile, match=reason) as caught:
            open_video(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_damaged_packet_is_left_out_and_counted(tmp_path, lossless, caplog):
    content = bytearray(lossless.read_bytes())
    with av.open(str(lossless)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    begin = content.index(bytes(packets[COUNT // 2]))
    content[begin + 300 : begin + 500] = bytes(200)
    (tmp_path / "damaged.mkv").write_bytes(content)
    video = open_video(tmp_path / "damaged.mkv")
    times = [frame.time for frame in video]
    assert video.damaged == 1
    assert len(times) == COUNT - 1
    assert "damaged packets" in caplog.text
    assert "truncated" not in caplog.text


def collect(given, frames):
    for frame in given:
        frames.append(frame)


def test_a_change_of_size_ends_it_with_an_error(tmp_path):
    first, second = make(tmp_path / "a.h264"), make(tmp_path / "b.h264", size=(32, 32))
    (tmp_path / "both.h264").write_bytes(first.read_bytes() + second.read_bytes())
    frames, given = [], iter(open_video(tmp_path / "both.h264"))
    with pytest.raises(UnreadableFile, match=r"changes from 64x48 to 32x32 at .* s; split it there"):
        collect(given, frames)
    times = [frame.time for frame in frames]
    assert len(times) == COUNT
    assert sorted(set(times)) == times


class Stopped(Exception):
    """What breaks off a run."""


def broken_off(source, target, count, error):
    with open_video(source) as video, create_video(target, video) as writer:
        for number, frame in enumerate(video):
            if number == count:
                raise error
            writer.write(frame.pixels, frame.time)


@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt])
def test_what_was_done_before_an_error_is_kept(clip, tmp_path, caplog, error):
    with pytest.raises(error):
        broken_off(clip, tmp_path / "out.mp4", 8, error)
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial.mp4"]
    assert "out.partial.mp4" in caplog.text
    kept = open_video(tmp_path / "out.partial.mp4")
    assert [frame.time for frame in kept] == [time * TICK for time in VARIABLE[:8]]
    assert kept.audio == 1
    assert 0 < len(sound_of(tmp_path / "out.partial.mp4")) < len(sound_of(clip))


def failing_after(monkeypatch, count):
    mux, calls = encoding.PartEncoder._mux, []

    def failing(self, packets):
        calls.append(packets)
        if len(calls) > count:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        mux(self, packets)

    monkeypatch.setattr(encoding.PartEncoder, "_mux", failing)


def test_on_a_full_disk_the_error_says_where_the_rest_is(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "PART_SECONDS", 0.15)
    failing_after(monkeypatch, 8)
    with pytest.raises(UnwritableFile, match=r"No space left.*first 5 frames are kept in '.*out\.partial\.mp4'"):
        copied(clip, tmp_path / "out.mp4")
    assert len(list(open_video(tmp_path / "out.partial.mp4"))) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["out.partial.mp4"]


def test_where_no_whole_fits_the_parts_are_kept(clip, tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(writing, "assemble", full)
        with pytest.raises(UnwritableFile, match=r"No space left.*12 of 12 frames are kept in '.*\.out\.mp4\.parts'"):
            copied(clip, tmp_path / "out.mp4", settings="one")
    with open_video(clip) as video, create_video(tmp_path / "out.mp4", video, settings="one") as writer:
        assert writer.done == 12
    assert len(list(open_video(tmp_path / "out.mp4"))) == 12
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


KILLED = """
import os, signal, sys
from noiseless.files.video import create_video, open_video, writing
import numpy as np
writing.PART_SECONDS = 0.2
source, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
video, seen = open_video(source), []
writer = create_video(target, video, settings="one", state=lambda: {"seen": np.array(seen)})
for frame in video:
    seen.append(len(seen))
    writer.write(255 - frame.pixels, frame.time)
    if len(seen) == count:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def inverted(source, target, settings="one"):
    with (
        open_video(source) as video,
        create_video(target, video, settings=settings, state=lambda: {"seen": np.arange(3)}) as writer,
    ):
        for number, frame in enumerate(video):
            if number >= writer.done:
                writer.write(255 - frame.pixels, frame.time)
    return writer


@pytest.fixture
def killed(lossless, tmp_path):
    """A folder with what a run leaves that was killed at its 17th frame; parts have 7 or 8."""
    command = [sys.executable, "-c", KILLED, str(lossless), str(tmp_path / "out.mkv"), "17"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".out.mkv.parts"]
    return tmp_path


def test_a_killed_run_goes_on_and_gives_the_same(killed, lossless, monkeypatch):
    monkeypatch.setattr(writing, "PART_SECONDS", 0.2)
    writer = inverted(lossless, killed / "out.mkv")
    assert 12 <= writer.done <= 16
    np.testing.assert_array_equal(writer.state["seen"], np.arange(writer.done))
    fresh = inverted(lossless, killed / "fresh.mkv")
    assert (fresh.done, fresh.state) == (0, None)
    resumed, whole = (list(open_video(killed / name)) for name in ("out.mkv", "fresh.mkv"))
    assert len(resumed) == len(whole) == COUNT
    for one, other in zip(resumed, whole, strict=True):
        assert one.time == other.time
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert sound_of(killed / "out.mkv") == sound_of(lossless)
    assert sorted(path.name for path in killed.iterdir()) == ["fresh.mkv", "out.mkv"]


def test_it_begins_anew_with_other_settings_or_another_source(killed, lossless, monkeypatch, caplog):
    monkeypatch.setattr(writing, "PART_SECONDS", 0.2)
    assert inverted(lossless, killed / "out.mkv", "two").done == 0
    assert "starts anew" in caplog.text
    assert len(list(open_video(killed / "out.mkv"))) == COUNT


def test_two_runs_do_not_write_one_file(clip, tmp_path):
    pytest.importorskip("fcntl")
    with open_video(clip) as video, create_video(tmp_path / "out.mp4", video, settings="one") as writer:
        with pytest.raises(UnwritableFile, match="another run"):
            create_video(tmp_path / "out.mp4", video, settings="one")
        for frame in video:
            writer.write(frame.pixels, frame.time)
    assert len(list(open_video(tmp_path / "out.mp4"))) == len(VARIABLE)


def test_the_extra_is_named_where_it_is_missing():
    code = """
import sys
sys.modules["av"] = None
import noiseless
try:
    noiseless.files.open_video("clip.mp4")
except noiseless.MissingExtra as error:
    print(error)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "reading video needs 'av': pip install 'noiseless[video]'"


def test_names_of_videos(tmp_path):
    assert is_video(tmp_path / "A.MP4")
    assert not is_video(tmp_path / "a.png")
    assert suffix_of_video_result(tmp_path / "a.MOV") == ".MOV"
    assert suffix_of_video_result(tmp_path / "a.mpg") == ".mkv"


def test_videos_of_the_world(shared_data, tmp_path, caplog):
    folder = shared_data / "domain" / "video"
    paths = sorted(path for path in folder.glob("*") if is_video(path)) if folder.is_dir() else []
    if not paths:
        pytest.skip("no videos among the shared data")
    for path in paths:
        video = open_video(path)
        with pytest.raises(Stopped):
            broken_off(path, tmp_path / f"out{path.suffix}", 5, Stopped)
        with open_video(tmp_path / f"out.partial{path.suffix}") as result:
            assert (result.width, result.height, result.colours) == (video.width, video.height, video.colours)
            assert len(list(result)) == 5
    assert all(record.levelno <= logging.WARNING for record in caplog.records)


def test_subtitles_and_chapters_go_along(lossless, tmp_path, caplog):
    source = tmp_path / "subtitled.mkv"
    with av.open(str(lossless)) as given, av.open(str(source), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0], opaque=True)
        words = out.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        out.set_chapters([{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {}}])
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
        line = av.Packet(b"hello")
        line.pts, line.dts, line.duration, line.time_base, line.stream = 100, 100, 400, Fraction(1, 1000), words
        out.mux(line)
    copied(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as result:
        assert [bytes(packet) for packet in result.demux(subtitles=0) if packet.size] == [b"hello"]
        assert len(result.chapters()) == 1
    assert caplog.text == ""
    copied(source, tmp_path / "out.mp4", codec="h264")
    assert "subtitle" in caplog.text
