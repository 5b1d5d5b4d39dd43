"""MCAP files rewritten record by record; the format is told at https://mcap.dev/spec.

The data section holds chunks of messages, indexes of them, attachments and metadata; the summary repeats what is in it
and says where. Places and checksums are all that changes, with the lengths of what is compressed.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import BinaryIO

from noiseless.errors import UnreadableFile

from .compression import CODECS, unpacked
from .words import Change, Topics

MAGIC = b"\x89MCAP0\r\n"
FOOTER, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX = 0x02, 0x05, 0x06, 0x07, 0x08
ATTACHMENT_INDEX, METADATA_INDEX, SUMMARY_OFFSET, DATA_END = 0x0A, 0x0D, 0x0E, 0x0F

START = struct.Struct("<BQ")
"""Of a record: its kind, and its length."""

MESSAGE_START = struct.Struct("<HIQQ")
"""Channel, sequence number, time of the log, time of publication."""

CHUNK_START = struct.Struct("<QQQI")
"""First and last time, length, checksum; compression and data follow."""

CHUNK_PLACES = struct.Struct("<QQQQ")
"""Of a chunk index: first and last time, place and length of the chunk."""

INDEX_PLACE, INDEX_ENTRY, FOOT = struct.Struct("<HQ"), struct.Struct("<QQ"), struct.Struct("<QQI")


@dataclass(frozen=True)
class Record:
    """Its kind and content, and the place where it begins."""

    place: int
    kind: int
    content: bytes

    def serialised(self) -> bytes:
        return START.pack(self.kind, len(self.content)) + self.content


@dataclass
class Output:
    """What was written: how much, and where the records lie that others point at.

    Parameters
    ----------
    stream : to write to
    checksum : of what was written since it was last set to 0
    moved : from the old places of records to the new ones
    chunks : from the old places of chunks to (length of the record, of the packed data, of the plain data)
    messages : within the latest chunk, or in the file
    """

    stream: BinaryIO
    checksum: int = 0
    moved: dict[int, int] = field(default_factory=dict)
    chunks: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    messages: dict[int, int] = field(default_factory=dict)

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.checksum = zlib.crc32(data, self.checksum)

    def put(self, record: Record, content: bytes | None = None) -> None:
        self.moved[record.place] = self.stream.tell()
        self.write(record.serialised() if content is None else Record(0, record.kind, content).serialised())


def rewrite_mcap(source: Path, target: Path, topics: Topics, change: Change) -> None:
    """Copy a file with the messages of some channels changed."""
    with source.open("rb") as old, target.open("wb") as new:
        if old.read(len(MAGIC)) != MAGIC:
            raise UnreadableFile("it does not begin as MCAP does")
        output = Output(new)
        output.write(MAGIC)
        records = _records(old)
        _rewrite_data(records, output, topics, change)
        _rewrite_summary(records, output)
        if old.read(len(MAGIC)) != MAGIC:
            raise UnreadableFile("it does not end as MCAP does")
        output.write(MAGIC)


def _rewrite_data(records: Iterator[Record], output: Output, topics: Topics, change: Change) -> None:
    for record in records:
        if record.kind == CHUNK:
            content, output.messages = _chunk(record.content, topics, change)
            output.chunks[record.place] = _lengths(content)
            output.put(record, content)
        elif record.kind == MESSAGE:
            output.put(record, _message(record.content, topics, change))
        elif record.kind == MESSAGE_INDEX:
            output.put(record, _message_index(record.content, output.messages))
        elif record.kind == DATA_END:
            known = int.from_bytes(record.content[:4], "little")
            output.put(record, struct.pack("<I", output.checksum if known else 0))
            return
        else:
            output.put(record)
    raise UnreadableFile("it ends within its data: it is truncated or damaged; copy it again")


def _rewrite_summary(records: Iterator[Record], output: Output) -> None:
    """All that follows the data, and the footer."""
    output.checksum = 0
    begins = output.stream.tell()
    offsets_begin = 0
    for record in records:
        if record.kind == FOOTER:
            _put_footer(record, output, begins, offsets_begin)
            return
        if record.kind == SUMMARY_OFFSET:
            offsets_begin = offsets_begin or output.stream.tell()
            output.put(record, _summary_offset(record.content, output.moved))
        elif record.kind == CHUNK_INDEX:
            output.put(record, _chunk_index(record.content, output))
        elif record.kind in (ATTACHMENT_INDEX, METADATA_INDEX):
            place, rest = int.from_bytes(record.content[:8], "little"), record.content[8:]
            output.put(record, struct.pack("<Q", output.moved[place]) + rest)
        else:
            output.put(record)
    raise UnreadableFile("it ends within its summary: it is truncated or damaged; copy it again")


def _put_footer(record: Record, output: Output, begins: int, offsets_begin: int) -> None:
    had_summary, had_offsets, checksum = FOOT.unpack(record.content)
    summary, offsets = begins if had_summary else 0, offsets_begin if had_offsets else 0
    output.write(START.pack(FOOTER, FOOT.size) + struct.pack("<QQ", summary, offsets))
    output.write(struct.pack("<I", output.checksum if checksum else 0))


def _chunk(content: bytes, topics: Topics, change: Change) -> tuple[bytes, dict[int, int]]:
    """The new chunk, and where its records lie."""
    first, last, length, checksum = CHUNK_START.unpack_from(content)
    name, place = _text(content, CHUNK_START.size)
    size = int.from_bytes(content[place : place + 8], "little")
    plain = unpacked(content[place + 8 : place + 8 + size], name, length)
    if checksum and zlib.crc32(plain) != checksum:
        raise UnreadableFile("the checksum of a chunk does not fit")
    changed, places = bytearray(), dict[int, int]()
    for record in _records(BytesIO(plain)):
        places[record.place] = len(changed)
        if record.kind == MESSAGE:
            record = Record(0, MESSAGE, _message(record.content, topics, change))
        changed += record.serialised()
    if changed == plain:
        return content, places
    packed = CODECS[name].encode(bytes(changed))
    start = CHUNK_START.pack(first, last, len(changed), zlib.crc32(changed) if checksum else 0)
    return start + content[CHUNK_START.size : place] + struct.pack("<Q", len(packed)) + packed, places


def _message(content: bytes, topics: Topics, change: Change) -> bytes:
    channel, _, time, _ = MESSAGE_START.unpack_from(content)
    topic = topics.get(channel)
    if topic is None:
        return content
    return content[: MESSAGE_START.size] + change(topic, time, content[MESSAGE_START.size :])


def _message_index(content: bytes, places: dict[int, int]) -> bytes:
    entries = (INDEX_ENTRY.pack(time, places[place]) for time, place in INDEX_ENTRY.iter_unpack(content[6:]))
    return content[:6] + b"".join(entries)


def _chunk_index(content: bytes, output: Output) -> bytes:
    first, last, place, _ = CHUNK_PLACES.unpack_from(content)
    length, packed, plain = output.chunks[place]
    table = CHUNK_PLACES.size + 4
    end = table + int.from_bytes(content[table - 4 : table], "little")
    places = (INDEX_PLACE.pack(key, output.moved[old]) for key, old in INDEX_PLACE.iter_unpack(content[table:end]))
    _, sizes = _text(content, end + 8)
    start = CHUNK_PLACES.pack(first, last, output.moved[place], length) + content[table - 4 : table]
    return start + b"".join(places) + content[end:sizes] + struct.pack("<QQ", packed, plain)


def _lengths(chunk: bytes) -> tuple[int, int, int]:
    """Of the record, of its packed data, and of the data unpacked."""
    _, _, plain, _ = CHUNK_START.unpack_from(chunk)
    _, place = _text(chunk, CHUNK_START.size)
    return START.size + len(chunk), int.from_bytes(chunk[place : place + 8], "little"), plain


def _summary_offset(content: bytes, moved: dict[int, int]) -> bytes:
    """Where records of one kind lie in the summary. Their lengths stay: numbers in them are of fixed size."""
    kind, place, length = struct.unpack("<BQQ", content)
    return struct.pack("<BQQ", kind, moved[place] if length else place, length)


def _records(stream: BinaryIO) -> Iterator[Record]:
    place = stream.tell()
    end = stream.seek(0, SEEK_END)
    stream.seek(place)
    while True:
        place = stream.tell()
        start = stream.read(START.size)
        if not start:
            return
        if len(start) < START.size:
            raise UnreadableFile("it ends within a record: it is truncated or damaged; copy it again")
        kind, length = START.unpack(start)
        if length > end - place:  # before so much is asked for
            raise UnreadableFile("it ends within a record: it is truncated or damaged; copy it again")
        content = stream.read(length)
        if len(content) < length:
            raise UnreadableFile("it ends within a record: it is truncated or damaged; copy it again")
        yield Record(place, kind, content)
        if kind == FOOTER:
            return


def _text(content: bytes, place: int) -> tuple[str, int]:
    """A text that its length comes before, and where it ends."""
    start = place + 4
    end = start + int.from_bytes(content[place:start], "little")
    return content[start:end].decode(), end
