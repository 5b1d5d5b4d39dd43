"""Files, networks and cameras; the networks are those of this machine to itself."""

import http.server
import itertools
import os
import socket
import sys
import threading
import time

import numpy as np
import pytest

import noiseless
from noiseless import Stream
from noiseless.streams import Frame, open_sink, open_source
from noiseless.streams.arrays import RawPipe
from noiseless.streams.raw_layout import parsed

pytest.importorskip("av")


@pytest.fixture
def listener():
    """A socket that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []

        def accept():
            while True:
                try:
                    accepted.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in accepted:
            connection.close()


@pytest.fixture
def web():
    """A function that serves what a handler answers, and gives the address."""
    servers = []

    def serve(answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer(self)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # the reader has gone, as readers do

        server = Server(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["tcp://{}", "http://{}/x.ts", "rtsp://{}/1"])
def test_a_server_that_never_answers_ends_in_an_error_in_time(listener, kind, make_denoiser):
    url = kind.format(f"127.0.0.1:{listener}")
    began = time.monotonic()
    with pytest.raises(noiseless.UnreadableFile, match=f"cannot read '{url}'"):
        list(Stream(url, timeout_s=1.0, denoiser=make_denoiser()))
    assert time.monotonic() - began < 6.0  # one second, and room for a busy machine


def test_a_sender_that_is_not_there_ends_in_an_error(make_denoiser):
    with pytest.raises(noiseless.UnreadableFile, match=r"cannot read 'udp://127.0.0.1:\d+': no answer within 0.5 s"):
        list(Stream(f"udp://127.0.0.1:{free_port()}", timeout_s=0.5, denoiser=make_denoiser()))
    with pytest.raises(noiseless.UnreadableFile, match="refused"):
        list(Stream("tcp://127.0.0.1:1", timeout_s=1.0, denoiser=make_denoiser()))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_video_over_udp_arrives(make_denoiser):
    address = f"udp://127.0.0.1:{free_port()}"
    enough = threading.Event()

    def send():
        rows, columns = np.mgrid[:48, :64]
        sink = open_sink(address)
        number = 0
        while not enough.is_set():  # from any moment on there will be a key frame to begin with
            picture = np.stack([rows * 4, columns * 3, np.full_like(rows, number % 200)], axis=-1).astype(np.uint8)
            sink.write(Frame(picture, number / 25.0, number, 0.0))
            number += 1
            enough.wait(0.005)
        sink.close()

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    found = []
    try:
        for frame in Stream(address, timeout_s=20.0, denoiser=make_denoiser()):
            found.append(frame)
            if len(found) == 20:
                break
    finally:
        enough.set()
        sender.join(10.0)
    assert {frame.pixels.shape for frame in found} == {(48, 64, 3)}
    assert all(later.time > earlier.time for earlier, later in itertools.pairwise(found))
    assert found[-1].pixels[40, 10, 0] == pytest.approx(160, abs=20)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.ts"])
def test_a_file_on_a_web_server_is_read_to_its_end_and_not_again(web, clip, name, make_denoiser):
    data = clip(name).read_bytes()
    requests = []

    def answer(handler):
        requests.append(handler.path)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    source = open_source(f"{web(answer)}/{name}", timeout_s=10.0)
    stream = Stream(source, timeout_s=10.0, denoiser=make_denoiser())
    assert [frame.index for frame in stream] == list(range(12))
    assert not source.live
    assert stream.report()["reconnects"] == 0


def test_a_broadcast_that_breaks_off_is_taken_up_again(web, clip, make_denoiser):
    data = clip("clip.ts").read_bytes()
    requests = []

    def answer(handler):
        requests.append(handler.path)
        if len(requests) > 2:
            handler.send_error(404)
            return
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)  # of unknown length, as all that is live

    cleaner = make_denoiser()
    source = open_source(f"{web(answer)}/live.ts", timeout_s=10.0)
    stream = Stream(source, timeout_s=1.0, drop="none", denoiser=cleaner)
    with pytest.raises(noiseless.UnreadableFile, match="did not come back within 1 s"):
        list(stream)
    assert source.live
    assert (stream.report()["reconnects"], cleaner.resets) == (1, 1)
    # Twice twelve; the last two of each may wait in the decoder for frames that do not come.
    assert 20 <= stream.report()["frames"] <= 24


@pytest.mark.parametrize(("status", "said"), [(404, "404"), (401, "401"), (500, "5XX")])
def test_an_error_of_a_web_server_is_said(web, status, said, make_denoiser):
    with pytest.raises(noiseless.UnreadableFile, match=said):
        list(Stream(f"{web(lambda handler: handler.send_error(status))}/x.ts", denoiser=make_denoiser()))


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4", "clip.ts"])
def test_a_video_file_gives_every_frame_with_its_time(clip, name, make_denoiser):
    found = list(Stream(clip(name), denoiser=make_denoiser()))
    assert [frame.time for frame in found] == pytest.approx([number / 25.0 for number in range(12)], abs=2e-3)


def test_damage_in_a_file_is_skipped(clip, make_denoiser):
    path = clip("clip.ts", count=60)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 4 * 188] = np.random.default_rng(0).bytes(4 * 188)
    path.write_bytes(data)
    stream = Stream(path, denoiser=make_denoiser())
    assert len(list(stream)) >= 15


@pytest.mark.parametrize(("content", "name"), [(b"no video at all", "a.mp4"), (b"", "a.mkv")])
def test_what_is_no_video_is_said(tmp_path, content, name, make_denoiser):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(noiseless.UnreadableFile, match=f"cannot read .*{name}"):
        list(Stream(tmp_path / name, denoiser=make_denoiser()))


@pytest.mark.parametrize(
    ("samples", "shape", "dtype"),
    [("gray", (48, 64), np.uint8), ("gray12le", (48, 64), np.uint16), ("yuv420p10le", (48, 64, 3), np.uint16)],
)
def test_gray_stays_gray_and_deep_video_deep(tmp_path, samples, shape, dtype, make_denoiser):
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, samples
        ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (48, 1))
        container.mux(stream.encode(av.VideoFrame.from_ndarray(ramp, format="gray16le").reformat(format=samples)))
        container.mux(stream.encode())
    (frame,) = Stream(tmp_path / "a.mkv", denoiser=make_denoiser())
    assert (frame.pixels.shape, frame.pixels.dtype) == (shape, dtype)
    assert frame.pixels[0, -1].max() > 0.9 * np.iinfo(dtype).max


def test_a_raw_pipe_gives_whole_frames_and_counts_what_is_cut_short():
    reader, writer = os.pipe()
    os.write(writer, bytes(range(24)) + b"cut")
    os.close(writer)
    source = RawPipe(parsed("4x3:gray8@10"), descriptor=reader)
    found = list(source.pictures(1.0))
    os.close(reader)
    assert [picture.time for picture in found] == [0.0, 0.1]
    assert found[1].pixels.tolist() == [[12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]
    assert source.corrupt == 1


def test_a_raw_pipe_without_one_frame_is_an_error():
    reader, writer = os.pipe()
    os.write(writer, b"short")
    os.close(writer)
    with pytest.raises(noiseless.UnreadableFile, match="5 of 12 bytes came; check --raw"):
        list(RawPipe(parsed("4x3:gray8"), descriptor=reader).pictures(1.0))
    os.close(reader)


@pytest.mark.parametrize(
    ("system", "text", "url", "container"),
    [
        ("linux", "camera:0", "/dev/video0", "v4l2"),
        ("linux", "/dev/video2", "/dev/video2", "v4l2"),
        ("darwin", "camera:1", "1", "avfoundation"),
        ("win32", "camera:USB Camera", "video=USB Camera", "dshow"),
    ],
)
def test_a_camera_is_named_in_the_way_of_the_system(monkeypatch, system, text, url, container):
    monkeypatch.setattr(sys, "platform", system)
    source = open_source(text)
    assert source.live
    assert (source._address.url, source._address.container) == (url, container)


@pytest.mark.skipif(
    sys.platform != "linux" or os.path.exists("/dev/video77"), reason="needs a camera that is not there"
)
def test_a_camera_that_is_not_there_is_said(make_denoiser):
    with pytest.raises(noiseless.UnreadableFile, match="cannot read 'camera:77': No such file"):
        list(Stream("camera:77", denoiser=make_denoiser()))


def test_passwords_are_not_shown(make_denoiser):
    with pytest.raises(noiseless.UnreadableFile) as caught:
        list(Stream("tcp://me:secret@127.0.0.1:1", timeout_s=1.0, denoiser=make_denoiser()))
    assert "secret" not in str(caught.value)
    assert "tcp://***@127.0.0.1:1" in str(caught.value)


def test_a_file_that_is_not_there_is_said_at_once():
    with pytest.raises(noiseless.UnreadableFile, match=r"cannot read 'nowhere.mp4': no such file"):
        Stream("nowhere.mp4")


def test_raw_is_for_standard_input_alone():
    with pytest.raises(noiseless.InvalidParameter, match="leave it out"):
        open_source("camera:0", raw="4x4:gray8")
