"""Directories of tags: what is read is what was written, wherever it was put."""

import io
import struct

import PIL.Image
import pytest

from noiseless.errors import UnreadableFile
from noiseless.files.directory import (
    EXIF,
    GPS,
    Flavour,
    Tag,
    append_directory,
    decode_exif,
    encode_directory,
    encode_exif,
    read_directory,
    read_start,
)

FLAVOURS = [Flavour("<"), Flavour(">"), Flavour("<", big=True), Flavour(">", big=True)]


def directory(order):
    inner = {
        33434: Tag(5, 1, struct.pack(order + "II", 1, 50)),
        36864: Tag(7, 4, b"0232"),
        37500: Tag(7, 9, b"odd bytes"),
    }
    place = {29: Tag(2, 11, b"2026:01:02\0")}
    return {271: Tag(2, 6, b"Maker\0"), 274: Tag(3, 1, struct.pack(order + "H", 6)), EXIF: inner, GPS: place}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("offset", [0, 8, 1000])
def test_a_directory_is_read_as_it_was_written(flavour, offset):
    stream = io.BytesIO(bytes(offset) + encode_directory(directory(flavour.order), flavour, offset))
    assert read_directory(stream, flavour, offset) == (directory(flavour.order), 0)


@pytest.mark.parametrize("order", "<>")
def test_an_exif_block_is_read_as_it_was_written(order):
    assert decode_exif(encode_exif(directory(order), order)) == (order, directory(order))


def test_pillow_reads_an_exif_block():
    exif = PIL.Image.Exif()
    exif.load(encode_exif(directory(">"), ">"))
    assert exif[274] == 6
    assert exif.get_ifd(EXIF)[33434] == 1 / 50
    assert exif.get_ifd(GPS)[29] == "2026:01:02"


def test_an_exif_block_of_pillow_is_read():
    exif = PIL.Image.Exif()
    exif[274] = 6
    exif.get_ifd(EXIF)[36867] = "2026:01:02 03:04:05"
    order, found = decode_exif(exif.tobytes().removeprefix(b"Exif\0\0"))
    assert found[274].data == struct.pack(order + "H", 6)
    assert found[EXIF][36867].data == b"2026:01:02 03:04:05\0"


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_directory_is_put_behind_the_end(flavour):
    pointer = struct.pack(flavour.order + ("Q" if flavour.big else "I"), 0)
    page = {256: Tag(3, 1, struct.pack(flavour.order + "H", 9)), EXIF: Tag(16 if flavour.big else 4, 1, pointer)}
    mark = b"II" if flavour.order == "<" else b"MM"
    start = struct.pack(
        flavour.order + ("2sHHHQ" if flavour.big else "2sHI"), mark, *((43, 8, 0, 16) if flavour.big else (42, 8))
    )
    stream = io.BytesIO(start + encode_directory(page, flavour, len(start)) + b"odd")
    stream.seek(0, io.SEEK_END)
    inner = directory(flavour.order)[EXIF]
    append_directory(stream, EXIF, inner)
    flavour_again, offset = read_start(stream)
    assert flavour_again == flavour
    assert read_directory(stream, flavour, offset)[0][EXIF] == inner
    with pytest.raises(UnreadableFile, match=str(GPS)):
        append_directory(stream, GPS, inner)


@pytest.mark.parametrize("length", range(0, 140, 7))
def test_a_block_that_is_cut_is_refused(length):
    block = encode_exif(directory("<"), "<")
    with pytest.raises(UnreadableFile):
        decode_exif(block[: min(length, len(block) - 1)])


def test_a_directory_that_points_at_itself_ends():
    block = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, EXIF, 4, 1, 8, 0)
    _, found = decode_exif(block)
    assert found == {EXIF: {EXIF: {}}}


def test_unknown_types_and_unwanted_tags_are_left_out():
    block = encode_exif({1: Tag(7, 2, b"ab"), 700: Tag(1, 2, b"<x")}, "<")
    assert decode_exif(block)[1] == {1: Tag(7, 2, b"ab")}
    assert decode_exif(block.replace(struct.pack("<HH", 1, 7), struct.pack("<HH", 1, 99)))[1] == {}


def test_tags_that_are_left_out_must_be_there_all_the_same():
    block = encode_exif({258: Tag(3, 3, bytes(6))}, "<")
    assert decode_exif(block)[1] == {}
    with pytest.raises(UnreadableFile):
        decode_exif(block[:-1])
