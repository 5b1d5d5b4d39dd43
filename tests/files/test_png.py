"""PNG: every colour type and depth, and chunks byte for byte."""

import io
import struct
import zlib
from dataclasses import replace

import imagecodecs
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files import limits, read, write
from noiseless.image import from_array


def png(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "PNG", **options)
    return stream.getvalue()


SMALL = png(PIL.Image.new("L", (3, 3)))


def chunk(kind, payload):
    return struct.pack(">I4s", len(payload), kind) + payload + struct.pack(">I", zlib.crc32(kind + payload))


def chunks_of(data):
    found, position = [], 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        found.append((kind, data[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def with_chunks(data, *added):
    return data[:33] + b"".join(chunk(kind, payload) for kind, payload in added) + data[33:]


def read_bytes(folder, data):
    (folder / "in.png").write_bytes(data)
    return read(folder / "in.png")


def written_chunks(folder, image):
    write(image, folder / "out.png")
    return chunks_of((folder / "out.png").read_bytes())


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(("samples", "channels"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_every_depth_and_colour_type(dtype, samples, channels, tmp_path, rng):
    stored = rng.integers(0, np.iinfo(dtype).max, (7, 9, samples), dtype=dtype, endpoint=True)
    image = read_bytes(tmp_path, imagecodecs.png_encode(stored.squeeze(-1) if samples == 1 else stored))
    assert image.pixels.shape == (channels, 7, 9)
    assert image.stored_dtype == dtype
    np.testing.assert_array_equal(image.stored(), np.moveaxis(stored[..., :channels], -1, 0))
    if samples in (2, 4):
        np.testing.assert_array_equal(image.alpha, stored[..., -1])
    write(image, tmp_path / "out.png")
    np.testing.assert_array_equal(imagecodecs.png_decode((tmp_path / "out.png").read_bytes()), stored.squeeze())


def test_sixteen_bit_colour_keeps_its_low_byte(tmp_path):
    # Pillow reads such files as 8 bits.
    stored = np.full((4, 4, 3), 257, np.uint16)
    image = read_bytes(tmp_path, imagecodecs.png_encode(stored))
    assert (image.stored() == 257).all()


def test_bytes_of_sixteen_bits_are_big_endian(tmp_path):
    image = from_array(np.array([[0x1234]], np.uint16))
    payload = dict(written_chunks(tmp_path, image))[b"IDAT"]
    assert zlib.decompress(payload)[1:] == b"\x12\x34"


def test_one_bit_becomes_eight(tmp_path):
    image = read_bytes(tmp_path, png(PIL.Image.new("1", (5, 3), 1)))
    assert (image.stored_dtype, image.channels, set(image.stored().ravel())) == ("uint8", 1, {255})


def test_a_palette_becomes_colour(tmp_path, rng):
    picture = PIL.Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).quantize(7)
    image = read_bytes(tmp_path, png(picture))
    np.testing.assert_array_equal(image.stored(), np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0))


def test_a_gray_palette_becomes_gray(tmp_path):
    picture = PIL.Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("P")
    assert read_bytes(tmp_path, png(picture)).channels == 1
    # An RGB profile may not be put on a gray picture.
    assert read_bytes(tmp_path, png(picture, icc_profile=b"profile")).channels == 3


def test_a_transparent_colour_becomes_alpha(tmp_path):
    stored = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = read_bytes(tmp_path, png(PIL.Image.fromarray(stored), transparency=5))
    np.testing.assert_array_equal(image.alpha, np.where(stored == 5, 0, 255))
    np.testing.assert_array_equal(image.stored()[0], stored)


def test_interlacing_is_read(tmp_path):
    # A 1x1 picture has one Adam7 pass, which is the picture.
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1)
    pixels = zlib.compress(b"\x00\x2a")
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    assert read_bytes(tmp_path, data).stored().item() == 42


def test_chunks_follow_the_rules_of_copying(tmp_path):
    kept = [
        (b"gAMA", struct.pack(">I", 45455)),
        (b"tEXt", b"Comment\0one"),
        (b"zTXt", b"Title\0\0" + zlib.compress(b"two")),
        (b"iTXt", b"Author\0\0\0\0\0three"),
        (b"pHYs", struct.pack(">IIB", 2, 1, 0)),  # the shape of a pixel, without a unit
        (b"abCd", b"unknown, safe to copy"),
    ]
    dropped = [(b"tIME", bytes(7)), (b"abCD", b"unknown, depends on the pixels"), (b"sBIT", b"\x05")]
    image = read_bytes(tmp_path, with_chunks(SMALL, *kept, *dropped))
    found = written_chunks(tmp_path, image)
    assert [pair for pair in found if pair in kept] == kept
    assert not [pair for pair in found if pair[0] in (b"tIME", b"abCD", b"sBIT")]
    assert [kind for kind, _ in found].index(b"gAMA") < [kind for kind, _ in found].index(b"IDAT")


def test_software_is_named_where_the_file_names_none(tmp_path):
    image = from_array(np.zeros((3, 3), np.uint8))
    assert any(payload.startswith(b"Software\0noiseless") for _, payload in written_chunks(tmp_path, image))


def test_the_software_of_the_source_stays(tmp_path):
    theirs = (b"tEXt", b"Software\0scanner")
    image = read_bytes(tmp_path, with_chunks(SMALL, theirs))
    found = written_chunks(tmp_path, image)
    assert [pair for pair in found if pair[1].startswith(b"Software\0")] == [theirs]


def test_print_size_comes_back_exactly(tmp_path):
    for per_metre in (2834, 2835, 3937, 11811, 1):
        size = struct.pack(">IIB", per_metre, per_metre, 1)
        image = read_bytes(tmp_path, with_chunks(SMALL, (b"pHYs", size)))
        write(image, tmp_path / "out.png", overwrite=True)
        found = dict(chunks_of((tmp_path / "out.png").read_bytes()))
        assert found[b"pHYs"] == size


def test_compressed_xmp_is_read(tmp_path):
    payload = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x/>")
    assert read_bytes(tmp_path, with_chunks(SMALL, (b"iTXt", payload))).header["xmp"] == b"<x/>"


@pytest.mark.parametrize(
    "damaged",
    [
        (b"iCCP", b"name\0\0not zlib"),
        (b"iCCP", b""),
        (b"iCCP", b"name\0\0" + zlib.compress(bytes(5000))[:-6]),
        (b"iTXt", b"XML:com.adobe.xmp\0"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0none"),
    ],
)
def test_damaged_metadata_are_dropped_with_a_warning(damaged, tmp_path, caplog):
    image = read_bytes(tmp_path, with_chunks(SMALL, damaged))
    assert set(image.header) == {"format"}
    assert "was dropped" in caplog.text


def test_metadata_that_unpack_to_an_absurd_size_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr("noiseless.files.png.MAX_METADATA_BYTES", 1000)
    bomb = (b"iCCP", b"name\0\0" + zlib.compress(bytes(100_000)))
    assert "icc" not in read_bytes(tmp_path, with_chunks(SMALL, bomb)).header


def test_an_animation_is_refused(tmp_path):
    frames = [PIL.Image.new("L", (3, 3), value) for value in (0, 9)]
    with pytest.raises(UnsupportedFormat, match="animated PNG"):
        read_bytes(tmp_path, png(frames[0], save_all=True, append_images=frames[1:]))


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableFile, match="decompression bombs is 500000000"):
        read_bytes(tmp_path, data)


def test_a_limit_that_is_raised_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_PIXELS", 8)
    data = SMALL
    with pytest.raises(UnreadableFile, match="--max-pixels"):
        read_bytes(tmp_path, data)
    monkeypatch.setattr(limits, "MAX_PIXELS", 9)
    assert read_bytes(tmp_path, data).space == (3, 3)


def test_a_wrong_checksum_is_unreadable(tmp_path):
    data = bytearray(png(PIL.Image.new("L", (30, 30))))
    data[40] ^= 1
    with pytest.raises(UnreadableFile, match="checksum"):
        read_bytes(tmp_path, bytes(data))


@pytest.mark.parametrize(("height", "width"), [(0, 1), (1, 0)])
def test_a_picture_without_pixels_is_unreadable(height, width, tmp_path):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    with pytest.raises(UnreadableFile, match="claims a size"):
        read_bytes(tmp_path, data)


def test_what_png_cannot_hold_is_refused_with_the_remedy(tmp_path):
    gray = np.zeros((3, 4, 5), np.uint8)
    for image, reason in (
        (from_array(gray), "1 channels of ZYX"),
        (from_array(gray[:2], channel_axis=0), "2 channels"),
        (from_array(gray[0].astype(np.float32)), "float32"),
        (from_array(gray[0].astype(np.int16)), "int16"),
    ):
        with pytest.raises(UnsupportedFormat, match=rf"{reason}.*write TIFF"):
            write(image, tmp_path / "out.png")


def test_pixels_beyond_the_range_are_clipped_and_do_not_wrap(tmp_path):
    image = from_array(np.array([[0, 255]], np.uint8))
    write(image.with_pixels(image.pixels * 3 - 1), tmp_path / "out.png")
    np.testing.assert_array_equal(read(tmp_path / "out.png").stored(), [[[0, 255]]])


def test_alpha_is_no_channel_and_is_not_denoised(tmp_path):
    alpha = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = replace(from_array(np.zeros((3, 4), np.uint8)), alpha=alpha)
    write(image.with_pixels(image.pixels + 0.5), tmp_path / "out.png")
    back = read(tmp_path / "out.png")
    assert back.channels == 1
    np.testing.assert_array_equal(back.alpha, alpha)
