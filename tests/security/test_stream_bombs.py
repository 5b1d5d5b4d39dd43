"""Bags, videos and camera raw that are small, and unpack to much or claim to be large."""

import bz2
import io
import re
import struct

import imagecodecs
import numpy as np
import pytest

ROOM = 300
"""Megabytes."""

STAMP = 1_600_000_000_000_000_000


@pytest.fixture(scope="module")
def rosbags():
    pytest.importorskip("rosbags.rosbag1")
    from rosbags import rosbag1, rosbag2, typesys

    class Rosbags:
        one, two = rosbag1, rosbag2

        def __init__(self):
            stores = {1: typesys.Stores.ROS1_NOETIC, 2: typesys.Stores.ROS2_HUMBLE}
            self.stores = {number: typesys.get_typestore(store) for number, store in stores.items()}

        def message(self, number, width, height, data):
            types = self.stores[number].types
            stamp = types["builtin_interfaces/msg/Time"](sec=1, nanosec=2)
            header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="", **({"seq": 1} if number == 1 else {}))
            return types["sensor_msgs/msg/Image"](
                header=header, height=height, width=width, encoding="mono8", is_bigendian=0, step=width,
                data=np.frombuffer(data, np.uint8),
            )  # fmt: skip

        def write(self, path, number, message, compression=None):
            writer = (
                self.one.Writer(path)
                if number == 1
                else self.two.Writer(path, version=9, storage_plugin=self.two.StoragePlugin.MCAP)
            )
            if compression is not None:
                writer.set_compression(*compression)
            with writer:
                kind = "sensor_msgs/msg/Image"
                connection = writer.add_connection("/camera", kind, typestore=self.stores[number])
                serialise = self.stores[number].serialize_ros1 if number == 1 else self.stores[number].serialize_cdr
                writer.write(connection, STAMP, serialise(message, kind))
            return path

    return Rosbags()


@pytest.fixture(scope="module")
def noise():
    """Bytes that do not pack, so that there is room for a bomb in their place."""
    return np.random.default_rng(0).integers(0, 256, 256 * 256, np.uint8).tobytes()


def put(path, start, length, bomb):
    """``bomb`` in the place of what was packed, and zeros behind it."""
    data = bytearray(path.read_bytes())
    assert len(bomb) <= length
    data[start : start + length] = bomb + bytes(length - len(bomb))
    path.write_bytes(bytes(data))


def lz4_of(megabytes):
    """A frame that says no length."""
    return bytes(imagecodecs.lz4f_encode(bytes(megabytes * 2**20)))


@pytest.mark.parametrize("name", ["bz2", "lz4"])
def test_ros1_chunk_that_unpacks_to_more_than_it_says(limited, rosbags, noise, tmp_path, name):
    codec = getattr(rosbags.one.Writer.CompressionFormat, name.upper())
    path = rosbags.write(tmp_path / "bomb.bag", 1, rosbags.message(1, 256, 256, noise), (codec,))
    data = path.read_bytes()
    place = data.index(b"BZh9" if name == "bz2" else b"\x04\x22\x4d\x18")
    (length,) = struct.unpack_from("<I", data, place - 4)
    put(path, place, length, bz2.compress(bytes(10**7)) * 100 if name == "bz2" else lz4_of(15))
    for kind in ("bag", "rewritten_bag"):
        outcome = limited(kind, path, megabytes=ROOM)
        assert outcome.in_a_line, outcome
        assert outcome.peak_mb < ROOM


def test_mcap_chunk_that_unpacks_to_more_than_it_says(limited, rosbags, noise, tmp_path):
    compression = rosbags.two.CompressionMode.STORAGE, rosbags.two.CompressionFormat.ZSTD
    folder = rosbags.write(tmp_path / "bomb", 2, rosbags.message(2, 256, 256, noise), compression)
    (path,) = folder.glob("*.mcap")
    data = path.read_bytes()
    place = data.index(b"\x28\xb5\x2f\xfd")
    (length,) = struct.unpack_from("<Q", data, place - 8)
    put(path, place, length, bytes(imagecodecs.zstd_encode(bytes(2**29))))
    for kind in ("bag", "rewritten_bag"):
        outcome = limited(kind, path, megabytes=ROOM)
        assert outcome.in_a_line, outcome


def test_a_message_that_unpacks_to_much(limited, rosbags, noise, tmp_path):
    compression = rosbags.two.CompressionMode.MESSAGE, rosbags.two.CompressionFormat.ZSTD
    folder = rosbags.write(tmp_path / "bomb", 2, rosbags.message(2, 256, 256, noise), compression)
    (path,) = folder.glob("*.mcap")
    data = path.read_bytes()
    place = data.index(b"\x28\xb5\x2f\xfd")
    put(path, place, 60_000, bytes(imagecodecs.zstd_encode(bytes(2**29))))
    outcome = limited("bag", folder, megabytes=ROOM)
    assert outcome.in_a_line, outcome


@pytest.mark.parametrize(("width", "height"), [(2**16, 2**16), (2**31, 2**31)])
@pytest.mark.parametrize("number", [1, 2])
def test_a_message_of_too_many_pixels(limited, rosbags, tmp_path, number, width, height):
    path = rosbags.write(tmp_path / "bomb.bag", number, rosbags.message(number, width, height, b"\0" * 99))
    assert limited("rewritten_bag", path, megabytes=ROOM).in_a_line


@pytest.mark.parametrize("claimed", [2**31, 2**32 - 1])
def test_ros1_record_that_claims_gigabytes(limited, tmp_path, claimed):
    path = tmp_path / "bomb.bag"
    path.write_bytes(b"#ROSBAG V2.0\n" + struct.pack("<I", claimed) + bytes(5000))
    assert limited("bag", path, megabytes=ROOM).in_a_line


def test_mcap_record_that_claims_exabytes(limited, tmp_path):
    path = tmp_path / "bomb.mcap"
    path.write_bytes(b"\x89MCAP0\r\n" + struct.pack("<BQ", 1, 2**62) + bytes(5000))
    assert limited("bag", path, megabytes=ROOM).in_a_line


def test_metadata_of_a_bag_whose_aliases_grow(limited, rosbags, noise, tmp_path):
    """A billion laughs, in YAML."""
    folder = rosbags.write(tmp_path / "bomb", 2, rosbags.message(2, 16, 16, noise[:256]))
    grown = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    text = "a0: &a0 [x]\n" + grown + (folder / "metadata.yaml").read_text()
    (folder / "metadata.yaml").write_text(text.replace("duration:", "more: *a11\n  duration:"))
    outcome = limited("bag", folder, megabytes=ROOM)
    assert outcome.error == "" or outcome.in_a_line, outcome


def movie(path, width, height, codec="mjpeg", form="yuvj420p", frames=1):
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, form
        for _ in range(frames):
            for packet in stream.encode(
                av.VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), "rgb24").reformat(format=form)
            ):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.mark.parametrize("side", [65_500, 16_000])
def test_video_whose_picture_claims_to_be_large(limited, tmp_path, side):
    path = movie(tmp_path / "bomb.avi", 64, 64)
    data = path.read_bytes()
    frame = struct.pack(">HH", 64, 64)
    path.write_bytes(re.sub(re.escape(b"\x08" + frame), lambda _: b"\x08" + struct.pack(">HH", side, side), data))
    outcome = limited("video", path, megabytes=ROOM, seconds=20.0)
    assert outcome.in_a_line, outcome


def test_video_that_claims_many_frames(limited, tmp_path):
    """The number in the header is only told."""
    path = movie(tmp_path / "bomb.avi", 64, 64, frames=3)
    data = bytearray(path.read_bytes())
    place = data.index(b"avih") + 8
    struct.pack_into("<I", data, place + 16, 2**31 - 1)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, 2**31 - 1)
    path.write_bytes(bytes(data))
    outcome = limited("video", path, megabytes=ROOM)
    assert outcome.error == "" or outcome.in_a_line, outcome
    assert outcome.took_s < 5.0


def test_raw_of_too_many_pixels(limited, tmp_path):
    pytest.importorskip("rawpy")
    tifffile = pytest.importorskip("tifffile")
    stream = io.BytesIO()
    tags = [(50706, "B", 4, bytes([1, 4, 0, 0]), True), (50708, "s", 0, "camera of a test", True),
            (33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes([0, 1, 1, 2]), True)]  # fmt: skip
    tifffile.imwrite(stream, np.zeros((64, 64), np.uint16), photometric=32803, extratags=tags, metadata=None)
    data = bytearray(stream.getvalue())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        code, kind = struct.unpack_from("<HH", data, place)
        if code in (256, 257, 278):
            struct.pack_into("<HI" if kind == 4 else "<HH", data, place + 2, kind, 1)
            struct.pack_into("<HHII", data, place, code, 4, 1, 60_000)
    path = tmp_path / "bomb.dng"
    path.write_bytes(bytes(data))
    outcome = limited("image", path, megabytes=ROOM)
    assert outcome.in_a_line, outcome
