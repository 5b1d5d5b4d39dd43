"""Where denoised frames go: standard output, numbered images, a video file, a network, or nowhere."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from noiseless.atomic import check_new
from noiseless.errors import InvalidParameter, UnsupportedFormat, UnwritableFile, reason
from noiseless.files import FORMATS, format_for, write
from noiseless.image import from_array

from .encoding import FILE_ENCODINGS, NETWORK_ENCODINGS, VideoSink
from .frame import Frame
from .network_output import SocketOutput, check_address, to_connection, to_datagrams, to_server
from .raw_layout import RawLayout, layout_of, parsed
from .sources import TIMEOUT_S, without_password

DIGITS = 6
STAR = "*"

CONNECTIONS: Mapping[str, Callable[[str, float], SocketOutput]] = {"udp": to_datagrams, "tcp": to_connection}


class Sink(Protocol):
    """Takes frames one after the other. ``close`` is safe to call twice, and after an error."""

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


class Nowhere:
    """Frames are forgotten; for measuring."""

    def write(self, frame: Frame) -> None:
        """Nobody takes it."""

    def close(self) -> None:
        """Nothing is open."""


class RawOutput:
    """Raw frames on a file descriptor, by default standard output.

    Parameters
    ----------
    layout : of the frames; None: as the first frame is
    """

    def __init__(self, layout: RawLayout | None = None, *, descriptor: int | None = None) -> None:
        self._layout = layout
        self._descriptor = descriptor

    def write(self, frame: Frame) -> None:
        if self._layout is None:
            self._layout = layout_of(frame.pixels)
        if self._descriptor is None:
            sys.stdout.flush()
            self._descriptor = sys.stdout.fileno()
        data = memoryview(self._layout.encode(frame.pixels))
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BrokenPipeError:
            raise  # the reader has had enough, which is no failure of ours
        except OSError as error:
            raise UnwritableFile(f"cannot write to standard output: {reason(error)}") from error

    def close(self) -> None:
        """Each frame was given to the system when it was written."""


class NumberedImages:
    """One image a frame, named by the index of the frame: PNG for integers, TIFF for floats unless a suffix is given.

    Parameters
    ----------
    folder : made where it is missing
    suffix : of the images; empty: by their dtype
    """

    def __init__(self, folder: Path, *, suffix: str = "", overwrite: bool = False) -> None:
        self._folder, self._suffix, self._overwrite = folder, suffix, overwrite
        if suffix:
            format_for(Path(f"0{suffix}"))

    def write(self, frame: Frame) -> None:
        suffix = self._suffix or (".tif" if frame.pixels.dtype.kind == "f" else ".png")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableFile(f"cannot make the folder {str(self._folder)!r}: {reason(error)}") from error
        image = from_array(frame.pixels, channel_axis=-1 if frame.pixels.ndim == 3 else None)
        write(image, self._folder / f"{frame.index:0{DIGITS}d}{suffix}", overwrite=self._overwrite)

    def close(self) -> None:
        """Each image was whole when it was written."""


def open_sink(
    sink: str | os.PathLike[str] | None,
    *,
    rate: float | None = None,
    raw: str | None = None,
    overwrite: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Sink:
    """The sink that a word stands for; what it writes to is opened with the first frame.

    | sink                                                    | is                                                |
    | ------------------------------------------------------- | ------------------------------------------------- |
    | None                                                    | nowhere                                           |
    | `-`                                                     | raw frames on standard output, laid out as ``raw`` |
    | `clean.mkv`, `.mp4`, `.mov`, `.ts`                      | H.264; can be played however the stream ends      |
    | `udp://HOST:PORT`, `tcp://`                             | MPEG-TS, coded without delay                      |
    | `rtmp://`, `rtsp://`                                    | a media server                                    |
    | a folder, or `folder/*.tif`                             | numbered images, PNG unless a suffix is given     |

    Parameters
    ----------
    rate : frames a second, where it is known; video keeps the times of the frames in any case
    raw : WIDTHxHEIGHT:SAMPLES on standard output; None: as the frames are
    overwrite : whether files that exist may be replaced
    timeout_s : how long a network may not answer; a media server only until it takes the connection

    Raises
    ------
    UnwritableFile : the file exists.
    UnsupportedFormat : no video or image has such a suffix.
    InvalidParameter : no such kind of address.
    """
    if sink is None:
        return Nowhere()
    text = os.fspath(sink)
    if text == "-":
        return RawOutput(None if raw is None else parsed(raw))
    scheme, separator, _ = text.partition("://")
    if separator:
        encoding = NETWORK_ENCODINGS.get(scheme.lower())
        if encoding is None:
            known = ", ".join(NETWORK_ENCODINGS)
            raise InvalidParameter(f"{without_password(text)!r} is no sink; use {known}, a file or a folder")
        check_address(text)
        connect = CONNECTIONS.get(scheme.lower(), to_server)
        return VideoSink(lambda: connect(text, timeout_s), encoding, name=without_password(text), rate=rate)
    path = Path(text)
    if path.stem == STAR:
        return NumberedImages(path.parent, suffix=path.suffix, overwrite=overwrite)
    if path.is_dir() or text.endswith(("/", os.sep)) or not path.suffix:
        return NumberedImages(path, overwrite=overwrite)
    return _video_file(path, rate=rate, overwrite=overwrite)


def _video_file(path: Path, *, rate: float | None, overwrite: bool) -> Sink:
    encoding = FILE_ENCODINGS.get(path.suffix.lower())
    if encoding is None:
        is_image = any(path.suffix.lower() in entry.suffixes for entry in FORMATS.values())
        remedy = f"for images give a folder, or {path.parent / STAR!s}{path.suffix}" if is_image else "or a folder"
        raise UnsupportedFormat(f"no video is written to {str(path)!r}; use {', '.join(FILE_ENCODINGS)}; {remedy}")
    if not path.parent.is_dir():
        raise UnwritableFile(f"cannot write {str(path)!r}: its folder is missing")
    check_new(path, overwrite=overwrite)
    return VideoSink(lambda: str(path.absolute()), encoding, name=str(path), rate=rate)
