"""Directories of TIFF tags, byte for byte: what TIFF files and EXIF blocks have in common.

A directory is a dict from tag codes to :class:`Tag`, whose data keep the byte order of where they were read, or to
another directory (the camera's, the position's). Tags that give places in the old file cannot be moved and are not
read: see ``STRUCTURE``.
"""

import io
import struct
from collections.abc import Collection
from typing import BinaryIO, NamedTuple, TypeAlias, Union

from noiseless.errors import UnreadableFile

EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
POINTERS = {EXIF, GPS, INTEROPERABILITY}

STRUCTURE = frozenset(
    [
        *range(256, 260), 262, 266, 273, *range(277, 285), 288, 289, 292, 293, 296, 317, *range(320, 326), 330,
        *range(332, 342), 347, *range(512, 522), *range(529, 533), 559, 700, 32997, 32998, 34675, 50674,
    ]
)  # fmt: skip
"""Tags that say how and where the pixels lie, which a writer makes anew; the colour profile (34675), XMP (700) and
the resolution, which have their own places in a header; and the extremes of the old pixels (280, 281, 340, 341)."""

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes an item, by TIFF data type."""

PLACES = {13, 18}
"""Data types whose items are offsets of directories."""

MOST_SHARED = 4
"""Times the file that its tags may hold together; well-made ones, of which none shares a place, hold less than it."""


class Tag(NamedTuple):
    kind: int
    length: int
    data: bytes


class Flavour(NamedTuple):
    """Byte order ("<" or ">") and whether offsets have 8 bytes (BigTIFF) or 4."""

    order: str
    big: bool = False


Directory: TypeAlias = dict[int, Union[Tag, "Directory"]]


def read_start(stream: BinaryIO) -> tuple[Flavour, int]:
    """The flavour of a TIFF stream and the offset of its first directory.

    Raises
    ------
    UnreadableFile : it does not begin as TIFF does, or ends too early.
    """
    mark = _read(stream, 0, 4)
    order = {b"II": "<", b"MM": ">"}.get(mark[:2])
    version = int.from_bytes(mark[2:], "little" if order == "<" else "big")
    if order is None or version not in (42, 43):
        raise UnreadableFile("it does not begin with a TIFF header")
    flavour = Flavour(order, big=version == 43)
    start = _read(stream, 8, 8) if flavour.big else _read(stream, 4, 4)
    return flavour, int(_pointer(flavour).unpack(start)[0])


def read_directory(
    stream: BinaryIO, flavour: Flavour, offset: int, *, skip: Collection[int] = (), depth: int = 0
) -> tuple[Directory, int]:
    """The directory at ``offset`` without the tags in ``skip``, and the offset of the next one (0: the last).

    Raises
    ------
    UnreadableFile : it points beyond the end of the stream, or its tags hold more than there is.
    """
    count_format, entry_format, width = ("Q", "HHQ8s", 8) if flavour.big else ("H", "HHI4s", 4)
    head = struct.Struct(flavour.order + count_format)
    entry = struct.Struct(flavour.order + entry_format)
    pointer = _pointer(flavour)
    (count,) = head.unpack(_read(stream, offset, head.size))
    body = _read(stream, offset + head.size, count * entry.size + pointer.size)
    directory: Directory = {}
    left = MOST_SHARED * stream.seek(0, io.SEEK_END)
    for code, kind, items, inline in entry.iter_unpack(body[: -pointer.size]):
        if kind not in SIZES or code in directory:
            continue
        size = SIZES[kind] * items
        place = pointer.unpack(inline)[0] if size > width else 0
        if code in skip:
            _check_end(stream, place + size)
            continue
        data = _read(stream, place, size) if size > width else inline[:size]
        left -= len(data)
        if left < 0:  # many that lie in one place
            raise UnreadableFile("its tags hold more than the file has; it is damaged")
        if code not in POINTERS and kind not in PLACES:
            directory[code] = Tag(kind, items, data)
        elif code in POINTERS and depth < 2 and items == 1:  # the camera's and the position's, and one inside those
            inner = int.from_bytes(data, "little" if flavour.order == "<" else "big")
            directory[code] = read_directory(stream, flavour, inner, depth=depth + 1)[0]
    return directory, pointer.unpack(body[-pointer.size :])[0]


def encode_directory(directory: Directory, flavour: Flavour, offset: int) -> bytes:
    """The bytes of a directory, and of those inside it, to be put at ``offset``, which is even."""
    count_format, entry_format, width = ("Q", "HHQ8s", 8) if flavour.big else ("H", "HHI4s", 4)
    entry = struct.Struct(flavour.order + entry_format)
    pointer = _pointer(flavour)
    entries = [struct.pack(flavour.order + count_format, len(directory))]
    beyond = b""
    start = offset + len(entries[0]) + len(directory) * entry.size + pointer.size
    for code, value in sorted(directory.items()):
        beyond += b"\0" * (len(beyond) % 2)  # places are even
        place = pointer.pack(start + len(beyond))
        if isinstance(value, dict):
            beyond += encode_directory(value, flavour, start + len(beyond))
            entries.append(entry.pack(code, 16 if flavour.big else 4, 1, place))
        elif len(value.data) <= width:
            entries.append(entry.pack(code, value.kind, value.length, value.data))
        else:
            beyond += value.data
            entries.append(entry.pack(code, value.kind, value.length, place))
    return b"".join(entries) + pointer.pack(0) + beyond


def append_directory(stream: BinaryIO, code: int, directory: Directory) -> None:
    """Put ``directory`` behind the end of a TIFF stream and let the tag ``code`` of its first page point at it.

    Raises
    ------
    UnreadableFile : the first page has no such tag.
    """
    flavour, page = read_start(stream)
    count_format, entry_format, width = ("Q", "HHQ8s", 8) if flavour.big else ("H", "HHI4s", 4)
    head = struct.Struct(flavour.order + count_format)
    entry = struct.Struct(flavour.order + entry_format)
    (count,) = head.unpack(_read(stream, page, head.size))
    codes = [found[0] for found in entry.iter_unpack(_read(stream, page + head.size, count * entry.size))]
    if code not in codes:
        raise UnreadableFile(f"the first page has no tag {code} to point at a directory")
    end = stream.seek(0, io.SEEK_END)
    end += stream.write(b"\0" * (end % 2))
    stream.write(encode_directory(directory, flavour, end))
    stream.seek(page + head.size + (codes.index(code) + 1) * entry.size - width)
    stream.write(_pointer(flavour).pack(end))


def decode_exif(block: bytes) -> tuple[str, Directory]:
    """The byte order and the main directory of an EXIF block; its thumbnail is not read.

    Raises
    ------
    UnreadableFile : the block is damaged.
    """
    stream = io.BytesIO(block)
    flavour, offset = read_start(stream)
    return flavour.order, read_directory(stream, flavour, offset, skip=STRUCTURE)[0]


def encode_exif(directory: Directory, order: str) -> bytes:
    """An EXIF block: a TIFF file of one directory without a picture."""
    start = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return start + encode_directory(directory, Flavour(order), 8)


def _pointer(flavour: Flavour) -> struct.Struct:
    return struct.Struct(flavour.order + ("Q" if flavour.big else "I"))


def _read(stream: BinaryIO, offset: int, size: int) -> bytes:
    _check_end(stream, offset + size)
    stream.seek(offset)
    return stream.read(size)


def _check_end(stream: BinaryIO, end: int) -> None:
    if end > stream.seek(0, io.SEEK_END):
        raise UnreadableFile("a directory of tags points beyond the end; it is truncated or damaged")
