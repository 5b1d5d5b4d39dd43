"""Who may ask, and how: the first that sees a request and the last that sees an answer.

* Host: a name by which this server is called, or an address. A page of elsewhere that points its own name at this
  machine (DNS rebinding) is refused.
* Origin, Sec-Fetch-Site: requests that pages of elsewhere make in a browser are refused.
* Authorization: the token, where there is one, under /api.
* Bodies: no longer than allowed, told or not, and not slower than a minute without a byte.
* Headers of every answer: no frames, no scripts of elsewhere, nothing kept, nothing guessed.
"""

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from noiseless.apps.web.refusals import SLOW_CLIENT, Refusal, problem
from noiseless.apps.web.service import Service

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

WITH_FILE = ("/api/files", "/api/denoise")

AROUND_FILE = 2**17
"""Bytes of a form besides its file."""

LONGEST_BODY = 2**16
"""Bytes of any other body."""

SILENCE = 60.0
"""Seconds that a client may be silent in the middle of a body."""

DRAINED_BYTES, DRAINED_SECONDS = 2**26, 5.0
"""Of a body that was refused: to hear the answer, most clients have to be let finish."""


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service
        self._names = {"localhost", *(name.lower().rstrip(".") for name in service.names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        with_file = scope["method"] == "POST" and path in WITH_FILE
        body = _Body(receive, headers, *((self.service.limits.bytes, AROUND_FILE) if with_file else (LONGEST_BODY, 0)))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                told.update(HEADERS)
                if not body.over:
                    await body.drain()
                    told["Connection"] = "close"
                told["Cache-Control"] = "no-store" if path.startswith("/api") else "no-cache"
            await send(message)

        try:
            self._check(headers, path)
            body.check_length()
        except Refusal as refusal:
            self.service.metrics.refused(refusal.name)
            await _refuse(refusal, answer)
            return
        await self.app(scope, body.receive, answer)

    def _check(self, headers: Headers, path: str) -> None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            raise Refusal("Forbidden", f"this server is not called {host[:80]!r}; use the address that it printed")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refusal("Forbidden", "requests by pages of other places are refused")
        if path.startswith("/api"):
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                raise Refusal("Forbidden", "requests by pages of other places are refused")
            self._check_token(headers.get("authorization", ""))

    def _check_token(self, authorization: str) -> None:
        token = self.service.token
        if token is None:
            return
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise Refusal(
                "Unauthorised",
                "this server asks for its token: Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name.rstrip(".") in self._names or is_address(name)


class _Body:
    """The body of a request, as it arrives; ``over`` when all of it has."""

    def __init__(self, receive: Receive, headers: Headers, told: int, more: int) -> None:
        self._receive, self._told, self._longest = receive, told, told + more
        length = headers.get("content-length", "0")
        self._length = int(length) if length.isdecimal() else 0
        self._size = 0
        self.over = not self._length and "transfer-encoding" not in headers
        # Such a client sends nothing before it is told to, as the first look at its body does.
        self._holds_back = headers.get("expect", "").lower() == "100-continue"

    def check_length(self) -> None:
        """Refuse at once a body that says that it is too long."""
        if self._length > self._longest:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next piece."""
        if self.over:
            return await self._receive()
        self._holds_back = False
        try:
            message = await asyncio.wait_for(self._receive(), SILENCE)
        except TimeoutError:
            raise Refusal("TimedOut", "the client fell silent", status=SLOW_CLIENT) from None
        self._size += len(message.get("body", b""))
        self.over = not message.get("more_body", False)
        if self._size > self._longest:
            raise self._too_large()
        return message

    async def drain(self) -> None:
        """Take in and forget what is on its way, within reason."""
        if self._holds_back:
            return
        try:
            async with asyncio.timeout(DRAINED_SECONDS):
                drained = 0
                while not self.over and drained < DRAINED_BYTES:
                    message = await self._receive()
                    drained += len(message.get("body", b""))
                    self.over = not message.get("more_body", False)
        except TimeoutError:
            pass

    def _too_large(self) -> Refusal:
        return Refusal("TooLarge", f"what is sent has more than the {self._told} bytes that are allowed")


def names_of(host: str, hostnames: Iterable[str]) -> tuple[str, ...]:
    """By which a server at ``host`` is called, besides its addresses."""
    return tuple(name for name in (host, *hostnames) if name and not is_address(name))


def is_address(name: str) -> bool:
    """Whether a host is an address: that is not made to mean another machine by who owns a name."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host.strip("[]")).is_loopback)


async def _refuse(refusal: Refusal, send: Send) -> None:
    body = json.dumps(problem(refusal.name, refusal.detail)).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **(refusal.headers or {})}
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status_code, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
