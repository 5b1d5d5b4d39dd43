"""ROS 1 bags, version 2.0, rewritten record by record.

A record is a header, fields of "name=value", and data. Chunks hold messages and connections; records after a chunk say
at which place in it each message lies; the index at the end says where chunks lie. Places are all that changes.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import BinaryIO

from noiseless.errors import UnreadableFile

from .compression import CODECS, unpacked
from .words import Change, Topics

VERSION = b"#ROSBAG V2.0\n"
MESSAGE, BAG, INDEX, CHUNK, CHUNK_INFO = 2, 3, 4, 5, 6
ENTRY = struct.Struct("<III")
"""Of an index: seconds, nanoseconds, place in the chunk."""

SECOND = 10**9
Places = dict[int, int]
"""From where a record lay to where it lies."""


@dataclass(frozen=True)
class Record:
    """Fields, data, and the place where it begins."""

    place: int
    fields: dict[bytes, bytes]
    data: bytes

    @property
    def kind(self) -> int:
        return self.fields[b"op"][0]

    def number(self, name: bytes) -> int:
        return int.from_bytes(self.fields[name], "little")

    def with_number(self, name: bytes, value: int) -> "Record":
        """Of as many bytes as before."""
        return replace(self, fields={**self.fields, name: value.to_bytes(len(self.fields[name]), "little")})

    def serialised(self) -> bytes:
        items = [name + b"=" + value for name, value in self.fields.items()]
        header = b"".join(_counted(item) for item in items)
        return _counted(header) + _counted(self.data)


def rewrite_ros1(source: Path, target: Path, topics: Topics, change: Change) -> None:
    """Copy a bag with the messages of some connections changed."""
    with source.open("rb") as old, target.open("wb") as new:
        if old.readline() != VERSION:
            raise UnreadableFile("it is not of version 2.0 of ROS 1 bags")
        new.write(VERSION)
        start: Record | None = None
        index_begins = 0
        chunks: Places = {}
        messages: Places = {}  # in the latest chunk
        for record in _records(old):
            written = record
            if record.kind == BAG:
                start = record
            elif record.kind == CHUNK:
                chunks[record.place] = new.tell()
                written, messages = _chunk(record, topics, change)
            elif record.kind == INDEX:
                written = _index(record, messages)
            elif record.kind == CHUNK_INFO:
                written = record.with_number(b"chunk_pos", chunks[record.number(b"chunk_pos")])
            if start is not None and record.place == start.number(b"index_pos"):
                index_begins = new.tell()
            new.write(written.serialised())
        if start is None:
            raise UnreadableFile("it has no header: it is damaged; copy it again")
        new.seek(len(VERSION))
        new.write(start.with_number(b"index_pos", index_begins).serialised())


def _chunk(record: Record, topics: Topics, change: Change) -> tuple[Record, Places]:
    """The new chunk, and where its records lie."""
    compression = record.fields[b"compression"].decode()
    plain = unpacked(record.data, compression, record.number(b"size"))
    changed, places = bytearray(), Places()
    for inner in _records(BytesIO(plain)):
        places[inner.place] = len(changed)
        topic = topics.get(inner.number(b"conn")) if inner.kind == MESSAGE else None
        changed += (inner if topic is None else _message(inner, topic, change)).serialised()
    if changed == plain:
        return record, places
    packed = CODECS[compression].encode(bytes(changed))
    return replace(record.with_number(b"size", len(changed)), data=packed), places


def _message(record: Record, topic: str, change: Change) -> Record:
    seconds, nanoseconds = struct.unpack("<II", record.fields[b"time"])
    return replace(record, data=change(topic, seconds * SECOND + nanoseconds, record.data))


def _index(record: Record, places: Places) -> Record:
    entries = (ENTRY.pack(*time, places[place]) for *time, place in ENTRY.iter_unpack(record.data))
    return replace(record, data=b"".join(entries))


def _records(stream: BinaryIO) -> Iterator[Record]:
    read = _exactly(stream)
    while True:
        place = stream.tell()
        length = stream.read(4)
        if not length:
            return
        if len(length) < 4:
            raise UnreadableFile("it ends within a record: it is truncated or damaged; copy it again")
        header = read(int.from_bytes(length, "little"))
        yield Record(place, _fields(header), read(int.from_bytes(read(4), "little")))


def _exactly(stream: BinaryIO) -> Callable[[int], bytes]:
    place = stream.tell()
    end = stream.seek(0, SEEK_END)
    stream.seek(place)

    def read(length: int) -> bytes:
        # Before so much is asked for.
        data = stream.read(length) if length <= end - stream.tell() else b""
        if len(data) < length:
            raise UnreadableFile("it ends within a record: it is truncated or damaged; copy it again")
        return data

    return read


def _fields(header: bytes) -> dict[bytes, bytes]:
    fields, place = {}, 0
    while place < len(header):
        (length,) = struct.unpack_from("<I", header, place)
        name, _, value = header[place + 4 : place + 4 + length].partition(b"=")
        fields[name] = value
        place += 4 + length
    return fields


def _counted(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data
