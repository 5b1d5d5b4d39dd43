"""TIFF that is small and claims to be large, unpacks to much, or has lists that do not end."""

import io
import struct

import imagecodecs
import PIL.Image
import pytest

DEFLATE, LZW, JPEG, JPEG2000, ZSTD = 8, 5, 7, 34712, 50000
LONG, SHORT, ASCII = 4, 3, 2
SIZES = {ASCII: 1, SHORT: 2, LONG: 4}


def tiff(width, height, strip, *, compression=DEFLATE, tile=None, text=b"", photometric=1, next_page=0):
    """A page of one strip, or of one tile."""
    head, strip = 8, strip + bytes(len(strip) % 2)
    text_place = head + len(strip)
    start = text_place + len(text) + len(text) % 2
    tags = [(256, LONG, 1, width), (257, LONG, 1, height), (258, SHORT, 1, 8), (259, SHORT, 1, compression),
            (262, SHORT, 1, photometric), (277, SHORT, 1, 1)]  # fmt: skip
    tags += [(270, ASCII, len(text), text_place)] if text else []
    if tile:
        tags += [(322, LONG, 1, tile), (323, LONG, 1, tile), (324, LONG, 1, head), (325, LONG, 1, len(strip))]
    else:
        tags += [(273, LONG, 1, head), (278, LONG, 1, height), (279, LONG, 1, len(strip))]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", next_page)
    return b"II*\0" + struct.pack("<I", start) + strip + text + bytes(len(text) % 2) + directory


def jpeg_of(width, height):
    coded = io.BytesIO()
    PIL.Image.new("L", (8, 8)).save(coded, "JPEG")
    data = bytearray(coded.getvalue())
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


def jpeg2000_of(width, height):
    data = bytearray(imagecodecs.jpeg2k_encode(memoryview(bytes(64)).cast("B", (8, 8)), codecformat="j2k"))
    struct.pack_into(">II", data, data.index(b"\xff\x51") + 6, width, height)
    return bytes(data)


@pytest.fixture
def refused(limited, tmp_path):
    def check(data, **limits):
        path = tmp_path / "bomb.tif"
        path.write_bytes(data)
        outcome = limited("image", path, **limits)
        assert outcome.in_a_line, outcome
        return outcome

    return check


@pytest.mark.parametrize("compression", [DEFLATE, LZW, ZSTD, JPEG, JPEG2000])
def test_too_many_pixels(refused, zeros, compression):
    strip = {DEFLATE: zeros(1), LZW: imagecodecs.lzw_encode(bytes(99)), ZSTD: imagecodecs.zstd_encode(bytes(99)),
             JPEG: jpeg_of(65_500, 65_500), JPEG2000: jpeg2000_of(2**31, 2**31)}[compression]  # fmt: skip
    outcome = refused(tiff(100_000, 100_000, bytes(strip), compression=compression))
    assert "limit against decompression bombs" in outcome.message
    assert outcome.peak_mb < 50


@pytest.mark.parametrize("compression", [DEFLATE, LZW, ZSTD])
def test_a_strip_that_unpacks_to_more_than_it_claims(limited, zeros, tmp_path, compression):
    """Refused, or the rest is never unpacked."""
    much = bytes(300 * 2**20)
    strip = {DEFLATE: lambda: zeros(1000), LZW: lambda: imagecodecs.lzw_encode(much[: 2**25]),
             ZSTD: lambda: imagecodecs.zstd_encode(much)}[compression]()  # fmt: skip
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiff(64, 64, bytes(strip), compression=compression))
    outcome = limited("image", path, megabytes=256)
    assert outcome.error == "" or outcome.in_a_line, outcome
    assert outcome.peak_mb < 50


@pytest.mark.parametrize(
    ("compression", "tile"), [(JPEG, jpeg_of(65_500, 65_500)), (JPEG2000, jpeg2000_of(60_000, 60_000))]
)
def test_a_tile_whose_own_header_claims_much(refused, compression, tile):
    """Memory is bounded here; without a bound the decoder takes what the tile says."""
    refused(tiff(64, 64, tile, compression=compression, tile=64), megabytes=300)


def test_a_list_of_pages_that_runs_in_a_circle(refused, zeros):
    data = tiff(64, 64, zeros(1))
    start = struct.unpack_from("<I", data, 4)[0]
    outcome = refused(data[:-4] + struct.pack("<I", start))
    assert "list of pages" in outcome.message


def test_a_list_of_pages_that_is_long(limited, tmp_path):
    """Twenty thousand of them, without pixels, in 120 KB."""
    count = 20_000
    page = struct.Struct("<HI")
    pages = b"".join(page.pack(0, 8 + page.size * (number + 1)) for number in range(count - 1)) + page.pack(0, 0)
    path = tmp_path / "bomb.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + pages)
    assert limited("image", path).in_a_line


def test_a_directory_that_claims_to_be_long(refused):
    big = b"II+\0" + struct.pack("<HHQ", 8, 0, 16) + struct.pack("<Q", 2**60) + bytes(100)
    refused(big)


def test_tags_that_all_have_the_same_megabyte(refused):
    """Each is allowed, and all together they are hundreds of times the file."""
    count, size = 500, 2**20
    start = 8 + size
    entries = b"".join(struct.pack("<HHII", 40_000 + number, 1, size, 8) for number in range(count))
    data = b"II*\0" + struct.pack("<I", start) + bytes(size) + struct.pack("<H", count) + entries + bytes(4)
    outcome = refused(data, megabytes=300)
    assert outcome.peak_mb < 100


def test_entities_that_grow(refused, zeros):
    """OME-XML is read by expat, which ends where entities grow to a hundred times what was read."""
    doubled = b"".join(b'<!ENTITY a%d "%s">' % (n + 1, b"&a%d;" % n * 10) for n in range(12))
    text = b'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a0 "aaaaaaaaaa">' + doubled + b"]><OME>&a12;</OME>\0"
    refused(tiff(64, 64, zeros(1), text=text), megabytes=300)


def test_xml_that_is_deep(limited, zeros, tmp_path):
    deep = 200_000
    text = b'<?xml version="1.0"?><OME>' + b"<a>" * deep + b"</a>" * deep + b"</OME>\0"
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiff(64, 64, zeros(1), text=text))
    outcome = limited("image", path, megabytes=600)
    assert outcome.error == "" or outcome.in_a_line, outcome


def test_a_description_that_begins_to_speak_of_pixels_without_an_end(limited, zeros, tmp_path):
    """A pattern that looks at each beginning up to the end of the text would take minutes."""
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiff(64, 64, zeros(1), text=b"<OME " + b"<Pixels " * 60_000 + b"\0"))
    outcome = limited("image", path, seconds=3.0)
    assert outcome.error == "" or outcome.in_a_line, outcome
