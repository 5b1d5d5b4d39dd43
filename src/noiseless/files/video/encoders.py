"""Which encoder writes a video, in which pixel format, and which containers hold it."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import av

from noiseless.errors import InvalidParameter, UnsupportedFormat
from noiseless.names import lookup

from .layout import GRAY, RGB, YUV, Layout, layout_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoder:
    """A family of codecs and how it is asked for quality.

    Parameters
    ----------
    libraries : encoders of FFmpeg; the first that there is is used
    usual, worst : quality, as CRF: less is better; None where the codec takes none
    options : of the encoder
    even : whether sides must be multiples of the sampling of the colours
    """

    libraries: tuple[str, ...]
    usual: int | None
    worst: int
    options: Mapping[str, str]
    even: bool = False


ENCODERS: Mapping[str, Encoder] = {
    "h264": Encoder(("libx264",), usual=16, worst=51, options={"preset": "medium"}, even=True),
    "hevc": Encoder(
        # Its groups of pictures overlap otherwise, and its log goes past ours.
        ("libx265",), usual=18, worst=51, even=True,
        options={"preset": "medium", "x265-params": "log-level=error:open-gop=0"},
    ),
    "av1": Encoder(("libsvtav1", "libaom-av1"), usual=20, worst=63, options={}),
    "vp9": Encoder(
        ("libvpx-vp9",), usual=20, worst=63, options={"deadline": "good", "cpu-used": "4", "row-mt": "1"}
    ),
    "mpeg4": Encoder(("mpeg4",), usual=2, worst=31, options={}),
    "prores": Encoder(("prores_ks",), usual=None, worst=0, options={"vendor": "apl0"}),
    "ffv1": Encoder(("ffv1",), usual=None, worst=0, options={"g": "1", "slicecrc": "1"}),
}  # fmt: skip
"""By the name that a person gives. With the usual quality what denoising left is kept: files are large."""

CONTAINERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    ".mp4": ("mp4", ("h264", "hevc", "av1", "vp9", "mpeg4")),
    ".m4v": ("mp4", ("h264", "hevc", "av1", "mpeg4")),
    ".mov": ("mov", ("h264", "hevc", "prores", "mpeg4")),
    ".mkv": ("matroska", tuple(ENCODERS)),
    ".webm": ("webm", ("vp9", "av1")),
    ".avi": ("avi", ("h264", "mpeg4", "ffv1")),
}
"""By suffix: the name of FFmpeg for it, and what it holds, the usual first."""

FAMILIES = {"hevc": "hevc", "av1": "av1", "vp9": "vp9", "vp8": "vp9", "prores": "prores"} | dict.fromkeys(
    ("ffv1", "rawvideo", "huffyuv", "ffvhuff", "utvideo", "magicyuv", "png", "v210", "qtrle"), "ffv1"
)
"""What a source is written with, by its codec; others, of which there are better ones now, as h264."""

ALIASES = {"h265": "hevc", "x264": "h264", "x265": "hevc", "avc": "h264"} | {
    library: name for name, encoder in ENCODERS.items() for library in encoder.libraries
}


@dataclass(frozen=True)
class Coding:
    """How a video is going to be encoded.

    Parameters
    ----------
    codec, library : "h264" and "libx264", for instance
    pixel_format : of the encoder
    layout : of that format
    options : of the encoder
    scale : quantiser of codecs without CRF; None for the others
    even : whether sides must be multiples of the sampling of the colours
    """

    codec: str
    library: str
    pixel_format: str
    layout: Layout
    options: Mapping[str, str]
    scale: int | None
    even: bool

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the frames, which some codecs need even."""
        across, down = self.layout.sampling if self.even else (1, 1)
        return height + -height % down, width + -width % across


def container_of(suffix: str) -> str:
    """The container that a suffix asks for, by its name in FFmpeg.

    Raises
    ------
    UnsupportedFormat : none.
    """
    entry = CONTAINERS.get(suffix.lower())
    if entry is None:
        raise UnsupportedFormat(f"no video is written as {suffix!r}; end its name in {', '.join(CONTAINERS)}")
    return entry[0]


def coding_of(source: Layout, source_codec: str, suffix: str, codec: str | None, quality: int | None) -> Coding:
    """How a video is encoded: with ``codec``, or else with that of its source, if the container and the bits allow.

    Raises
    ------
    UnknownName : there is no such codec.
    UnsupportedFormat : the container does not hold it, or this PyAV cannot encode it.
    InvalidParameter : quality is out of its range.
    """
    container_of(suffix)
    held = CONTAINERS[suffix.lower()][1]
    if codec is not None:
        name = ALIASES.get(codec.lower(), codec.lower())
        lookup(ENCODERS, name, kind="codec")
        if name not in held:
            others = [end for end, (_, codecs) in CONTAINERS.items() if name in codecs]
            raise UnsupportedFormat(f"{suffix} does not hold {name}; end the name in {' or '.join(others)}")
        chosen = _coding(name, source)
        if chosen is None:
            raise UnsupportedFormat(f"this PyAV has no encoder for {name}; choose another codec than {codec!r}")
    else:
        chosen = _usual(source, FAMILIES.get(source_codec, "h264"), held)
    lost = _losses(source, chosen.layout)
    if lost:
        logger.warning("%s in %s cannot hold %s of the source", chosen.codec, suffix, " and ".join(lost))
    if codec is None and FAMILIES.get(source_codec) == "ffv1" and chosen.codec != "ffv1":
        logger.warning("the source has lost nothing to compression, and %s does; name the result .mkv", chosen.codec)
    return _with_quality(chosen, quality)


def _usual(source: Layout, family: str, held: tuple[str, ...]) -> Coding:
    names = [name for name in dict.fromkeys((family, *held)) if name in held]
    codings = [coding for coding in (_coding(name, source) for name in names) if coding is not None]
    if not codings:
        raise UnsupportedFormat(f"this PyAV has no encoder for {' or '.join(held)}; name the result .mkv")
    return next((coding for coding in codings if not _losses(source, coding.layout)), codings[0])


def _coding(name: str, source: Layout) -> Coding | None:
    """With the pixel format that fits best; None where there is no such encoder."""
    encoder = ENCODERS[name]
    for library in encoder.libraries:
        try:
            formats = av.Codec(library, "w").video_formats or ()
        except ValueError:  # UnknownCodecError
            continue
        format_, layout = _best(source, (form.name for form in formats))
        return Coding(name, library, format_, layout, encoder.options, None, encoder.even)
    return None


def _best(source: Layout, formats: Iterable[str]) -> tuple[str, Layout]:
    known = [(name, layout_of(name)) for name in formats]
    usable = [
        (name, layout)
        for name, layout in known
        if not layout.alpha and (layout.kind == RGB or name == layout.plain)
        if layout.kind == source.kind or layout.kind == YUV
    ]
    return min(usable, key=lambda pair: _distance(source, pair[1]))


def _distance(source: Layout, other: Layout) -> tuple[int, ...]:
    """From a source; what is lost weighs most."""
    across, down = _sampling(source)
    return (
        other.kind != source.kind,
        max(other.sampling[0] - across, 0) + max(other.sampling[1] - down, 0),
        max(source.bits - other.bits, 0),
        max(other.bits - source.bits, 0),
        abs(other.sampling[0] - across) + abs(other.sampling[1] - down),
    )


def _sampling(source: Layout) -> tuple[int, int]:
    return (2, 2) if source.kind == GRAY else source.sampling  # gray has no colours that could lose


def _losses(source: Layout, other: Layout) -> list[str]:
    lost = []
    if other.bits < source.bits:
        lost.append(f"more than {other.bits} of the {source.bits} bits")
    across, down = _sampling(source)
    if other.sampling[0] > across or other.sampling[1] > down:
        lost.append("the full resolution of the colours")
    return lost


def _with_quality(coding: Coding, quality: int | None) -> Coding:
    encoder = ENCODERS[coding.codec]
    options: dict[str, Any] = dict(coding.options)
    if encoder.usual is None:
        if quality is not None:
            kind = "loses nothing" if coding.codec == "ffv1" else "has one quality"
            raise InvalidParameter(f"quality is {quality}, and {coding.codec} {kind}; leave it out")
        if coding.codec == "prores":
            options["profile"] = "4444" if coding.layout.sampling == (1, 1) else "hq"
        return _replaced(coding, options)
    quality = encoder.usual if quality is None else quality
    least = 1 if coding.codec == "mpeg4" else 0
    if not least <= quality <= encoder.worst:
        raise InvalidParameter(
            f"quality is {quality}; {coding.codec} takes {least} (best) to {encoder.worst}, usually {encoder.usual}"
        )
    if coding.codec == "mpeg4":
        return _replaced(coding, options, quality)
    return _replaced(coding, options | {"crf": str(quality)})


def _replaced(coding: Coding, options: Mapping[str, str], scale: int | None = None) -> Coding:
    return Coding(coding.codec, coding.library, coding.pixel_format, coding.layout, options, scale, coding.even)
