"""What was done to an image, written where every format here can hold it: EXIF ``ImageHistory``."""

import logging
from dataclasses import replace

from noiseless.errors import UnreadableFile
from noiseless.files.directory import EXIF, Directory, Tag, decode_exif, encode_exif
from noiseless.image import Image

logger = logging.getLogger(__name__)

IMAGE_HISTORY = 0x9213
ASCII = 2


def with_history(image: Image, line: str) -> Image:
    """The image with ``line`` at the end of its history, one line for each thing that was done.

    Parameters
    ----------
    image : its EXIF block, if it has one, keeps all its other tags.
    line : ASCII text without line breaks
    """
    order, directory = _block(image)
    inner = directory.get(EXIF)
    inner = dict(inner) if isinstance(inner, dict) else {}
    text = "\n".join([*history(image), line]).encode("ascii", "replace") + b"\0"
    inner[IMAGE_HISTORY] = Tag(ASCII, len(text), text)
    directory = {**directory, EXIF: inner}
    return replace(image, header={**image.header, "exif": encode_exif(directory, order)})


def history(image: Image) -> list[str]:
    """The lines of the history of an image, oldest first; empty where it has none."""
    inner = _block(image)[1].get(EXIF)
    tag = inner.get(IMAGE_HISTORY) if isinstance(inner, dict) else None
    return tag.data.rstrip(b"\0").decode("ascii", "replace").splitlines() if isinstance(tag, Tag) else []


def _block(image: Image) -> tuple[str, Directory]:
    block = image.header.get("exif")
    if block is None:
        return "<", {}
    try:
        return decode_exif(block)
    except UnreadableFile:
        logger.warning("the EXIF block is damaged and was replaced")
        return "<", {}
