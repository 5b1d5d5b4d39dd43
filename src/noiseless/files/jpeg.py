"""JPEG: gray and colour, baseline and progressive, 8 bits.

Segments are handled here, so metadata passes byte for byte; libjpeg (imagecodecs) decodes and libjpeg (Pillow)
encodes. A missing end is an error, not a gray lower half.

Quality. A picture that came from a JPEG keeps its sampling and its quantisation tables, but no entry coarser than
that of quality 95. Denoising by score changed the PSNR of 13 PolyU pictures (tables of quality 75, 31 to 41 dB) by
+0.05 to +0.54 dB; written with a bound of 92 that is -0.02 to +0.64 dB, with 95 it is +0.03 to +0.55 dB, at twice the
size of the source. A bound of 97 gains nothing more. Other pictures get quality 95 without chroma subsampling.

16-bit pixels are rounded to 8 bits. Alpha, floats and signed integers are refused; so are CMYK and YCCK sources,
lossless and 12-bit JPEG. Left behind, with a warning: further pictures or videos in the same file, JFIF thumbnails.
"""

import io
import logging
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array
from noiseless.version import __version__

from .limits import check_pixel_count

logger = logging.getLogger(__name__)

QUALITY = 95
COARSEST_KEPT_QUALITY = 95
MAX_SIDE = 65500  # libjpeg's own limit
MAX_PAYLOAD = 65533

COMMENT, APP0, APP1, APP2, APP14, APP15 = 0xFE, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
QUANTISATION, SCAN, END = 0xDB, 0xDA, 0xD9
CODINGS = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
FRAMES = {0xC0 + n for n in range(16)} - {0xC4, 0xC8, 0xCC}
# FF, then neither a stuffed zero, nor a restart marker, nor a fill byte.
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL)

EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
ICC = b"ICC_PROFILE\0"
SAMPLINGS = {((1, 1), (1, 1), (1, 1)): 0, ((2, 1), (1, 1), (1, 1)): 1, ((2, 2), (1, 1), (1, 1)): 2}

ZIGZAG = sorted(range(64), key=lambda n: (n // 8 + n % 8, n // 8 if (n // 8 + n % 8) % 2 else n % 8))
"""Row-major position of each entry of a table as it is stored."""


class Segment(NamedTuple):
    marker: int
    payload: bytes


def read(path: Path) -> Image:
    """The image in a JPEG file.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large.
    UnsupportedFormat : CMYK or YCCK, lossless, arithmetic or 12-bit coding.
    """
    data = path.read_bytes()
    segments = list(_segments(data))
    coding = _coding(segments)
    try:
        stored = imagecodecs.jpeg8_decode(data)
    except (imagecodecs.Jpeg8Error, ValueError) as error:
        raise UnreadableFile(f"its JPEG data are damaged ({error}); copy or export it again") from error
    samples = np.ascontiguousarray(np.moveaxis(stored, -1, 0)) if stored.ndim == 3 else stored[np.newaxis]
    header = {"format": "jpeg", **_metadata(segments), "jpeg_coding": coding}
    return replace(from_array(samples, channel_axis=0), header=header)


def write(image: Image, path: Path) -> None:
    """Write a JPEG file, at the quality that the module's docstring explains.

    Raises
    ------
    UnsupportedFormat : JPEG holds gray and RGB pictures of 8 bits without alpha, and nothing else.
    """
    stored = _eight_bits(image)
    options: dict[str, Any] = {**_encoding(image), **_options(image.header)}
    picture = PIL.Image.fromarray(np.ascontiguousarray(stored))
    encoded = io.BytesIO()
    try:
        picture.save(encoded, "JPEG", optimize=True, **options)
    except (OSError, ValueError) as error:
        raise UnsupportedFormat(f"the JPEG encoder refused the image ({error}); write PNG or TIFF") from error
    path.write_bytes(encoded.getvalue())


def _segments(data: bytes) -> Iterator[Segment]:
    """Each marker segment from the start to the end of the first picture."""
    position = 2
    while True:
        found = MARKER.search(data, position)
        if found is None:
            raise UnreadableFile("it ends in the middle of the picture; copy or download it again")
        marker, position = data[found.end() - 1], found.end()
        if marker == END:
            break
        if marker == 0x01:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        if length < 2 or position + length > len(data):
            raise UnreadableFile("it ends in the middle of the picture; copy or download it again")
        yield Segment(marker, data[position + 2 : position + length])
        position += length
    if len(data) > position + 1024:  # less is padding
        logger.warning("%d bytes after the picture (a second picture, a video) were left behind", len(data) - position)


def _coding(segments: list[Segment]) -> dict[str, Any]:
    """How the picture is coded: checked, and what the writer can take over."""
    frames = [segment for segment in segments if segment.marker in FRAMES]
    if not frames or not any(segment.marker == SCAN for segment in segments):
        raise UnreadableFile("it holds no picture; it is damaged")
    marker, payload = frames[0]
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        raise UnreadableFile("its frame header is damaged; copy or export it again")
    bits, height, width, count = struct.unpack_from(">BHHB", payload)
    check_pixel_count(width, height)
    if marker not in CODINGS or bits != 8:
        raise UnsupportedFormat(f"it is lossless, arithmetic or {bits}-bit JPEG; convert it to PNG or TIFF first")
    if count == 4:
        raise UnsupportedFormat("it is a CMYK or YCCK JPEG, made for print; convert it to RGB first")
    if count not in (1, 3):
        raise UnsupportedFormat(f"it has {count} colour components; convert it to gray or RGB first")
    components = [payload[6 + 3 * n : 9 + 3 * n] for n in range(count)]
    tables = _tables(segments)
    if any(component[2] not in tables for component in components):
        raise UnreadableFile("a quantisation table is missing; it is damaged")
    return {
        "progressive": CODINGS[marker] == "progressive",
        "sampling": tuple((component[1] >> 4, component[1] & 15) for component in components),
        "tables": tuple(tables[component[2]] for component in components),
    }


def _tables(segments: list[Segment]) -> dict[int, tuple[int, ...]]:
    """The quantisation tables by number, row-major."""
    tables = {}
    for marker, payload in segments:
        while marker == QUANTISATION and payload:
            is_wide, number = payload[0] >> 4, payload[0] & 15
            size = 128 if is_wide else 64
            if len(payload) < 1 + size:
                raise UnreadableFile("a quantisation table is cut short; it is damaged")
            entries = struct.unpack(">64H" if is_wide else "64B", payload[1 : 1 + size])
            tables[number] = tuple(entry for _, entry in sorted(zip(ZIGZAG, entries, strict=True)))
            payload = payload[1 + size :]
    return tables


def _metadata(segments: list[Segment]) -> dict[str, Any]:
    header: dict[str, Any] = {}
    profile: list[bytes] = []
    kept = []
    for marker, payload in segments:
        if marker == APP1 and payload.startswith(EXIF):
            header.setdefault("exif", payload.removeprefix(EXIF))
        elif marker == APP1 and payload.startswith(XMP):
            header.setdefault("xmp", payload.removeprefix(XMP))
        elif marker == APP2 and payload.startswith(ICC):
            profile.append(payload.removeprefix(ICC))
        elif marker == APP0 and payload.startswith(b"JFIF\0"):
            header.update(_density(payload))
        elif _is_kept(marker, payload):
            kept.append((marker, payload))
    if profile:
        header["icc"] = b"".join(piece[2:] for piece in sorted(profile))
    if kept:
        header["jpeg_segments"] = tuple(kept)
    return header


def _is_kept(marker: int, payload: bytes) -> bool:
    # JFIF extensions are thumbnails of the old pixels; MPF points at other pictures; Adobe's APP14 says how the old
    # colours were coded. None of them is true of the new file.
    if marker in (APP0, APP14) or payload.startswith(b"MPF\0"):
        return False
    return marker == COMMENT or APP0 <= marker <= APP15


def _density(payload: bytes) -> dict[str, tuple[float, float]]:
    if len(payload) < 12:
        return {}
    unit, x, y = struct.unpack_from(">BHH", payload, 7)
    per_inch = {1: 1.0, 2: 2.54}.get(unit)
    return {"dpi": (x * per_inch, y * per_inch)} if per_inch and x and y else {}


def _eight_bits(image: Image) -> NDArray[np.uint8]:
    """The stored pixels as JPEG wants them: (Y, X) or (Y, X, 3), uint8."""
    if image.axes != "CYX" or image.channels not in (1, 3):
        raise UnsupportedFormat(
            f"JPEG holds one gray or RGB picture, not {image.channels} channels of {image.axes[1:]}; write TIFF (.tif)"
        )
    if image.alpha is not None:
        raise UnsupportedFormat("JPEG cannot hold the alpha channel of this image; write PNG or TIFF")
    if image.stored_dtype not in ("uint8", "uint16"):
        raise UnsupportedFormat(f"JPEG holds 8 bits, not {image.stored_dtype}; write TIFF (.tif)")
    if max(image.space) > MAX_SIDE:
        raise UnsupportedFormat(f"JPEG sides end at {MAX_SIDE} pixels, this image has {max(image.space)}; write PNG")
    stored = image.stored()
    if stored.dtype == np.uint16:
        logger.info("16-bit pixels were rounded to 8 bits for JPEG")
        stored = ((stored.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return stored[0] if len(stored) == 1 else np.moveaxis(stored, 0, -1)


def _encoding(image: Image) -> dict[str, Any]:
    """Quality, tables and sampling for Pillow's encoder."""
    coding = image.header.get("jpeg_coding")
    default = {"quality": QUALITY, "subsampling": 0}
    if coding is None or len(coding["tables"]) != image.channels:
        return default
    finest = _standard_tables(COARSEST_KEPT_QUALITY)
    bounds = [finest[0], finest[1], finest[1]][: image.channels]
    tables = [
        [min(entry, bound) for entry, bound in zip(table, bounding, strict=True)]
        for table, bounding in zip(coding["tables"], bounds, strict=True)
    ]
    if len(tables) == 3 and tables[1] == tables[2]:
        tables = tables[:2]  # the encoder gives the last table to all components that are left
    # An unusual sampling becomes none at all, which loses nothing.
    sampling = SAMPLINGS.get(coding["sampling"], 0)
    return {"qtables": tables, "subsampling": sampling, "progressive": coding["progressive"]}


@cache
def _standard_tables(quality: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Libjpeg's tables for luma and chroma at ``quality``, taken from a picture that it encodes."""
    encoded = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(encoded, "JPEG", quality=quality)
    tables = _tables(list(_segments(encoded.getvalue())))
    return tables[0], tables[1]


def _options(header: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata, as options of Pillow's encoder."""
    segments = [Segment(*pair) for pair in header.get("jpeg_segments", ())]
    if not any(marker == COMMENT for marker, _ in segments):
        segments.append(Segment(COMMENT, f"noiseless {__version__}".encode("ascii")))
    options: dict[str, Any] = {
        "extra": b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    }
    if "icc" in header:
        options["icc_profile"] = header["icc"]
    if "dpi" in header:
        options["dpi"] = header["dpi"]
    for key, signature in (("exif", EXIF), ("xmp", XMP)):
        body = header.get(key)
        if body is None:
            continue
        if len(signature) + len(body) > MAX_PAYLOAD:
            logger.warning("the %s block is longer than a JPEG segment (64 KB) and was left behind", key.upper())
            continue
        options[key] = signature + body if key == "exif" else body
    return options
