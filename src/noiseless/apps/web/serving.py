"""A server: its socket, its signals, and the one line that it prints."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from types import FrameType
from typing import Any
from urllib.parse import quote

import uvicorn

import noiseless
from noiseless.apps.web.application import application_of
from noiseless.apps.web.guarding import is_loopback, names_of
from noiseless.apps.web.limits import Limits
from noiseless.apps.web.service import Service

SHORTEST_TOKEN = 16

EVERYWHERE = ("0.0.0.0", "::", "")
"""Hosts that are all addresses of a machine."""

MOST_CONNECTIONS = 900
"""Systems let a process have about a thousand open files."""

FAREWELL = 3
"""Seconds that answers which are on their way have when the server is stopped."""


def serve(
    *,
    host: str,
    port: int,
    token: str | None,
    limits: Limits,
    device: str,
    names: tuple[str, ...] = (),
    tell: Callable[[str], None],
    open_browser: bool = False,
) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    host, port : where it listens; port 0: any that is free
    token : that requests must bear; needed where other machines reach the host
    names : by which browsers may call it, as behind a proxy
    tell : given the URL when it can be opened

    Raises
    ------
    noiseless.InvalidParameter : a host that others reach without a token; a token that is short; an address that
        is in use, or is not of this machine.
    noiseless.NoiselessError : no worker can begin, as where the device is not there.
    """
    _check_token(host, token)
    with _bound(host, port) as listening:
        number = listening.getsockname()[1]
        shown = socket.gethostname() if host in EVERYWHERE else f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{number}/" + (f"#token={quote(token, safe='')}" if token else "")
        hostnames = () if is_loopback(host) else (socket.gethostname(), socket.getfqdn())
        service = Service(limits, token, device, names_of(host, (*hostnames, *names)))

        def started() -> None:
            tell(url)
            if open_browser:  # some browsers return when they are closed
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

        config = uvicorn.Config(
            application_of(service),
            http="h11",  # its headers are bounded; those of the other parser, where that is installed, are not
            ws="none",
            lifespan="on",
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=FAREWELL,
            timeout_keep_alive=30,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        server = _Server(config, service, started)
        try:
            _run(server, listening)
        finally:
            service.clear()  # after a second Ctrl-C nothing else does
        if server.unfit:
            raise noiseless.NoiselessError(f"the workers cannot begin: {server.unfit}")


class _Server(uvicorn.Server):  # type: ignore[misc]  # mypy does not look into uvicorn
    """That of uvicorn, which tells when it has started, and ends the jobs before it waits for their answers."""

    def __init__(self, config: uvicorn.Config, service: Service, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._tell = service, started
        self._loop: asyncio.AbstractEventLoop | None = None
        self.unfit = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._service.queue.on_unfit = self._give_up
        self._tell()

    def _give_up(self, why: str) -> None:
        self.unfit, self.should_exit = why, True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal asks for the end."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._service.begin_stop)


def _run(server: _Server, listening: socket.socket) -> None:
    """Until a signal; uvicorn raises that again when it has ended, and then it means nothing more."""
    kept = {number: signal.signal(number, _ignored) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _ignored(number: int, frame: Any) -> None:
    """It was heard already."""


def _check_token(host: str, token: str | None) -> None:
    if token is None:
        if not is_loopback(host):
            raise noiseless.InvalidParameter(
                f"other machines reach {host!r}, so requests must bear a token: give --token, or leave --host out"
            )
        return
    if len(token) < SHORTEST_TOKEN or not token.isascii() or any(c.isspace() or not c.isprintable() for c in token):
        raise noiseless.InvalidParameter(
            f"the token has {len(token)} characters; give {SHORTEST_TOKEN} or more letters and digits, by chance"
        )


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
        except BaseException:
            made.close()
            raise
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise noiseless.InvalidParameter(f"cannot listen at {host}:{port}: {why}; choose another --port") from error
    return made
