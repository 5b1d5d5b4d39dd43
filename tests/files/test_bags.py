"""Bags: every message comes back byte for byte, but for the pixels of pictures."""

import dataclasses
import io
import logging
import re
import shutil
import sqlite3
import struct
import sys
import zlib
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pillow

import noiseless
from noiseless.apps.cli import bags as bags_cli
from noiseless.apps.work import denoise_bag
from noiseless.errors import (
    InvalidImage,
    InvalidParameter,
    MissingExtra,
    UnreadableFile,
    UnsupportedFormat,
    UnwritableFile,
)
from noiseless.files import is_bag, open_bag, rewrite_bag
from noiseless.files.bags import mcap_file, ros1_file
from noiseless.files.bags.encodings import ENCODINGS

rosbags = pytest.importorskip("rosbags")
from rosbags import rosbag1, rosbag2  # noqa: E402  the package may be absent
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime  # noqa: E402
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin  # noqa: E402
from rosbags.typesys import Stores, get_typestore  # noqa: E402

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


@pytest.fixture
def random(rng):
    return partial(lambda shape, dtype=np.uint8: rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True))


@pytest.fixture
def contents(random):
    """Pictures of two topics among texts."""
    pairs = []
    for number in range(6):
        pairs += [("/left", raw(random((17, 23)), padding=3)), ("/talk", f"say {number}")]
        pairs += [("/right", raw(random((9, 12, 3)), "bgr8"))]
    return pairs


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_where_no_pixel_does(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    assert [topic.name for topic in rewrite_bag(bag, like(bag), identity)] == ["/left", "/right"]
    assert held_by(like(bag)) == held_by(bag)
    files = [bag] if bag.is_file() else sorted(bag.iterdir())
    for file in files:
        if file.suffix in {".bag", ".mcap", ".yaml", ".db3"}:
            copy = like(bag) if bag.is_file() else like(bag) / file.name
            assert copy.read_bytes()[100:] == file.read_bytes()[100:], "SQLite counts changes in its header"


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_change_and_nothing_else(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    rewrite_bag(bag, like(bag), inverted)
    before, after = held_by(bag), held_by(like(bag))
    assert [(t, k, time, *rest) for t, k, time, _, *rest in after] == [
        (t, k, time, *rest) for t, k, time, _, *rest in before
    ]
    assert [data for t, _, _, data, *_ in after if t == "/talk"] == [
        data for t, _, _, data, *_ in before if t == "/talk"
    ]
    for topic, channels in (("/left", ()), ("/right", (3,))):
        pairs = list(zip(read_back(bag, topic), read_back(like(bag), topic), strict=True))
        assert len(pairs) == 6
        for old, new in pairs:
            assert new.header == old.header
            assert np.array_equal(pixels_of(new, np.uint8, channels), 255 - pixels_of(old, np.uint8, channels))
            used = old.width * 3 if channels else old.width
            assert np.array_equal(
                new.data.reshape(old.height, -1)[:, used:], old.data.reshape(old.height, -1)[:, used:]
            )


@pytest.mark.parametrize("kind", KINDS)
def test_the_result_is_compressed_as_the_source(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    rewrite_bag(bag, like(bag), inverted)
    if bag.is_file():
        compression = {"ros1": b"none", "ros1-bz2": b"bz2", "ros1-lz4": b"lz4"}[kind]
        assert like(bag).read_bytes().count(b"compression=" + compression) == bag.read_bytes().count(b"compression=")
        return
    assert sorted(item.name for item in like(bag).iterdir()) == sorted(item.name for item in bag.iterdir())
    with rosbag2.Reader(bag) as old, rosbag2.Reader(like(bag)) as new:
        assert (new.compression_mode, new.compression_format) == (old.compression_mode, old.compression_format)
        assert type(new.storage.storages[0]) is type(old.storage.storages[0])
        if kind == "mcap-chunk":
            assert {chunk.compression for chunk in new.storage.storages[0].chunks} == {"zstd"}


def test_a_bag_of_several_files_keeps_them(tmp_path, random):
    parts = [
        make(tmp_path, "sqlite", [("/left", raw(random((5, 7)))), ("/right", raw(random((5, 7))))], name)
        for name in ("run", "more")
    ]
    shutil.copyfile(parts[1] / "more.db3", parts[0] / "run_1.db3")
    metadata = (parts[0] / "metadata.yaml").read_text()
    metadata = metadata.replace("  - run.db3\n", "  - run.db3\n  - run_1.db3\n")
    (parts[0] / "metadata.yaml").write_text(metadata)
    (parts[0] / "notes").mkdir()
    (parts[0] / "notes" / "where.txt").write_text("in the yard")
    rewrite_bag(parts[0], tmp_path / "clean", inverted)
    assert (tmp_path / "clean" / "metadata.yaml").read_text() == metadata
    assert (tmp_path / "clean" / "notes" / "where.txt").read_text() == "in the yard"
    old, new = read_back(parts[0], "/right"), read_back(tmp_path / "clean", "/right")
    assert [(255 - each.data).tolist() for each in new] == [each.data.tolist() for each in old]
    assert len(new) == 2


@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
def test_a_file_without_its_folder_is_a_bag(tmp_path, suffix, contents):
    bag = make(tmp_path, "mcap" if suffix == ".mcap" else "sqlite", contents)
    alone = tmp_path / f"alone{suffix}"
    shutil.copyfile(bag / f"run{suffix}", alone)
    assert is_bag(alone)
    rewrite_bag(alone, tmp_path / f"clean{suffix}", inverted)
    assert held_by(tmp_path / f"clean{suffix}") != held_by(alone)
    rewrite_bag(tmp_path / f"clean{suffix}", tmp_path / f"again{suffix}", inverted)
    assert held_by(tmp_path / f"again{suffix}") == held_by(alone)


def test_a_file_in_its_folder_stands_for_the_bag(tmp_path, contents):
    bag = make(tmp_path, "mcap", contents)
    assert is_bag(bag / "run.mcap")
    rewrite_bag(bag / "run.mcap", tmp_path / "clean", inverted)
    assert is_bag(tmp_path / "clean")


MCAP_ATTACHMENT = struct.pack("<QQ", 1, 2) + b"".join(
    struct.pack("<I", len(text)) + text for text in (b"map.txt", b"text/plain")
)


def with_more(path):
    """An MCAP file as other writers make it: checksums, an attachment, sequence numbers and times of publication."""
    with path.open("rb") as stream:
        stream.seek(8)
        records = list(mcap_file._records(stream))
    out, moved, lengths = bytearray(b"\x89MCAP0\r\n"), {}, {}
    attached = 0
    for record in records:
        moved[record.place] = len(out)
        content = record.content
        if record.kind == mcap_file.CHUNK:
            first, last, length, _ = mcap_file.CHUNK_START.unpack_from(content)
            plain = bytearray(content[40:])
            for number, inner in enumerate(mcap_file._records(io.BytesIO(bytes(plain)))):
                if inner.kind == mcap_file.MESSAGE:
                    struct.pack_into("<I", plain, inner.place + 9 + 2, 70 + number)
                    struct.pack_into("<Q", plain, inner.place + 9 + 14, 5 + number)
            content = mcap_file.CHUNK_START.pack(first, last, length, zlib.crc32(plain)) + content[28:40] + plain
            lengths[record.place] = len(content)
        elif record.kind == mcap_file.CHUNK_INDEX:
            content = mcap_file._chunk_index(content, SimpleNamespace(chunks=_LikeBefore(content), moved=moved))
        elif record.kind == mcap_file.METADATA_INDEX:
            content = struct.pack("<Q", moved[int.from_bytes(content[:8], "little")]) + content[8:]
        elif record.kind == mcap_file.SUMMARY_OFFSET:
            content = mcap_file._summary_offset(content, moved)
        elif record.kind == mcap_file.DATA_END:
            body = MCAP_ATTACHMENT + struct.pack("<Q", 5) + b"hello"
            body += struct.pack("<I", zlib.crc32(body))
            attached = len(out)
            out += mcap_file.START.pack(0x09, len(body)) + body
            moved[record.place] = len(out)
            content = struct.pack("<I", zlib.crc32(out))
            index = struct.pack("<QQQQQ", attached, 9 + len(body), 1, 2, 5) + MCAP_ATTACHMENT[16:]
            begins = len(out) + 13
        elif record.kind == mcap_file.FOOTER:
            out_index = mcap_file.START.pack(mcap_file.ATTACHMENT_INDEX, len(index)) + index
            first_offset = min(moved[r.place] for r in records if r.kind == mcap_file.SUMMARY_OFFSET)
            out[first_offset:first_offset] = out_index  # after the groups of the summary, which keep their places
            foot = mcap_file.START.pack(mcap_file.FOOTER, 20) + struct.pack(
                "<QQ", begins, first_offset + len(out_index)
            )
            out += foot
            out += struct.pack("<I", zlib.crc32(out[begins:]))
            continue
        out += mcap_file.START.pack(record.kind, len(content)) + content
    path.write_bytes(out + b"\x89MCAP0\r\n")
    return out[attached : attached + 9 + len(body)]


class _LikeBefore(dict):
    def __init__(self, content):
        self.lengths = (struct.unpack_from("<Q", content, 24)[0], *struct.unpack("<QQ", content[-16:]))

    def __getitem__(self, place):
        return self.lengths


def test_what_an_mcap_file_holds_besides_messages_stays(tmp_path, contents):
    bag = make(tmp_path, "mcap", contents)
    attachment = with_more(bag / "run.mcap")
    source = (bag / "run.mcap").read_bytes()
    rewrite_bag(bag, tmp_path / "same", identity)
    assert (tmp_path / "same" / "run.mcap").read_bytes() == source
    rewrite_bag(bag, tmp_path / "clean", inverted)
    clean = (tmp_path / "clean" / "run.mcap").read_bytes()
    assert attachment in clean
    assert len(clean) == len(source)
    assert clean != source
    rewrite_bag(tmp_path / "clean", tmp_path / "again", inverted)
    assert (tmp_path / "again" / "run.mcap").read_bytes() == source, "sequence numbers, times and checksums too"


def test_chunks_of_other_lengths_are_found_again(tmp_path, random):
    """Noise in the place of a flat picture: the zstd chunks grow, and so every place in the file moves."""
    flat = [("/left", raw(np.full((900, 700), number, np.uint8))) for number in range(5)]
    bag = make(tmp_path, "mcap-chunk", flat)
    noise = random((900, 700))
    rewrite_bag(bag, tmp_path / "clean", lambda topic, frame: frame ^ noise)
    assert (tmp_path / "clean" / "run.mcap").stat().st_size > 10 * (bag / "run.mcap").stat().st_size
    for number, message in enumerate(read_back(tmp_path / "clean", "/left")):
        assert np.array_equal(message.data, noise.ravel() ^ number)


@pytest.mark.parametrize("compression", ["ros1", "ros1-lz4"])
def test_an_index_that_moves_onto_an_old_place_is_found(tmp_path, compression):
    """Messages grow by as much as the index is away from its second record, and from others."""
    bag = make(tmp_path, compression, [("/a", "first"), ("/b", "second"), ("/c", "third")])
    with bag.open("rb") as stream:
        stream.readline()
        places = [record.place for record in ros1_file._records(stream)]
    for number, place in enumerate(places[-3:]):
        target = tmp_path / f"{number}.bag"
        longer = (place - places[-4]) * b"x"
        ros1_file.rewrite_ros1(bag, target, {0: "/a"}, lambda topic, time, data, longer=longer: data + longer)
        grown = [(name, data) for name, _, _, data, *_ in held_by(target)]
        assert grown == [(name, data + longer * (name == "/a")) for name, _, _, data, *_ in held_by(bag)]


@pytest.mark.parametrize("is_bigendian", [0, 1])
@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", [name for name, each in ENCODINGS.items() if not each.mosaic])
def test_each_encoding_gives_gray_or_rgb_and_takes_it_back(tmp_path, random, encoding, padding, is_bigendian):
    means = ENCODINGS[encoding]
    dtype = np.uint8 if means.bits == 8 else np.uint16
    channels = () if means.channels == 1 else (means.channels,)
    pixels = random((7, 5, *channels), dtype)
    bag = make(tmp_path, "ros1", [("/cam", raw(pixels, encoding, padding=padding, is_bigendian=is_bigendian))])
    seen = []

    def darker(topic, frame):
        seen.append(frame.copy())
        return frame // 2

    rewrite_bag(bag, like(bag), darker)
    shown = pixels if not channels else pixels[..., [0, 1, 2] if encoding.startswith("rgb") else [2, 1, 0]]
    assert np.array_equal(seen[0], shown)
    assert seen[0].dtype == dtype
    assert seen[0].dtype.isnative
    (result,) = read_back(like(bag), "/cam")
    expected = pixels // 2
    if means.channels == 4:
        expected[..., 3] = pixels[..., 3]
    assert np.array_equal(pixels_of(result, dtype, channels), expected)


@pytest.mark.parametrize("shape", [(6, 8), (7, 9)])
@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_gbrg16"])
def test_a_mosaic_is_four_streams(tmp_path, random, encoding, shape):
    pixels = random(shape, np.uint16 if encoding.endswith("16") else np.uint8)
    bag = make(tmp_path, "sqlite", [("/cam", raw(pixels, encoding, padding=2))])
    seen = {}

    def by_stream(stream, frame):
        seen[stream] = frame.copy()
        return frame // (2 + int(stream[-1]))

    rewrite_bag(bag, like(bag), by_stream)
    assert list(seen) == ["/cam#0", "/cam#1", "/cam#2", "/cam#3"]
    result = pixels_of(read_back(like(bag), "/cam")[0], pixels.dtype)
    for number, (y, x) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        assert np.array_equal(seen[f"/cam#{number}"], pixels[y::2, x::2])
        assert np.array_equal(result[y::2, x::2], pixels[y::2, x::2] // (2 + number))


def coded(pixels, kind, **options):
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def decoded(message):
    return np.array(Pillow.open(io.BytesIO(message.data.tobytes())))


@pytest.mark.parametrize("kind", ["ros1-lz4", "sqlite", "mcap"])
def test_png_is_decoded_and_encoded_without_loss(tmp_path, random, kind):
    alpha, deep = random((9, 11, 4)), random((9, 11), np.uint16)
    contents = [
        ("/colour/compressed", Packed(coded(alpha, "PNG"), "rgba8; png compressed bgra8")),
        ("/deep/compressed", Packed(coded(deep, "PNG"), "mono16; png compressed ")),
    ]
    bag = make(tmp_path, kind, contents)
    rewrite_bag(bag, like(bag), inverted)
    (colour,), (gray,) = read_back(like(bag), "/colour/compressed"), read_back(like(bag), "/deep/compressed")
    assert colour.format == "rgba8; png compressed bgra8"
    assert np.array_equal(decoded(colour)[..., :3], 255 - alpha[..., :3])
    assert np.array_equal(decoded(colour)[..., 3], alpha[..., 3])
    assert np.array_equal(decoded(gray), 65535 - deep)
    assert colour.header == read_back(bag, "/colour/compressed")[0].header


@pytest.mark.parametrize("kind", ["ros1", "sqlite-message", "mcap-chunk"])
def test_jpeg_is_encoded_again_at_quality_95(tmp_path, kind):
    ramp = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    colour = np.stack([ramp, 255 - ramp, np.full_like(ramp, 90)], axis=-1)
    contents = [
        ("/colour", Packed(coded(colour, "JPEG", quality=98, subsampling=0), "bgr8; jpeg compressed bgr8")),
        ("/gray", Packed(coded(ramp, "JPEG", quality=98), "jpeg")),
    ]
    bag = make(tmp_path, kind, contents)
    rewrite_bag(bag, like(bag), inverted)
    (result,), (gray,) = read_back(like(bag), "/colour"), read_back(like(bag), "/gray")
    assert result.format == "bgr8; jpeg compressed bgr8"
    # On a ramp only the lowest frequencies are coded, whose steps at quality 95 are 2: half of one each is lost.
    assert np.abs(decoded(result).astype(int) - (255 - colour.astype(int))).max() <= 4
    assert np.abs(decoded(gray).astype(int) - (255 - ramp.astype(int))).max() <= 2
    assert Pillow.open(io.BytesIO(result.data.tobytes())).layer[0][1:3] == (1, 1)


def test_jpeg_is_not_coded_again_for_nothing(tmp_path, random):
    bag = make(tmp_path, "ros1", [("/cam", Packed(coded(random((9, 9, 3)), "JPEG", quality=40)))])
    rewrite_bag(bag, like(bag), identity)
    assert held_by(like(bag)) == held_by(bag)


@pytest.mark.parametrize(("end", "first"), [("bgr8", 10), ("rgb8", 200)])
def test_red_comes_first_whatever_the_compressed_order(tmp_path, end, first):
    pixels = np.broadcast_to(np.array([10, 100, 200], np.uint8), (4, 4, 3))
    bag = make(tmp_path, "ros1", [("/cam", Packed(coded(pixels, "PNG"), f"rgb8; png compressed {end}"))])
    seen = []
    rewrite_bag(bag, like(bag), lambda topic, frame: seen.append(frame.copy()) or frame)
    assert seen[0][0, 0].tolist() == [first, 100, 210 - first]


def test_a_compressed_mosaic_is_four_streams(tmp_path, random):
    bag = make(tmp_path, "ros1", [("/cam", Packed(coded(random((8, 8)), "PNG"), "bayer_rggb8; png compressed "))])
    seen = []
    rewrite_bag(bag, like(bag), lambda stream, frame: seen.append((stream, frame.shape)) or frame)
    assert seen == [(f"/cam#{number}", (4, 4)) for number in range(4)]


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap"])
def test_depth_is_copied_with_one_warning_a_topic(tmp_path, kind, random, caplog):
    depth = random((6, 8), np.uint16)
    contents = [
        ("/depth/points", raw(np.ones((6, 8), np.float32), "32FC1")),
        ("/camera/depth/image_raw", raw(depth, "16UC1")),
        ("/a/compressedDepth", Packed(b"12 bytes....more", "16UC1; compressedDepth png")),
        ("/camera/depth/compressed", Packed(coded(depth, "PNG"), "16UC1; png compressed ")),
        ("/thermal", raw(depth, "16UC1")),
        ("/video", Packed(b"\0\0\0\1h264", "h264")),
    ]
    bag = make(tmp_path, kind, contents * 3)
    with caplog.at_level(logging.WARNING):
        done = rewrite_bag(bag, like(bag), inverted)
    assert [topic.name for topic in done] == ["/thermal"]
    assert [record.getMessage().split()[0] for record in caplog.records] == sorted(
        topic for topic, _ in contents if topic != "/thermal"
    )
    assert "it is depth" in caplog.text
    assert "'h264' is neither JPEG nor PNG" in caplog.text
    assert [m for m in held_by(like(bag)) if m[0] != "/thermal"] == [m for m in held_by(bag) if m[0] != "/thermal"]
    assert np.array_equal(pixels_of(read_back(like(bag), "/thermal")[0], np.uint16), 65535 - depth)


def left_in(folder):
    return sorted(item.name for item in folder.iterdir())


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap"])
def test_an_unknown_encoding_is_refused_before_anything_is_done(tmp_path, kind, contents):
    bag = make(tmp_path, kind, [*contents, ("/flow", raw(np.ones((4, 4, 2), np.float32), "32FC2"))])
    with pytest.raises(
        UnsupportedFormat, match=r"/flow in .*'32FC2' is not known here; known are mono8, .*bayer_"
    ) as told:
        rewrite_bag(bag, like(bag), never)
    assert "\n" not in str(told.value)
    assert left_in(tmp_path) == [bag.name]
    rewrite_bag(bag, like(bag), inverted, topics=["/left"])
    assert [m for m in held_by(like(bag)) if m[0] != "/left"] == [m for m in held_by(bag) if m[0] != "/left"]


@pytest.mark.parametrize("kind", ["ros1", "sqlite-file", "mcap"])
def test_an_unknown_encoding_later_on_leaves_nothing(tmp_path, kind, contents):
    bag = make(tmp_path, kind, [*contents, ("/left", raw(np.ones((4, 4, 2), np.float32), "32FC2"))])
    with pytest.raises(UnsupportedFormat, match="/left"):
        rewrite_bag(bag, like(bag), identity)
    assert left_in(tmp_path) == [bag.name]


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap-chunk"])
def test_an_error_of_the_function_is_passed_on_and_leaves_nothing(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    with pytest.raises(ZeroDivisionError):
        rewrite_bag(bag, like(bag), lambda topic, frame: 1 // 0)
    with pytest.raises(InvalidImage, match=r"/left is \(17, 23\) uint8, and the function gave \(17, 23\) float32"):
        rewrite_bag(bag, like(bag), lambda topic, frame: frame.astype(np.float32))
    assert left_in(tmp_path) == [bag.name]


def test_a_bag_without_pictures_says_what_it_has(tmp_path):
    bag = make(tmp_path, "ros1", [("/talk", "hello")])
    with pytest.raises(UnreadableFile, match=r"has no image topics; it has /talk \(std_msgs/msg/String\)"):
        rewrite_bag(bag, like(bag), never)
    with open_bag(bag) as opened:
        assert opened.topics == ()


@pytest.mark.parametrize("name", ["/nowhere", "/talk"])
def test_a_topic_that_is_not_there_is_refused(tmp_path, contents, name):
    bag = make(tmp_path, "sqlite", contents)
    with pytest.raises(InvalidParameter, match=rf"no image topic '{name}' in .*; there are /left, /right"):
        rewrite_bag(bag, like(bag), never, topics=["/left", name])


def damaged(path, how):
    """Truncated by a third, or with every byte of the middle turned over; the largest file where there are several."""
    file = path if path.is_file() else max(path.glob("run*"), key=lambda item: item.stat().st_size)
    data = bytearray(file.read_bytes())
    if how == "truncated":
        data = data[: len(data) * 2 // 3]
    elif how == "empty":
        data = b""
    else:
        for place in range(len(data) // 4, len(data) * 3 // 4):
            data[place] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize("how", ["truncated", "turned over", "empty"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_bag_is_told_in_one_line(tmp_path, kind, how, contents):
    bag = make(tmp_path, kind, contents)
    damaged(bag, how)
    with pytest.raises((UnreadableFile, UnsupportedFormat), match="run") as told:
        rewrite_bag(bag, like(bag), identity)
    assert "\n" not in str(told.value)
    assert left_in(tmp_path) == [bag.name]


def test_what_is_no_bag_is_told(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "folder").mkdir()
    (tmp_path / "false.bag").write_bytes(b"something else")
    for name, told in (("photo.png", "is not a bag"), ("folder", "is not a bag"), ("none.bag", "no such file")):
        with pytest.raises(UnreadableFile, match=told):
            rewrite_bag(tmp_path / name, tmp_path / "clean.bag", never)
        assert not is_bag(tmp_path / name)
    with pytest.raises(UnreadableFile, match=r"false\.bag"):
        rewrite_bag(tmp_path / "false.bag", tmp_path / "clean.bag", never)


def test_metadata_that_cannot_be_read_is_told(tmp_path, contents):
    bag = make(tmp_path, "sqlite", contents)
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    with pytest.raises(UnreadableFile, match=r"^[^\n]*$"):
        rewrite_bag(bag, like(bag), never)
    (bag / "metadata.yaml").write_text("something: else")
    with pytest.raises(UnreadableFile, match="run"):
        rewrite_bag(bag, like(bag), never)


def test_a_recording_that_was_not_closed_is_refused(tmp_path, contents):
    bag = make(tmp_path, "sqlite", contents)
    database = sqlite3.connect(bag / "run.db3")
    database.execute("PRAGMA journal_mode = wal")
    database.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (1, 1, x'00')")
    database.commit()
    with pytest.raises(UnreadableFile, match=r"was not closed.*run: sqlite3 .*wal_checkpoint"):
        rewrite_bag(bag, like(bag), never)
    database.close()


@pytest.mark.parametrize(
    "change", [{"step": 4}, {"data": b"few"}, {"height": 900_000, "width": 900_000, "step": 900_000}]
)
def test_a_message_whose_numbers_do_not_fit_is_damaged(tmp_path, change):
    good = raw(np.zeros((6, 8), np.uint8))
    bag = make(tmp_path, "ros1", [("/cam", good), ("/cam", dataclasses.replace(good, **change))])
    with pytest.raises(UnreadableFile, match=r"a message of /cam in .* is damaged"):
        rewrite_bag(bag, like(bag), identity)
    assert left_in(tmp_path) == [bag.name]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_picture_is_damaged(tmp_path, random, kind):
    data = coded(random((40, 40, 3)), kind)
    bag = make(tmp_path, "ros1", [("/cam", Packed(data[: len(data) // 2]))])
    with pytest.raises(UnreadableFile, match=f"/cam in .* its {kind} cannot be decoded"):
        rewrite_bag(bag, like(bag), identity)


def test_an_empty_picture_is_copied(tmp_path):
    bag = make(tmp_path, "ros1", [("/cam", Raw(b"", height=0, width=0, step=0))])
    rewrite_bag(bag, like(bag), never)
    assert held_by(like(bag)) == held_by(bag)


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap"])
def test_a_target_is_replaced_only_when_told(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    target = make(tmp_path, kind, contents[:3], "clean")
    before = held_by(target)
    with pytest.raises(UnwritableFile, match=r"exists; replace it with --force \(overwrite=True\)"):
        rewrite_bag(bag, target, never)
    assert held_by(target) == before
    rewrite_bag(bag, target, identity, overwrite=True)
    assert held_by(target) == held_by(bag)
    assert left_in(tmp_path) == sorted([bag.name, target.name])


def test_something_that_is_no_bag_is_not_replaced(tmp_path, contents):
    bag = make(tmp_path, "sqlite", contents)
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "thesis.txt").write_text("years of work")
    with pytest.raises(UnwritableFile, match="is no ROS 2 bag"):
        rewrite_bag(bag, tmp_path / "clean", never, overwrite=True)


def test_a_target_of_another_kind_or_within_the_source_is_refused(tmp_path, contents):
    ros1, ros2 = make(tmp_path, "ros1", contents), make(tmp_path, "sqlite", contents)
    with pytest.raises(UnsupportedFormat, match=r"end .*clean.* in \.bag"):
        rewrite_bag(ros1, tmp_path / "clean", never)
    with pytest.raises(UnsupportedFormat, match="name it 'clean'"):
        rewrite_bag(ros2, tmp_path / "clean.mcap", never)
    for target in (ros2, ros2 / "clean"):
        with pytest.raises(UnwritableFile, match="lies within its source"):
            rewrite_bag(ros2, target, never, overwrite=True)
    with pytest.raises(UnwritableFile, match="lies within its source"):
        rewrite_bag(ros1, ros1, never, overwrite=True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_bag_tells_its_topics_and_gives_all_messages(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    with open_bag(bag) as opened:
        assert [(each.name, each.type, each.encoding, each.count) for each in opened.topics] == [
            ("/left", IMAGE, "mono8", 6),
            ("/right", IMAGE, "bgr8", 6),
        ]
        got = [(each.topic, each.type, each.time, each.data) for each in opened]
        assert opened.types["/talk"] == TEXT
        assert {each.topic for each in opened.messages(["/talk"])} == {"/talk"}
        assert list(opened.messages([])) == []
    assert got == [held[:4] for held in held_by(bag)]


def test_progress_goes_to_one(tmp_path, contents):
    bag, shares = make(tmp_path, "mcap", contents), []
    rewrite_bag(bag, like(bag), identity, progress=shares.append)
    assert shares == pytest.approx([(number + 1) / 12 for number in range(12)])


def test_messages_out_of_order_are_told(tmp_path, random, caplog):
    writer = rosbag2.Writer(tmp_path / "run", version=9, storage_plugin=StoragePlugin.MCAP)
    with writer:
        connection = writer.add_connection("/cam", IMAGE, typestore=STORES[False])
        for time in (5, 9, 7, 6):
            writer.write(connection, time, serialised(raw(random((4, 4))), is_ros1=False)[1])
    with caplog.at_level(logging.WARNING):
        rewrite_bag(tmp_path / "run", tmp_path / "clean", identity)
    (record,) = caplog.records
    assert "/cam are not in the order of time" in record.getMessage()


def test_without_rosbags_the_extra_is_named(tmp_path, contents, monkeypatch):
    bag = make(tmp_path, "ros1", contents)
    for name in [name for name in sys.modules if name.split(".")[0] == "rosbags"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rosbags", None)
    assert is_bag(bag)
    with pytest.raises(MissingExtra, match=r"reading bags needs 'rosbags': pip install 'noiseless\[ros\]'"):
        rewrite_bag(bag, like(bag), never)


class HalfAsBright:
    """Stands for the temporal denoiser."""

    def __init__(self, *, sigma, model, strength):
        self.options, self.frames = (sigma, model, strength), []

    def push(self, frame):
        assert frame.dtype == np.float32
        assert frame.ndim == 3
        self.frames.append(frame)
        return frame / 2

    def report(self):
        return {"frames": len(self.frames), "noise": self.options, "cuts": [], "warnings": []}


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(noiseless, "TemporalDenoiser", HalfAsBright, raising=False)


def test_the_command_line_has_a_denoiser_for_each_stream(tmp_path, random, stand_in):
    colour, deep, mosaic = random((6, 8, 3)), random((6, 8), np.uint16), random((6, 8))
    contents = [("/a", raw(colour, "bgr8")), ("/b", raw(deep, "mono16")), ("/c", raw(mosaic, "bayer_rggb8"))]
    bag = make(tmp_path, "ros1", contents * 2)
    reports = denoise_bag(bag, like(bag), sigma=25.0, strength=0.5)
    assert [(each["topic"], each["frames"]) for each in reports] == [
        ("/a", 2), ("/b", 2), *((f"/c#{number}", 2) for number in range(4)),
    ]  # fmt: skip
    assert reports[0]["noise"] == (25.0 / 255.0, "base", 0.5)
    assert reports[0]["levels"] == [0.0, 255.0]
    assert reports[1]["levels"] == [deep.min(), deep.max()]
    assert reports[1]["noise"][0] == pytest.approx(25.0 / (int(deep.max()) - int(deep.min())))
    assert (reports[0]["input"], reports[0]["output"]) == (str(bag), str(like(bag)))
    assert np.abs(pixels_of(read_back(like(bag), "/a")[1], np.uint8, (3,)) - colour / 2).max() <= 0.5
    # The frames are float32 to the denoiser: 2^-24 of a range of 2^16.
    assert np.abs(pixels_of(read_back(like(bag), "/b")[1], np.uint16) - half_above(deep)).max() <= 0.5 + 2**-8
    with pytest.raises(UnwritableFile):
        denoise_bag(bag, like(bag))
    reports = denoise_bag(bag, like(bag), topics=["/b"], force=True)
    assert [each["noise"][0] for each in reports] == [None]


def half_above(deep):
    """What the stand-in makes of it: half as far above the darkest level."""
    low = float(deep.min())
    return (deep - low) / 2 + low


def test_frames_of_few_levels_among_65536_have_a_range_of_their_own(tmp_path, random, stand_in):
    """A thermal camera: levels about 8000; then its shutter, and all begins anew."""
    warm = (8000 + random((6, 8)).astype(np.uint16)).astype(np.uint16)
    shutter = np.full((6, 8), 30_000, np.uint16)
    bag = make(tmp_path, "mcap", [("/thermal", raw(frame, "mono16")) for frame in (warm, warm + 100, shutter)])
    (report,) = denoise_bag(bag, like(bag), sigma=2.0)
    assert (report["frames"], report["levels"]) == (3, [30_000.0, 30_255.0])
    first, second, third = (pixels_of(each, np.uint16) for each in read_back(like(bag), "/thermal"))
    low = float(warm.min())
    assert np.abs(first - half_above(warm)).max() <= 0.5
    assert np.abs(second - ((warm + 100 - low) / 2 + low)).max() <= 0.5
    assert np.array_equal(third, shutter)


def test_a_bag_of_noise_comes_out_cleaner(tmp_path, rng):
    """With the denoiser itself, and the noise to be found."""
    y, x = np.mgrid[:48, :64]
    clean = 110 + 60 * np.sin(x / 7) + 40 * (y > 20)
    frames = [np.clip(np.rint(clean + 12 * rng.standard_normal(clean.shape)), 0, 255).astype(np.uint8) for _ in "123"]
    bag = make(tmp_path, "sqlite", [("/cam", raw(frame)) for frame in frames])
    (report,) = denoise_bag(bag, like(bag), model="tiny")
    assert report["frames"] == 3
    assert re.fullmatch(r".*clean /cam: 3 frames, sigma 1[123](\.\d)?, \d+\.\d\d s", bags_cli.in_words(report))
    for message in read_back(like(bag), "/cam"):
        assert np.std(pixels_of(message, np.uint8) - clean) < 12 / 2


def test_results_are_named_after_their_sources(tmp_path, contents):
    ros1, ros2 = make(tmp_path, "ros1", contents), make(tmp_path, "sqlite", contents)
    assert is_bag(ros1)
    assert bags_cli.result_of(ros1).name == "run.denoised.bag"
    assert bags_cli.result_of(ros2).name == "run.denoised"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["vtest10_ros1.bag", "vtest10_ros2"])
def test_bags_of_a_street(shared_data, tmp_path, name):
    source = shared_data / "domain" / "rosbag" / name
    if not source.exists():
        pytest.skip(f"no {name} in the shared data")
    same, clean = (tmp_path / f"{word}{source.suffix}" for word in ("same", "clean"))
    rewrite_bag(source, same, identity)
    assert held_by(same) == held_by(source)
    done = rewrite_bag(source, clean, inverted)
    for topic in done:
        dtype, channels = (np.uint16, ()) if topic.encoding == "mono16" else (np.uint8, (3,))
        for old, new in zip(read_back(source, topic.name), read_back(clean, topic.name), strict=True):
            full = np.iinfo(dtype).max
            assert new.header == old.header
            assert np.array_equal(pixels_of(new, dtype, channels), full - pixels_of(old, dtype, channels))
