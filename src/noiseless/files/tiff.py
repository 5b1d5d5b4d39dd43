"""TIFF and BigTIFF: gray, RGB and several channels; pictures and volumes; integers of 8 to 32 bits, floats of 16 to 64.

Pages of one shape are one volume (Z, Y, X); ImageJ, OME and tifffile descriptions say where pages are channels
instead. The writer lays the pixels out as they were: byte order, pages, planes, tiles, compression, predictor,
white-is-zero, resolution, and every tag of every page that is not about layout, byte for byte, with the EXIF and GPS
directories.

Writing is lossless. Where the source's compression is not (JPEG, JPEG 2000, WebP, LERC), or tifffile cannot write
it, Deflate with a predictor stands in for it. Pixels travel as float32, so 32-bit integers with a span beyond 2**23,
float64, and floats far below zero come back rounded to 2**-23 of their range; 8 and 16-bit integers, and float32 and
float16 from zero up, come back bit for bit.

Refused by name: palettes, CMYK, CIELAB, raw sensor data, samples of 1, 4, 10, 12, 24 or 64 bits, complex numbers,
pages of different shapes, time series, premultiplied alpha that is not opaque, files of several pictures. Left
behind, with a warning: thumbnails and pyramid levels, which show the old pixels.
"""

import logging
import struct
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array
from noiseless.version import __version__

from . import limits
from .directory import (
    EXIF,
    GPS,
    STRUCTURE,
    Directory,
    Flavour,
    Tag,
    append_directory,
    decode_exif,
    encode_exif,
    read_directory,
    read_start,
)
from .layout import (
    MINISBLACK,
    MINISWHITE,
    PREMULTIPLIED,
    RGB,
    UNSPECIFIED,
    Layout,
    layout_for,
    needs_big,
    writer_options,
)
from .pages import channel_first, planes, squeezed
from .spacing import spacing_of

logger = logging.getLogger(__name__)

DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")
KINDS = ("generic", "uniform", "shaped", "imagej", "ome")
"""What tifffile calls the ways of saying how pages belong together; vendors' own ways are refused."""

YCBCR, JPEG = 6, 7
DESCRIPTION, SOFTWARE, XMP, ICC, DNG_VERSION = 270, 305, 700, 34675, 50706
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
ELSEWHERE = (XMP, ICC, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
CAPTION = (DESCRIPTION, 271, 272, 274, SOFTWARE, 306, 315, 33432)
"""Description, camera, orientation, software, date, artist, copyright: the tags that EXIF shares with TIFF."""
LONGEST_CAPTION = 4096  # a longer description is a file format of its own (OME) and would burst a JPEG's EXIF
INCHES = {2: 1.0, 3: 2.54}

MAX_EXPANSION = 20
"""Volumes may be larger than ``limits.MAX_PIXELS``, but not by compression: natural pixels shrink by less than this."""

EXACT_INTEGERS = 2**23  # so that half a unit is more than the rounding of float32

DAMAGED = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError),
    *(OSError, MemoryError, struct.error),
)
"""What tifffile and the codecs raise on damaged files, found by damaging files."""

ASCII, BYTE, LONG, LONG8 = 2, 1, 4, 16
NAMES = {EXIF: "ExifTag", GPS: "GPSTag"}  # tifffile writes these two tags only by name

TagTuple = tuple[int, int, int, bytes]


def read(path: Path) -> Image:
    """The picture or volume in a TIFF file.

    Raises
    ------
    UnreadableFile : truncated, damaged, or too large for its bytes.
    UnsupportedFormat : one of the contents that the module's docstring lists as refused.
    InvalidImage : the pixels hold NaN or infinity.
    """
    with path.open("rb") as stream:
        flavour, pages = _directories(stream)
    try:
        with tifffile.TiffFile(path, _multifile=False) as file:
            series = _series(file, pages)
            page = series.keyframe
            photometric, alpha_kind = _checked(page)
            _check_segments(series, file.filehandle.size)
            values, axes = squeezed(series.asarray(), series.axes, page.axes)
            layout = Layout(
                byteorder=flavour.order,
                axes=axes,
                photometric=photometric,
                alpha=alpha_kind,
                compression=int(page.compression),
                predictor=int(page.predictor),
                tile=(page.tilelength, page.tilewidth) if page.is_tiled else None,
                resolution=_resolution(pages[0], flavour),
                is_big=flavour.big,
            )
    except (UnreadableFile, UnsupportedFormat):
        raise
    except DAMAGED as error:
        raise UnreadableFile(f"its TIFF data are damaged ({type(error).__name__}); copy or export it again") from error
    samples, alpha = _split(channel_first(values, axes), alpha_kind)
    spacing = spacing_of(_text(pages[0]), layout.per_unit, samples.ndim - 1)
    return replace(_image(samples), alpha=alpha, spacing=spacing, header=_header(pages, flavour, layout))


def write(image: Image, path: Path) -> None:
    """Write a TIFF file, laid out as the source was if that was TIFF.

    Raises
    ------
    UnsupportedFormat : a dtype that TIFF readers do not know, or a volume with alpha.
    """
    if image.stored_dtype not in DTYPES:
        raise UnsupportedFormat(f"TIFF holds {', '.join(DTYPES)} here, not {image.stored_dtype}; convert it first")
    if image.alpha is not None and image.axes != "CYX":
        raise UnsupportedFormat("TIFF holds no alpha for volumes here; drop it first")
    main, inner, order = _exif(image)
    layout = layout_for(image, order)
    if inner and layout.byteorder != order:
        logger.warning("the EXIF block has another byte order than the TIFF layout; its camera part was left behind")
        inner = {}
    samples = image.stored()
    if image.alpha is not None:
        samples = np.concatenate([samples, image.alpha[np.newaxis].astype(samples.dtype, copy=False)])
    carried = image.header.get("tiff_tags") or (_flat(main),)
    options = {**writer_options(layout, samples), "iccprofile": image.header.get("icc")}
    is_big = needs_big(layout, samples)
    first = _added(image, carried[0]) + [(NAMES[code], LONG8 if is_big else LONG, 1, 0, True) for code in inner]
    try:
        with tifffile.TiffWriter(path, bigtiff=is_big, byteorder=layout.byteorder) as file:
            for number, plane in enumerate(planes(samples, layout.axes)):
                page_tags = [(*tag, True) for tag in (carried[number] if number < len(carried) else ())]
                file.write(plane, extratags=page_tags + (first if number == 0 else []), **options)
    except (ValueError, LookupError, TypeError, RuntimeError, struct.error) as error:
        # The cause may quote tags, so it is chained and not shown.
        raise UnsupportedFormat(f"the TIFF encoder refused the image ({type(error).__name__}); write PNG") from error
    with path.open("r+b") as stream:
        for code, directory in inner.items():
            append_directory(stream, code, directory)


def _directories(stream: BinaryIO) -> tuple[Flavour, list[Directory]]:
    """The tags of each page, but for those that say where the pixels lie."""
    flavour, offset = read_start(stream)
    pages: list[Directory] = []
    seen: set[int] = set()
    skip = STRUCTURE.difference(ELSEWHERE)
    while offset and offset not in seen:
        seen.add(offset)
        directory, offset = read_directory(stream, flavour, offset, skip=skip)
        pages.append(directory)
    if offset or not pages:
        raise UnreadableFile("its list of pages is damaged; export it again")
    return flavour, pages


def _series(file: Any, pages: list[Directory]) -> Any:
    """Tifffile's series of the pages that make the picture, checked to be whole."""
    if DNG_VERSION in pages[0]:
        raise UnsupportedFormat("it is camera raw (DNG); develop it to TIFF first")
    first, *others = file.series
    if len(file.pages) != len(pages):
        raise UnreadableFile("its list of pages is damaged; export it again")
    if first.kind not in KINDS:
        raise UnsupportedFormat(f"it is a {first.kind} file; export it as plain or OME-TIFF first")
    if file.is_ome and first.kind != "ome":
        raise UnsupportedFormat("it is one file of an OME-TIFF set, or was renamed; export it as a single OME-TIFF")
    if file.is_imagej and first.kind != "imagej":
        raise UnreadableFile("its ImageJ description declares more images than it holds; it is truncated")
    _check_inner(first, has_thumbnails=bool(others))
    if any(not other.keyframe.is_reduced for other in others):
        raise UnsupportedFormat(
            f"it holds {1 + len(others)} pictures of different shape or type; save each as a file of its own first"
        )
    if [page.index for page in first.pages if page is not None] != list(range(len(first.pages))):
        raise UnsupportedFormat("its pages are not in the order of its description; export it again")
    return first


def _check_inner(series: Any, *, has_thumbnails: bool) -> None:
    inner = list(series.keyframe.pages or ()) if series.keyframe.subifds else []
    if any(page.size > series.keyframe.size for page in inner):
        raise UnsupportedFormat("its first page is a thumbnail of what it holds, as in camera raw; develop it first")
    if inner or has_thumbnails or len(series.levels) > 1:
        logger.warning("thumbnails or pyramid levels, which show the old pixels, were left behind")


def _check_segments(series: Any, file_bytes: int) -> None:
    """Refuse pixels that lie beyond the end, that are missing, or that unpack to an absurd size."""
    page = series.keyframe
    pixels = series.size // page.samplesperpixel
    if pixels < 1:
        raise UnreadableFile("its header claims a picture without pixels; it is damaged")
    if pixels > limits.MAX_PIXELS and series.nbytes > MAX_EXPANSION * file_bytes:
        limits.check_pixel_count(page.imagewidth, pixels // page.imagewidth)
    is_plain = page.compression == 1
    expected = int(np.prod(page.chunked, dtype=np.int64))
    for each in series.pages:
        ends = [offset + count for offset, count in zip(each.dataoffsets, each.databytecounts, strict=True)]
        is_short = is_plain and sum(each.databytecounts) < page.nbytes
        if len(ends) < expected or not all(each.databytecounts) or max(ends) > file_bytes or is_short:
            raise UnreadableFile("pixels are missing at its end; it is truncated, or sparse: copy or export it again")
    # ImageJ writes one directory for a whole stack, with the other slices behind the first.
    if is_plain and len(series.pages) == 1 and page.dataoffsets[0] + series.nbytes > file_bytes:
        raise UnreadableFile("slices are missing at its end; it is truncated: copy or export it again")


def _checked(page: Any) -> tuple[int, int | None]:
    """The photometric interpretation of a page's decoded pixels, and what alpha it has.

    Raises
    ------
    UnsupportedFormat : pixels that are not gray, RGB or plain channels of a known type.
    """
    photometric, extras = int(page.photometric), tuple(page.extrasamples)
    if photometric == YCBCR and page.compression == JPEG:
        photometric = RGB
    if photometric not in (MINISWHITE, MINISBLACK, RGB):
        name = getattr(page.photometric, "name", photometric)
        raise UnsupportedFormat(f"its colours are of the kind {name}; convert it to gray or RGB first")
    if page.dtype is None or page.dtype.name not in DTYPES or page.bitspersample != 8 * page.dtype.itemsize:
        raise UnsupportedFormat(
            f"its samples have {page.bitspersample} bits of kind {page.sampleformat}; convert to {', '.join(DTYPES)}"
        )
    surplus = page.samplesperpixel - (3 if photometric == RGB else 1)
    if photometric == RGB and surplus == 1:
        return photometric, int(extras[0]) if extras else UNSPECIFIED
    if photometric != RGB and surplus == 1 and extras != (UNSPECIFIED,) and extras:
        return photometric, int(extras[0])
    if (photometric == RGB and surplus) or any(extras):
        raise UnsupportedFormat(
            f"it has {page.samplesperpixel} samples a pixel, colour and masks mixed; split it first"
        )
    return photometric, None


def _split(samples: NDArray[Any], alpha_kind: int | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Colours and alpha."""
    if alpha_kind is None:
        return samples, None
    if samples.ndim != 3:
        raise UnsupportedFormat("it is a volume with alpha; save it without alpha first")
    alpha = samples[-1].copy()
    opaque = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "iu" else 1.0
    if alpha_kind == PREMULTIPLIED and not (alpha == opaque).all():
        raise UnsupportedFormat("its colours are multiplied by alpha, and their noise too; save it with straight alpha")
    return samples[:-1], alpha


def _image(samples: NDArray[Any]) -> Image:
    """``from_array``, but floats get a power of two as their scale: without an offset they come back bit for bit."""
    image = from_array(samples, channel_axis=0)
    if samples.dtype.kind == "f":
        scale = float(2.0 ** np.ceil(np.log2(image.scale)))
        offset = float(np.float32(image.offset))
        pixels = ((samples.astype(np.float64) - offset) / scale).astype(np.float32)
        return replace(image, pixels=pixels, scale=scale, offset=offset)
    if samples.dtype.itemsize == 4 and int(samples.max()) - min(0, int(samples.min())) > EXACT_INTEGERS:
        logger.warning("32-bit integers with a span beyond 2**23 come back rounded to 23 significant bits")
    return image


def _header(pages: list[Directory], flavour: Flavour, layout: Layout) -> dict[str, Any]:
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
    header["tiff_tags"] = tuple(_flat(page) for page in pages)
    return header


def _flat(directory: Directory) -> tuple[TagTuple, ...]:
    """The tags that tifffile may write: not those with places of their own, nor inner directories."""
    return tuple((code, *tag) for code, tag in directory.items() if isinstance(tag, Tag) and code not in ELSEWHERE)


def _resolution(page: Directory, flavour: Flavour) -> tuple[tuple[int, int], tuple[int, int], int] | None:
    found = [page.get(code) for code in (X_RESOLUTION, Y_RESOLUTION)]
    unit = page.get(RESOLUTION_UNIT)
    if not all(isinstance(tag, Tag) and len(tag.data) == 8 for tag in found):
        return None
    x, y = (struct.unpack(flavour.order + "II", tag.data) for tag in found if isinstance(tag, Tag))
    code = struct.unpack(flavour.order + "H", unit.data)[0] if isinstance(unit, Tag) and len(unit.data) == 2 else 2
    return (x, y, code) if all((*x, *y)) else None


def _text(page: Directory) -> str:
    tag = page.get(DESCRIPTION)
    return tag.data.rstrip(b"\0").decode("utf-8", "replace") if isinstance(tag, Tag) else ""


def _exif(image: Image) -> tuple[Directory, dict[int, Directory], str]:
    """The main tags of the EXIF block, its inner directories, and its byte order."""
    block = image.header.get("exif")
    if block is None:
        return {}, {}, "<"
    try:
        order, directory = decode_exif(block)
    except UnreadableFile:
        logger.warning("the EXIF block is damaged and was left behind")
        return {}, {}, "<"
    main: Directory = {code: tag for code, tag in directory.items() if isinstance(tag, Tag)}
    return main, {code: tag for code, tag in directory.items() if isinstance(tag, dict) and code in NAMES}, order


def _added(image: Image, carried: Iterable[TagTuple]) -> list[tuple[Any, ...]]:
    """The first page's tags that are not carried as such: XMP, and the software if none is named."""
    added: list[tuple[Any, ...]] = []
    if "xmp" in image.header:
        added.append((XMP, BYTE, len(image.header["xmp"]), image.header["xmp"], True))
    if all(tag[0] != SOFTWARE for tag in carried):
        added.append((SOFTWARE, ASCII, 0, f"noiseless {__version__}", True))
    return added
