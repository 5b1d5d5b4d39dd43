"""Codecs of zarr within bounds: a chunk unpacks to what a chunk may have, and only by codecs that are known here.

Without, 100 KB of gzip are 100 MB, a Blosc chunk that was cut short is read beyond its end (numcodecs 0.16 does not
look at the length of what it is given), and the codecs that metadata may name include pickle.
"""

import bz2
import lzma
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import imagecodecs
import zarr
from numcodecs.abc import Codec  # type: ignore[import-untyped]
from zarr.abc.codec import BytesBytesCodec
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec
from zarr.registry import register_codec

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files.limits import most_pixels

Unpack: TypeAlias = Callable[[bytes, int], bytes]
"""From the packed bytes, and the most that they may unpack to."""

SLACK = 4096
"""Bytes that a chunk may have besides its pixels: checksums, and headers of a codec within a codec."""

MOST_CHUNKS_A_SHARD = 2**22

BLOSC_HEAD = 16

PLAIN = ("delta", "fixedscaleoffset", "quantize", "bitround", "astype", "shuffle", "packbits")
CHECKSUMS = ("crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3")
"""Codecs of version 2 that unpack nothing."""

STRUCTURAL = ("bytes", "endian", "transpose", "sharding_indexed", "crc32c")
"""Likewise of version 3."""


def _inflated(inflating: Any, data: bytes, most: int) -> bytes:
    plain: bytes = inflating.decompress(data, most + 1)
    if len(plain) > most:
        raise UnreadableFile("a chunk unpacks to more than a chunk has; it is damaged, or a decompression bomb")
    return plain


def _of_gzip(data: bytes, most: int) -> bytes:
    """All members, one after the other."""
    plain = b""
    while data:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        plain += _of_one(member, data, most - len(plain))
        data = member.unused_data.lstrip(b"\0")
    return plain


def _of_one(stream: Any, data: bytes, most: int) -> bytes:
    plain = _inflated(stream, data, most)
    if not stream.eof:
        raise UnreadableFile("a chunk is cut short; copy or export it again")
    return plain


def _of_lz4(data: bytes, most: int) -> bytes:
    """Its length stands before it."""
    return bytes(imagecodecs.lz4_decode(data[4:], out=_checked(int.from_bytes(data[:4], "little"), most)))


def _of_blosc(data: bytes, most: int) -> bytes:
    packed = int.from_bytes(data[12:BLOSC_HEAD], "little")
    if len(data) < BLOSC_HEAD or packed != len(data):
        raise UnreadableFile(f"a chunk says it has {packed} bytes, and has {len(data)}; it is cut short or damaged")
    length = _checked(int.from_bytes(data[4:8], "little"), most)
    return bytes(imagecodecs.blosc_decode(data, out=length)) if length else b""


def _checked(length: int, most: int) -> int:
    if length > most:
        raise UnreadableFile(f"a chunk says it unpacks to {length} bytes, and has {most} at most; it is damaged")
    return length


UNPACK: Mapping[str, Unpack] = {
    "gzip": _of_gzip,
    "zlib": lambda data, most: _of_one(zlib.decompressobj(), data, most),
    "bz2": lambda data, most: _of_one(bz2.BZ2Decompressor(), data, most),
    "lzma": lambda data, most: _of_one(lzma.LZMADecompressor(), data, most),
    "zstd": lambda data, most: bytes(imagecodecs.zstd_decode(data, out=most)),
    "lz4": _of_lz4,
    "blosc": _of_blosc,
}


@dataclass(frozen=True)
class Guarded(BytesBytesCodec):  # type: ignore[misc]
    """A codec of zarr version 3 that unpacks within bounds."""

    name: str
    plain: Any

    is_fixed_size = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Guarded":
        return cls(data["name"], _OF_ZARR[data["name"]].from_dict(data))

    def to_dict(self) -> dict[str, Any]:
        told: dict[str, Any] = self.plain.to_dict()
        return told

    async def _decode_single(self, chunk_data: Any, chunk_spec: Any) -> Any:
        most = math.prod(chunk_spec.shape) * chunk_spec.dtype.to_native_dtype().itemsize + SLACK
        return chunk_spec.prototype.buffer.from_bytes(UNPACK[self.name](chunk_data.to_bytes(), most))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        length: int = self.plain.compute_encoded_size(input_byte_length, chunk_spec)
        return length


_OF_ZARR: Mapping[str, Any] = {"blosc": BloscCodec, "gzip": GzipCodec, "zstd": ZstdCodec}
_GUARDS = {f"codecs.{name}": f"{Guarded.__module__}.{Guarded.__qualname__}" for name in _OF_ZARR}
for _name in _OF_ZARR:
    register_codec(_name, Guarded)


class GuardedOfVersion2(Codec):  # type: ignore[misc]
    """A codec of zarr version 2 that unpacks within bounds."""

    codec_id = "noiseless-guarded"

    def __init__(self, plain: Any, most: int) -> None:
        self.plain, self.most = plain, most

    def decode(self, buf: Any, out: Any = None) -> Any:
        del out
        return UNPACK[self.plain.codec_id](bytes(buf), self.most)

    def encode(self, buf: Any) -> Any:
        return self.plain.encode(buf)

    def get_config(self) -> dict[str, Any]:
        told: dict[str, Any] = self.plain.get_config()
        return told


def guarded_array(folder: Any) -> Any:
    """An array that is opened for reading.

    Raises
    ------
    UnreadableFile : its chunks have more pixels than a picture may have.
    UnsupportedFormat : it is coded in a way that is not known here.
    """
    with zarr.config.set(_GUARDS):
        array = zarr.open_array(folder, mode="r")
    _check_chunks(array)
    metadata = array.metadata
    if metadata.zarr_format == 3:
        _check_codecs(metadata.codecs)
        return array
    coders = [each for each in (*(metadata.filters or ()), metadata.compressor) if each is not None]
    _check_known(coder.codec_id for coder in coders if coder.codec_id not in (*UNPACK, *PLAIN, *CHECKSUMS))
    most = math.prod(array.chunks) * max(8, array.dtype.itemsize) + SLACK  # a filter may widen numbers to 8 bytes
    bounded = [GuardedOfVersion2(each, most) if each.codec_id in UNPACK else each for each in coders]
    has_compressor = metadata.compressor is not None
    filters = tuple(bounded[: len(bounded) - has_compressor]) or None
    changed = replace(metadata, filters=filters, compressor=bounded[-1] if has_compressor else None)
    return zarr.Array(zarr.AsyncArray(changed, array.store_path))


def _check_chunks(array: Any) -> None:
    pixels, shard = math.prod(array.chunks), math.prod(array.shards or array.chunks)
    if pixels < 1 or pixels > most_pixels():
        raise UnreadableFile(
            f"its chunks have {pixels} pixels, and the limit against decompression bombs is {most_pixels()}; if you "
            "trust it, allow more (max_pixels, --max-pixels)"
        )
    if shard // pixels > MOST_CHUNKS_A_SHARD:
        raise UnreadableFile(f"its shards have {shard // pixels} chunks each, and {MOST_CHUNKS_A_SHARD} are the most")


def _check_codecs(codecs: Any) -> None:
    """Of version 3, those within shards too."""
    for codec in codecs:
        if not isinstance(codec, Guarded):
            told = codec.to_dict()
            _check_known(name for name in (told["name"],) if name not in STRUCTURAL)
            if told["name"] == "sharding_indexed":
                _check_codecs(codec.codecs)
                _check_codecs(codec.index_codecs)


def _check_known(strange: Any) -> None:
    for name in strange:
        known = ", ".join(sorted({*UNPACK, *PLAIN, *CHECKSUMS}))
        raise UnsupportedFormat(f"its chunks are coded by {str(name)[:40]!r}, and known are {known}; export it anew")
