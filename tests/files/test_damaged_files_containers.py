"""Stores, videos, bags and what is kept for a later run, damaged: what fuzzing has found, each built here."""

import bz2
import gzip
import json
import lzma
import re
import struct
import zlib

import imagecodecs
import numpy as np
import pytest

from noiseless.errors import IncompatibleCheckpoint, UnreadableFile, UnsupportedFormat
from noiseless.files import allowing, open_bag, open_chunked, open_video, rewrite_bag
from noiseless.files.bags import compression
from noiseless.files.bags.compression import unpacked, unpacked_message
from noiseless.score import checkpoint, density_file

EVERYTHING = (slice(0, 32), slice(0, 32))
SMALL = 100_000
"""Pixels that are allowed: a bomb is refused, and each picture here is not."""

rng = np.random.default_rng(0)
PIXELS = rng.integers(0, 2**16, (32, 32)).astype(np.uint16)


def store(path, version, compressor, **options):
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(
        path, shape=(32, 32), chunks=(16, 16), dtype="uint16", zarr_format=version, compressors=compressor, **options
    )
    array[...] = PIXELS
    return path


def chunks_of(path):
    documents = (".zarray", ".zattrs", "zarr.json")
    return sorted(item for item in path.rglob("*") if item.is_file() and item.name not in documents)


def codec(version, name, **options):
    """By what numcodecs or zarr call it."""
    if version == 2:
        return pytest.importorskip("numcodecs").get_codec({"id": name, **options})
    codecs = pytest.importorskip("zarr.codecs")
    return getattr(codecs, f"{name.capitalize()}Codec")(**options)


CODECS = [
    *((2, name) for name in ("blosc", "zstd", "gzip", "zlib", "bz2", "lzma", "lz4")),
    *((3, name) for name in ("blosc", "zstd", "gzip")),
]


@pytest.mark.parametrize(("version", "name"), CODECS)
def test_every_codec_unpacks_what_zarr_has_packed_and_refuses_what_is_cut_short(tmp_path, version, name):
    path = store(tmp_path / "a.zarr", version, codec(version, name))
    assert np.array_equal(open_chunked(path).read(0, slice(0, 1), EVERYTHING)[0], PIXELS)
    chunk = chunks_of(path)[-1]
    content = chunk.read_bytes()
    for length in (len(content) - 1, len(content) // 2, 17, 3):
        chunk.write_bytes(content[:length])
        with pytest.raises(UnreadableFile, match=r"a\.zarr"):
            open_chunked(path).read(0, slice(0, 1), EVERYTHING)


@pytest.mark.parametrize("cname", ["blosclz", "lz4", "lz4hc", "zlib", "zstd"])
@pytest.mark.parametrize("shuffle", [0, 1, 2])
def test_every_kind_of_blosc_is_read(tmp_path, cname, shuffle):
    path = store(tmp_path / "a.zarr", 2, codec(2, "blosc", cname=cname, shuffle=shuffle))
    assert np.array_equal(open_chunked(path).read(0, slice(0, 1), EVERYTHING)[0], PIXELS)


def test_a_blosc_chunk_that_is_cut_short_is_not_read_beyond_its_end_within_a_shard_either(tmp_path):
    path = store(tmp_path / "a.zarr", 3, codec(3, "blosc", cname="lz4", clevel=1), shards=(32, 32))
    assert np.array_equal(open_chunked(path).read(0, slice(0, 1), EVERYTHING)[0], PIXELS)
    (shard,) = chunks_of(path)
    content = bytearray(shard.read_bytes())
    packed = struct.unpack_from("<I", content, 12)[0]
    struct.pack_into("<I", content, 12, packed + 500)  # of the first chunk, whose end the index knows
    shard.write_bytes(content)
    with pytest.raises(UnreadableFile, match="cut short or damaged"):
        open_chunked(path).read(0, slice(0, 1), EVERYTHING)


ZEROS = bytes(2**23)
BOMBS = {
    "gzip": lambda: gzip.compress(ZEROS),
    "zlib": lambda: zlib.compress(ZEROS),
    "bz2": lambda: bz2.compress(ZEROS),
    "lzma": lambda: lzma.compress(ZEROS, preset=0),
    "zstd": lambda: imagecodecs.zstd_encode(ZEROS),
    "lz4": lambda: struct.pack("<I", 2**31 - 1) + bytes(100),
    "blosc": lambda: struct.pack("<BBBBIII", 2, 1, 0x33, 2, 2**31 - 1, 2**20, 100) + bytes(84),
}


@pytest.mark.parametrize(("version", "name"), CODECS)
def test_a_chunk_unpacks_to_no_more_than_a_chunk_has(tmp_path, version, name):
    path = store(tmp_path / "a.zarr", version, codec(version, name))
    chunks_of(path)[0].write_bytes(BOMBS[name]())
    with pytest.raises(UnreadableFile, match=r"a\.zarr"):
        open_chunked(path).read(0, slice(0, 1), EVERYTHING)


def test_chunks_larger_than_a_picture_may_be_are_refused(tmp_path):
    path = store(tmp_path / "a.zarr", 2, None)
    document = json.loads((path / ".zarray").read_bytes())
    (path / ".zarray").write_text(json.dumps({**document, "chunks": [2**20, 2**20]}))
    with pytest.raises(UnreadableFile, match=f"its chunks have {2**40} pixels.*--max-pixels"):
        open_chunked(path)
    with allowing(100), pytest.raises(UnreadableFile, match="its chunks have 256 pixels"):
        open_chunked(store(tmp_path / "b.zarr", 3, None))


@pytest.mark.parametrize("place", ["compressor", "filters"])
@pytest.mark.parametrize("name", ["pickle", "msgpack2", "base64"])
def test_codecs_that_are_not_known_are_refused(tmp_path, place, name):
    path = store(tmp_path / "a.zarr", 2, None)
    document = json.loads((path / ".zarray").read_bytes())
    told = {"id": name} if place == "compressor" else [{"id": name}]
    (path / ".zarray").write_text(json.dumps({**document, place: told}))
    with pytest.raises((UnsupportedFormat, UnreadableFile), match=r"a\.zarr"):
        open_chunked(path)


def test_a_video_is_held_to_the_limit_before_its_frames_are_decoded(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame(64, 48, "gray")))
        container.mux(stream.encode())
    with allowing(64 * 48), open_video(path) as video:
        assert sum(1 for _ in video) == 2
    with allowing(64 * 48 - 1), pytest.raises(UnreadableFile, match=r"a\.mkv.*(64 x 48 pixels|3071 pixels)"):
        open_video(path)
    with allowing(64 * 48):
        video = open_video(path)
    with video, allowing(1):  # the limit is that of the opening, wherever it is read
        assert sum(1 for _ in video) == 2


def test_a_video_of_a_kind_without_a_decoder_is_refused(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuvj420p")))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"MJPG", b"ZZZZ"))
    with pytest.raises(UnreadableFile, match=r"a\.avi"):
        open_video(path)


def ros1_chunk(content, name):
    """A ROS 1 bag of a chunk that says it has 100 bytes."""
    pytest.importorskip("rosbags")

    def record(fields, data):
        header = b"".join(struct.pack("<I", len(item)) + item for item in fields)
        return struct.pack("<I", len(header)) + header + struct.pack("<I", len(data)) + data

    chunk = record([b"compression=" + name, b"op=\x05", b"size=" + struct.pack("<I", 100)], content)
    start = b"#ROSBAG V2.0\n"
    head_length = 4096
    place = len(start) + 4 + 69 + 4 + head_length
    connection = record(
        [b"conn=\0\0\0\0", b"op=\x07", b"topic=/a"],
        b"".join(
            struct.pack("<I", len(item)) + item
            for item in (b"topic=/a", b"type=sensor_msgs/Image", b"md5sum=" + b"0" * 32, b"message_definition=uint8 a")
        ),
    )
    info = record(
        [
            b"chunk_pos=" + struct.pack("<Q", place), b"count=\1\0\0\0", b"end_time=" + bytes(8), b"op=\x06",
            b"start_time=" + bytes(8), b"ver=\1\0\0\0",
        ],
        struct.pack("<II", 0, 1),
    )  # fmt: skip
    index = record([b"conn=\0\0\0\0", b"count=\1\0\0\0", b"op=\x04", b"ver=\1\0\0\0"], struct.pack("<III", 1, 0, 0))
    behind = place + len(chunk) + len(index)
    fields = [
        b"chunk_count=\1\0\0\0", b"conn_count=\1\0\0\0", b"index_pos=" + struct.pack("<Q", behind), b"op=\x03",
    ]  # fmt: skip
    head = record(fields, b" " * head_length)
    assert len(head) + len(start) == place
    return start + head + chunk + index + connection + info


def test_a_chunk_of_a_ros1_bag_unpacks_within_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "MAX_METADATA_BYTES", 0)
    (tmp_path / "a.bag").write_bytes(ros1_chunk(bz2.compress(bytes(2**22)), b"bz2"))
    assert (tmp_path / "a.bag").stat().st_size < 10_000
    with allowing(SMALL), open_bag(tmp_path / "a.bag") as bag:
        messages = iter(bag)
        with pytest.raises(UnreadableFile, match="decompression bomb"):
            next(messages)
    with allowing(SMALL), pytest.raises(UnreadableFile, match=r"a\.bag"):
        rewrite_bag(tmp_path / "a.bag", tmp_path / "b.bag", lambda topic, frame: frame)


@pytest.mark.parametrize("name", ["bz2", "zstd", "lz4"])
def test_a_chunk_unpacks_to_what_it_says_or_not_at_all(name):
    pack = {"bz2": bz2.compress, "zstd": imagecodecs.zstd_encode, "lz4": imagecodecs.lz4f_encode}[name]
    assert unpacked(pack(b"0123456789"), name, 10) == b"0123456789"
    with pytest.raises((UnreadableFile, imagecodecs.ZstdError)):
        unpacked(pack(bytes(2**20)), name, 10)
    with allowing(SMALL), pytest.raises(UnreadableFile, match=f"{2**40} bytes, and {8 * SMALL + 2**26} are the most"):
        unpacked(pack(bytes(10)), name, 2**40)


def test_a_message_unpacks_within_bounds(monkeypatch):
    pytest.importorskip("rosbags")
    monkeypatch.setattr(compression, "MAX_METADATA_BYTES", 0)
    assert unpacked_message(imagecodecs.zstd_encode(b"abc")) == b"abc"
    with allowing(SMALL), pytest.raises(UnreadableFile, match="decompression bomb"):
        unpacked_message(imagecodecs.zstd_encode(bytes(8 * SMALL + 1)))
    with pytest.raises(UnreadableFile, match="cut short"):
        unpacked_message(imagecodecs.zstd_encode(rng.bytes(100))[:50])


@pytest.mark.parametrize(("key", "value"), [("message_count", "null"), ("name", "5"), ("type", "[]")])
def test_topics_that_metadata_tell_otherwise_than_in_words_and_numbers_are_refused(tmp_path, key, value):
    rosbag2 = pytest.importorskip("rosbags.rosbag2")
    typesys = pytest.importorskip("rosbags.typesys")
    with rosbag2.Writer(tmp_path / "run", version=9) as writer:
        store = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
        connection = writer.add_connection("/text", "std_msgs/msg/String", typestore=store)
        writer.write(connection, 1, b"\0\1\0\0\1\0\0\0\0")
    document = tmp_path / "run" / "metadata.yaml"
    text = document.read_text(encoding="utf-8")
    head, topics = text.split("topics_with_message_count", 1)
    changed = re.sub(rf"\b{key}: .*", f"{key}: {value}", topics, count=1)
    assert changed != topics
    document.write_text(f"{head}topics_with_message_count{changed}", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="run"), open_bag(tmp_path / "run") as bag:
        list(bag.topics)


def parts_folder(tmp_path):
    parts = pytest.importorskip("noiseless.files.video.parts")

    def opened():
        return parts.PartsFolder(tmp_path / "a.mkv", ".mkv", {"a": 1}, resume=True)

    folder = opened()
    for number in range(2):
        folder.next_path().write_bytes(b"video")
        folder.add([number], {"mean": np.zeros(3)})
    folder.close()
    return opened


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\0v\0{'shape': (9999999999,)}", b"x" * 300])
def test_a_damaged_state_of_a_video_run_begins_it_anew(tmp_path, caplog, damage):
    opened = parts_folder(tmp_path)
    (tmp_path / ".a.mkv.parts" / "000001.npz").write_bytes(damage)
    folder = opened()
    assert (folder.done, folder.state) == ([], None)
    assert "damaged" in caplog.text
    folder.discard()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"[]", b"5", b'{"times": 3}', b'{"times": ["x"]}', b"[" * 9999])
def test_a_damaged_list_of_a_part_counts_as_none(tmp_path, damage):
    opened = parts_folder(tmp_path)
    (tmp_path / ".a.mkv.parts" / "000001.json").write_bytes(damage)
    folder = opened()
    assert [part.times for part in folder.done] == [(0,)]
    folder.discard()


def test_a_card_whose_recipe_is_no_object_is_refused(tmp_path):
    whole = checkpoint.shipped()["tiny-gray"].read_bytes()
    length = struct.unpack_from("<Q", whole)[0]
    header = json.loads(whole[8 : 8 + length])
    card = json.loads(header["__metadata__"][checkpoint.CARD_KEY])
    for recipe in (None, 5, "camera", ["camera"]):
        header["__metadata__"][checkpoint.CARD_KEY] = json.dumps({**card, "recipe": recipe})
        text = json.dumps(header).encode()
        (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
        with pytest.raises(IncompatibleCheckpoint, match=r"a\.safetensors"):
            checkpoint.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("value", [1e30, np.inf, np.nan])
def test_a_basis_of_absurd_values_is_refused_without_a_warning(tmp_path, value):
    density = density_file.load_density()
    basis = density.basis.copy()
    basis[3, 3] = value
    spoilt = density_file.Mixture(basis, density.weights, density.variances, density.card)
    density_file.save_density(spoilt, tmp_path / "a.safetensors")
    with pytest.raises(IncompatibleCheckpoint, match="not orthonormal"):
        density_file.load_density(tmp_path / "a.safetensors")
