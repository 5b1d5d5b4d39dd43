"""Windows of a TIFF file."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files import limits
from noiseless.files.chunked import ChunkedImage, ChunkedWriter, Window
from noiseless.files.formats import FORMATS, suffix_of
from noiseless.files.layout import Layout
from noiseless.files.pages import CHANNELS, channel_first_view, page_axes_of
from noiseless.files.tiff import Opened, damage_in_words, opened, split_alpha
from noiseless.threads import usual_threads

_JPEG = (6, 7, 34892, 33007)
# Compressions whose segments are decoded with the tables of their page.


@dataclass(frozen=True, eq=False)
class Page:
    """Where the segments of a page lie in the file, tile by tile or strip by strip."""

    offsets: Sequence[int]
    counts: Sequence[int]
    tables: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class LargeTiff:
    """The picture or volume in a TIFF file; see :class:`~noiseless.files.chunked.ChunkedImage`.

    Parameters
    ----------
    header : as that of an image read from it
    shape : an axis a letter of ``layout.axes``
    stored_dtype : in the byte order of the file
    start : where the plain pixels begin, all pages one after the other; None where they are not so.
    segment : height and width of a tile or strip
    """

    path: Path
    header: Mapping[str, Any]
    layout: Layout
    shape: tuple[int, ...]
    stored_dtype: np.dtype[Any]
    spacing: tuple[float, ...]
    start: int | None
    segment: tuple[int, int]
    pages: Sequence[Page]
    decode: Callable[..., Any]

    items = 1
    together = True

    @property
    def samples(self) -> int:
        """Channels and alpha."""
        return math.prod(self._length(letter) for letter in CHANNELS)

    @property
    def planes(self) -> int:
        """Of samples that a page has, one after the other; 1 where the samples of a pixel lie side by side."""
        return self.samples if self.layout.axes.endswith("SYX") else 1

    @property
    def channels(self) -> int:
        return self.samples - (self.layout.alpha is not None)

    @property
    def space(self) -> tuple[int, ...]:
        return tuple(
            length for letter, length in zip(self.layout.axes, self.shape, strict=True) if letter not in CHANNELS
        )

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stored_dtype.newbyteorder("=")

    @property
    def chunk(self) -> tuple[int, ...]:
        plane = (1, 1) if self.start is not None else self.segment
        return (*[1] * (len(self.space) - 2), *plane)

    def read(self, item: int, channels: slice, window: Window) -> NDArray[Any]:
        """(C, *window) stored values, without alpha."""
        del item
        return split_alpha(self.with_alpha(window), self.layout.alpha)[0][channels]

    def with_alpha(self, window: Window) -> NDArray[Any]:
        """(samples, *window) stored values, alpha the last of them.

        Raises
        ------
        UnreadableFile : damaged.
        """
        try:
            with damage_in_words():
                return self._mapped(window) if self.start is not None else self._decoded(window)
        except UnreadableFile as error:
            raise UnreadableFile(f"cannot read {str(self.path)!r}: {error}") from error

    def rewriting(self, path: Path, *, overwrite: bool = False) -> AbstractContextManager[ChunkedWriter]:
        """A writer of a file with the same layout and tags."""
        from .writing import rewritten

        if suffix_of(path).lower() not in FORMATS["tiff"].suffixes:
            raise UnsupportedFormat(
                f"{str(path)!r} is not named as TIFF; an image larger than memory keeps its kind, so end it in .tif"
            )
        return rewritten(self, path, overwrite=overwrite)

    def described(self) -> dict[str, Any]:
        """Axes, shape and how the pixels lie in the file."""
        return {
            "format": FORMATS["tiff"].name,
            "axes": "CYX" if len(self.space) == 2 else "CZYX",
            "shape": [self.channels, *self.space],
            "dtype": self.dtype.name,
            "spacing_mm": [round(float(size), 6) for size in self.spacing],
            "chunk": list(self.chunk),
            "compression": self.layout.compression,
            "alpha": self.layout.alpha is not None,
        }

    def places(self, window: Window) -> Iterator[tuple[int, Any]]:
        """The pages that a window touches: the number of each, and which part of (samples, *window) it holds."""
        leading = self.layout.axes[: -len(page_axes_of(self.layout.axes))]
        lengths = self.shape[: len(leading)]
        first = window[0].start if len(window) == 3 else 0
        ranges = [
            range(length) if letter in CHANNELS else range(window[0].start, window[0].stop)
            for letter, length in zip(leading, lengths, strict=True)
        ]
        for index in product(*ranges):
            at = dict(zip(("C" if letter in CHANNELS else "Z" for letter in leading), index, strict=True))
            number = int(np.ravel_multi_index(index, lengths)) if index else 0
            samples = slice(at["C"], at["C"] + 1) if "C" in at else slice(None)
            yield number, ((samples, at["Z"] - first) if "Z" in at else (samples,))

    def _length(self, letter: str) -> int:
        return self.shape[self.layout.axes.index(letter)] if letter in self.layout.axes else 1

    def _mapped(self, window: Window) -> NDArray[Any]:
        whole = np.memmap(self.path, self.stored_dtype, "r", self.start or 0, self.shape)
        return np.array(channel_first_view(whole, self.layout.axes)[(slice(None), *window)], dtype=self.dtype)

    def _decoded(self, window: Window) -> NDArray[Any]:
        values = np.empty((self.samples, *(part.stop - part.start for part in window)), self.dtype)
        with self.path.open("rb") as stream:
            for number, place in self.places(window):
                self._fill(values[place], stream, self.pages[number], window[-2:])
        return values

    def _fill(self, part: NDArray[Any], stream: Any, page: Page, window: Window) -> None:
        """Put the rows and columns of a page into (samples, rows, columns)."""
        rows, columns = window
        places = list(segments_in(window, self.space, self.segment, self.planes))
        coded = []
        for index, *_ in places:
            stream.seek(page.offsets[index])
            coded.append((index, stream.read(page.counts[index])))
        for (_, sample, top, left), pixels in zip(places, self._pixels(coded, page), strict=True):
            low, high = max(top, rows.start), min(top + pixels.shape[1], rows.stop)
            near, far = max(left, columns.start), min(left + pixels.shape[2], columns.stop)
            within = slice(low - rows.start, high - rows.start), slice(near - columns.start, far - columns.start)
            part[sample : sample + len(pixels), *within] = pixels[:, low - top : high - top, near - left : far - left]

    def _pixels(self, coded: Sequence[tuple[int, bytes]], page: Page) -> Iterator[NDArray[Any]]:
        """(samples, rows, columns) of each segment, by its number and bytes; decoded by several threads."""
        with ThreadPoolExecutor(usual_threads()) as threads:
            for segment, _, _ in threads.map(lambda part: self.decode(part[1], part[0], **page.tables), coded):
                if segment is None:
                    raise UnreadableFile("a piece of it is empty; copy or export it again")
                yield np.moveaxis(segment[0], -1, 0)


def segments_in(
    window: Window, space: tuple[int, ...], segment: tuple[int, int], separate: int
) -> Iterator[tuple[int, int, int, int]]:
    """The tiles or strips of a page that hold some of its rows and columns.

    Parameters
    ----------
    segment : height and width of one
    separate : how many planes of samples a page has, one after the other

    Yields
    ------
    number, plane, first row and first column of each
    """
    counts = [-(-length // side) for length, side in zip(space[-2:], segment, strict=True)]
    down, across = (
        range(part.start // side, -(-part.stop // side)) for part, side in zip(window, segment, strict=True)
    )
    for plane, row, column in product(range(separate), down, across):
        yield (plane * counts[0] + row) * counts[1] + column, plane, row * segment[0], column * segment[1]


def open_tiff(path: Path) -> ChunkedImage:
    """A TIFF file of which windows can be read.

    Raises
    ------
    UnreadableFile, UnsupportedFormat : as :func:`noiseless.files.tiff.read`.
    """
    most = limits.most_pixels()
    # Only parts of it will be in memory, so the limit is not on the whole, but on what must be decoded at once.
    with limits.allowing(sys.maxsize), opened(path) as source:
        page = source.series.keyframe
        if source.layout.alpha is not None and len(source.shape) > 3:
            raise UnsupportedFormat("it is a volume with alpha; save it without alpha first")
        segment = source.layout.tile or (min(page.rowsperstrip, page.imagelength), page.imagewidth)
        if source.series.dataoffset is None:
            with limits.allowing(most):
                limits.check_pixel_count(segment[1], segment[0])
        return LargeTiff(
            path=path,
            header=source.header,
            layout=source.layout,
            shape=source.shape,
            stored_dtype=np.dtype(source.flavour.order + page.dtype.char),
            spacing=source.spacing,
            start=source.series.dataoffset,
            segment=segment,
            pages=_pages(source),
            decode=page.decode,
        )


def _pages(source: Opened) -> list[Page]:
    keyframe = source.series.keyframe
    pages = []
    for page in source.series.pages:
        has_tables = keyframe.compression in _JPEG
        tables = {"jpegtables": page.jpegtables, "jpegheader": keyframe.jpegheader} if has_tables else {}
        pages.append(Page(page.dataoffsets, page.databytecounts, tables))
    return pages
