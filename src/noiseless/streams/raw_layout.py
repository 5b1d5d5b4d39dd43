"""Raw frames, one after the other without a header: how ``640x480:gray8@30`` lies in bytes."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.names import Lazy, load

SAMPLES = {
    "gray8": ("u1", 1),
    "gray16le": ("<u2", 1),
    "grayf32le": ("<f4", 1),
    "rgb24": ("u1", 3),
    "bgr24": ("u1", 3),
    "rgb48le": ("<u2", 3),
    "rgbf32le": ("<f4", 3),
    "yuv420p": ("u1", 1),
}
"""Type and number of the samples of a pixel; of yuv420p, of its luma."""

MOST_SIDE = 65_535
PATTERN = re.compile(r"(\d{1,6})x(\d{1,6}):(\w+)(?:@(\d+(?:\.\d+)?))?")


@dataclass(frozen=True)
class RawLayout:
    """Size, samples and rate of raw frames.

    Parameters
    ----------
    width, height : in pixels
    samples : gray8, gray16le, grayf32le, rgb24, bgr24, rgb48le, rgbf32le, or yuv420p (whose sides are even)
    rate : frames a second; None where it is not known

    Raises
    ------
    InvalidParameter : other samples, or a size they cannot have.
    """

    width: int
    height: int
    samples: str
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.samples not in SAMPLES:
            raise InvalidParameter(f"raw frames are {self.samples!r}; use {', '.join(SAMPLES)}")
        if not (1 <= self.width <= MOST_SIDE and 1 <= self.height <= MOST_SIDE):
            raise InvalidParameter(f"raw frames are {self.width}x{self.height}; each side is 1 to {MOST_SIDE}")
        if self.samples == "yuv420p" and (self.width % 2 or self.height % 2):
            raise InvalidParameter(f"yuv420p frames are {self.width}x{self.height}; their sides are even")
        if self.rate is not None and self.rate <= 0.0:
            raise InvalidParameter(f"raw frames come at {self.rate:g} a second; give more than 0, or leave it out")

    @property
    def frame_bytes(self) -> int:
        kind, channels = SAMPLES[self.samples]
        plane = self.width * self.height * channels * np.dtype(kind).itemsize
        return plane * 3 // 2 if self.samples == "yuv420p" else plane

    def decode(self, data: bytes | bytearray) -> NDArray[Any]:
        """(Y, X) or (Y, X, 3) RGB pixels of the bytes of one frame."""
        kind, channels = SAMPLES[self.samples]
        values = np.frombuffer(bytes(data), dtype=kind)
        if self.samples == "yuv420p":
            planes = values.reshape(self.height * 3 // 2, self.width)
            picture: NDArray[Any] = _video_frame().from_ndarray(planes, format="yuv420p").to_ndarray(format="rgb24")
            return picture
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        if channels == 1:
            return values.reshape(self.height, self.width)
        pixels = values.reshape(self.height, self.width, channels)
        return np.ascontiguousarray(pixels[:, :, ::-1]) if self.samples == "bgr24" else pixels

    def encode(self, pixels: NDArray[Any]) -> bytes:
        """The bytes of one frame.

        Raises
        ------
        InvalidImage : the pixels are of another size or type.
        """
        kind, channels = SAMPLES[self.samples]
        colour = channels == 3 or self.samples == "yuv420p"
        shape = (self.height, self.width, 3) if colour else (self.height, self.width)
        if pixels.shape != shape or pixels.dtype != np.dtype(kind).newbyteorder("="):
            raise InvalidImage(
                f"a frame of shape {pixels.shape} and type {pixels.dtype} is no raw {self.width}x{self.height}:"
                f"{self.samples}; a stream whose size changes needs a folder"
            )
        if self.samples == "yuv420p":
            frame = _video_frame().from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            planes: NDArray[Any] = frame.reformat(format="yuv420p").to_ndarray()
            return planes.tobytes()
        ordered = pixels[:, :, ::-1] if self.samples == "bgr24" else pixels
        return ordered.astype(kind, copy=False).tobytes()


def parsed(text: str) -> RawLayout:
    """The layout that ``WIDTHxHEIGHT:SAMPLES@RATE`` names; the rate may be left out.

    Raises
    ------
    InvalidParameter : the text does not name one.
    """
    match = PATTERN.fullmatch(text)
    if match is None:
        raise InvalidParameter(f"{text!r} names no raw frames; write WIDTHxHEIGHT:SAMPLES@RATE, as 640x480:gray8@30")
    width, height, samples, rate = match.groups()
    return RawLayout(int(width), int(height), samples, None if rate is None else float(rate))


def layout_of(pixels: NDArray[Any]) -> RawLayout:
    """The layout in which such a frame is written where none is named."""
    colour = pixels.ndim == 3
    samples = {"uint8": ("gray8", "rgb24"), "uint16": ("gray16le", "rgb48le"), "float32": ("grayf32le", "rgbf32le")}
    return RawLayout(pixels.shape[1], pixels.shape[0], samples[pixels.dtype.name][colour])


def _video_frame() -> Any:
    return load(Lazy("av:VideoFrame", extra="video"))
