import contextlib
import io
import os
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest

import noiseless
from noiseless.streams import Frame, open_sink, open_source
from noiseless.streams.sinks import RawOutput

TOPS = {"uint8": 255, "uint16": 65535, "float32": 1.0}
VIDEOS = ["clean.mkv", "clean.mp4", "clean.mov", "clean.ts"]


def frame(number, *, shape=(32, 48, 3), dtype=np.uint8, rate=25.0):
    ramp = np.linspace(0.0, TOPS[np.dtype(dtype).name], int(np.prod(shape))).reshape(shape)
    return Frame(np.roll(ramp, number, axis=1).astype(dtype), number / rate, number, 0.0)


def played(path):
    return list(open_source(str(path), timeout_s=5.0).pictures(5.0))


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_holds_every_frame_at_its_time(tmp_path, name):
    sink = open_sink(tmp_path / name, rate=25.0)
    given = [frame(number) for number in range(10)]
    for one in given:
        sink.write(one)
    sink.close()
    sink.close()
    pictures = played(tmp_path / name)
    assert [picture.time for picture in pictures] == pytest.approx([one.time for one in given], abs=2e-3)
    assert np.abs(pictures[0].pixels.astype(int) - given[0].pixels).mean() < 12  # H.264 at half colour resolution


@pytest.mark.parametrize("shape", [(31, 47, 3), (31, 47)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_gray_odd_sides_and_deep_pixels_are_written(tmp_path, shape, dtype):
    sink = open_sink(tmp_path / "clean.mkv")
    sink.write(frame(0, shape=shape, dtype=dtype))
    sink.close()
    (picture,) = played(tmp_path / "clean.mkv")
    assert picture.pixels.shape == (32, 48, 3)
    expected = 255.0 * frame(0, shape=shape, dtype=dtype).pixels / TOPS[np.dtype(dtype).name]
    assert abs(picture.pixels[:31, :47].mean() - expected.mean()) < 3


def test_a_rate_that_is_the_tick_of_a_clock_is_no_rate(tmp_path):
    import av

    with contextlib.closing(open_sink(tmp_path / "clean.mkv", rate=90_000.0)) as sink:
        for number in range(40):
            sink.write(frame(number, rate=30.0))
    with av.open(str(tmp_path / "clean.mkv")) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe and packet.pts is not None]
    assert len(keys) == 2  # one a second


def test_frames_of_another_size_are_scaled_and_times_never_repeat(tmp_path):
    sink = open_sink(tmp_path / "clean.mkv")
    sink.write(frame(0))
    sink.write(frame(0, shape=(64, 64, 3)))
    sink.write(frame(0, shape=(64, 64)))
    sink.close()
    assert [picture.pixels.shape for picture in played(tmp_path / "clean.mkv")] == [(32, 48, 3)] * 3


@pytest.mark.parametrize("name", VIDEOS)
def test_after_an_exception_the_file_can_be_played(tmp_path, name, make_denoiser):
    class Trouble(Exception):
        pass

    def film():
        for number in range(20):
            if number == 10:
                raise Trouble
            yield frame(number).pixels

    def record(sink):
        for one in noiseless.Stream(film(), denoiser=make_denoiser()):
            sink.write(one)

    with contextlib.closing(open_sink(tmp_path / name)) as sink, pytest.raises(Trouble):
        record(sink)
    assert len(played(tmp_path / name)) == 10


KILLED = """
import os, signal, sys
import numpy as np
from noiseless.streams import Frame, open_sink
sink = open_sink(sys.argv[1], rate=25.0)
noise = np.random.default_rng(0)
for number in range(150):
    sink.write(Frame(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8), number / 25.0, number, 0.0))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["clean.mkv", "clean.mp4"])
def test_after_a_kill_most_of_the_file_can_be_played(tmp_path, name):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], check=False)
    # The encoder looks ahead 40 frames or so, and a second of them may wait for the fragment to be closed.
    assert len(played(tmp_path / name)) >= 60


FULL = """
import resource, signal, sys
import numpy as np
import noiseless
from noiseless.streams import Frame, open_sink
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
sink = open_sink(sys.argv[1], rate=25.0)
noise = np.random.default_rng(0)
try:
    for number in range(1000):
        sink.write(Frame(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8), number / 25.0, number, 0.0))
except noiseless.UnwritableFile as error:
    print(error)
    try:
        sink.close()
    except noiseless.UnwritableFile as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
@pytest.mark.parametrize("name", ["clean.mkv", "clean.mp4"])
def test_a_full_disk_is_said_and_what_was_written_can_be_played(tmp_path, name):
    run = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / name)], capture_output=True, text=True, check=True)
    assert run.stdout.startswith(f"cannot write '{tmp_path / name}': ")
    assert len(played(tmp_path / name)) >= 10


def test_a_folder_gets_numbered_images_of_the_pixels_as_they_are(tmp_path):
    given = [frame(3), frame(5, shape=(8, 8), dtype=np.uint16), frame(6, shape=(8, 8), dtype=np.float32)]
    sink = open_sink(tmp_path / "new" / "folder")
    for one in given:
        sink.write(one)
    sink.close()
    names = ["000003.png", "000005.png", "000006.tif"]
    assert sorted(os.listdir(tmp_path / "new" / "folder")) == names
    for name, one in zip(names, given, strict=True):
        stored = noiseless.read(tmp_path / "new" / "folder" / name).stored()
        np.testing.assert_array_equal(stored.transpose(1, 2, 0).squeeze(), one.pixels)


def test_a_star_stands_for_the_number_and_names_the_format(tmp_path):
    open_sink(tmp_path / "*.tif").write(frame(1))
    assert os.listdir(tmp_path) == ["000001.tif"]


def test_raw_frames_go_out_as_they_are_or_as_they_were_laid_out():
    reader, writer = os.pipe()
    one = frame(0, shape=(4, 6), dtype=np.uint16)
    RawOutput(descriptor=writer).write(one)
    assert os.read(reader, 1000) == one.pixels.astype("<u2").tobytes()
    os.close(reader)
    os.close(writer)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_is_said():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(noiseless.UnwritableFile, match="No space left"):
        RawOutput(descriptor=descriptor).write(frame(0))
    os.close(descriptor)


def test_nowhere_takes_everything():
    sink = open_sink(None)
    sink.write(frame(0))
    sink.close()


@pytest.mark.parametrize(
    ("sink", "error", "said"),
    [
        ("old.mkv", noiseless.UnwritableFile, r"'.*old.mkv' exists; replace it with --force"),
        ("missing/new.mkv", noiseless.UnwritableFile, "its folder is missing"),
        ("new.avi", noiseless.UnsupportedFormat, r"use .mkv, .mp4, .mov, .ts; or a folder"),
        ("new.png", noiseless.UnsupportedFormat, r"for images give a folder, or .*\*.png"),
        ("*.avi", noiseless.UnsupportedFormat, "no writer"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_first_frame(tmp_path, sink, error, said):
    (tmp_path / "old.mkv").touch()
    with pytest.raises(error, match=said):
        open_sink(tmp_path / sink)


def test_another_kind_of_address_is_refused_without_its_password():
    with pytest.raises(noiseless.InvalidParameter, match=r"'ftp://\*\*\*@host/x' is no sink; use udp"):
        open_sink("ftp://me:secret@host/x")


@pytest.mark.parametrize("sink", ["udp://127.0.0.1", "tcp://:5000", "udp://host:port"])
def test_an_address_without_host_or_port_is_refused(sink):
    with pytest.raises(noiseless.InvalidParameter, match="lacks its host or port; write HOST:PORT"):
        open_sink(sink)


def test_video_goes_out_over_tcp():
    import av

    received = io.BytesIO()

    def receive(server):
        connection, _ = server.accept()
        with connection:
            while data := connection.recv(65536):
                received.write(data)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=receive, args=(server,), daemon=True)
        thread.start()
        sink = open_sink(f"tcp://127.0.0.1:{server.getsockname()[1]}", timeout_s=10.0)
        for number in range(10):
            sink.write(frame(number))
        sink.close()
        thread.join(10.0)
    received.seek(0)
    with av.open(received) as container:
        assert len(list(container.decode(video=0))) == 10


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_a_network_sink_gives_up_when_nothing_goes_out(scheme):
    # A receiver that takes nothing in: its buffer, and ours, are full soon. Datagrams nobody needs to take.
    noise = np.random.default_rng(0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = open_sink(f"{scheme}://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3)

        def flood():
            for number in range(60):
                sink.write(Frame(noise.integers(0, 256, (480, 640, 3), dtype=np.uint8), number / 25.0, number, 0.0))

        if scheme == "udp":
            flood()
            sink.close()
        else:
            with pytest.raises(noiseless.UnwritableFile, match=r"cannot write 'tcp://.*timed out"):
                flood()
            with pytest.raises(noiseless.UnwritableFile):
                sink.close()


@pytest.mark.parametrize("scheme", ["tcp", "rtmp", "rtsp"])
def test_a_server_that_does_not_listen_is_said(scheme):
    sink = open_sink(f"{scheme}://me:secret@127.0.0.1:1", timeout_s=1.0)
    with pytest.raises(noiseless.UnwritableFile, match=rf"cannot write '{scheme}://\*\*\*@127.0.0.1:1': .*refused"):
        sink.write(frame(0))
    sink.close()
