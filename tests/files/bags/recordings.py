"""Small bags of every kind, made with rosbags, and what is found in them."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image as Pillow

pytest.importorskip("rosbags")
from rosbags import rosbag1, rosbag2
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.typesys import Stores, get_typestore

IMAGE, COMPRESSED, TEXT = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "std_msgs/msg/String"
STAMP = 1_600_000_000_123_456_789
QOS = Qos(
    QosHistory.KEEP_LAST, 7, QosReliability.BEST_EFFORT, QosDurability.TRANSIENT_LOCAL, QosTime(1, 2), QosTime(3, 4),
    QosLiveliness.AUTOMATIC, QosTime(5, 6), False,
)  # fmt: skip
STORES = {True: get_typestore(Stores.ROS1_NOETIC), False: get_typestore(Stores.ROS2_HUMBLE)}

ROS1 = {
    "ros1": None,
    "ros1-bz2": rosbag1.Writer.CompressionFormat.BZ2,
    "ros1-lz4": rosbag1.Writer.CompressionFormat.LZ4,
}
ROS2 = {
    "sqlite": (StoragePlugin.SQLITE3, CompressionMode.NONE),
    "sqlite-message": (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
    "sqlite-file": (StoragePlugin.SQLITE3, CompressionMode.FILE),
    "mcap": (StoragePlugin.MCAP, CompressionMode.NONE),
    "mcap-chunk": (StoragePlugin.MCAP, CompressionMode.STORAGE),
    "mcap-message": (StoragePlugin.MCAP, CompressionMode.MESSAGE),
    "mcap-file": (StoragePlugin.MCAP, CompressionMode.FILE),
}
KINDS = [*ROS1, *ROS2]


@dataclasses.dataclass(frozen=True)
class Raw:
    """A picture as a message of sensor_msgs/Image has it."""

    data: bytes
    encoding: str = "mono8"
    height: int = 6
    width: int = 8
    step: int = 8
    is_bigendian: int = 0


@dataclasses.dataclass(frozen=True)
class Packed:
    data: bytes
    format: str = "jpeg"


def raw(pixels, encoding="mono8", *, padding=0, is_bigendian=0):
    """A message of (Y, X) or (Y, X, C) pixels, with rows that are longer than they need be."""
    pixels = np.asarray(pixels)
    if pixels.dtype.itemsize > 1:
        pixels = pixels.astype(pixels.dtype.newbyteorder(">" if is_bigendian else "<"))
    rows = [row.tobytes() + bytes(range(padding)) for row in pixels]
    return Raw(b"".join(rows), encoding, *pixels.shape[:2], len(rows[0]), is_bigendian)


def pixels_of(message, dtype, channels=()):
    dtype = np.dtype(dtype).newbyteorder(">" if message.is_bigendian else "<")
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    used = message.width * dtype.itemsize * int(np.prod(channels, dtype=int))
    return np.ascontiguousarray(rows[:, :used]).view(dtype).reshape(message.height, message.width, *channels)


def serialised(content, *, is_ros1, number=0):
    """(type, bytes) of a text, a Raw or a Packed."""
    store = STORES[is_ros1]
    types = store.types
    if isinstance(content, str):
        kind, message = TEXT, types[TEXT](data=content)
    else:
        stamp = types["builtin_interfaces/msg/Time"](sec=12 + number, nanosec=345)
        options = {"seq": 40 + number} if is_ros1 else {}
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="lens" + number * "x", **options)
        data = np.frombuffer(content.data, np.uint8)
        kind = IMAGE if isinstance(content, Raw) else COMPRESSED
        message = types[kind](header=header, **{**dataclasses.asdict(content), "data": data})
    return kind, bytes((store.serialize_ros1 if is_ros1 else store.serialize_cdr)(message, kind))


def make(folder, kind, contents, name="run"):
    """A bag of [(topic, content), ...], ten milliseconds apart; many small chunks where there are chunks."""
    is_ros1 = kind in ROS1
    path = folder / (f"{name}.bag" if is_ros1 else name)
    if is_ros1:
        writer = rosbag1.Writer(path)
        writer.chunk_threshold = 500
        if ROS1[kind]:
            writer.set_compression(ROS1[kind])
        options = {"callerid": "/somebody", "latching": 1}
    else:
        storage, mode = ROS2[kind]
        writer = rosbag2.Writer(path, version=9, storage_plugin=storage)
        writer.set_compression(mode, CompressionFormat.ZSTD)
        writer.set_custom_data("by", "somebody")
        options = {"offered_qos_profiles": [QOS]}
    connections = {}
    with writer:
        for number, (topic, content) in enumerate(contents):
            kind_of_message, data = serialised(content, is_ros1=is_ros1, number=number)
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind_of_message, typestore=STORES[is_ros1], **options)
            writer.write(connections[topic], STAMP + number * 10_000_000, data)
    return path


def held_by(path):
    """All that a bag holds: (topic, type, time, bytes, QoS or latching) of each message."""
    reader = rosbag1.Reader(path) if path.suffix == ".bag" else rosbag2.Reader(path)
    with reader:
        return [
            (each.topic, each.msgtype, time, bytes(data), str(each.ext), each.digest, each.msgdef)
            for each, time, data in reader.messages()
        ]


def read_back(path, topic):
    """The messages of one topic, as fields."""
    is_ros1 = path.suffix == ".bag"
    store = STORES[is_ros1]
    parse = store.deserialize_ros1 if is_ros1 else store.deserialize_cdr
    return [parse(data, kind) for name, kind, _, data, *_ in held_by(path) if name == topic]


def like(path, name="clean"):
    return path.with_name(f"{name}{path.suffix}")


def identity(topic, frame):
    return frame


def inverted(topic, frame):
    return np.iinfo(frame.dtype).max - frame


def never(topic, frame):
    raise AssertionError(topic)


def left_in(folder):
    return sorted(item.name for item in folder.iterdir())


def coded(pixels, kind, **options):
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()
