"""Raw files of cameras, developed by LibRaw (through rawpy): in only.

Developed are 16-bit pictures in sRGB, upright, with the white balance of the camera, and with nothing that would hide
the noise or change it from picture to picture: no automatic brightness or white level, no noise reduction, no
sharpening. Demosaicing has made the noise correlated then; ``camera``, the network for such noise, is the usual one.

sRGB rather than linear light, and demosaicing by DHT, because that denoises best. Five PolyU pictures were made into
Bayer mosaics with Poisson-Gaussian noise of two strengths. Denoised by the network for cameras they had 38.2 and
33.6 dB (PSNR in sRGB); by AHD, LibRaw's own choice, 37.6 and 32.8 dB; by DHT in linear light 35.6 and 31.4 dB. DHT
takes 0.19 seconds of a core a megapixel, AHD 0.08. Mosaics of X-Trans are left to LibRaw.

Kept is the EXIF block of files that are TIFF within (DNG, CR2, NEF, ARW, PEF, SRW). It says that the picture is
upright and sRGB now, and loses the maker's notes, whose places would be wrong. That of CR3, RAF, ORF and RW2 is left
behind with a warning. XMP, which says how to develop what is developed now, and previews are not carried along.

A result is written as TIFF or PNG: nobody could put developed pixels back into a raw file.
"""

import io
import logging
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import rawpy
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array

from .directory import (
    EXIF,
    GPS,
    INTEROPERABILITY,
    STRUCTURE,
    Directory,
    Flavour,
    Tag,
    encode_exif,
    read_directory,
    read_start,
)
from .limits import check_pixel_count
from .tiff_tags import CAPTION, LONGEST_CAPTION

logger = logging.getLogger(__name__)

SRGB_CURVE = (2.4, 12.92)
"""Exponent, and slope at black."""

MAX_EXPANSION = 20
"""Raw pixels shrink by less than this. Where a file ends before its pixels begin, LibRaw makes some up."""

ORIENTATION, COLOUR_SPACE = 274, 40961
UPRIGHT = SRGB = 1
UNTRUE = {37500, 40962, 40963, INTEROPERABILITY}
"""The maker's notes, the size of the picture, and whether it is Adobe RGB."""
SHORT, LONG, DIRECTORY, LONG8 = 3, 4, 13, 16

DNG_VERSION, SUB_DIRECTORIES = 50706, 330
SEGMENTS = ((273, 279), (324, 325))
"""Tags of where strips, and tiles, lie, and of how many bytes they have."""


def read(path: Path) -> Image:
    """The developed picture.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large, or of a camera that LibRaw does not know.
    """
    with path.open("rb") as stream:
        _check_whole(stream)
        stream.seek(0)
        try:
            developed = _developed(stream)
        except (rawpy.LibRawError, rawpy.NotSupportedError, ValueError, MemoryError) as error:
            raise UnreadableFile(
                f"LibRaw cannot develop it ({type(error).__name__}): it is damaged, or of a camera that LibRaw does "
                "not know; copy it again, or develop it to TIFF elsewhere"
            ) from error
        exif = _exif(stream)
    header = {"format": "raw"} if exif is None else {"format": "raw", "exif": exif}
    return replace(from_array(np.ascontiguousarray(np.moveaxis(developed, -1, 0)), channel_axis=0), header=header)


def write(image: Image, path: Path) -> None:
    """Refused.

    Raises
    ------
    UnsupportedFormat : always.
    """
    del image, path
    raise UnsupportedFormat("developed pixels cannot go back into a raw file; write TIFF (-o picture.tif)")


def _developed(stream: BinaryIO) -> NDArray[np.uint16]:
    """(Y, X, 3), or (Y, X, 1) where the sensor has no colours."""
    with rawpy.imread(stream) as raw:
        sizes, file_bytes = raw.sizes, stream.tell()
        check_pixel_count(sizes.raw_width, sizes.raw_height)
        if 2 * sizes.raw_width * sizes.raw_height > MAX_EXPANSION * file_bytes:
            raise UnreadableFile(
                f"it claims {sizes.raw_width} x {sizes.raw_height} pixels, and has {file_bytes} bytes: "
                "it is truncated; copy it again"
            )
        developed: NDArray[Any] = raw.postprocess(
            demosaic_algorithm=rawpy.DemosaicAlgorithm.DHT,
            use_camera_wb=True,
            no_auto_bright=True,
            adjust_maximum_thr=0.0,  # or else the brightest pixel of the picture may take the place of the white level
            output_bps=16,
            gamma=SRGB_CURVE,
            output_color=rawpy.ColorSpace.sRGB,
            fbdd_noise_reduction=rawpy.FBDDNoiseReductionMode.Off,
            median_filter_passes=0,
        )
    return developed


def _check_whole(stream: BinaryIO) -> None:
    """Refuse a DNG that ends before its pixels do: LibRaw says so on stderr, and makes up what is missing.

    Raises
    ------
    UnreadableFile : it is truncated.
    """
    try:
        flavour, place = read_start(stream)
        page, _ = read_directory(stream, flavour, place)
        if DNG_VERSION not in page:
            return
        inner = [read_directory(stream, flavour, each)[0] for each in _numbers(page.get(SUB_DIRECTORIES), flavour)]
    except UnreadableFile:  # LibRaw may know it nevertheless
        return
    file_bytes = stream.seek(0, io.SEEK_END)
    for directory in (page, *inner):
        for places, lengths in SEGMENTS:
            starts, counts = (_numbers(directory.get(code), flavour) for code in (places, lengths))
            if any(start + count > file_bytes for start, count in zip(starts, counts, strict=False)):
                raise UnreadableFile("it ends before its pixels do: it is truncated; copy it again")


def _numbers(tag: Tag | Directory | None, flavour: Flavour) -> tuple[int, ...]:
    """The whole numbers of a tag; none where it has others, or is not there."""
    letter = {SHORT: "H", LONG: "I", DIRECTORY: "I", LONG8: "Q"}.get(tag.kind) if isinstance(tag, Tag) else None
    if letter is None or not isinstance(tag, Tag):
        return ()
    return struct.unpack(f"{flavour.order}{tag.length}{letter}", tag.data)


def _exif(stream: BinaryIO) -> bytes | None:
    """The EXIF block of a file that is TIFF within."""
    try:
        flavour, place = read_start(stream)
        page, _ = read_directory(stream, flavour, place, skip=STRUCTURE)
    except UnreadableFile:
        logger.warning("its EXIF block cannot be read, and was left behind")
        return None
    kept: Directory = {code: value for code, value in page.items() if code in (*CAPTION, EXIF, GPS)}
    kept = {code: value for code, value in kept.items() if isinstance(value, dict) or value.length <= LONGEST_CAPTION}

    def one(number: int) -> Tag:
        return Tag(SHORT, 1, struct.pack(flavour.order + "H", number))

    kept[ORIENTATION] = one(UPRIGHT)
    camera = kept.get(EXIF)
    if isinstance(camera, dict):
        camera = {code: value for code, value in camera.items() if code not in UNTRUE}
        kept[EXIF] = {**camera, COLOUR_SPACE: one(SRGB)}
    return encode_exif(kept, flavour.order)
