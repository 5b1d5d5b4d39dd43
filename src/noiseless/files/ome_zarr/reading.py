"""Windows of the image in a zarr store."""

import contextlib
import lzma
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, NoiselessError, UnreadableFile, UnsupportedFormat
from noiseless.files.chunked import ChunkedImage, ChunkedWriter, Window
from noiseless.image import check_dtype

from .guarding import guarded_array
from .metadata import PLAIN, Multiscale, multiscale_of
from .pyramid import whole_factors

SPACE = "zyx"

AT_ONCE, BYTES_AT_ONCE = 8, 2**26

DAMAGE = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(lzma.LZMAError, struct.error, zlib.error),
)
"""What zarr and the codecs raise on damaged stores."""


@dataclass(frozen=True, eq=False)
class OmeZarr:
    """The image in a zarr store; see :class:`~noiseless.files.chunked.ChunkedImage`.

    Parameters
    ----------
    arrays : of each level, the finest first
    factors : by how much each level is coarser, along all axes
    """

    path: Path
    multiscale: Multiscale
    arrays: tuple[Any, ...]
    factors: tuple[tuple[int, ...], ...]

    together = False

    @property
    def items(self) -> int:
        return self._length("t")

    @property
    def channels(self) -> int:
        return self._length("c")

    @property
    def space(self) -> tuple[int, ...]:
        return self._along_space(self.arrays[0].shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        stored: np.dtype[Any] = self.arrays[0].dtype
        return stored.newbyteorder("=")

    @property
    def chunk(self) -> tuple[int, ...]:
        return self._along_space(self.arrays[0].chunks)

    @property
    def spacing(self) -> tuple[float, ...]:
        return self.multiscale.spacing

    def read(self, item: int, channels: slice, window: Window) -> NDArray[Any]:
        """(C, *window) stored values."""
        try:
            with damage_in_words(), few_at_once(self.arrays[0]):
                values = self.arrays[0][self.place(item, channels, window)]
        except UnreadableFile as error:
            raise UnreadableFile(f"cannot read {str(self.path)!r}: {error}") from error
        return np.asarray(values, self.dtype).reshape(-1, *(part.stop - part.start for part in window))

    def rewriting(self, path: Path, *, overwrite: bool = False) -> AbstractContextManager[ChunkedWriter]:
        """A writer of a store with the same metadata, whose pyramid is built at the end."""
        from .writing import rewritten

        if path.suffix.lower() != ".zarr":
            raise UnsupportedFormat(
                f"{str(path)!r} is not named as a zarr store; an image larger than memory keeps its kind: end it in "
                f"{'.ome.zarr' if self.multiscale.version else '.zarr'}"
            )
        return rewritten(self, path, overwrite=overwrite)

    def described(self) -> dict[str, Any]:
        """Version, axes, shape, levels, and how the pixels are stored."""
        version = self.multiscale.version
        return {
            "format": f"OME-Zarr {version}" if version else "zarr",
            "axes": self.multiscale.axes.upper(),
            "shape": list(self.arrays[0].shape),
            "dtype": self.dtype.name,
            "spacing_mm": [float(f"{size:.6g}") for size in self.spacing],
            "levels": [list(array.shape) for array in self.arrays],
            "chunks": list(self.arrays[0].chunks),
            "shards": list(self.arrays[0].shards) if self.arrays[0].shards else None,
            "zarr_format": int(self.arrays[0].metadata.zarr_format),
        }

    def place(self, item: int, channels: slice, window: Window) -> tuple[slice, ...]:
        """A window in the finest array."""
        of_space = dict(zip(SPACE[-len(window) :], window, strict=True))
        whole = {"t": slice(item, item + 1), "c": channels, **of_space}
        return tuple(whole[letter] for letter in self.multiscale.axes)

    def _length(self, letter: str) -> int:
        axes = self.multiscale.axes
        return int(self.arrays[0].shape[axes.index(letter)]) if letter in axes else 1

    def _along_space(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(length for letter, length in zip(self.multiscale.axes, lengths, strict=True) if letter in SPACE)


@contextlib.contextmanager
def few_at_once(array: Any) -> Iterator[None]:
    """Zarr decodes, and encodes, several chunks of an array at once: only as many as are small together."""
    chunk = math.prod(array.chunks) * array.dtype.itemsize
    with zarr.config.set({"async.concurrency": max(1, min(AT_ONCE, BYTES_AT_ONCE // chunk))}):
        yield


@contextlib.contextmanager
def damage_in_words() -> Iterator[None]:
    """What zarr and the codecs raise, as an error of ours; it may quote metadata, so it is chained and not shown."""
    try:
        yield
    except NoiselessError:
        raise
    except DAMAGE as error:
        raise UnreadableFile(f"its zarr data are damaged ({type(error).__name__}); copy or export it again") from error


def open_store(path: Path) -> ChunkedImage:
    """The image in a zarr store.

    Raises
    ------
    UnreadableFile : the metadata are damaged, or arrays are missing.
    UnsupportedFormat : one of the contents that the docstring of the package lists as refused.
    """
    with damage_in_words():
        multiscale = multiscale_of(path)
        arrays = tuple(_array(path / name, name) for name in multiscale.paths)
    if not multiscale.axes:
        multiscale = _of_plain_array(arrays[0])
    for name, array in zip(multiscale.paths, arrays, strict=True):
        _check(name, array, multiscale.axes)
    factors = tuple(_factors(level, multiscale, arrays) for level in range(len(arrays)))
    return OmeZarr(path, multiscale, arrays, factors)


def _array(folder: Path, name: str) -> Any:
    if not any((folder / mark).is_file() for mark in (".zarray", "zarr.json")):
        raise UnreadableFile(f"its array {name[:40]!r} is missing; copy or export it again")
    return guarded_array(folder)


def _of_plain_array(array: Any) -> Multiscale:
    if array.ndim not in PLAIN:
        raise UnsupportedFormat(
            f"it is a plain array of {array.ndim} axes, and nothing says what they are; store it as OME-Zarr"
        )
    return Multiscale("", PLAIN[array.ndim], ("",), (), ())


def _check(name: str, array: Any, axes: str) -> None:
    """Refuse an array that cannot be the image, or a level of it."""
    if array.ndim != len(axes):
        raise UnreadableFile(f"its array {name[:40]!r} has {array.ndim} axes, and {axes} are named; it is damaged")
    if 0 in array.shape:
        raise UnreadableFile(f"its array {name[:40]!r} is empty: its shape is {tuple(array.shape)}")
    try:
        check_dtype(np.empty(0, array.dtype))
    except InvalidImage as error:
        raise UnsupportedFormat(f"its pixels cannot be denoised: {error}") from error


def _factors(level: int, multiscale: Multiscale, arrays: tuple[Any, ...]) -> tuple[int, ...]:
    """Of a level; of time and channels nothing may be left out."""
    ratios = None
    if multiscale.scales:
        ratios = tuple(a / b for a, b in zip(multiscale.scales[level], multiscale.scales[0], strict=True))
    factors = whole_factors(arrays[0].shape, arrays[level].shape, ratios)
    if factors is None or any(
        factor > 1 for letter, factor in zip(multiscale.axes, factors, strict=True) if letter not in SPACE
    ):
        raise UnsupportedFormat(
            f"level {level} of its pyramid has shape {tuple(arrays[level].shape)}, no whole part of "
            f"{tuple(arrays[0].shape)}; keep the finest level, or make the pyramid anew"
        )
    return factors
