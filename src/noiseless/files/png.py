"""PNG: gray and colour, 8 and 16 bits, with alpha.

Pixels are decoded and encoded by libpng through imagecodecs (Pillow turns 16-bit colour into 8 bits without a
word); chunks are handled here, so metadata passes byte for byte.

Read: every colour type and interlacing. 1, 2 and 4-bit gray become 8-bit gray, as a denoised picture needs the
levels between; palettes become RGB, or gray where every entry is gray and no ICC profile binds them to RGB;
a transparent colour becomes alpha. Animations are refused. Written: 8 or 16-bit gray or RGB, not interlaced.

Chunks kept: text, colour space (gAMA, cHRM, sRGB, cICP, mDCV, cLLI) and all that the standard marks safe to
copy. Dropped, because new pixels make them untrue: tIME, bKGD, hIST, sBIT and
unknown ones that are not safe to copy.
"""

import logging
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array
from noiseless.version import __version__

from .limits import MAX_METADATA_BYTES, check_pixel_count

logger = logging.getLogger(__name__)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IHDR_END = len(SIGNATURE) + 12 + 13

PALETTE = 3
LEVEL = 3  # of Deflate: two thirds of the time of the usual 6, for files 3 % larger
COLOUR_CHUNKS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
XMP_KEYWORD = b"XML:com.adobe.xmp"
METRES_PER_INCH = 0.0254

Chunk = tuple[bytes, bytes]


def read(path: Path) -> Image:
    """The image in a PNG file.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large.
    UnsupportedFormat : an animation.
    """
    data = path.read_bytes()
    chunks = list(_chunks(data))
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise UnreadableFile("its first chunk is not a PNG header; it is damaged")
    width, height, _, colour = struct.unpack(">IIBB", chunks[0][1][:10])
    check_pixel_count(width, height)
    if any(kind == b"acTL" for kind, _ in chunks):
        raise UnsupportedFormat("it is an animated PNG; save its frames as single files first")
    try:
        stored = imagecodecs.png_decode(data)
    except (imagecodecs.PngError, ValueError) as error:
        raise UnreadableFile(f"its PNG data are damaged ({error}); copy or export it again") from error
    header = _header(chunks)
    return _image(stored, header, is_palette=colour == PALETTE)


def write(image: Image, path: Path) -> None:
    """Write a PNG file.

    Raises
    ------
    UnsupportedFormat : PNG holds gray and RGB pictures of uint8 or uint16, and nothing else.
    """
    if image.axes != "CYX" or image.channels not in (1, 3):
        raise UnsupportedFormat(
            f"PNG holds one gray or RGB picture, not {image.channels} channels of {image.axes[1:]}; write TIFF (.tif)"
        )
    if image.stored_dtype not in ("uint8", "uint16"):
        raise UnsupportedFormat(f"PNG holds uint8 and uint16, not {image.stored_dtype}; write TIFF (.tif)")
    samples = list(image.stored())
    if image.alpha is not None:
        samples.append(image.alpha)
    stored = samples[0] if len(samples) == 1 else np.stack(samples, axis=-1)
    try:
        encoded = imagecodecs.png_encode(np.ascontiguousarray(stored), LEVEL)
    except (imagecodecs.PngError, ValueError) as error:
        raise UnsupportedFormat(f"the PNG encoder refused the image ({error}); write TIFF (.tif)") from error
    extra = b"".join(_encode(kind, payload) for kind, payload in _ancillary(image))
    path.write_bytes(b"".join((encoded[:IHDR_END], extra, encoded[IHDR_END:])))


def _chunks(data: bytes) -> Iterator[Chunk]:
    position = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise UnreadableFile("it ends in the middle of the picture; copy or download it again")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise UnreadableFile("it ends in the middle of the picture; copy or download it again")
        payload = data[position + 8 : end]
        if zlib.crc32(payload, zlib.crc32(kind)) != struct.unpack_from(">I", data, end)[0]:
            raise UnreadableFile("the checksum of a PNG chunk is wrong: the file is damaged; copy it again")
        yield kind, b"" if kind == b"IDAT" else payload
        position = end + 4


def _encode(kind: bytes, payload: bytes) -> bytes:
    checksum = zlib.crc32(payload, zlib.crc32(kind))
    return struct.pack(">I4s", len(payload), kind) + payload + struct.pack(">I", checksum)


def _image(stored: NDArray[Any], header: dict[str, Any], *, is_palette: bool) -> Image:
    samples = np.ascontiguousarray(np.moveaxis(stored, -1, 0)) if stored.ndim == 3 else stored[np.newaxis]
    alpha = samples[-1].copy() if len(samples) in (2, 4) else None
    colours = samples[: 1 if len(samples) < 3 else 3]
    if is_palette and "icc" not in header and (colours == colours[0]).all():
        colours = colours[:1]
    return replace(from_array(colours, channel_axis=0), alpha=alpha, header=header)


def _header(chunks: list[Chunk]) -> dict[str, Any]:
    header: dict[str, Any] = {"format": "png"}
    kept: list[Chunk] = []
    for kind, payload in chunks:
        if key := _common_key(kind, payload):
            try:
                header.setdefault(key, _common_value(kind, payload))
            except (zlib.error, ValueError, IndexError):
                logger.warning("a damaged %s chunk was dropped", kind.decode("latin-1"))
        elif _is_kept(kind):
            kept.append((kind, payload))
    if kept:
        header["png_chunks"] = tuple(kept)
    return header


def _is_kept(kind: bytes) -> bool:
    # Bit 5 of the first letter says ancillary, of the last one safe to copy (PNG, section 5.4).
    return kind in COLOUR_CHUNKS or (bool(kind[0] & kind[3] & 0x20))


def _common_key(kind: bytes, payload: bytes) -> str:
    """The common header key that a chunk becomes; empty where it has none."""
    if kind == b"iTXt":
        return "xmp" if payload.startswith(XMP_KEYWORD + b"\0") else ""
    if kind == b"pHYs":
        return "dpi" if payload[8:] == b"\x01" else ""  # other units give the shape of a pixel, not its size
    return {b"iCCP": "icc", b"eXIf": "exif"}.get(kind, "")


def _common_value(kind: bytes, payload: bytes) -> Any:
    if kind == b"iCCP":
        _, _, rest = payload.partition(b"\0")
        return _inflate(rest[1:])
    if kind == b"iTXt":
        rest = payload[len(XMP_KEYWORD) + 1 :]
        is_compressed = rest[0] == 1
        _, _, text = rest[2:].split(b"\0", 2)
        return _inflate(text) if is_compressed else text
    if kind == b"pHYs":
        return tuple(per_metre * METRES_PER_INCH for per_metre in struct.unpack_from(">II", payload))
    return payload.removeprefix(b"Exif\0\0")


def _inflate(compressed: bytes) -> bytes:
    stream = zlib.decompressobj()
    plain = stream.decompress(compressed, MAX_METADATA_BYTES)
    if not stream.eof:
        raise ValueError("the compressed text is truncated, or unpacks to an absurd size")
    return plain


def _ancillary(image: Image) -> Iterator[Chunk]:
    """The chunks that go between the header and the pixels."""
    header = image.header
    kept = header.get("png_chunks", ())
    yield from kept
    if "icc" in header:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(header["icc"])
    if "exif" in header:
        yield b"eXIf", header["exif"]
    if "dpi" in header:
        x, y = (round(per_inch / METRES_PER_INCH) for per_inch in header["dpi"])
        yield b"pHYs", struct.pack(">IIB", x, y, 1)
    if "xmp" in header:
        yield b"iTXt", XMP_KEYWORD + b"\0\0\0\0\0" + header["xmp"]
    if not any(kind in TEXT_CHUNKS and payload.startswith(b"Software\0") for kind, payload in kept):
        yield b"tEXt", f"Software\0noiseless {__version__}".encode("latin-1")
