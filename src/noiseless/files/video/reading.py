"""A video, opened: what it is, and its frames one after the other."""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from noiseless.errors import UnreadableFile
from noiseless.files.limits import check_pixel_count, most_pixels

from .decoding import MOST_FAILURES, Damage, Decoding, Frame, claimed_end, counts_frames
from .layout import GRAY, ColourTags, Layout, layout_of

logger = logging.getLogger(__name__)

NO_VIDEO = ("tty", "image2", "bin", "adf", "idf", "xbin")
"""What FFmpeg takes texts and pictures for."""

MADE_ANEW = ("major_brand", "minor_version", "compatible_brands", "encoder", "software", "ENCODER")
"""Metadata that the file itself is the subject of."""

MOST_OF_FFMPEG = 2**31 - 1
"""Pixels that its decoders may be allowed."""

FASTEST = 1000
"""Frames a second; what is said to be faster counts ticks of a clock."""


@dataclass(frozen=True, eq=False)
class Video:
    """A video in a file. Its frames are decoded anew each time that it is iterated.

    Parameters
    ----------
    path : of the file
    container, codec, pixel_format : as FFmpeg calls them
    width, height : as stored, which is before ``rotation``
    rate : frames a second on average; None where it is not known
    frames : how many the file claims; 0 where it does not say
    duration : in seconds, or None
    layout : gray or colour, bits, and sampling of the colours
    colours : range, primaries, transfer and matrix
    time_base : the unit of its times, in seconds
    rotation : degrees, counter-clockwise, by which players turn it
    display_matrix : nine numbers that say so exactly, and mirror perhaps; or None
    aspect : of a pixel, width by height
    streams : what else the file holds, by kind: audio, subtitle, data, attachment and further video
    metadata, video_metadata : of the file, and of the video in it. They may identify a person: they are never logged.
    index : of the video among the streams
    """

    path: Path
    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rate: Fraction | None
    frames: int
    duration: Fraction | None
    layout: Layout
    colours: ColourTags
    time_base: Fraction
    rotation: int
    display_matrix: tuple[int, ...] | None
    aspect: Fraction
    streams: Mapping[str, int]
    metadata: Mapping[str, str] = field(repr=False)
    video_metadata: Mapping[str, str] = field(repr=False)
    index: int
    _most: int = field(default_factory=most_pixels, repr=False)
    _damage: Damage = field(default_factory=Damage, repr=False)
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, repr=False)

    @property
    def gray(self) -> bool:
        """Whether frames have one channel."""
        return self.layout.kind == GRAY

    @property
    def bits(self) -> int:
        """Of a sample: 8 to 16."""
        return self.layout.bits

    @property
    def audio(self) -> int:
        """How many streams of sound there are."""
        return self.streams.get("audio", 0)

    @property
    def damaged(self) -> int:
        """How many packets could not be decoded, or only with faults, the last time the frames were read."""
        return self._damage.packets

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames in the order in which they are shown.

        Raises
        ------
        UnreadableFile : the size or the kind of the pixels changes; after the frames so far.
        """
        self._damage.packets = 0
        container = _opened(self.path, self._most)
        _bound(container.streams[self.index], self._most)
        self._open.callback(container.close)
        with contextlib.closing(container):
            yield from Decoding(self, container, self._damage).frames()

    def described(self) -> dict[str, Any]:
        """What it is, in plain values; no metadata are told."""
        return {
            "format": self.container,
            "size": [self.width, self.height],
            "rate": None if self.rate is None else float(self.rate),
            "frames": self.frames,
            "seconds": None if self.duration is None else float(self.duration),
            "codec": self.codec,
            "bits": self.bits,
            "channels": 1 if self.gray else 3,
            "pixel_format": self.pixel_format,
            "colours": self.colours.described(),
            "rotation": self.rotation,
            "pixel_aspect": str(self.aspect),
            "streams": dict(self.streams),
            "metadata": sorted(key for key in self.metadata if key not in MADE_ANEW),
        }


def open_video(path: str | os.PathLike[str]) -> Video:
    """A video, of which the first frame was decoded to see what it holds.

    Raises
    ------
    UnreadableFile : missing, a folder, empty, damaged, or without a video.
    """
    path = Path(path)
    with contextlib.closing(_opened(path, most_pixels())) as container:
        if container.format.name in NO_VIDEO or container.format.name.endswith("_pipe"):
            raise UnreadableFile(f"{str(path)!r} is not a video; give a file such as .mp4, .mkv, .mov or .avi")
        stream = _video_of(container)
        if stream is None:
            raise UnreadableFile(f"{str(path)!r} holds no video, only {_kinds(container)}; give another file")
        if stream.codec_context is None:
            raise UnreadableFile(f"{str(path)!r} holds a video of a kind that has no decoder here; convert it first")
        if stream.width and stream.height:
            _check_size(path, stream.width, stream.height)
        _bound(stream, most_pixels())
        first = _first_frame(container, stream)
        if first is None:
            raise UnreadableFile(
                f"no frame of {str(path)!r} can be decoded: it is damaged, or has more than {most_pixels()} pixels "
                "a frame; copy it again"
            )
        return _video(path, container, stream, first)


def _bound(stream: Any, pixels: int) -> None:
    """Let its decoder refuse frames of more pixels, before it makes room for them."""
    stream.codec_context.options = _limit(pixels)


def _limit(pixels: int) -> dict[str, str]:
    return {"max_pixels": str(min(pixels, MOST_OF_FFMPEG))}


def _check_size(path: Path, width: int, height: int) -> None:
    try:
        check_pixel_count(width, height)
    except UnreadableFile as error:
        raise UnreadableFile(f"cannot read {str(path)!r}: {error}") from error


def _opened(path: Path, pixels: int) -> Any:
    """Its container; FFmpeg decodes a little of it now to see what it holds."""
    try:
        if path.is_dir():
            raise UnreadableFile(f"{str(path)!r} is a folder; name the files in it")
        if path.stat().st_size == 0:
            raise UnreadableFile(f"{str(path)!r} is empty (0 bytes); copy or download it again")
        return av.open(str(path), metadata_errors="replace", options=_limit(pixels))
    except FileNotFoundError as error:
        raise UnreadableFile(f"{str(path)!r} does not exist; check the name and the folder") from error
    except UnreadableFile:
        raise
    except av.error.FFmpegError as error:
        raise UnreadableFile(
            f"{str(path)!r} is not a video, or its index is missing because it was cut off; copy it again"
        ) from error
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}") from error


def _video_of(container: Any) -> Any:
    """The first video that is not the picture of a cover."""
    cover = 0x0400
    return next((stream for stream in container.streams.video if not int(stream.disposition) & cover), None)


def _kinds(container: Any) -> str:
    return " and ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def _first_frame(container: Any, stream: Any) -> Any:
    failures = 0
    while failures < MOST_FAILURES:
        try:
            for packet in container.demux(stream):
                try:
                    for frame in packet.decode():
                        return frame
                except av.error.FFmpegError:
                    failures += 1
        except av.error.FFmpegError:
            failures += 1
            continue
        return None
    return None


def _video(path: Path, container: Any, stream: Any, frame: Any) -> Video:
    context = stream.codec_context
    layout = layout_of(frame.format.name)
    full = frame.format.name.startswith("yuvj")
    colours = ColourTags(
        2 if full else int(frame.color_range), int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)
    )
    if frame.interlaced_frame:
        logger.warning("%r is interlaced: its two fields are taken for one picture; deinterlace it first", str(path))
    if layout.alpha:
        logger.warning("%r has a channel of transparency, which is left behind", str(path))
    rate = _rate(stream)
    duration = claimed_end(container, stream) - Fraction(stream.start_time or 0) * stream.time_base
    others: dict[str, int] = {}
    for other in container.streams:
        if other.index != stream.index:
            others[other.type] = others.get(other.type, 0) + 1
    return Video(
        path=path,
        container=_container_of(path, container),
        codec=getattr(context.codec, "canonical_name", None) or context.name,
        pixel_format=frame.format.name,
        width=frame.width,
        height=frame.height,
        rate=rate,
        frames=_frames(container, stream, duration, rate),
        duration=duration if duration > 0 else None,
        layout=layout,
        colours=colours,
        time_base=Fraction(stream.time_base),
        rotation=int(getattr(frame, "rotation", 0)),
        display_matrix=_display_matrix(frame),
        aspect=Fraction(stream.sample_aspect_ratio or 1) or Fraction(1),
        streams=others,
        metadata=dict(container.metadata),
        video_metadata=dict(stream.metadata),
        index=stream.index,
    )


def _container_of(path: Path, container: Any) -> str:
    """By one name, of those that FFmpeg has for a family."""
    names = container.format.name.split(",")
    suffix = path.suffix[1:].lower()
    return suffix if suffix in names else str(names[0])


def _rate(stream: Any) -> Fraction | None:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= FASTEST:
            return Fraction(rate)
    return None


def _frames(container: Any, stream: Any, duration: Fraction, rate: Fraction | None) -> int:
    if stream.frames and counts_frames(container):
        return int(stream.frames)
    counted = next((value for key, value in stream.metadata.items() if key.startswith("NUMBER_OF_FRAMES")), "")
    if counted.isdigit():
        return int(counted)
    return round(duration * rate) if rate is not None and duration > 0 else 0


def _display_matrix(frame: Any) -> tuple[int, ...] | None:
    for side in frame.side_data:
        if getattr(side.type, "name", "") == "DISPLAYMATRIX":
            return tuple(int(number) for number in np.frombuffer(bytes(side), np.int32))
    return None
