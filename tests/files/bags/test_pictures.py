"""Pictures as messages have them: raw encodings, mosaics, JPEG and PNG; and depth, which is none."""

import io
import logging

import numpy as np
import pytest
from PIL import Image as Pillow

from noiseless.files import rewrite_bag
from noiseless.files.bags.encodings import ENCODINGS

pytest.importorskip("rosbags")
from .recordings import Packed, coded, held_by, identity, inverted, like, make, pixels_of, raw, read_back


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
