"""Images larger than memory: opened without their pixels, read and rewritten part by part.

    noisy = open_chunked("big.ome.zarr")
    with noisy.rewriting("clean.ome.zarr") as writer:
        writer.write(0, slice(0, 1), window, values)   # until every window was written
        writer.history.append("what was done")

What is left of the context is the whole output; when an error ends it, nothing is left.
"""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, UnreadableFile, UnsupportedFormat
from noiseless.names import Lazy, load

from .formats import FORMATS, format_of

Window: TypeAlias = tuple[slice, ...]
"""A slice for each axis of space, with a start and a stop within it."""

STORE_MARKS = (".zgroup", ".zarray", "zarr.json")

_ZARR = Lazy("noiseless.files.ome_zarr:open_store", extra="scale")
_TIFF = Lazy("noiseless.files.large_tiff:open_tiff")


class ChunkedWriter(Protocol):
    """Takes the pixels of an output, window by window, in any order; each window once."""

    @property
    def grid(self) -> tuple[int, ...]:
        """Along space: windows begin at multiples of it, and end at multiples or at the end of the image."""
        ...

    @property
    def history(self) -> list[str]:
        """Lines that say what was done; they go into the output when it is finished."""
        ...

    def write(self, item: int, channels: slice, window: Window, values: NDArray[Any]) -> None:
        """Put (C, *window) values, in stored units and dtype, in their place."""
        ...


class ChunkedImage(Protocol):
    """An image of which parts can be read.

    It has ``items`` pictures or volumes of one size, such as the times of a movie, each (channels, *space). Where
    ``together``, the channels are those of one picture and are to be denoised so; otherwise each is an image by itself.
    """

    @property
    def items(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def together(self) -> bool: ...

    @property
    def space(self) -> tuple[int, ...]:
        """(Y, X) or (Z, Y, X)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the stored values, in the byte order of the machine."""
        ...

    @property
    def chunk(self) -> tuple[int, ...]:
        """Along space: what must be decoded at once."""
        ...

    @property
    def spacing(self) -> tuple[float, ...]:
        """Millimetres along space; empty where it is not known."""
        ...

    def read(self, item: int, channels: slice, window: Window) -> NDArray[Any]:
        """(C, *window) stored values.

        Raises
        ------
        UnreadableFile : they are damaged.
        """
        ...

    def rewriting(self, path: Path, *, overwrite: bool = False) -> AbstractContextManager[ChunkedWriter]:
        """A writer of an image of the same kind, layout and metadata; it appears whole when the context ends.

        Raises
        ------
        UnwritableFile : it exists, or cannot be written there.
        UnsupportedFormat : another kind of file than this one is asked for.
        """
        ...

    def described(self) -> dict[str, Any]:
        """What the image is, in plain values; no pixel is read, and no metadata are told."""
        ...


def open_chunked(path: str | os.PathLike[str]) -> ChunkedImage:
    """An image in a zarr store or a TIFF file, of which no pixel is read yet.

    Raises
    ------
    UnreadableFile : missing, damaged, or not what it claims.
    UnsupportedFormat : neither, or a kind of content that has no reader here.
    MissingExtra : a store, without the package zarr.
    """
    path = Path(path)
    if not is_store(path) and format_of(path) != FORMATS["tiff"]:
        raise UnsupportedFormat(f"{str(path)!r} cannot be read in parts; zarr stores and TIFF files can")
    try:
        image: ChunkedImage = load(_ZARR if is_store(path) else _TIFF)(path)
    except (UnreadableFile, UnsupportedFormat, InvalidImage) as error:
        raise type(error)(f"cannot read {str(path)!r}: {error}") from error
    except OSError as error:
        raise UnreadableFile(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    return image


def is_store(path: Path) -> bool:
    """Whether a folder is a zarr store: one image, and not a folder of images."""
    return any((path / mark).is_file() for mark in STORE_MARKS)
