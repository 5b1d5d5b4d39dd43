"""One pass over the frames of a video, past what is damaged in it."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from noiseless.errors import UnreadableFile

from .conversion import FrameReader, Pixels
from .layout import layout_of

if TYPE_CHECKING:
    from .reading import Video

logger = logging.getLogger(__name__)

MOST_FAILURES = 100
"""Of reading in a row; then the file is taken to end."""


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Parameters
    ----------
    pixels : (Y, X) gray or (Y, X, 3) RGB; uint8, or uint16 over its whole range where a sample has more than 8 bits
    time : when it is shown, in seconds, exactly
    """

    pixels: Pixels
    time: Fraction


@dataclass
class Damage:
    """What reading has met so far."""

    packets: int = 0


class Decoding:
    """One pass over the frames of a video in an open container; what is damaged is counted in ``damage``."""

    def __init__(self, video: "Video", container: Any, damage: Damage) -> None:
        self._video, self._damage, self._container = video, damage, container
        self._stream = container.streams[video.index]
        self._stream.thread_type = "AUTO"
        self._reader = FrameReader(video.layout, video.colours, video.height)
        self._step = 1 / (video.rate or Fraction(25))
        self._last: Fraction | None = None
        self._end = Fraction(0)
        self._begin = Fraction(0)
        self._late: Fraction | None = None
        self._packets = self._shown = 0
        self._broken = False

    def frames(self) -> Iterator[Frame]:
        """The frames in the order in which they are shown; at the end a warning of what was lost.

        Raises
        ------
        UnreadableFile : the size or the kind of the pixels changes.
        """
        for packet in self._demuxed():
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self._damage.packets += 1
                continue
            for frame in decoded:
                self._check(frame)
                self._shown += 1
                yield Frame(self._reader.pixels(frame), self._time(frame))
        self._warn_of_losses()

    def _demuxed(self) -> Iterator[Any]:
        failures = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                failures += 1
                self._damage.packets += failures == 1
                if failures == MOST_FAILURES:
                    self._broken = True
                    return
                packets = self._container.demux(self._stream)
                continue
            failures = 0
            self._note(packet)
            yield packet

    def _note(self, packet: Any) -> None:
        if not packet.size or packet.is_corrupt:
            self._broken = self._broken or bool(packet.size)
            return
        self._broken = False
        self._packets += 1
        if self._packets == 1 and packet.dts is not None:
            self._begin = packet.dts * Fraction(packet.time_base)
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            length = packet.duration or 0
            end = (stamp + length) * packet.time_base if length else stamp * packet.time_base + self._step
            self._end = max(self._end, end)

    def _check(self, frame: Any) -> None:
        video, layout = self._video, layout_of(frame.format.name)
        if (frame.width, frame.height) == (video.width, video.height) and layout.kind == video.layout.kind:
            self._damage.packets += bool(frame.is_corrupt)
            return
        before, after = f"{video.width}x{video.height}", f"{frame.width}x{frame.height}"
        if before == after:
            before, after = video.pixel_format, frame.format.name
        when = float(self._time(frame))
        raise UnreadableFile(
            f"{str(video.path)!r} changes from {before} to {after} at {when:g} s; split it there, and do each part"
        )

    def _time(self, frame: Any) -> Fraction:
        if frame.pts is not None:
            time: Fraction = frame.pts * Fraction(frame.time_base)
            if self._late is None:
                # AVI has no times of showing, and FFmpeg, to be safe, shows H.264 in it a frame or two late.
                self._late = time - self._begin if self._container.format.name == "avi" else Fraction(0)
            time -= self._late
        else:  # as in streams without a container
            time = Fraction(0) if self._last is None else self._last + self._step
        self._last = time
        return time

    def _warn_of_losses(self) -> None:
        video, stream = self._video, self._stream
        name = str(video.path)
        missing = claimed_end(self._container, stream) - self._end
        if self._broken or missing > Fraction(3, 2) * self._step:
            lost = max(video.frames - self._shown, 0)
            of = f" of {video.frames}" if video.frames else ""
            how_many = f"about {lost}{of} frames are lost" if lost else "frames may be lost"
            logger.warning("%r is truncated: its end is damaged, and %s; copy it again if you can", name, how_many)
        if self._damage.packets:
            logger.warning(
                "%r has %d damaged packets; their frames were left out or have faults", name, self._damage.packets
            )


def counts_frames(container: Any) -> bool:
    """Whether the number of frames is that; in AVI it is that of the ticks, of which some have no frame."""
    return bool(container.format.name != "avi")


def claimed_end(container: Any, stream: Any) -> Fraction:
    """When the last frame ends, as the header says; 0 where it does not."""
    base = Fraction(stream.time_base)
    start: Fraction = Fraction(stream.start_time or 0) * base
    if container.format.name == "avi":  # FFmpeg shortens the duration to what is there
        return start + int(max(stream.frames, stream.duration or 0)) * base
    if stream.duration:
        return start + int(stream.duration) * base
    for key, value in stream.metadata.items():
        if key.startswith("DURATION"):
            with contextlib.suppress(ValueError):
                hours, minutes, seconds = value.split(":")
                return (int(hours) * 60 + int(minutes)) * 60 + Fraction(seconds.strip())
    alone = len(container.streams) == 1
    return Fraction(container.duration or 0, av.time_base) if alone else Fraction(0)
