"""What is left of a run that was broken off, by an error, a full disk or a kill; and how the next goes on from it."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from noiseless.errors import UnwritableFile
from noiseless.files import create_video, open_video

pytest.importorskip("av")
from noiseless.files.video import encoding, writing

from .clips_made import COUNT, TICK, VARIABLE, Stopped, broken_off, copied, sound_of


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
