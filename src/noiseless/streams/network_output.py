"""Sockets to write video into. PyAV's own know no time limit for what they write, and stop all of Python meanwhile."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from noiseless.errors import InvalidParameter

DATAGRAM_BYTES = 1316
"""Seven packets of MPEG-TS: the most that goes through an Ethernet in one piece."""

USUAL_PORTS = {"rtmp": 1935, "rtsp": 554}


class SocketOutput:
    """What PyAV writes bytes into; each write fails rather than last longer than the time limit.

    Parameters
    ----------
    send : bytes to the other side
    """

    def __init__(self, connection: socket.socket, send: Callable[[bytes], Any]) -> None:
        self._connection, self._send = connection, send

    def write(self, data: bytes) -> int:
        self._send(data)
        return len(data)

    def close(self) -> None:
        self._connection.close()


def to_datagrams(url: str, timeout_s: float) -> SocketOutput:
    """Datagrams to the host and port of an address, whether or not anybody listens."""
    parts = _checked(url)
    family, kind, protocol, _, address = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_DGRAM)[0]
    connection = socket.socket(family, kind, protocol)
    connection.settimeout(timeout_s)
    return SocketOutput(connection, lambda data: connection.sendto(data, address))


def to_connection(url: str, timeout_s: float) -> SocketOutput:
    """A connection to the host and port of an address."""
    parts = _checked(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout_s)
    return SocketOutput(connection, connection.sendall)


def to_server(url: str, timeout_s: float) -> str:
    """The address itself, for PyAV to speak to, once something at its host and port takes connections."""
    parts = _checked(url)
    socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout_s).close()
    return url


def check_address(url: str) -> None:
    """Refuse an address without a host or a port.

    Raises
    ------
    InvalidParameter : either is missing, or the port is no number.
    """
    _checked(url)


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        port = parts.port or USUAL_PORTS.get(parts.scheme)
    except ValueError:
        port = None
    host = parts.hostname
    if not host or port is None:
        raise InvalidParameter(f"an address of the scheme {parts.scheme!r} lacks its host or port; write HOST:PORT")
    # Without the user and the password, which the connection itself has no use for.
    return parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
