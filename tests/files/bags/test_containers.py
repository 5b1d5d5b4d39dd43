"""What a file of a bag holds around its messages: checksums, attachments, and an index of places that move."""

import io
import struct
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from noiseless.files import rewrite_bag
from noiseless.files.bags import mcap_file, ros1_file

pytest.importorskip("rosbags")
from .recordings import held_by, identity, inverted, make, raw, read_back

MCAP_ATTACHMENT = struct.pack("<QQ", 1, 2) + b"".join(
    struct.pack("<I", len(text)) + text for text in (b"map.txt", b"text/plain")
)


def with_more(path):
    """An MCAP file as other writers make it: checksums, an attachment, sequence numbers and times of publication."""
    with path.open("rb") as stream:
        stream.seek(8)
        records = list(mcap_file._records(stream))
    out, moved = bytearray(b"\x89MCAP0\r\n"), {}
    attached = 0
    for record in records:
        moved[record.place] = len(out)
        content = record.content
        if record.kind == mcap_file.CHUNK:
            first, last, length, _ = mcap_file.CHUNK_START.unpack_from(content)
            plain = bytearray(content[40:])
            for number, inner in enumerate(mcap_file._records(io.BytesIO(bytes(plain)))):
                if inner.kind == mcap_file.MESSAGE:
                    struct.pack_into("<I", plain, inner.place + 9 + 2, 70 + number)
                    struct.pack_into("<Q", plain, inner.place + 9 + 14, 5 + number)
            content = mcap_file.CHUNK_START.pack(first, last, length, zlib.crc32(plain)) + content[28:40] + plain
        elif record.kind == mcap_file.CHUNK_INDEX:
            content = mcap_file._chunk_index(content, SimpleNamespace(chunks=_LikeBefore(content), moved=moved))
        elif record.kind == mcap_file.METADATA_INDEX:
            content = struct.pack("<Q", moved[int.from_bytes(content[:8], "little")]) + content[8:]
        elif record.kind == mcap_file.SUMMARY_OFFSET:
            content = mcap_file._summary_offset(content, moved)
        elif record.kind == mcap_file.DATA_END:
            body = MCAP_ATTACHMENT + struct.pack("<Q", 5) + b"hello"
            body += struct.pack("<I", zlib.crc32(body))
            attached = len(out)
            out += mcap_file.START.pack(0x09, len(body)) + body
            moved[record.place] = len(out)
            content = struct.pack("<I", zlib.crc32(out))
            index = struct.pack("<QQQQQ", attached, 9 + len(body), 1, 2, 5) + MCAP_ATTACHMENT[16:]
            begins = len(out) + 13
        elif record.kind == mcap_file.FOOTER:
            out_index = mcap_file.START.pack(mcap_file.ATTACHMENT_INDEX, len(index)) + index
            first_offset = min(moved[r.place] for r in records if r.kind == mcap_file.SUMMARY_OFFSET)
            out[first_offset:first_offset] = out_index  # after the groups of the summary, which keep their places
            foot = mcap_file.START.pack(mcap_file.FOOTER, 20) + struct.pack(
                "<QQ", begins, first_offset + len(out_index)
            )
            out += foot
            out += struct.pack("<I", zlib.crc32(out[begins:]))
            continue
        out += mcap_file.START.pack(record.kind, len(content)) + content
    path.write_bytes(out + b"\x89MCAP0\r\n")
    return out[attached : attached + 9 + len(body)]


class _LikeBefore(dict):
    def __init__(self, content):
        self.lengths = (struct.unpack_from("<Q", content, 24)[0], *struct.unpack("<QQ", content[-16:]))

    def __getitem__(self, place):
        return self.lengths


def test_what_an_mcap_file_holds_besides_messages_stays(tmp_path, contents):
    bag = make(tmp_path, "mcap", contents)
    attachment = with_more(bag / "run.mcap")
    source = (bag / "run.mcap").read_bytes()
    rewrite_bag(bag, tmp_path / "same", identity)
    assert (tmp_path / "same" / "run.mcap").read_bytes() == source
    rewrite_bag(bag, tmp_path / "clean", inverted)
    clean = (tmp_path / "clean" / "run.mcap").read_bytes()
    assert attachment in clean
    assert len(clean) == len(source)
    assert clean != source
    rewrite_bag(tmp_path / "clean", tmp_path / "again", inverted)
    assert (tmp_path / "again" / "run.mcap").read_bytes() == source, "sequence numbers, times and checksums too"


def test_chunks_of_other_lengths_are_found_again(tmp_path, random):
    """Noise in the place of a flat picture: the zstd chunks grow, and so every place in the file moves."""
    flat = [("/left", raw(np.full((900, 700), number, np.uint8))) for number in range(5)]
    bag = make(tmp_path, "mcap-chunk", flat)
    noise = random((900, 700))
    rewrite_bag(bag, tmp_path / "clean", lambda topic, frame: frame ^ noise)
    assert (tmp_path / "clean" / "run.mcap").stat().st_size > 10 * (bag / "run.mcap").stat().st_size
    for number, message in enumerate(read_back(tmp_path / "clean", "/left")):
        assert np.array_equal(message.data, noise.ravel() ^ number)


@pytest.mark.parametrize("compression", ["ros1", "ros1-lz4"])
def test_an_index_that_moves_onto_an_old_place_is_found(tmp_path, compression):
    """Messages grow by as much as the index is away from its second record, and from others."""
    bag = make(tmp_path, compression, [("/a", "first"), ("/b", "second"), ("/c", "third")])
    with bag.open("rb") as stream:
        stream.readline()
        places = [record.place for record in ros1_file._records(stream)]
    for number, place in enumerate(places[-3:]):
        target = tmp_path / f"{number}.bag"
        longer = (place - places[-4]) * b"x"
        ros1_file.rewrite_ros1(bag, target, {0: "/a"}, lambda topic, time, data, longer=longer: data + longer)
        grown = [(name, data) for name, _, _, data, *_ in held_by(target)]
        assert grown == [(name, data + longer * (name == "/a")) for name, _, _, data, *_ in held_by(bag)]
