"""sensor_msgs/CompressedImage: JPEG and PNG decoded, changed, and encoded again.

The format says first of what encoding the image was, and after a semicolon how it was compressed, as in "bgr8; jpeg
compressed bgr8"; cameras that compress themselves say "jpeg" alone. It stays as it is.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import JpegImagePlugin

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files.limits import check_pixel_count

from .encodings import BGR, ENCODINGS, RGB, clean_in_place, is_depth
from .messages import PackedImage
from .words import Clean

JPEG_MAGIC, PNG_MAGIC = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
PNG_SIZE = slice(16, 24)

QUALITY = 95
"""Of JPEG: coding errors stay below the noise that is left."""

Changed: TypeAlias = Callable[[NDArray[Any]], NDArray[Any] | None]
"""From pixels to new ones, or None where they are the same: what is coded with loss is not coded again for nothing."""

LEVEL = 3  # of Deflate, as for PNG files


def reason_to_copy(image: PackedImage, topic: str) -> str:
    """Why a compressed image is to stay as it is; empty where it is to be changed."""
    if "compresseddepth" in image.format.lower().replace("_", "") or is_depth(_was(image), topic):
        return "it is depth"
    if not image.data.startswith((JPEG_MAGIC, PNG_MAGIC)):
        return f"its format {image.format!r} is neither JPEG nor PNG"
    return ""


def cleaned_packed(image: PackedImage, topic: str, clean: Clean) -> bytes:
    """The message with its picture passed through ``clean``.

    Raises
    ------
    UnreadableFile : it is damaged.
    UnsupportedFormat : a kind of JPEG that has no RGB.
    """
    encoding = ENCODINGS.get(_was(image))
    mosaic = encoding is not None and encoding.mosaic
    # A file holds red first. "compressed rgb8" says that blue was put there, as OpenCV does with RGB pixels.
    colours = BGR if "compressed rgb" in image.format else RGB

    def changed(pixels: NDArray[Any]) -> NDArray[Any] | None:
        result = pixels.copy()
        by_channel = result if result.ndim == 3 else result[:, :, np.newaxis]
        gray = by_channel.shape[2] <= 2
        clean_in_place(by_channel, topic, clean, shown=(0,) if gray else colours, mosaic=mosaic and gray)
        return None if np.array_equal(result, pixels) else result

    coded = _of_png if image.data.startswith(PNG_MAGIC) else _of_jpeg
    result = coded(image.data, changed)
    return image.message if result is None else image.with_data(result)


def _of_png(data: bytes, changed: Changed) -> bytes | None:
    width, height = np.frombuffer(data[PNG_SIZE].ljust(8, b"\0"), ">u4").tolist()
    check_pixel_count(width, height)
    with _telling_damage("PNG"):
        pixels = np.asarray(imagecodecs.png_decode(data))
    result = changed(pixels)
    return None if result is None else bytes(imagecodecs.png_encode(result, level=LEVEL))


def _of_jpeg(data: bytes, changed: Changed) -> bytes | None:
    with _telling_damage("JPEG"), warnings.catch_warnings():
        # Pillow's own limit is not the one that --max-pixels sets.
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        picture = Pillow.open(io.BytesIO(data), formats=("JPEG",))
    check_pixel_count(*picture.size)
    if picture.mode not in ("L", "RGB"):
        raise UnsupportedFormat(f"a JPEG of {picture.mode} has no red, green and blue")
    kept: dict[str, Any] = {key: picture.info[key] for key in ("exif", "icc_profile") if key in picture.info}
    sampling = JpegImagePlugin.get_sampling(picture)
    if picture.mode == "RGB" and sampling >= 0:
        kept["subsampling"] = sampling
    with _telling_damage("JPEG"):
        pixels = np.array(picture)
    result = changed(pixels)
    if result is None:
        return None
    coded = io.BytesIO()
    Pillow.fromarray(result).save(coded, "JPEG", quality=QUALITY, **kept)
    return coded.getvalue()


@contextlib.contextmanager
def _telling_damage(kind: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the codecs have kinds of their own, in no tree
        raise UnreadableFile(f"its {kind} cannot be decoded ({' '.join(str(error).split())})") from error


def _was(image: PackedImage) -> str:
    """The encoding before compression, where the format tells it."""
    return image.format.split(";")[0].strip()
