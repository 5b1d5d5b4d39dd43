"""How large a picture may be before it is taken for a decompression bomb."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from noiseless.errors import InvalidParameter, UnreadableFile

MAX_PIXELS = 500_000_000
"""Twice the largest camera sensors and most stitched panoramas; as float32 colour it is 6 GB of memory. A few
kilobytes of PNG or TIFF can claim more and would take the machine down. Allow more for files that you trust."""

MAX_METADATA_BYTES = 64 * 2**20
"""The most that one compressed piece of metadata may unpack to; ICC profiles and XMP packets stay below 10 MB."""

_allowed: ContextVar[int | None] = ContextVar("allowed pixels", default=None)


@contextmanager
def allowing(pixels: int | None) -> Iterator[None]:
    """Within it pictures may have so many pixels; None changes nothing.

    Raises
    ------
    InvalidParameter : it is not above 0.
    """
    if pixels is not None and pixels < 1:
        raise InvalidParameter(f"max_pixels is {pixels}; allow 1 or more, usually {MAX_PIXELS}")
    token = _allowed.set(_allowed.get() if pixels is None else pixels)
    try:
        yield
    finally:
        _allowed.reset(token)


def most_pixels() -> int:
    """How many pixels a picture may have here and now."""
    return MAX_PIXELS if (allowed := _allowed.get()) is None else allowed


def check_pixel_count(width: int, height: int) -> None:
    """Refuse, before anything is decoded, a picture with more pixels than are allowed.

    Raises
    ------
    UnreadableFile : too many pixels, or none.
    """
    if width < 1 or height < 1:
        raise UnreadableFile(f"its header claims a size of {width} x {height} pixels; it is damaged")
    if width * height > most_pixels():
        raise UnreadableFile(
            f"it claims {width} x {height} pixels, and the limit against decompression bombs is {most_pixels()}; "
            "if you trust the file, allow more (max_pixels, --max-pixels)"
        )
