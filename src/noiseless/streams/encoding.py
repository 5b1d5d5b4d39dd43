"""Sinks that PyAV encodes: video files that can be played however they end, and networks."""

import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnsupportedFormat, UnwritableFile
from noiseless.names import Lazy, load

from .frame import Frame
from .network_output import DATAGRAM_BYTES, SocketOutput

TICKS = 90_000
"""Of the clock of MPEG, a second; every container here can keep it or a coarser one."""

USUAL_RATE, MOST_RATE = 30.0, 1000.0
"""Frames a second. Some network sources give the ticks of their clock as their rate, which is taken for not known."""


@dataclass(frozen=True)
class Encoding:
    """How frames are coded and packed.

    Parameters
    ----------
    container : name of the format, of FFmpeg
    codec_options, container_options : of libx264, and of the format
    """

    container: str
    codec_options: Mapping[str, str]
    container_options: Mapping[str, str] = field(default_factory=dict)


# Everything that is written can be played if the process is killed the moment after: a cluster or fragment is closed
# at least once a second, and each packet goes to the system at once.
_KEPT = {"crf": "18", "preset": "veryfast"}
_AT_ONCE = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}
_FRAGMENTS = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}

FILE_ENCODINGS: Mapping[str, Encoding] = {
    ".mkv": Encoding("matroska", _KEPT, {"cluster_time_limit": "1000", "flush_packets": "1"}),
    ".mp4": Encoding("mp4", _KEPT, _FRAGMENTS),
    ".mov": Encoding("mov", _KEPT, _FRAGMENTS),
    ".ts": Encoding("mpegts", _KEPT, {"flush_packets": "1"}),
}

NETWORK_ENCODINGS: Mapping[str, Encoding] = {
    "udp": Encoding("mpegts", _AT_ONCE, {"flush_packets": "1"}),
    "tcp": Encoding("mpegts", _AT_ONCE, {"flush_packets": "1"}),
    "rtmp": Encoding("flv", _AT_ONCE, {"flvflags": "no_duration_filesize"}),
    "rtsp": Encoding("rtsp", _AT_ONCE, {"rtsp_transport": "tcp"}),
}


class VideoSink:
    """H.264 in 8 bits, with the times of the frames; frames of another size than the first are scaled to it.

    Parameters
    ----------
    opened : gives what PyAV opens, a name or a :class:`SocketOutput`, when there is a first frame to write
    name : for people, without a password
    rate : frames a second, for players that ask; the frames keep their own times
    """

    def __init__(
        self, opened: Callable[[], str | SocketOutput], encoding: Encoding, *, name: str, rate: float | None
    ) -> None:
        self.name = name
        self._opened, self._encoding = opened, encoding
        self._rate = rate if rate is not None and rate <= MOST_RATE else USUAL_RATE
        self._output: str | SocketOutput = ""
        self._container: Any = None
        self._stream: Any = None
        self._last_pts = -1

    def write(self, frame: Frame) -> None:
        """Encode one frame.

        Raises
        ------
        UnwritableFile : the disk is full, or nobody listens; what was written before stays playable.
        """
        load(Lazy("av:open", extra="video"))  # says how to install it
        import av

        with self._saying_why():
            if self._container is None:
                self._open(frame)
            picture = av.VideoFrame.from_ndarray(_even(_eight_bits(frame.pixels)), format="rgb24")
            picture = picture.reformat(self._stream.width, self._stream.height, "yuv420p")
            # Two frames never share a time, whatever the clock of the source does.
            self._last_pts = max(round(frame.time * TICKS), self._last_pts + 1)
            picture.pts, picture.time_base = self._last_pts, Fraction(1, TICKS)
            self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        """Write what the encoder holds back, and the end of the file; safe to call twice.

        Raises
        ------
        UnwritableFile : there was no room for it; what was written before stays playable.
        """
        container, self._container = self._container, None
        output, self._output = self._output, ""
        with contextlib.ExitStack() as stack:
            if isinstance(output, SocketOutput):
                stack.callback(output.close)
            if container is not None:
                stack.enter_context(self._saying_why())
                stack.callback(container.close)
                container.mux(self._stream.encode())

    def _open(self, frame: Frame) -> None:
        import av

        encoding = self._encoding
        if encoding.container not in av.formats_available or "libx264" not in av.codecs_available:
            raise UnsupportedFormat(f"{self.name!r} needs {encoding.container} and libx264, which this PyAV lacks")
        self._output = self._opened()
        container = av.open(
            self._output,
            "w",
            format=encoding.container,
            container_options=dict(encoding.container_options),
            buffer_size=DATAGRAM_BYTES,
        )
        rate = Fraction(self._rate).limit_denominator(1001)
        stream: Any = container.add_stream("libx264", rate=rate, options=dict(encoding.codec_options))
        height, width = frame.pixels.shape[:2]
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.codec_context.gop_size = max(1, round(self._rate))  # who joins, or cuts, waits a second at most
        self._container, self._stream = container, stream

    @contextlib.contextmanager
    def _saying_why(self) -> Iterator[None]:
        import av

        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            reason = str(getattr(error, "strerror", None) or error).split(": '")[0]
            is_full = getattr(error, "errno", None) == errno.ENOSPC
            remedy = "make room" if is_full else "check the place and the receiver"
            raise UnwritableFile(f"cannot write {self.name!r}: {reason}; {remedy}") from error


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint16:
        # 65535 / 257 = 255; adding half of 257 before rounds.
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if pixels.dtype == np.float32:
        return np.rint(255.0 * pixels.clip(0.0, 1.0)).astype(np.uint8)
    return pixels


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colour with even sides, as players want them: an odd last line is repeated."""
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    height, width = colour.shape[:2]
    if height % 2 or width % 2:
        colour = np.pad(colour, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(colour)
