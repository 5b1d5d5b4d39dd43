"""How bags compress: ROS 1 and MCAP each chunk, SQLite each message, and ROS 2 whole files."""

import bz2
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs

from noiseless.errors import UnreadableFile

from .words import Change


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
    "bz2": Codec(lambda data, _: bz2.decompress(data), bz2.compress),
    "lz4": Codec(
        lambda data, length: bytes(imagecodecs.lz4f_decode(data, out=length)),
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
    result = CODECS[name].decode(data, length) if length else b""
    if len(result) != length:
        raise UnreadableFile(f"a chunk unpacks to {len(result)} bytes, and {length} are said to be there")
    return result


def each_compressed(change: Change) -> Change:
    """Of messages that are compressed one by one with zstd."""
    zstd = _zstd()

    def of_packed(topic: str, time: int, data: bytes) -> bytes:
        message = bytes(zstd.decompress(data))
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
