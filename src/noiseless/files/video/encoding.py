"""One part of a video, encoded into a file of its own."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from noiseless.errors import UnsupportedFormat

from .encoders import Coding
from .layout import ColourTags

FINEST = 65535
"""Ticks a second that MPEG-4 can count."""

QUANTISER = 118
"""What FFmpeg multiplies it by."""


@dataclass(frozen=True)
class Pictures:
    """What the frames of all parts have in common.

    Parameters
    ----------
    coding : how they are encoded
    size : (height, width)
    colours : what their samples mean
    aspect : of a pixel
    rate : frames a second, on average
    tick : the unit of their times, in seconds
    reordered : whether frames may be stored in another order than they are shown in
    """

    coding: Coding
    size: tuple[int, int]
    colours: ColourTags
    aspect: Fraction
    rate: Fraction
    tick: Fraction
    reordered: bool = True


class PartEncoder:
    """Encodes the frames of one part, and keeps their times: those that containers give back may be rounded.

    Parameters
    ----------
    path : of the file: .mkv or .nut

    Raises
    ------
    UnsupportedFormat : the encoder refuses the size or the pixel format.
    """

    def __init__(self, path: Path, pictures: Pictures) -> None:
        coding, colours = pictures.coding, pictures.colours
        self.path = path
        self.first = 0
        self._times: list[int] = []
        self._order: list[int] = []
        self._colours = colours
        rate = pictures.rate.limit_denominator(FINEST)
        self._counts_frames = coding.scale is not None
        self._tick = 1 / rate if self._counts_frames else pictures.tick
        if coding.library == "libsvtav1":
            os.environ.setdefault("SVT_LOG", "1")  # it has no other way to be quiet
        self._container = av.open(str(path), "w", format="nut" if path.suffix == ".nut" else "matroska")
        self._stream: Any = self._container.add_stream(coding.library, rate=rate, options=dict(coding.options))
        context = self._stream.codec_context
        height, width = pictures.size
        context.width, context.height, context.pix_fmt = width, height, coding.pixel_format
        context.time_base = self._tick
        context.color_range, context.colorspace = colours.range, colours.matrix
        context.color_primaries, context.color_trc = colours.primaries, colours.transfer
        context.sample_aspect_ratio = pictures.aspect
        if not pictures.reordered:
            context.max_b_frames = 0
        if coding.scale is not None:
            context.qscale = True
            context.global_quality = QUANTISER * coding.scale
        self._named = f"{coding.library} cannot encode {width} x {height} in {coding.pixel_format}"
        with _explained(self._named):
            context.open()

    def encode(self, frame: Any, time: int) -> None:
        """The next frame, shown at a time in ticks."""
        if not self._times:
            self.first = time
        frame.pts = len(self._times) if self._counts_frames else time
        frame.time_base = self._tick
        frame.color_primaries, frame.color_trc = self._colours.primaries, self._colours.transfer
        self._times.append(time)
        with _explained(self._named):
            self._mux(self._stream.encode(frame))

    def finish(self) -> list[int]:
        """Close the file; the times of its packets in their order."""
        with _explained(self._named):
            self._mux(self._stream.encode(None))
            self._container.close()
        return self._order

    def abandon(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError, av.error.FFmpegError):
            self._container.close()
        self.path.unlink(missing_ok=True)

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            self._order.append(self._times[packet.pts] if self._counts_frames else packet.pts)
            self._container.mux(packet)


@contextlib.contextmanager
def _explained(what: str) -> Iterator[None]:
    """Errors of the encoder as ours; those of the disk as they are."""
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise UnsupportedFormat(f"{what} ({error.strerror}); give another --codec, such as ffv1") from error
