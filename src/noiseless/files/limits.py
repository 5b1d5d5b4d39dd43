"""How large a picture may be before it is taken for a decompression bomb."""

from noiseless.errors import UnreadableFile

MAX_PIXELS = 500_000_000
"""Twice the largest camera sensors and most stitched panoramas; as float32 colour it is 6 GB of memory. A few
kilobytes of PNG or TIFF can claim more and would take the machine down. Raise it for files that you trust."""

MAX_METADATA_BYTES = 64 * 2**20
"""The most that one compressed piece of metadata may unpack to; ICC profiles and XMP packets stay below 10 MB."""


def check_pixel_count(width: int, height: int) -> None:
    """Refuse, before anything is decoded, a picture larger than ``MAX_PIXELS``.

    Raises
    ------
    UnreadableFile : too many pixels, or none.
    """
    if width < 1 or height < 1:
        raise UnreadableFile(f"its header claims a size of {width} x {height} pixels; it is damaged")
    if width * height > MAX_PIXELS:
        raise UnreadableFile(
            f"it claims {width} x {height} pixels, and the limit against decompression bombs is {MAX_PIXELS}; "
            "if you trust the file, raise noiseless.files.limits.MAX_PIXELS"
        )
