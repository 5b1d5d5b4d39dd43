"""The pixels of sensor_msgs/Image: from bytes to frames and back.

Depth is no picture: smoothing across its edges makes points in mid-air. It is told by its encoding, 32FC1, or by that
of its numbers, 16UC1, on a topic that says "depth".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, UnreadableFile, UnsupportedFormat
from noiseless.files.limits import check_pixel_count

from .messages import RawImage, with_bytes
from .words import Clean

RED, GREEN, BLUE = range(3)


@dataclass(frozen=True)
class Encoding:
    """What the values of a pixel are.

    Parameters
    ----------
    bits : of each value, 8 or 16
    channels : values a pixel, alpha among them
    shown : which of them, in which order, make the frame: one, or red, green and blue
    mosaic : whether it is a Bayer mosaic
    """

    bits: int
    channels: int = 1
    shown: Sequence[int] = (0,)
    mosaic: bool = False


RGB, BGR = (RED, GREEN, BLUE), (BLUE, GREEN, RED)

ENCODINGS: Mapping[str, Encoding] = {
    "mono8": Encoding(8),
    "mono16": Encoding(16),
    "8UC1": Encoding(8),
    "16UC1": Encoding(16),
    "rgb8": Encoding(8, 3, RGB),
    "bgr8": Encoding(8, 3, BGR),
    "8UC3": Encoding(8, 3, BGR),  # as OpenCV has them
    "rgba8": Encoding(8, 4, RGB),
    "bgra8": Encoding(8, 4, BGR),
    "rgb16": Encoding(16, 3, RGB),
    "bgr16": Encoding(16, 3, BGR),
    "rgba16": Encoding(16, 4, RGB),
    "bgra16": Encoding(16, 4, BGR),
    **{
        f"bayer_{pattern}{bits}": Encoding(bits, mosaic=True)
        for bits in (8, 16)
        for pattern in ("rggb", "bggr", "gbrg", "grbg")
    },
}

DEPTH = "32FC1"
MAYBE_DEPTH = "16UC1"


def is_depth(encoding: str, topic: str) -> bool:
    """Whether images are distances rather than pictures."""
    return encoding == DEPTH or (encoding == MAYBE_DEPTH and "depth" in topic.lower())


def encoding_named(name: str) -> Encoding:
    """What an encoding means.

    Raises
    ------
    UnsupportedFormat : it is not known.
    """
    encoding = ENCODINGS.get(name)
    if encoding is None:
        raise UnsupportedFormat(f"the encoding {name!r} is not known here; known are {', '.join(ENCODINGS)}")
    return encoding


def cleaned_image(image: RawImage, topic: str, clean: Clean) -> bytes:
    """The message with its pixels, and nothing else, passed through ``clean``.

    Raises
    ------
    UnreadableFile : size, step and bytes do not fit together.
    UnsupportedFormat : the encoding is not known.
    """
    encoding = encoding_named(image.encoding)
    if image.width == 0 or image.height == 0:
        return image.message
    buffer = bytearray(image.message[image.start : image.stop])
    pixels = _pixels(image, encoding, buffer)
    clean_in_place(pixels, topic, clean, shown=encoding.shown, mosaic=encoding.mosaic)
    return with_bytes(image, bytes(buffer)).message


def clean_in_place(
    pixels: NDArray[Any], topic: str, clean: Clean, *, shown: Sequence[int] = (0,), mosaic: bool = False
) -> None:
    """Pass (Y, X, C) pixels through ``clean``; channels that are not shown, such as alpha, stay."""
    if mosaic:
        for stream, plane in _planes(pixels[:, :, 0], topic):
            plane[...] = _cleaned(plane, stream, clean)
    elif len(shown) == 1:
        pixels[:, :, shown[0]] = _cleaned(pixels[:, :, shown[0]], topic, clean)
    else:
        pixels[:, :, list(shown)] = _cleaned(pixels[:, :, list(shown)], topic, clean)


def _pixels(image: RawImage, encoding: Encoding, buffer: bytearray) -> NDArray[Any]:
    """(Y, X, C), a view of the buffer that leaves out what pads its rows."""
    check_pixel_count(image.width, image.height)
    dtype = np.dtype(np.uint8 if encoding.bits == 8 else (">u2" if image.is_bigendian else "<u2"))
    row = image.width * encoding.channels * dtype.itemsize
    if image.step < row:
        raise UnreadableFile(f"its step is {image.step} bytes, and a row of {image.width} {image.encoding} has {row}")
    if len(buffer) < image.step * (image.height - 1) + row:
        raise UnreadableFile(
            f"it has {len(buffer)} bytes of pixels, and {image.height} rows of {image.step} bytes are said to be there"
        )
    shape = (image.height, image.width, encoding.channels)
    strides = (image.step, encoding.channels * dtype.itemsize, dtype.itemsize)
    return np.ndarray(shape, dtype, buffer, strides=strides)


def _planes(mosaic: NDArray[Any], topic: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """The four images of half the size that a mosaic is made of: neighbours in one of them saw the same colour."""
    for number in range(4):
        plane = mosaic[number // 2 :: 2, number % 2 :: 2]
        if plane.size:
            yield f"{topic}#{number}", plane


def _cleaned(values: NDArray[Any], stream: str, clean: Clean) -> NDArray[Any]:
    frame = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    shape, dtype = frame.shape, frame.dtype
    result = np.asarray(clean(stream, frame))
    if result.shape != shape or result.dtype != dtype:
        raise InvalidImage(
            f"a frame of {stream} is {shape} {dtype}, and the function gave {result.shape} {result.dtype} for it; "
            "shape and dtype must stay"
        )
    return result
