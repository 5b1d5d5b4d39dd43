"""What the tags of a TIFF file are in the header of an image, and back."""

import logging
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from noiseless.errors import UnreadableFile
from noiseless.version import __version__

from .directory import EXIF, GPS, Directory, Flavour, Tag, decode_exif, encode_exif
from .layout import Layout

logger = logging.getLogger(__name__)

DESCRIPTION, SOFTWARE, XMP, ICC = 270, 305, 700, 34675
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
ELSEWHERE = (XMP, ICC, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
CAPTION = (DESCRIPTION, 271, 272, 274, SOFTWARE, 306, 315, 33432)
"""Description, camera, orientation, software, date, artist, copyright: the tags that EXIF shares with TIFF."""
LONGEST_CAPTION = 4096  # a longer description is a file format of its own (OME) and would burst a JPEG's EXIF
INCHES = {2: 1.0, 3: 2.54}

ASCII, BYTE = 2, 1
NAMES = {EXIF: "ExifTag", GPS: "GPSTag"}  # tifffile writes these two tags only by name

TagTuple = tuple[int, int, int, bytes]


def header_of(pages: list[Directory], flavour: Flavour, layout: Layout) -> dict[str, Any]:
    """The header of an image from the tags of its pages."""
    first = pages[0]
    header: dict[str, Any] = {"format": "tiff", "tiff_layout": layout}
    for key, code in (("icc", ICC), ("xmp", XMP)):
        tag = first.get(code)
        if isinstance(tag, Tag):
            header[key] = tag.data
    caption = {code: tag for code, tag in first.items() if code in CAPTION or code in (EXIF, GPS)}
    caption = {code: tag for code, tag in caption.items() if isinstance(tag, dict) or tag.length <= LONGEST_CAPTION}
    if caption:
        header["exif"] = encode_exif(caption, flavour.order)
    if layout.resolution and layout.per_unit and layout.resolution[2] in INCHES:
        header["dpi"] = tuple(INCHES[layout.resolution[2]] * per_unit for per_unit in layout.per_unit)
    header["tiff_tags"] = tuple(carried_tags(page) for page in pages)
    return header


def carried_tags(directory: Directory) -> tuple[TagTuple, ...]:
    """The tags that tifffile may write: not those with places of their own, nor inner directories."""
    return tuple((code, *tag) for code, tag in directory.items() if isinstance(tag, Tag) and code not in ELSEWHERE)


def resolution_of(page: Directory, flavour: Flavour) -> tuple[tuple[int, int], tuple[int, int], int] | None:
    """Pixels a unit along X and Y, and the unit; None where they are not there, or make no sense."""
    found = [page.get(code) for code in (X_RESOLUTION, Y_RESOLUTION)]
    unit = page.get(RESOLUTION_UNIT)
    if not all(isinstance(tag, Tag) and len(tag.data) == 8 for tag in found):
        return None
    x, y = (struct.unpack(flavour.order + "II", tag.data) for tag in found if isinstance(tag, Tag))
    code = struct.unpack(flavour.order + "H", unit.data)[0] if isinstance(unit, Tag) and len(unit.data) == 2 else 2
    return (x, y, code) if all((*x, *y)) else None


def description_of(page: Directory) -> str:
    """The description of a page; empty where it has none."""
    tag = page.get(DESCRIPTION)
    return tag.data.rstrip(b"\0").decode("utf-8", "replace") if isinstance(tag, Tag) else ""


def exif_of(header: Mapping[str, Any]) -> tuple[Directory, dict[int, Directory], str]:
    """The main tags of the EXIF block, its inner directories, and its byte order."""
    block = header.get("exif")
    if block is None:
        return {}, {}, "<"
    try:
        order, directory = decode_exif(block)
    except UnreadableFile:
        logger.warning("the EXIF block is damaged and was left behind")
        return {}, {}, "<"
    main: Directory = {code: tag for code, tag in directory.items() if isinstance(tag, Tag)}
    return main, {code: tag for code, tag in directory.items() if isinstance(tag, dict) and code in NAMES}, order


def added_tags(header: Mapping[str, Any], carried: Iterable[TagTuple]) -> list[tuple[Any, ...]]:
    """The first page's tags that are not carried as such: XMP, and the software if none is named."""
    added: list[tuple[Any, ...]] = []
    if "xmp" in header:
        added.append((XMP, BYTE, len(header["xmp"]), header["xmp"], True))
    if all(tag[0] != SOFTWARE for tag in carried):
        added.append((SOFTWARE, ASCII, 0, f"noiseless {__version__}", True))
    return added
