"""What cannot be read or written: refused in one line, or, of a damaged file, left out and counted."""

import subprocess
import sys

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
from noiseless.files import create_video, open_video

pytest.importorskip("av")
import av

from .clips_made import COUNT, RATE, TICK, copied, make


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
