"""How bags compress: ROS 1 and MCAP each chunk, SQLite each message, and ROS 2 whole files.

Nothing unpacks to more than it says, or to more than an image may have. That holds for what rosbags unpacks too, which
by itself asks only afterwards whether the length was right: 700 bytes of bz2 are a gigabyte.
"""

import bz2
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs

from noiseless.errors import UnreadableFile
from noiseless.files.limits import MAX_METADATA_BYTES, most_pixels

from .words import Change

MOST_BYTES_A_PIXEL = 8
"""Of rgba16."""


@dataclass(frozen=True)
class Codec:
    """A compression.

    Parameters
    ----------
    decode : from the data and the length of the result
    encode : the other way
    """

    decode: Callable[[bytes, int], bytes]
    encode: Callable[[bytes], bytes]


PLAIN = Codec(lambda data, _: data, lambda data: data)

CODECS: Mapping[str, Codec] = {
    "": PLAIN,
    "none": PLAIN,
    "bz2": Codec(lambda data, length: bz2.BZ2Decompressor().decompress(data, length + 1), bz2.compress),
    "lz4": Codec(
        lambda data, length: bytes(imagecodecs.lz4f_decode(data, out=length + 1)),  # what is too long, it cuts
        lambda data: bytes(imagecodecs.lz4f_encode(data)),
    ),
    "zstd": Codec(
        lambda data, length: bytes(imagecodecs.zstd_decode(data, out=length)),
        lambda data: bytes(imagecodecs.zstd_encode(data)),
    ),
}


def unpacked(data: bytes, name: str, length: int) -> bytes:
    """A chunk without its compression.

    Raises
    ------
    UnreadableFile : it has another length than it should.
    """
    if length > most_bytes():
        raise UnreadableFile(
            f"a chunk says it unpacks to {length} bytes, and {most_bytes()} are the most; it is damaged"
        )
    result = CODECS[name].decode(data, length) if length else b""
    if len(result) != length:
        raise UnreadableFile(f"a chunk unpacks to {len(result)} bytes, and {length} are said to be there")
    return result


def most_bytes() -> int:
    """Of a chunk or a message: those of the largest image that is allowed, and room for what is beside it."""
    return MOST_BYTES_A_PIXEL * most_pixels() + MAX_METADATA_BYTES


def unpacked_message(data: bytes) -> bytes:
    """A message that was compressed by itself with zstd.

    Raises
    ------
    UnreadableFile : it has more bytes than the largest image.
    """
    stream = _zstd().ZstdDecompressor()
    message = bytes(stream.decompress(data, max_length=most_bytes() + 1))
    if len(message) > most_bytes():
        raise UnreadableFile(f"a message unpacks to more than {most_bytes()} bytes; it is a decompression bomb")
    if not stream.eof:
        raise UnreadableFile("a compressed message is cut short")
    return message


def bound(reader: Any, *, is_ros1: bool) -> None:
    """Let a reader of rosbags, that is open, unpack within bounds too."""
    if is_ros1:
        import lz4.frame  # type: ignore[import-untyped]

        bounded = {bz2.decompress: bz2.BZ2Decompressor, lz4.frame.decompress: lz4.frame.LZ4FrameDecompressor}
        for place, chunk in reader.chunks.items():
            if chunk.decompressor in bounded:
                reader.chunks[place] = chunk._replace(decompressor=partial(_within, bounded[chunk.decompressor]))
        return
    from rosbags.rosbag2 import storage_mcap

    # A table of the module, as its readers have none of their own. What it refuses, rosbags refuses too, but later.
    storage_mcap.DECOMPRESSORS.update({name: partial(_as_said, name) for name in ("lz4", "zstd")})


def _within(kind: Callable[[], Any], data: bytes) -> bytes:
    plain = bytes(kind().decompress(data, max_length=most_bytes() + 1))
    if len(plain) > most_bytes():
        raise UnreadableFile(f"a chunk unpacks to more than {most_bytes()} bytes; it is a decompression bomb")
    return plain


def _as_said(name: str, data: bytes, length: int) -> bytes:
    return unpacked(data, name, length)


def each_compressed(change: Change) -> Change:
    """Of messages that are compressed one by one with zstd."""
    zstd = _zstd()

    def of_packed(topic: str, time: int, data: bytes) -> bytes:
        message = unpacked_message(data)
        result = change(topic, time, message)
        return data if result == message else bytes(zstd.compress(result))

    return of_packed


def compress_file(source: Path, target: Path) -> None:
    """A file, compressed as a whole with zstd."""
    with source.open("rb") as plain, _zstd().open(target, "wb") as packed:
        shutil.copyfileobj(plain, packed)


def _zstd() -> Any:
    """Of Python, or of the package that rosbags brings where Python has none."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
