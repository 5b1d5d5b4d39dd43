"""What goes along with the pixels: times, colours, sound, words; and what a container cannot hold."""

import logging
from fractions import Fraction

import numpy as np
import pytest

from noiseless.files import create_video, is_video, open_video, suffix_of_video_result

pytest.importorskip("av")
import av

from noiseless.files.video.layout import ColourTags

from .clips_made import COUNT, RATE, TICK, VARIABLE, Stopped, broken_off, copied, make, sound_of


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


def test_a_better_quality_is_larger(clips, tmp_path):
    lossless, sizes = make(clips / "silent.mkv", "ffv1", noise=10.0), []
    for quality in (10, 40):
        copied(lossless, tmp_path / f"{quality}.mp4", codec="h264", quality=quality)
        sizes.append((tmp_path / f"{quality}.mp4").stat().st_size)
    assert sizes[0] > 1.2 * sizes[1]


def test_frames_can_be_read_twice(lossless):
    with open_video(lossless) as video:
        first, second = (np.stack([frame.pixels for frame in video]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (video.frames, video.rate, video.damaged) == (COUNT, RATE, 0)


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
