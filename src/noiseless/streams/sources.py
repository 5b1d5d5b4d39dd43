"""From a word to a source: what ``camera:0``, ``rtsp://...``, ``-``, a folder or a file stand for."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from noiseless.errors import InvalidParameter, UnreadableFile
from noiseless.names import Lazy, load

from .arrays import ArraySource, RawPipe
from .decoding import Address, VideoSource
from .filling_folder import FillingFolder
from .raw_layout import parsed
from .source import Source

TIMEOUT_S = 10.0

DEVICES = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
"""How cameras are reached, by the system."""

NETWORKS = {
    "rtsp": {"rtsp_transport": "tcp"},  # a lost packet of UDP smears until the next key frame
    "rtsps": {"rtsp_transport": "tcp"},
    "http": {},
    "https": {},
    # What came while nobody read is of no use, and no error.
    "udp": {"overrun_nonfatal": "1", "fifo_size": "50000"},
    "tcp": {},
    "rtmp": {},
    "srt": {},  # where PyAV was built with it
}

PROMPT = {"analyzeduration": "1000000"}
"""For live sources: a second, not five, to find out what they send.

Not fflags=nobuffer, as often advised: it throws away that second, and with it the key frame that the rest needs. Nor
flags=low_delay: it loses frames that are sent out of order, and a sender without such frames has no delay to lose.
"""

MAYBE_LIVE = ("http", "https")


def open_source(source: Any, *, raw: str | None = None, timeout_s: float = TIMEOUT_S, follow: bool = True) -> Source:
    """The source that a word stands for. It is opened by the stream that reads it.

    | source                                             | is                                                   |
    | -------------------------------------------------- | ---------------------------------------------------- |
    | `camera:0`, `/dev/video0`, `camera:NAME` (Windows) | a camera                                             |
    | `rtsp://`, `http(s)://`, `udp://`, `tcp://` ...    | a network; MPEG-TS where nothing else names a format |
    | `-`                                                | raw frames on standard input, laid out as ``raw``    |
    | a folder                                           | its images, and those that come later                |
    | another path                                       | a video file                                         |
    | any iterable of arrays                             | these                                                |

    Parameters
    ----------
    source : as above; a source is given back as it is
    raw : WIDTHxHEIGHT:SAMPLES@RATE of frames on standard input, as 640x480:gray8@30
    timeout_s : how long a network, a camera or a folder may be silent
    follow : whether to wait in a folder for more images than there are

    Raises
    ------
    UnreadableFile : there is no such file.
    InvalidParameter : nothing that could be a source, or frames on standard input without ``raw``.
    """
    if timeout_s <= 0.0:
        raise InvalidParameter(f"timeout_s is {timeout_s:g}; give some seconds, such as {TIMEOUT_S:g}")
    if isinstance(source, str | os.PathLike):
        return _from_text(os.fspath(source), raw=raw, timeout_s=timeout_s, follow=follow)
    if isinstance(source, Source):
        return source
    if isinstance(source, Iterable):
        return ArraySource(source)
    raise InvalidParameter(f"a {type(source).__name__} is no source; give a path, an address or an iterable of arrays")


def _from_text(text: str, *, raw: str | None, timeout_s: float, follow: bool) -> Source:
    if text == "-":
        if raw is None:
            raise InvalidParameter("frames on standard input have no header; give raw (--raw), as 640x480:gray8@30")
        return RawPipe(parsed(raw))
    if raw is not None:
        raise InvalidParameter(f"raw (--raw) is for frames on standard input, not for {text!r}; leave it out")
    address = _camera(text) or _network(text)
    if address is not None:
        return VideoSource(address, timeout_s=timeout_s)
    path = Path(text)
    if path.is_dir():
        return FillingFolder(path, timeout_s=timeout_s, follow=follow)
    if not path.exists():
        raise UnreadableFile(f"cannot read {text!r}: no such file, folder, camera or address")
    return VideoSource(Address(str(path.absolute()), text), timeout_s=timeout_s)


def without_password(url: str) -> str:
    """An address as it may be shown."""
    parts = urlsplit(url)
    _, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"***@{host}")) if at and parts.scheme != "udp" else url


def _camera(text: str) -> Address | None:
    device = DEVICES.get(sys.platform, "v4l2")
    if re.fullmatch(r"/dev/video\d+", text):
        return Address(text, text, container=device, options=PROMPT, live=True)
    kind, colon, which = text.partition(":")
    if kind != "camera" or not colon:
        return None
    if device == "v4l2":
        url = f"/dev/video{which}" if which.isdecimal() else which
    elif device == "dshow":
        url = f"video={_camera_of_windows(int(which)) if which.isdecimal() else which}"
    else:
        url = which
    # avfoundation insists on a rate, and most cameras have 30.
    options = {**PROMPT, "framerate": "30"} if device == "avfoundation" else PROMPT
    return Address(url, text, container=device, options=options, live=True)


def _camera_of_windows(number: int) -> str:
    """The name of a camera, which dshow wants instead of a number."""
    devices = [
        device
        for device in load(Lazy("av:enumerate_input_devices", extra="video"))("dshow")
        if "video" in getattr(device, "media_types", ["video"])
    ]
    if number >= len(devices):
        raise UnreadableFile(f"there is no camera {number}; {len(devices)} found")
    return str(devices[number].name)


def _network(text: str) -> Address | None:
    scheme, separator, _ = text.partition("://")
    scheme = scheme.lower()
    if not separator:
        return None
    if scheme not in NETWORKS:
        raise InvalidParameter(f"{without_password(text)!r} is no source; use {', '.join(NETWORKS)}, or a path")
    live = None if scheme in MAYBE_LIVE else True
    return Address(text, without_password(text), options={**PROMPT, **NETWORKS[scheme]}, live=live)
