"""Where the numbers of each format lie."""

import gzip
import json
import random
import re
import struct
import zlib
from collections.abc import Iterator

from fuzzing.mutation import Field, Structure, json_rewritten

SIGNATURE = 8  # of PNG


def png_fields(data: bytes) -> Iterator[Field]:
    place = SIGNATURE
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield Field(place, 4, "big")
        yield from (Field(place + 4 + n, 1) for n in range(4))
        start = place + 8
        if data[place + 4 : start] == b"IHDR":
            yield from (
                Field(start, 4, "big"),
                Field(start + 4, 4, "big"),
                *(Field(start + n, 1) for n in range(8, 13)),
            )
            yield from (
                Field(start, 4, "big"),
                Field(start + 4, 4, "big"),
                *(Field(start + n, 1) for n in range(8, 13)),
            )
        else:
            yield from (Field(start + n, 1) for n in range(min(length, 16)))
        place += 12 + length


def png_closed(data: bytes) -> bytes:
    """With the right checksums, as far as the lengths are right."""
    parts, place = [data[:SIGNATURE]], SIGNATURE
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if place + 12 + length > len(data):
            break
        body = data[place + 4 : place + 8 + length]
        parts += [data[place : place + 4], body, struct.pack(">I", zlib.crc32(body))]
        place += 12 + length
    return b"".join([*parts, data[place:]])


def png_rewritten(data: bytes, chance: random.Random) -> bytes:
    """Chunks taken away, doubled, or exchanged; or other compressed pixels."""
    chunks, place = [], SIGNATURE
    while place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    if not chunks:
        return data
    number, other = chance.randrange(len(chunks)), chance.randrange(len(chunks))
    kind, payload = chunks[number]
    match chance.randrange(5):
        case 0:
            del chunks[number]
        case 1:
            chunks.insert(other, chunks[number])
        case 2:
            chunks[number], chunks[other] = chunks[other], chunks[number]
        case 3:
            chunks[number] = (chance.choice((b"tRNS", b"PLTE", b"iCCP", b"gAMA", b"acTL", b"eXIf", b"IDAT")), payload)
        case _:
            try:
                plain = bytearray(zlib.decompress(payload))
                plain[chance.randrange(len(plain))] = chance.randrange(256)
                chunks[number] = (kind, zlib.compress(bytes(plain) * chance.choice((1, 1, 2, 1000))))
            except (zlib.error, ValueError):
                chunks[number] = (kind, payload[: len(payload) // 2])
    coded = (struct.pack(">I", len(body)) + kind + body + bytes(4) for kind, body in chunks)
    return png_closed(data[:SIGNATURE] + b"".join(coded))


def jpeg_fields(data: bytes) -> Iterator[Field]:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        yield from (Field(place + 1, 1), Field(place + 2, 2, "big"))
        start = place + 4
        if 0xC0 <= marker <= 0xCF and marker != 0xC4:
            for _ in range(3):
                yield from (
                    Field(start, 1),
                    Field(start + 1, 2, "big"),
                    Field(start + 3, 2, "big"),
                    Field(start + 5, 1),
                )
                yield from (Field(start + 6 + n, 1) for n in range(length - 8))
        else:
            yield from (Field(start + n, 1) for n in range(min(length - 2, 24)))
        place += 2 + length
        if marker == 0xDA:
            return


def riff_fields(data: bytes) -> Iterator[Field]:
    """Of WebP and AVI: lengths, and the first numbers of every chunk."""
    yield Field(4, 4)
    yield from _riff_within(data, 12, len(data))


def _riff_within(data: bytes, place: int, stop: int) -> Iterator[Field]:
    while place + 8 <= stop:
        kind, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        yield from (Field(place, 4), Field(place + 4, 4))
        if kind == b"LIST":
            yield from _riff_within(data, place + 12, min(stop, place + 8 + length))
        else:
            yield from (Field(place + 8 + 4 * n, 4) for n in range(min(length // 4, 16)))
            yield from (Field(place + 8 + n, 1) for n in range(min(length, 12)))
        place += 8 + length + length % 2


def webp_closed(data: bytes) -> bytes:
    """With the length of the whole right, three times of four."""
    return data if zlib.crc32(data) % 4 == 0 else data[:4] + struct.pack("<I", max(len(data) - 8, 0)) + data[8:]


def tiff_fields(data: bytes) -> Iterator[Field]:
    """The entries of every directory: code, type, count and value, and what a value points at."""
    order = "little" if data[:2] == b"II" else "big"
    big = int.from_bytes(data[2:4], order) == 43
    width, head, entry = (8, 8, 20) if big else (4, 2, 12)
    place = int.from_bytes(data[8:16] if big else data[4:8], order)
    yield from (Field(2, 2, order), Field(8 if big else 4, width, order))
    seen: set[int] = set()
    todo = [place]
    while todo and len(seen) < 12:
        place = todo.pop()
        if place in seen or not 0 < place < len(data):
            continue
        seen.add(place)
        count = int.from_bytes(data[place : place + head], order)
        yield Field(place, head, order)
        for number in range(min(count, 60)):
            start = place + head + number * entry
            code, kind = (int.from_bytes(data[start + n : start + n + 2], order) for n in (0, 2))
            yield from (Field(start, 2, order), Field(start + 2, 2, order), Field(start + 4, width, order))
            size = 2 if kind == 3 else 1 if kind in (1, 2, 6, 7) else width
            value = start + 4 + width
            yield from (Field(value, size, order), Field(value, size, order), Field(value, width, order))
            target = int.from_bytes(data[value : value + width], order)
            if code in (330, 34665, 34853):
                todo.append(target)
            elif code in (258, 273, 279, 324, 325, 339, 282, 283, 33723, 270):
                yield from (Field(target + 4 * n, 4, order) for n in range(3))
        tail = place + head + count * entry
        yield Field(tail, width, order)
        todo.append(int.from_bytes(data[tail : tail + width], order))


ELEMENT = re.compile(
    rb"(?=([\x02\x08\x18\x20\x28\x40\x52\xe0]\x00..)([A-Z]{2})|([\x28\x20]\x00..)\x02\x00\x00\x00)", re.DOTALL
)
LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"OD")


def dicom_fields(data: bytes) -> Iterator[Field]:
    """The lengths of elements, and what stands in short ones: numbers, or letters of them."""
    for found in ELEMENT.finditer(data, 128):
        place = found.start()
        if found.group(2) in LONG:
            yield from (Field(place + 4, 2), Field(place + 8, 4))
        elif found.group(2):
            length = int.from_bytes(data[place + 6 : place + 8], "little")
            yield from (Field(place, 2), Field(place + 2, 2), Field(place + 4, 2), Field(place + 6, 2))
            if found.group(2) in (b"US", b"SS"):
                yield from (Field(place + 8, 2) for _ in range(12))
            yield from (Field(place + 8 + n, 1) for n in range(min(length, 8)))
        else:
            yield from (Field(place + 4, 4), *(Field(place + 8, 2) for _ in range(8)))


TEXTS = (
    b"0",
    b"1",
    b"-1",
    b"nan",
    b"inf",
    b"1e308",
    b"-1e400",
    b"1\\2",
    b"\\",
    b"",
    b"x",
    b"99999999",
    b"2147483648",
    b"0.0",
)


def dicom_rewritten(data: bytes, chance: random.Random) -> bytes:
    """A text, or a number written as text, exchanged for another, its length put right."""
    found = [
        each for each in ELEMENT.finditer(data, 128) if each.group(2) in (b"DS", b"IS", b"CS", b"UI", b"LO", b"US")
    ]
    if not found:
        return data
    place = chance.choice(found).start()
    length = int.from_bytes(data[place + 6 : place + 8], "little")
    text = chance.choice(TEXTS)
    text += b" " * (len(text) % 2)
    if chance.random() < 0.15:  # take it away
        return data[:place] + data[place + 8 + length :]
    return data[: place + 6] + struct.pack("<H", len(text)) + text + data[place + 8 + length :]


def nifti_fields(data: bytes) -> Iterator[Field]:
    second = 540 in (int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big"))
    order = "little" if int.from_bytes(data[:4], "little") in (348, 540) else "big"
    if second:
        yield from (Field(n, 2, order) for n in (12, 14) for _ in range(3))
        yield from (Field(16 + 8 * n, 8, order) for n in range(8) for _ in range(2))
        yield from (Field(n, 8, order) for n in (*range(80, 272, 8), 168, 168, 176, 184))
        yield from (Field(n, 4, order) for n in (0, 344, 348, *range(352, 524, 4)))
        return
    yield from (Field(40 + 2 * n, 2, order) for n in range(8) for _ in range(3))
    yield from (Field(n, 2, order) for n in (68, 70, 72, 74, 252, 254) for _ in range(2))
    yield from (Field(n, 4, order) for n in (0, *range(76, 148, 4), *range(256, 328, 4), 108, 108, 112, 116))
    yield from (Field(n, 1) for n in (39, 122, 123, 344, 345, 346, 348, 349))
    yield from (Field(n, 4, order) for n in (352, 356))


def unzipped(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"udta", b"stsd", b"moof", b"traf")


def box_fields(data: bytes) -> Iterator[Field]:
    """Of MP4: lengths, kinds, and the numbers in each box."""
    yield from _boxes(data, 0, len(data), 0)


def _boxes(data: bytes, place: int, stop: int, depth: int) -> Iterator[Field]:
    while place + 8 <= stop and depth < 9:
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        yield from (Field(place, 4, "big"), Field(place + 4, 4, "big"))
        end = place + length if 8 <= length <= stop - place else stop
        if kind in BOXES:
            yield from _boxes(data, place + (16 if kind == b"stsd" else 8), end, depth + 1)
        elif kind != b"mdat":
            yield from (Field(place + 8 + 4 * n, 4, "big") for n in range(min((end - place - 8) // 4, 24)))
            yield from (Field(place + 8 + 2 * n, 2, "big") for n in range(min((end - place - 8) // 2, 48)))
        place = end


def mcap_fields(data: bytes) -> Iterator[Field]:
    """Of MCAP: kinds and lengths of records, and the numbers they begin with."""
    place = 8
    while place + 9 <= len(data):
        kind, length = data[place], int.from_bytes(data[place + 1 : place + 9], "little")
        yield from (Field(place, 1), Field(place + 1, 8))
        start = place + 9
        yield from (Field(start + n, 8) for n in range(0, min(length, 48), 8))
        yield from (Field(start + n, 4) for n in range(0, min(length, 64), 4))
        yield from (Field(start + n, 2) for n in range(0, min(length, 8), 2))
        if kind == 6:  # a chunk: its compression, and the records in it
            yield from (
                Field(start + 28, 4),
                Field(start + 28 + 4 + int.from_bytes(data[start + 28 : start + 32], "little"), 8),
            )
        place += 9 + length


def mcap_closed(data: bytes) -> bytes:
    """Without the checksum of the first chunk: one of nothing is not looked at."""
    place = 8
    while place + 9 <= len(data):
        length = int.from_bytes(data[place + 1 : place + 9], "little")
        if data[place] == 6:
            data = data[: place + 33] + bytes(4) + data[place + 37 :]
        place += 9 + length
    return data


def ros1_fields(data: bytes) -> Iterator[Field]:
    """Of ROS 1 bags: lengths of headers, fields and data, and the numbers of the fields."""
    place = 13
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "little")
        yield Field(place, 4)
        inner, end = place + 4, place + 4 + length
        while inner + 4 <= min(end, len(data)):
            size = int.from_bytes(data[inner : inner + 4], "little")
            yield Field(inner, 4)
            name, _, value = data[inner + 4 : inner + 4 + size].partition(b"=")
            if len(value) in (1, 4, 8):
                yield from (Field(inner + 5 + len(name), len(value)) for _ in range(3))
            inner += 4 + size
        size = int.from_bytes(data[end : end + 4], "little")
        yield Field(end, 4)
        yield from (Field(end + 4 + 4 * n, 4) for n in range(min(size // 4, 12)))
        place = end + 4 + size


def sqlite_fields(data: bytes) -> Iterator[Field]:
    yield from (Field(n, 2, "big") for n in (16, 18))
    yield from (Field(n, 4, "big") for n in range(24, 100, 4))
    size = int.from_bytes(data[16:18], "big") or 4096
    for page in range(0, len(data), size):
        start = page or 100
        yield from (Field(start, 1), Field(start + 1, 2, "big"), Field(start + 3, 2, "big"), Field(start + 5, 2, "big"))
        yield from (Field(start + 8 + 2 * n, 2, "big") for n in range(6))


def tensors_fields(data: bytes) -> Iterator[Field]:
    yield Field(0, 8)


def tensors_rewritten(data: bytes, chance: random.Random) -> bytes:
    """The JSON header, or the card within it, changed, and the length put right."""
    length = int.from_bytes(data[:8], "little")
    head, rest = data[8 : 8 + length], data[8 + length :]
    try:
        header = json.loads(head)
        key, card = chance.choice(list(header["__metadata__"].items()))
        if chance.random() < 0.6:
            header["__metadata__"][key] = json_rewritten(card.encode(), chance).decode()
            head = json.dumps(header).encode()
        else:
            head = json_rewritten(head, chance)
    except (ValueError, KeyError, AttributeError, IndexError, TypeError):
        head = json_rewritten(head, chance)
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + rest


JSON = Structure(rewritten=json_rewritten)
PNG = Structure(png_fields, closed=png_closed, rewritten=png_rewritten)
JPEG = Structure(jpeg_fields)
WEBP = Structure(riff_fields, closed=webp_closed)
TIFF = Structure(tiff_fields)
DICOM = Structure(dicom_fields, rewritten=dicom_rewritten)
NIFTI = Structure(nifti_fields)
ZIPPED_NIFTI = Structure(nifti_fields, opened=unzipped, closed=zipped)
AVI, MP4 = Structure(riff_fields), Structure(box_fields)
MCAP = Structure(mcap_fields, closed=mcap_closed)
ROS1, SQLITE = Structure(ros1_fields), Structure(sqlite_fields)
TENSORS = Structure(tensors_fields, rewritten=tensors_rewritten)
