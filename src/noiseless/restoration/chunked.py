"""What restoration asks of images that are read, and of results that are written, in parts."""

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage
from noiseless.restoration.block_grid import Window

Values: TypeAlias = NDArray[Any]


class Chunked(Protocol):
    """An image of which parts can be read, as :func:`noiseless.files.open_chunked` gives it."""

    @property
    def items(self) -> int:
        """Pictures or volumes of one size, such as the times of a movie."""
        ...

    @property
    def channels(self) -> int: ...

    @property
    def together(self) -> bool:
        """Whether the channels are those of one picture; otherwise each is an image by itself."""
        ...

    @property
    def space(self) -> tuple[int, ...]:
        """(Y, X) or (Z, Y, X)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def chunk(self) -> tuple[int, ...]:
        """Along space: what must be decoded at once."""
        ...

    def read(self, item: int, channels: slice, window: Window) -> Values:
        """(C, *window) stored values."""
        ...


class Writer(Protocol):
    """Takes the pixels of the result, each window once."""

    @property
    def grid(self) -> tuple[int, ...]:
        """Along space: windows begin and end at multiples of it, or at the end of the image."""
        ...

    def write(self, item: int, channels: slice, window: Window, values: Values) -> None: ...


def read_finite(source: Chunked, item: int, channels: slice, window: Window) -> Values:
    """Stored values of a window.

    Raises
    ------
    InvalidImage : one is NaN or infinite; the message says where in the image.
    """
    values = source.read(item, channels, window)
    check_window(values, channels.start, window)
    return values


def check_window(values: Values, channel: int, window: Window) -> None:
    """Refuse NaN and infinity in the (C, *space) values of a window, the first of them of this channel.

    Raises
    ------
    InvalidImage : one is NaN or infinite; the message says where in the image.
    """
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        first, *place = (int(index) for index in np.unravel_index(int(np.argmin(finite)), finite.shape))
        at = tuple(index + part.start for index, part in zip(place, window, strict=True))
        raise InvalidImage(
            f"a value is NaN or infinite, in channel {channel + first} at {at}; replace it before denoising"
        )
