"""From a DICOM file to an image in modality units."""

import contextlib
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.errors import BytesLengthException, InvalidDicomError

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files.limits import check_pixel_count
from noiseless.image import Image, from_array
from noiseless.names import Lazy, load

from .codecs import CODECS, LOSSY, OUR_PLUGIN, decoder_of
from .frames import Frame, frames_of, spacing_of
from .opening import opened
from .words import Coding, Words, coding_of, unused_bits

_NEAREST = Lazy("scipy.ndimage:distance_transform_edt")

AIR = -900.0
"""Below so many Hounsfield units there is air."""

DAMAGED = (
    *(InvalidDicomError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError),
    *(EOFError, NotImplementedError, MemoryError, StopIteration, struct.error, zlib.error, BytesLengthException),
)
"""What pydicom and the codecs raise on damaged files."""

NEEDED = ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "PhotometricInterpretation")
GRAY, COLOUR = ("MONOCHROME1", "MONOCHROME2"), ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
FLOAT_PIXELS = ("FloatPixelData", "DoubleFloatPixelData")
ITEM_HEAD = 8
"""Bytes that a compressed frame has before its stream begins."""
OVERLAY_GROUPS = range(0x6000, 0x6020, 2)


@dataclass(frozen=True, eq=False)
class Source:
    """A DICOM object without its pixels, and what is needed to put others in.

    Parameters
    ----------
    header : all else that is in it
    words : (frames, rows, columns) as they were stored, where some are padding; or None
    above : what was above the stored bits, where overlays are there; or None
    lossy : whether its pixels were compressed with a loss
    """

    header: Any
    coding: Coding
    frames: tuple[Frame, ...]
    words: Words | None
    above: Words | None
    lossy: bool


def read(path: Path) -> Image:
    """The image in a DICOM file; frames lie behind one another along Z.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large.
    UnsupportedFormat : no pixels, or of a kind that the package's docstring lists as refused.
    """
    return image_of([read_object(path)])


def read_object(path: Path) -> tuple[Source, Words]:
    """A file's header, and its words (frames, rows, columns) or (frames, rows, columns, 3).

    Raises
    ------
    As :func:`read`.
    """
    try:
        with quietly():
            return _read_object(path)
    except (UnreadableFile, UnsupportedFormat):
        raise
    except DAMAGED as error:
        # The message may quote the header, so only its kind is shown.
        raise UnreadableFile(f"its DICOM data are damaged ({type(error).__name__}); copy or export it again") from error


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the warnings of pydicom, which quote what is in the header."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def image_of(objects: Sequence[tuple[Source, Words]]) -> Image:
    """One image of the frames of one or more objects, in their order."""
    sources = tuple(source for source, _ in objects)
    frames = [frame for source in sources for frame in source.frames]
    padded = np.concatenate([source.coding.is_padding(words) for source, words in objects])
    values = _modality_values(objects)
    if padded.any():
        values = np.stack([_filled(plane, hole) for plane, hole in zip(values, padded, strict=True)])
    colour = values.ndim == 4
    if colour:
        padded = np.asarray(padded.all(axis=-1))
    single = len(frames) == 1
    pixels = np.moveaxis(values, -1, 0) if colour else values[np.newaxis]
    image = from_array(pixels[:, 0] if single else pixels, channel_axis=0)
    mask = _mask(image, padded[0] if single else padded, sources[0].header)
    whole = spacing_of(frames)
    flat = frames[0].spacing
    spacing = flat if single else whole or (flat and (flat[0], *flat))
    volumes = 1 if single or whole else len(frames)
    header = {"format": "dicom", "dicom": sources}
    return replace(_scaled(image, sources), spacing=spacing, mask=mask, volumes=volumes, header=header)


def _read_object(path: Path) -> tuple[Source, Words]:
    header = opened(path)
    if any(name in header for name in FLOAT_PIXELS):
        raise UnsupportedFormat("its pixels are floating-point numbers; noiseless reads DICOM of whole numbers")
    if "PixelData" not in header:
        raise UnsupportedFormat("it has no pixels; it is a report, a plan or an index rather than an image")
    missing = [name for name in NEEDED if header.get(name) is None]
    if missing:
        raise UnreadableFile(f"it does not say its {', '.join(missing)}; it is damaged")
    _check_kind(header)
    coding, syntax = coding_of(header), header.file_meta.TransferSyntaxUID
    if not syntax.is_little_endian:
        raise UnsupportedFormat("it is big-endian, which DICOM has given up; convert it first (dcmconv +te)")
    claimed = header.get("NumberOfFrames")
    frame_count = 1 if claimed is None else int(claimed)
    if frame_count < 1:
        raise UnreadableFile(f"its header claims {frame_count} frames; it is damaged")
    _check_size(header, syntax, coding, frame_count)
    if syntax.is_encapsulated and syntax not in CODECS and syntax.name != "RLE Lossless":
        raise UnsupportedFormat(f"it is compressed by {syntax.name}, for which there is no reader; export it plain")
    frames = frames_of(header)
    words = _decoded(header, syntax, coding)
    if len(words) != len(frames):
        raise UnreadableFile(f"its header claims {len(frames)} frames, and it holds {len(words)}; it is damaged")
    above = None
    if not syntax.is_encapsulated and _has_embedded_overlay(header):
        above = unused_bits(header.PixelData, coding)
    for _ in header.iterall():  # values are decoded when they are first looked at: here, where it is quiet
        pass
    padded = bool(coding.is_padding(words).any())
    lossy = syntax in LOSSY or header.get("LossyImageCompression") == "01"
    del header.PixelData
    return Source(header, coding, frames, words if padded else None, above, lossy), words


def _check_size(header: Any, syntax: Any, coding: Coding, frame_count: int) -> None:
    """Refuse more frames, or pixels, than its bytes can hold."""
    rows, columns, present = int(header.Rows), int(header.Columns), len(header.PixelData)
    if syntax.is_encapsulated:
        check_pixel_count(columns, rows * frame_count)
        least = ITEM_HEAD * frame_count
    else:
        # Of YBR_FULL_422 two pixels share two of their samples.
        halved = header.PhotometricInterpretation == "YBR_FULL_422"
        least = rows * columns * frame_count * (2 if halved else int(header.SamplesPerPixel)) * coding.allocated // 8
    if present < least:
        raise UnreadableFile(
            f"it claims {frame_count} frames of {columns} x {rows} pixels, and has {present} bytes of them: it is "
            "truncated or damaged; copy it again"
        )


def _check_kind(header: Any) -> None:
    kind, samples = header.PhotometricInterpretation, int(header.SamplesPerPixel)
    if not ((samples == 1 and kind in GRAY) or (samples == 3 and kind in COLOUR)):
        raise UnsupportedFormat(f"its {samples} sample(s) a pixel are of the kind {kind}; convert it to gray or RGB")


def _decoded(header: Any, syntax: Any, coding: Coding) -> Words:
    plugin = {"decoding_plugin": OUR_PLUGIN} if syntax.is_encapsulated else {}
    samples, _ = decoder_of(str(syntax)).as_array(header, **plugin)
    colour = int(header.SamplesPerPixel) == 3
    if samples.ndim == (3 if colour else 2):
        samples = samples[np.newaxis]
    # The decoders of some streams know no sign; a shift up and down again gives it to them.
    shift = coding.allocated - coding.stored
    words = np.asarray(samples.astype(coding.dtype) << shift)
    return words >> shift


def _has_embedded_overlay(header: Any) -> bool:
    return any((group, 0x0102) in header and int(header[group, 0x0102].value or 0) > 0 for group in OVERLAY_GROUPS)


def _modality_values(objects: Sequence[tuple[Source, Words]]) -> NDArray[Any]:
    """The words in modality units: whole numbers where every slope is 1 and every intercept the same whole number."""
    words = np.concatenate([each for _, each in objects])
    frames = [frame for source, _ in objects for frame in source.frames]
    offset = frames[0].intercept
    if offset == int(offset) and all((frame.slope, frame.intercept) == (1.0, offset) for frame in frames):
        shifted = words.astype(np.int64) + int(offset)
        unsigned = words.dtype.kind == "u" and offset >= 0
        kinds = (np.uint8, np.uint16, np.uint32) if unsigned else (np.int8, np.int16, np.int32)
        for kind in [kind for kind in kinds if np.dtype(kind).itemsize >= words.dtype.itemsize]:
            if np.iinfo(kind).min <= shifted.min() and shifted.max() <= np.iinfo(kind).max:
                return shifted.astype(kind)
    shape = (-1,) + (1,) * (words.ndim - 1)
    slopes = np.reshape([frame.slope for frame in frames], shape)
    return np.asarray(words * slopes + np.reshape([frame.intercept for frame in frames], shape), dtype=np.float32)


def _filled(plane: NDArray[Any], hole: NDArray[np.bool_]) -> NDArray[Any]:
    """A frame whose padding has the value of the nearest pixel that is none."""
    if hole.ndim == 3:
        hole = np.asarray(hole.all(axis=-1))
    if hole.all() or not hole.any():
        return plane
    nearest = load(_NEAREST)(hole, return_distances=False, return_indices=True)
    return np.asarray(plane[tuple(nearest)])


def _mask(image: Image, padded: NDArray[np.bool_], header: Any) -> NDArray[np.bool_] | None:
    """Where the noise is that of the body: not in padding, and not in the air of CT."""
    inside = ~padded
    if header.get("Modality") == "CT" and header.get("RescaleIntercept") is not None:
        in_body = np.asarray(inside & (image.in_stored_units()[0] > AIR))
        inside = in_body if in_body.any() else inside
    return None if inside.all() or not inside.any() else inside


def _scaled(image: Image, sources: tuple[Source, ...]) -> Image:
    """Unsigned words have the range of their bits, not that of the bytes that hold them."""
    bits = {source.coding.stored for source in sources}
    if len(bits) > 1 or np.dtype(image.stored_dtype).kind != "u":
        return image
    scale = float(2 ** bits.pop() - 1)
    return replace(image, scale=scale, pixels=image.pixels * np.float32(image.scale / scale))
