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

import contextlib
import logging
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array

from . import limits
from .directory import STRUCTURE, Directory, Flavour, append_directory, read_directory, read_start
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
from .pages import CHANNELS, channel_first, kept_axes, planes
from .spacing import spacing_of
from .tiff_tags import (
    ELSEWHERE,
    NAMES,
    TagTuple,
    added_tags,
    carried_tags,
    description_of,
    exif_of,
    header_of,
    resolution_of,
)

logger = logging.getLogger(__name__)

DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")
KINDS = ("generic", "uniform", "shaped", "imagej", "ome")
"""What tifffile calls the ways of saying how pages belong together; vendors' own ways are refused."""

YCBCR, JPEG = 6, 7
DNG_VERSION = 50706

MAX_EXPANSION = 20
"""Volumes may be larger than ``limits.MAX_PIXELS``, but not by compression: natural pixels shrink by less than this."""

EXACT_INTEGERS = 2**23  # so that half a unit is more than the rounding of float32

LONG, LONG8 = 4, 16

DAMAGED = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RuntimeError),
    *(OSError, MemoryError, struct.error),
)
"""What tifffile and the codecs raise on damaged files, found by damaging files."""


@dataclass(frozen=True)
class Opened:
    """A TIFF file that was found to be whole, and whose pixels are still to be read.

    Parameters
    ----------
    series : tifffile's, of the pages that make the picture
    shape : of its pixels, an axis a letter of ``layout.axes``
    pages : the tags of each page
    """

    series: Any
    shape: tuple[int, ...]
    layout: Layout
    pages: list[Directory]
    flavour: Flavour

    @property
    def header(self) -> dict[str, Any]:
        """What an image of it carries along."""
        return header_of(self.pages, self.flavour, self.layout)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres along space; empty where the description does not say."""
        ndim = sum(letter not in CHANNELS for letter in self.layout.axes)
        return spacing_of(description_of(self.pages[0]), self.layout.per_unit, ndim)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A TIFF file to be read from, while it is open.

    Raises
    ------
    UnreadableFile : truncated, damaged, or too large for its bytes.
    UnsupportedFormat : one of the contents that the module's docstring lists as refused.
    """
    with path.open("rb") as stream:
        flavour, pages = _directories(stream)
    with damage_in_words(), tifffile.TiffFile(path, _multifile=False) as file:
        series = _series(file, pages)
        page = series.keyframe
        photometric, alpha_kind = _checked(page)
        _check_segments(series, file.filehandle.size)
        shape, axes = kept_axes(series.shape, series.axes, page.axes)
        layout = Layout(
            byteorder=flavour.order,
            axes=axes,
            photometric=photometric,
            alpha=alpha_kind,
            compression=int(page.compression),
            predictor=int(page.predictor),
            tile=(page.tilelength, page.tilewidth) if page.is_tiled else None,
            resolution=resolution_of(pages[0], flavour),
            is_big=flavour.big,
        )
        yield Opened(series, shape, layout, pages, flavour)


@contextlib.contextmanager
def damage_in_words() -> Iterator[None]:
    """What tifffile and the codecs raise on damaged files, as the error of ours."""
    try:
        yield
    except (UnreadableFile, UnsupportedFormat):
        raise
    except DAMAGED as error:
        raise UnreadableFile(f"its TIFF data are damaged ({type(error).__name__}); copy or export it again") from error


def read(path: Path) -> Image:
    """The picture or volume in a TIFF file.

    Raises
    ------
    UnreadableFile : truncated, damaged, or too large for its bytes.
    UnsupportedFormat : one of the contents that the module's docstring lists as refused.
    InvalidImage : the pixels hold NaN or infinity.
    """
    with opened(path) as source:
        values = source.series.asarray().reshape(source.shape)
    samples, alpha = split_alpha(channel_first(values, source.layout.axes), source.layout.alpha)
    return replace(_image(samples), alpha=alpha, spacing=source.spacing, header=source.header)


@dataclass(frozen=True)
class Plan:
    """How pixels and tags go into a TIFF file.

    Parameters
    ----------
    options : in the words of ``tifffile.TiffWriter.write``, the same for every page
    carried : the tags of each page of the source
    added : those of the first page besides
    inner : the directories of the camera and the position, to be put behind the pixels
    """

    layout: Layout
    options: Mapping[str, Any]
    carried: Sequence[Sequence[TagTuple]]
    added: Sequence[tuple[Any, ...]]
    inner: Mapping[int, Directory]
    is_big: bool

    def tags_of(self, number: int) -> list[tuple[Any, ...]]:
        """The tags of a page that are not about its layout."""
        page_tags = [(*tag, True) for tag in (self.carried[number] if number < len(self.carried) else ())]
        return page_tags + (list(self.added) if number == 0 else [])


def plan_for(header: Mapping[str, Any], samples: NDArray[Any], chosen: Callable[[str], Layout]) -> Plan:
    """The plan of a file.

    Parameters
    ----------
    header : of the image
    samples : (C, *space) in the stored dtype, alpha included; its values are not looked at.
    chosen : the layout, by the byte order of the EXIF block
    """
    main, inner, order = exif_of(header)
    layout = chosen(order)
    if inner and layout.byteorder != order:
        logger.warning("the EXIF block has another byte order than the TIFF layout; its camera part was left behind")
        inner = {}
    carried = header.get("tiff_tags") or (carried_tags(main),)
    options = {**writer_options(layout, samples), "iccprofile": header.get("icc")}
    is_big = needs_big(layout, samples)
    places = [(NAMES[code], LONG8 if is_big else LONG, 1, 0, True) for code in inner]
    return Plan(layout, options, carried, added_tags(header, carried[0]) + places, inner, is_big)


@contextlib.contextmanager
def pages_of(path: Path, plan: Plan) -> Iterator[Any]:
    """Tifffile's writer of the pages of a new file."""
    try:
        with tifffile.TiffWriter(path, bigtiff=plan.is_big, byteorder=plan.layout.byteorder) as file:
            yield file
    except (ValueError, LookupError, TypeError, RuntimeError, struct.error) as error:
        # The cause may quote tags, so it is chained and not shown.
        raise UnsupportedFormat(f"the TIFF encoder refused the image ({type(error).__name__}); write PNG") from error


def append_inner(path: Path, inner: Mapping[int, Directory]) -> None:
    """Put the directories of the camera and the position behind the pixels of a file with places for them."""
    with path.open("r+b") as stream:
        for code, directory in inner.items():
            append_directory(stream, code, directory)


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
    samples = image.stored()
    if image.alpha is not None:
        samples = np.concatenate([samples, image.alpha[np.newaxis].astype(samples.dtype, copy=False)])
    plan = plan_for(image.header, samples, lambda order: layout_for(image, order))
    with pages_of(path, plan) as file:
        for number, plane in enumerate(planes(samples, plan.layout.axes)):
            file.write(plane, extratags=plan.tags_of(number), **plan.options)
    append_inner(path, plan.inner)


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
        raise UnsupportedFormat("it is camera raw (DNG); name it .dng, so that it is developed")
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
    if pixels > limits.most_pixels() and series.nbytes > MAX_EXPANSION * file_bytes:
        limits.check_pixel_count(page.imagewidth, pixels // page.imagewidth)
    if page.is_tiled:
        limits.check_pixel_count(page.tilewidth, page.tilelength)
    is_plain = page.compression == 1
    expected = int(np.prod(page.chunked, dtype=np.int64))
    for each in series.pages:
        ends = [offset + count for offset, count in zip(each.dataoffsets, each.databytecounts, strict=True)]
        is_short = is_plain and sum(each.databytecounts) < page.nbytes
        if len(ends) < expected or not all(each.databytecounts) or max(ends) > file_bytes or is_short:
            raise UnreadableFile("pixels are missing at its end; it is truncated, or sparse: copy or export it again")
    # ImageJ writes one directory for a whole stack, with the other slices behind the first.
    stacked = len(series.pages) == 1 and series.nbytes > page.nbytes
    if is_plain and stacked and page.dataoffsets[0] + series.nbytes > file_bytes:
        raise UnreadableFile("slices are missing at its end; it is truncated: copy or export it again")


def _checked(page: Any) -> tuple[int, int | None]:
    """The photometric interpretation of a page's decoded pixels, and what alpha it has.

    Raises
    ------
    UnreadableFile : an arrangement of samples that there is not.
    UnsupportedFormat : pixels that are not gray, RGB or plain channels of a known type.
    """
    if page.planarconfig not in (1, 2):  # tifffile takes others for one of them, and counts segments by the other
        raise UnreadableFile("it does not say how its samples lie, side by side or plane by plane; it is damaged")
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


def split_alpha(samples: NDArray[Any], alpha_kind: int | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Colours and alpha of (C, *space) samples.

    Raises
    ------
    UnsupportedFormat : a volume with alpha, or colours that were multiplied by alpha.
    """
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
