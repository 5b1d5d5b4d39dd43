"""The whole file from encoded parts and from what else the source holds; nothing is encoded again.

Sound and subtitles are copied packet by packet where the container holds them. Chapters and metadata go along.
"""

import contextlib
import heapq
import io
import itertools
import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from .encoders import container_of
from .encoding import Pictures
from .parts import Part
from .reading import MADE_ANEW, Video

logger = logging.getLogger(__name__)

STATISTICS = ("DURATION", "NUMBER_OF_", "BPS", "_STATISTICS", "rotate", "encoder")
"""Beginnings of metadata that say of the old file what is not true of the new one."""

KINDS = ("audio", "subtitle", "attachment")

COARSEST, FINEST = 1000, 10**8
"""Ticks a second of the clock that MP4 keeps beginnings by: the usual one, and what fits."""

QUICKTIME = "com.apple.quicktime."


def assemble(path: Path, parts: Sequence[Part], video: Video, pictures: Pictures, *, comment: str, whole: bool) -> None:
    """Write the whole file.

    Parameters
    ----------
    path : of it; its suffix says which container
    parts : at least one
    video : the source, whose rotation, sound and metadata it gets
    pictures : what the parts hold
    comment : what was done; empty for none, and where the source has a comment, which stays
    whole : whether the sound goes on when the pictures end
    """
    name = container_of(path.suffix)
    tick = pictures.tick
    options = {}
    if name in ("mp4", "mov") and COARSEST < tick.denominator < FINEST:
        options["movie_timescale"] = str(tick.denominator)
    if name == "mov" and any(key.startswith(QUICKTIME) for key in video.metadata):
        options["movflags"] = "use_metadata_tags"
    with (
        contextlib.closing(av.open(str(video.path), metadata_errors="replace")) as source,
        contextlib.closing(av.open(str(parts[0].path))) as first,
        contextlib.closing(av.open(str(path), "w", format=name, container_options=options)) as output,
    ):
        output.metadata.update({key: value for key, value in video.metadata.items() if key not in MADE_ANEW})
        if comment and "comment" not in {key.lower() for key in video.metadata}:
            output.metadata["comment"] = comment
        stream = output.add_stream_from_template(first.streams.video[0], opaque=True)
        _describe(stream, video, pictures, name)
        copies = _copies(source, video, output, name)
        if hasattr(source, "chapters") and source.chapters():
            output.set_chapters(source.chapters())
        end = None if whole else max(time for part in parts for time in part.times) * tick
        together = heapq.merge(
            _encoded(parts, stream, video, tick), _copied(source, copies, end), key=lambda timed: timed[0]
        )
        output.start_encoding()
        for _, packet in together:
            output.mux(packet)


def _describe(stream: Any, video: Video, pictures: Pictures, name: str) -> None:
    context, colours, codec = stream.codec_context, pictures.colours, pictures.coding.codec
    stream.time_base = pictures.tick
    if video.rate is not None:
        context.framerate = video.rate
    context.color_range, context.colorspace = colours.range, colours.matrix
    context.color_primaries, context.color_trc = colours.primaries, colours.transfer
    context.sample_aspect_ratio = video.aspect
    if codec == "hevc" and name in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # what the players of Apple ask for
    if video.aspect != 1 and (name, codec) in (
        (held, kind) for held in ("matroska", "webm") for kind in ("vp9", "av1")
    ):
        logger.warning(
            "%s with %s keeps no aspect of pixels, and that of %s was left behind", name, codec, video.aspect
        )
    if video.display_matrix is not None:
        if name == "avi":
            logger.warning("AVI keeps no rotation; that by %d degrees was left behind", video.rotation)
        elif hasattr(stream, "set_display_matrix"):
            stream.set_display_matrix(video.display_matrix)
        else:
            logger.warning("the rotation by %d degrees was left behind: it needs a newer PyAV", video.rotation)
    stream.metadata.update(_lasting(video.video_metadata))


def _copies(source: Any, video: Video, output: Any, name: str) -> dict[int, Any]:
    """The streams of the result that take the packets of streams of the source, by the index of those."""
    copies: dict[int, Any] = {}
    left: list[str] = []
    for stream in source.streams:
        if stream.index == video.index:
            continue
        if stream.type not in KINDS or not _is_held(stream, name):
            left.append(f"{stream.type} ({stream.name or 'of unknown kind'})" if stream.type in KINDS else stream.type)
            continue
        copy = output.add_stream_from_template(stream, opaque=True)
        copy.metadata.update(_lasting(stream.metadata))
        copy.disposition = stream.disposition
        copies[stream.index] = copy
    if left:
        logger.warning("%s of %r was left behind: %s does not hold it", ", ".join(left), str(video.path), name)
    return copies


def _is_held(stream: Any, name: str) -> bool:
    """Whether a container takes a stream; asked of the container itself."""
    try:
        with contextlib.closing(av.open(io.BytesIO(), "w", format=name)) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _encoded(parts: Sequence[Part], stream: Any, video: Video, tick: Fraction) -> Iterator[tuple[Fraction, Any]]:
    """The packets of the parts with their times, and when each is to be decoded."""
    order = [time for part in parts for time in part.times]
    shown = sorted(order)
    usual = max(round(1 / (video.rate or 25) / tick), 1)
    lengths = dict(zip(shown, [after - time for time, after in itertools.pairwise(shown)], strict=False))
    number, wait = 0, _reordering(parts)
    for part in parts:
        with contextlib.closing(av.open(str(part.path))) as container:
            packets = (packet for packet in container.demux(video=0) if packet.size)
            for packet, time in zip(packets, part.times, strict=True):
                lead = shown[min(wait, len(shown) - 1)] - shown[0]
                decoded = shown[number - wait] if number >= wait else shown[number] - max(lead, wait)
                packet.stream = stream
                packet.time_base = tick
                packet.pts, packet.dts = time, decoded
                packet.duration = lengths.get(time, usual)
                number += 1
                yield decoded * tick, packet


def _reordering(parts: Sequence[Part]) -> int:
    """By how many frames decoding goes ahead of showing, so that no frame is decoded after it is shown."""
    most = 0
    for part in parts:
        rank = {time: place for place, time in enumerate(sorted(part.times))}
        most = max([most, *(number - rank[time] for number, time in enumerate(part.times))])
    return most


def _copied(source: Any, copies: dict[int, Any], end: Fraction | None) -> Iterator[tuple[Fraction, Any]]:
    streams = [source.streams[index] for index in copies if source.streams[index].type != "attachment"]
    if not streams:
        return
    last = Fraction(0)
    try:
        for packet in source.demux(streams):
            stamp = packet.dts if packet.dts is not None else packet.pts
            if stamp is None:
                continue
            last = max(last, stamp * Fraction(packet.time_base))
            if end is None or stamp * packet.time_base <= end:
                packet.stream = copies[packet.stream.index]
                yield last, packet
    except av.error.FFmpegError:
        logger.warning("the sound of %r is damaged, and ends where it breaks off", source.name)


def _lasting(metadata: Any) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if not key.startswith(STATISTICS)}
