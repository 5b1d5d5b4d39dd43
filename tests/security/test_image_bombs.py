"""PNG, JPEG and WebP that are small, and claim to be large or unpack to much: refused in a line and little memory."""

import io
import struct
import zlib

import PIL.Image
import pytest

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGE = 12_000
"""A side of a square that is below the limit against bombs, and beyond the memory that it has here."""

ROOM = 300
"""Megabytes."""


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, pixels, *, bits=8, colour=0, before=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return SIGNATURE + header + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def small_png(before):
    return png(8, 8, zlib.compress(bytes(8 * 9)), before=before)


def jpeg_of(width, height, *, progressive=False):
    """A JPEG of 8 x 8 pixels whose header was made to say another size."""
    coded = io.BytesIO()
    PIL.Image.new("L", (8, 8)).save(coded, "JPEG", progressive=progressive)
    data = bytearray(coded.getvalue())
    place = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    struct.pack_into(">HH", data, place + 5, height, width)
    return bytes(data)


def webp_of(width, height):
    """VP8L of which nothing follows the size."""
    bits = (width - 1) | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", bits) + bytes(20)
    inner = b"WEBPVP8L" + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


@pytest.fixture
def refused(limited, tmp_path):
    """``refused(data, suffix)``: that it is, and what the line says."""

    def check(data, suffix, **limits):
        path = tmp_path / f"bomb{suffix}"
        path.write_bytes(data)
        outcome = limited("image", path, **limits)
        assert outcome.in_a_line, outcome
        return outcome

    return check


def test_memory_is_bounded_where_bombs_are_read(limited, tmp_path):
    """Or the tests below would show nothing."""
    (tmp_path / "much").write_text(str(1100 * 2**20))
    assert limited("nothing", tmp_path / "much").error == "MemoryError"
    (tmp_path / "little").write_text(str(100 * 2**20))
    outcome = limited("nothing", tmp_path / "little")
    assert outcome.error == ""
    assert 90 < outcome.peak_mb < 150


@pytest.mark.parametrize(
    ("width", "height"), [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (2**32 - 1, 9)]
)
def test_png_of_too_many_pixels(refused, width, height):
    outcome = refused(png(width, height, zlib.compress(bytes(1000))), ".png")
    assert "limit against decompression bombs" in outcome.message
    assert outcome.peak_mb < 50


@pytest.mark.parametrize(("bits", "colour"), [(8, 0), (16, 6)])
def test_png_that_holds_less_than_it_claims(refused, bits, colour):
    refused(png(LARGE, LARGE, zlib.compress(bytes(1000)), bits=bits, colour=colour), ".png", megabytes=ROOM)


def test_png_within_the_limit_that_memory_has_no_room_for(refused, zeros):
    refused(png(LARGE, LARGE, zeros(LARGE * (LARGE + 1) // 2**20 + 1)), ".png", megabytes=ROOM)


def test_png_whose_pixels_unpack_to_more_than_it_claims(limited, zeros, tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(8, 8, zeros(300)))  # the rest of 300 MB is never unpacked
    outcome = limited("image", path, megabytes=256)
    assert outcome.error == "" or outcome.in_a_line
    assert outcome.peak_mb < 50


@pytest.mark.parametrize(
    ("kind", "head"),
    [(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0")],
)
def test_png_whose_words_or_profile_unpack_to_much(limited, zeros, tmp_path, kind, head):
    """They are metadata: left behind, or kept packed, and the picture is read."""
    path = tmp_path / "bomb.png"
    path.write_bytes(small_png(chunk(kind, head + zeros(500))))
    outcome = limited("image", path, megabytes=512)
    assert outcome.error == "", outcome
    assert outcome.peak_mb < 200


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_of_too_many_pixels(refused, progressive):
    outcome = refused(jpeg_of(65_500, 65_500, progressive=progressive), ".jpg")
    assert "limit against decompression bombs" in outcome.message
    assert outcome.peak_mb < 50


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_that_holds_less_than_it_claims(refused, progressive):
    refused(jpeg_of(LARGE, LARGE, progressive=progressive), ".jpg", megabytes=ROOM)


def test_webp_that_holds_less_than_it_claims(refused):
    refused(webp_of(16_384, 16_384), ".webp", megabytes=ROOM)
