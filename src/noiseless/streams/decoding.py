"""Sources that PyAV decodes: cameras, networks, video files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from noiseless.errors import UnreadableFile
from noiseless.names import Lazy, load

from .frame import Picture

MOST_DAMAGED = 200
"""Damaged packets in a row after which a source is not merely disturbed but broken: some seconds of video."""

EIGHT_BITS = 8


@dataclass(frozen=True)
class Address:
    """What PyAV opens.

    Parameters
    ----------
    url : file, address or device
    name : for people, without a password
    container : the format, as a device needs it; empty where the content tells
    options : of the format and its protocol
    live : whether pictures come whether or not they are taken; None: unless it says how long it is
    """

    url: str
    name: str
    container: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    live: bool | None = False


class VideoSource:
    """The first video stream of what an address gives. Damaged packets are skipped and counted.

    Gray video gives (Y, X), all other (Y, X, 3); more than 8 bits a sample give uint16 with the full range.

    Parameters
    ----------
    timeout_s : how long the source may be silent
    """

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        self.name = address.name
        self.live = bool(address.live)
        self.corrupt = 0
        self.closed = False
        self.rate: float | None = None
        self._address, self._timeout_s = address, timeout_s

    def close(self) -> None:
        self.closed = True

    def pictures(self, within_s: float) -> Iterator[Picture]:
        container = self._opened(within_s)
        try:
            if not container.streams.video:
                raise UnreadableFile(f"{self.name!r} holds no video; give a file or an address that does")
            stream = container.streams.video[0]
            # Threads by frames decode faster, but each holds back one frame.
            stream.thread_type = "SLICE" if self.live else "AUTO"
            self.rate = float(stream.average_rate) if stream.average_rate else None
            first: float | None = None
            given = 0
            for frame in self._frames(container, stream):
                if frame.time is not None and first is None:
                    first = frame.time
                yield Picture(pixels_of(frame), None if frame.time is None or first is None else frame.time - first)
                given += 1
            if not given and not self.closed:
                raise UnreadableFile(f"{self.name!r} ended before a frame could be decoded; it is cut short or damaged")
        finally:
            container.close()

    def _opened(self, within_s: float) -> Any:
        av = _av()
        address = self._address
        try:
            container = av.open(
                address.url,
                format=address.container or None,
                options=dict(address.options),
                timeout=(within_s, self._timeout_s),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise UnreadableFile(f"cannot read {self.name!r}: {self._reason(error, within_s)}") from error
        if address.live is None:
            # A file on a server knows its size or duration, what is being broadcast knows neither.
            self.live = container.duration is None and container.size <= 0
        return container

    def _frames(self, container: Any, stream: Any) -> Iterator[Any]:
        """Decoded frames, through damage, to the end of the container."""
        av = _av()
        damaged = 0
        packets = container.demux(stream)
        while not self.closed:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.error.EOFError:
                return
            except av.error.InvalidDataError as error:
                self.corrupt += 1
                damaged += 1
                if damaged >= MOST_DAMAGED:
                    raise UnreadableFile(f"{self.name!r} is damaged: {damaged} packets in a row") from error
                packets = container.demux(stream)  # an error has ended the one before
                continue
            except (av.error.FFmpegError, OSError) as error:
                raise UnreadableFile(f"lost {self.name!r}: {self._reason(error, self._timeout_s)}") from error
            for frame in frames:
                damaged = 0
                if frame.is_corrupt:
                    self.corrupt += 1
                else:
                    yield frame

    def _reason(self, error: Exception, within_s: float) -> str:
        if isinstance(error, _av().error.ExitError):
            return f"no answer within {within_s:g} s; check the sender, or wait longer with timeout_s (--timeout)"
        if isinstance(error, _av().error.InvalidDataError):
            return "it holds no video that can be decoded, or stopped in the middle of its beginning"
        return str(getattr(error, "strerror", None) or error).split(": '")[0]


def pixels_of(frame: Any) -> NDArray[Any]:
    """The pixels of a frame of PyAV, (Y, X) or (Y, X, 3) RGB, uint8 or uint16."""
    components = frame.format.components
    # Palettes and packed RGB say more than 8 bits of a pixel, never of a component.
    deep = max(component.bits for component in components) > EIGHT_BITS
    is_gray = len(components) == 1 and not frame.format.has_palette and not frame.format.is_rgb
    wanted = ("gray", "gray16le") if is_gray else ("rgb24", "rgb48le")
    pixels: NDArray[Any] = frame.to_ndarray(format=wanted[deep])
    return pixels


def _av() -> Any:
    load(Lazy("av:open", extra="video"))  # says how to install it
    import av

    return av
