"""A TIFF file written window by window, laid out as its source.

First a file with all pages and tags and no pixels is written, by the same calls as for images in memory. Plain strips
get their room at once. Compressed strips, and tiles, are appended as they come, and the tables of where they lie are
filled in at the end.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from noiseless.atomic import replacing
from noiseless.files.chunked import ChunkedWriter, Window
from noiseless.files.pages import page_axes_of
from noiseless.files.provenance import with_history
from noiseless.files.tiff import Plan, append_inner, pages_of, plan_for
from noiseless.files.tiff_tags import exif_of
from noiseless.image import Image
from noiseless.threads import usual_threads
from noiseless.version import __version__

from .reading import LargeTiff, segments_in

PLAIN, PACK_BITS = 1, 32773

BYTES_A_STRIP = 2**18

OFFSETS, COUNTS = (324, 273), (325, 279)
"""Tags of where the tiles, or strips, of a page lie, and of how many bytes they have."""

Values = NDArray[Any]


@contextlib.contextmanager
def rewritten(source: LargeTiff, path: Path, *, overwrite: bool) -> Iterator[ChunkedWriter]:
    """See :meth:`LargeTiff.rewriting`."""
    samples = np.broadcast_to(np.zeros((), source.dtype), (source.samples, *source.space))
    with replacing(path, overwrite=overwrite) as temporary:
        # What is done is not known yet, but the first page needs a place that points at it.
        plan = plan_for(_with_lines(source.header, ["unfinished"]), samples, lambda _: source.layout)
        writer = _begun(source, plan, temporary)
        yield writer
        lines = writer.history or [f"noiseless {__version__}: rewritten"]
        append_inner(temporary, exif_of(_with_lines(source.header, lines))[1])
        if isinstance(writer, SegmentWriter):
            writer.fill_tables()


@dataclass(frozen=True, eq=False)
class PlainWriter:
    """Writes rows in their places; see :class:`~noiseless.files.chunked.ChunkedWriter`.

    Parameters
    ----------
    starts : where the pixels of each page begin
    """

    source: LargeTiff
    path: Path
    starts: list[int]
    history: list[str] = field(default_factory=list)

    @property
    def grid(self) -> tuple[int, ...]:
        return (1,) * len(self.source.space)

    def write(self, item: int, channels: slice, window: Window, values: Values) -> None:
        """Put values in their place; alpha is taken from the source."""
        del item, channels
        samples = _with_alpha(self.source, window, values)
        rows, columns = window[-2:]
        width = self.source.space[-1]
        with self.path.open("r+b") as stream:
            for number, place in self.source.places(window):
                for sample, plane in enumerate(_separate(self.source, samples[place])):
                    pixel = plane.dtype.itemsize * plane.shape[-1]
                    for row, line in enumerate(plane, rows.start):
                        at = (sample * self.source.space[-2] + row) * width + columns.start
                        stream.seek(self.starts[number] + at * pixel)
                        stream.write(line.tobytes())


@dataclass(frozen=True, eq=False)
class SegmentWriter:
    """Appends tiles, or strips; see :class:`~noiseless.files.chunked.ChunkedWriter`.

    Parameters
    ----------
    segment : height and width of a tile or strip
    encode : (height, width, samples) to bytes
    tables : (2, segments) for each page: where each lies, and how many bytes it has
    """

    source: LargeTiff
    path: Path
    segment: tuple[int, int]
    encode: Callable[[Values], bytes]
    tables: list[NDArray[np.int64]]
    history: list[str] = field(default_factory=list)

    @property
    def grid(self) -> tuple[int, ...]:
        return (*[1] * (len(self.source.space) - 2), *self.segment)

    def write(self, item: int, channels: slice, window: Window, values: Values) -> None:
        """Append the segments of a window; alpha is taken from the source."""
        del item, channels
        samples = _with_alpha(self.source, window, values)
        rows, columns = window[-2:]
        height, width = self.segment
        with self.path.open("ab") as stream, ThreadPoolExecutor(usual_threads()) as threads:
            for number, place in self.source.places(window):
                planes = _separate(self.source, samples[place])
                segments = list(segments_in(window[-2:], self.source.space, self.segment, len(planes)))
                parts = (
                    planes[sample][top - rows.start :, left - columns.start :][:height, :width]
                    for _, sample, top, left in segments
                )
                coded = threads.map(lambda pixels: self.encode(self._whole(pixels)), parts)
                for (index, *_), data in zip(segments, coded, strict=True):
                    self.tables[number][:, index] = stream.tell(), len(data)
                    stream.write(data)

    def fill_tables(self) -> None:
        """Say in the pages where their segments lie."""
        with tifffile.TiffFile(self.path, mode="r+", _multifile=False) as file:
            for page, table in zip(file.pages, self.tables, strict=True):
                for codes, numbers in zip((OFFSETS, COUNTS), table, strict=True):
                    next(page.tags[code] for code in codes if code in page.tags).overwrite(numbers.tolist())

    def _whole(self, pixels: Values) -> Values:
        """A tile goes on beyond the border of the image; a strip does not."""
        if self.source.layout.tile is None:
            return np.ascontiguousarray(pixels)
        missing = [(0, full - length) for full, length in zip(self.segment, pixels.shape, strict=False)]
        return np.pad(pixels, [*missing, (0, 0)])


def _begun(source: LargeTiff, plan: Plan, path: Path) -> PlainWriter | SegmentWriter:
    """A file of all pages with their tags, with room for plain strips or without segments, and who fills it."""
    leading = len(source.shape) - len(page_axes_of(source.layout.axes))
    page, is_plain = source.shape[leading:], _is_plain(source, plan)
    segment = source.layout.tile or _strip(source)
    strips = {} if is_plain or source.layout.tile else {"rowsperstrip": segment[0]}
    places = []
    with pages_of(path, plan) as file:
        for number in range(math.prod(source.shape[:leading])):
            pixels = {"data": None if is_plain else repeat(b""), "shape": page, "dtype": source.stored_dtype}
            tags = {"extratags": plan.tags_of(number)}
            places.append(file.write(**pixels, **tags, **strips, **plan.options, returnoffset=True))
    if is_plain:
        return PlainWriter(source, path, [start for start, _ in places])
    whole = tuple(slice(0, length) for length in source.space[-2:])
    segments = sum(1 for _ in segments_in(whole, source.space, segment, source.planes))
    tables = [np.zeros((2, segments), np.int64) for _ in places]
    return SegmentWriter(source, path, segment, _encoder(plan.options, source.stored_dtype), tables)


def _strip(source: LargeTiff) -> tuple[int, int]:
    """Height and width of a strip: as many rows as tifffile puts into one."""
    height, width = source.space[-2:]
    samples = source.samples if source.layout.axes.endswith("YXS") else 1
    return max(1, min(height, BYTES_A_STRIP // (width * samples * source.dtype.itemsize))), width


def _is_plain(source: LargeTiff, plan: Plan) -> bool:
    """Whether the pixels of a page lie row by row, as they are."""
    return plan.options["compression"] == PLAIN and source.layout.tile in (None, source.space[-2:])


def _encoder(options: Mapping[str, Any], dtype: np.dtype[Any]) -> Callable[[Values], bytes]:
    """How tifffile encodes a tile or strip (height, width, samples) with these options."""
    predict = tifffile.TIFF.PREDICTORS[options["predictor"] or 1]
    compress = tifffile.TIFF.COMPRESSORS[options["compression"]]
    along = {"axis": -2} if options["compression"] == PACK_BITS else {}

    def encode(pixels: Values) -> bytes:
        pixels = np.ascontiguousarray(pixels, dtype)
        if options["compression"] == PLAIN:
            return pixels.tobytes()
        return bytes(compress(predict(pixels, axis=-2) if options["predictor"] else pixels, **along))

    return encode


def _with_alpha(source: LargeTiff, window: Window, values: Values) -> Values:
    stored = values.astype(source.stored_dtype, copy=False)
    if source.layout.alpha is None:
        return stored
    return np.concatenate([stored, source.with_alpha(window)[-1:].astype(source.stored_dtype)])


def _separate(source: LargeTiff, samples: Values) -> Values:
    """(samples, rows, columns) as the planes of a page: (planes, rows, columns, samples of a pixel)."""
    if source.layout.axes.endswith("YXS"):
        return np.ascontiguousarray(np.moveaxis(samples, 0, -1))[np.newaxis]
    return np.ascontiguousarray(samples)[..., np.newaxis]


def _with_lines(header: Mapping[str, Any], lines: list[str]) -> Mapping[str, Any]:
    """A header with these lines at the end of its history."""
    image = Image(np.zeros((1, 1, 1), np.float32), header=header)
    for line in lines:
        image = with_history(image, line)
    return image.header
