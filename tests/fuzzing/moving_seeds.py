"""Short videos, and bags of a few messages."""

import io
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from fuzzing.mutation import Case
from fuzzing.picture_seeds import by_pillow, values
from fuzzing.volume_seeds import files_of

VIDEOS = (
    ("a.mp4", "libx264", "yuv420p", {"crf": "30"}),
    ("a.mkv", "ffv1", "gray16le", {"level": "3", "slices": "4"}),
    ("a.mkv", "libx264", "yuv420p10le", {}),
    ("a.avi", "mjpeg", "yuvj420p", {}),
    ("a.mov", "prores_ks", "yuv422p10le", {}),
    ("a.ts", "mpeg2video", "yuv420p", {"g": "2"}),
    ("a.webm", "libvpx-vp9", "yuv420p", {"cpu-used": "8"}),
    ("a.mp4", "mpeg4", "yuv420p", {"g": "2"}),
    ("a.y4m", "rawvideo", "yuv420p", {}),
    ("a.mkv", "png", "rgb24", {}),
)


@cache
def videos() -> list[Case]:
    import av

    made = []
    for name, codec, form, options in VIDEOS:
        try:
            made.append({name: _video(name, codec, form, options)})
        except (av.error.FFmpegError, ValueError, KeyError):  # a codec that this FFmpeg lacks
            continue
    return made


def _video(name: str, codec: str, form: str, options: dict[str, str]) -> bytes:
    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream("wrapped_avframe" if name.endswith(".y4m") else codec, rate=Fraction(10))
            stream.width, stream.height, stream.pix_fmt, stream.options = 48, 32, form, options
            for number in range(4):
                pixels = np.roll(values((32, 48, 3)), 3 * number, axis=1)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                container.mux(stream.encode(frame.reformat(format=form)))
            container.mux(stream.encode())
        return path.read_bytes()


def messages(*, is_ros1: bool) -> list[tuple[str, str, bytes]]:
    """(topic, type, bytes) of pictures of several kinds, and of a text."""
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_HUMBLE)
    types, made = store.types, []
    stamp = types["builtin_interfaces/msg/Time"](sec=12, nanosec=345)
    header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="lens", **({"seq": 40} if is_ros1 else {}))

    def add(topic: str, kind: str, **fields: Any) -> None:
        message = types[kind](header=header, **fields) if kind != TEXT else types[kind](**fields)
        serialise = store.serialize_ros1 if is_ros1 else store.serialize_cdr
        made.append((topic, kind, bytes(serialise(message, kind))))

    for topic, encoding, pixels in (
        ("/gray", "mono8", values((6, 8))),
        ("/colour", "bgr8", values((6, 8, 3))),
        ("/deep", "mono16", values((6, 8), "uint16")),
        ("/bayer", "bayer_rggb8", values((6, 8))),
        ("/gray", "mono8", values((6, 8)) // 2),
    ):
        data = np.frombuffer(pixels.tobytes(), np.uint8)
        step = data.size // 6
        add(topic, IMAGE, height=6, width=8, encoding=encoding, is_bigendian=0, step=step, data=data)
    picture = PIL.Image.fromarray(values((16, 16, 3)))
    for topic, form, kind in (
        ("/jpeg", "bgr8; jpeg compressed bgr8", "JPEG"),
        ("/png", "rgb8; png compressed rgb8", "PNG"),
    ):
        add(topic, COMPRESSED, format=form, data=np.frombuffer(by_pillow(picture, kind), np.uint8))
    add("/text", TEXT, data="hello")
    return made


IMAGE, COMPRESSED, TEXT = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "std_msgs/msg/String"


@cache
def ros1() -> list[Case]:
    from rosbags import rosbag1
    from rosbags.typesys import Stores, get_typestore

    made = []
    for compression in (None, *rosbag1.Writer.CompressionFormat):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.bag"
            writer = rosbag1.Writer(path)
            writer.chunk_threshold = 500
            if compression:
                writer.set_compression(compression)
            with writer:
                _fill(writer, get_typestore(Stores.ROS1_NOETIC), is_ros1=True)
            made.append({"run.bag": path.read_bytes()})
    return made


def _fill(writer: Any, store: Any, *, is_ros1: bool) -> None:
    connections: dict[str, Any] = {}
    for number, (topic, kind, data) in enumerate(messages(is_ros1=is_ros1)):
        if topic not in connections:
            connections[topic] = writer.add_connection(topic, kind, typestore=store)
        writer.write(connections[topic], 10**18 + number * 10**7, data)


def _ros2(plugin: str) -> list[Case]:
    from rosbags import rosbag2
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
    from rosbags.typesys import Stores, get_typestore

    made: list[Case] = []
    for mode in (CompressionMode.NONE, CompressionMode.MESSAGE, CompressionMode.FILE, CompressionMode.STORAGE):
        if mode is CompressionMode.STORAGE and plugin != "MCAP":
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run"
            writer = rosbag2.Writer(path, version=9, storage_plugin=StoragePlugin[plugin])
            writer.set_compression(mode, CompressionFormat.ZSTD)
            with writer:
                _fill(writer, get_typestore(Stores.ROS2_HUMBLE), is_ros1=False)
            case = files_of(path)
            made.append(case)
            alone = next(name for name in case if not name.endswith(".yaml"))
            if mode is CompressionMode.NONE:
                made.append({Path(alone).name: case[alone]})
    return made


@cache
def mcap() -> list[Case]:
    return _ros2("MCAP")


@cache
def sqlite() -> list[Case]:
    return _ros2("SQLITE3")


def sqlite_rewritten(data: bytes, chance: Any) -> bytes:
    """A database with other values in its tables."""
    import contextlib
    import sqlite3

    words = ("NULL", "-1", "0", "9223372036854775807", "1e308", "'x'", "''", "x'00'", "zeroblob(9)", "zeroblob(100000)")
    columns = {
        "messages": ("id", "topic_id", "timestamp", "data"),
        "topics": ("id", "name", "type", "serialization_format", "offered_qos_profiles", "type_description_hash"),
        "schema": ("schema_version", "ros_distro"),
        "message_definitions": ("topic_type", "encoding", "encoded_message_definition", "type_description_hash"),
    }
    table = chance.choice(tuple(columns))
    column, word = chance.choice(columns[table]), chance.choice(words)
    statement = chance.choice(
        (
            f"UPDATE {table} SET {column} = {word}",
            f"UPDATE {table} SET {column} = {word} WHERE rowid = {chance.randrange(1, 9)}",
            f"DELETE FROM {table}",
            f"DELETE FROM {table} WHERE rowid = {chance.randrange(1, 9)}",
            f"ALTER TABLE {table} RENAME COLUMN {column} TO other",
            f"DROP TABLE {table}",
            f"UPDATE messages SET data = substr(data, 1, {chance.randrange(200)})",
            f"UPDATE topics SET type = '{chance.choice((IMAGE, COMPRESSED, TEXT, 'a/b', 'a/msg/b'))}'",
        )
    )
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        try:
            database.deserialize(data)
            database.execute(statement)
            return bytes(database.serialize())
        except (sqlite3.Error, MemoryError, OverflowError):
            return data


def gif() -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(values((9, 9))).save(stream, "GIF")
    return stream.getvalue()
