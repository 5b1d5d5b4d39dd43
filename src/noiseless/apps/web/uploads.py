"""Uploads: the parts of a form, from the network to a file of ours, no more at a time than one piece."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

import noiseless
from noiseless.apps.web.file_names import cleaned, kind_of, known_suffix
from noiseless.apps.web.records import StoredFile
from noiseless.apps.web.refusals import SLOW_CLIENT, Refusal
from noiseless.apps.web.service import Service

FILE, SETTINGS = "file", "settings"

LONGEST_FIELD = 2**16
"""Bytes of a part that is no file."""

PIECE = 2**20
"""Bytes that are gathered before they are written."""


@contextlib.asynccontextmanager
async def upload(request: Request, service: Service, *, with_settings: bool) -> AsyncIterator[tuple[StoredFile, str]]:
    """The file of a form as a stored file that is being read, and the text of its settings.

    Raises
    ------
    Refusal : the form is no such form, or too much.
    noiseless.NoiselessError : the file is of no known kind.
    """
    service.check_room(_length_of(request))
    boundary = _boundary_of(request)
    service.queue.uploading += 1
    key = service.store.new_folder()
    form = _Form(boundary, service.store.folder(key), {FILE, SETTINGS} if with_settings else {FILE})
    try:
        try:
            async with asyncio.timeout(service.limits.seconds):
                await _receive(request, form, service, key)
        except TimeoutError:
            raise Refusal("TimedOut", "the upload took too long", status=SLOW_CLIENT) from None
        except OSError as error:
            raise Refusal("StorageFull", f"the upload cannot be kept: {error.strerror}") from error
        name = cleaned(form.file_name)
        suffix = known_suffix(name)
        path = form.path.rename(form.path.with_name(f"upload{suffix}"))
        await asyncio.to_thread(_check_kind, path, suffix, name)
    except BaseException:
        service.store.delete(key)
        raise
    finally:
        form.close()
        service.queue.uploading -= 1
    yield service.add_file(key, name=name, suffix=suffix, size=form.size), form.settings.decode(errors="replace")


async def _receive(request: Request, form: "_Form", service: Service, key: str) -> None:
    most = service.limits.bytes
    try:
        async for chunk in request.stream():
            form.feed(chunk)
            if form.size > most:
                raise Refusal("TooLarge", f"the file has more than the {most} bytes that are allowed")
            if len(form.pending) > PIECE:
                service.store.note(key, form.size)
                service.check_disk(0)
                await asyncio.to_thread(form.write)
    except ClientDisconnect:
        raise Refusal("Cancelled", "the client went away") from None
    form.finish()
    await asyncio.to_thread(form.write)


def _check_kind(path: Path, suffix: str, name: str) -> None:
    """Refuse by the first bytes, which need no reader, what no worker could read."""
    if kind_of(suffix) != "image":
        if not path.stat().st_size:
            raise noiseless.UnreadableFile(f"{name!r} is empty (0 bytes); copy or download it again")
        return
    try:
        noiseless.files.format_of(path)
    except noiseless.NoiselessError as error:
        raise type(error)(str(error).replace(str(path), name)) from None


@dataclass
class _Form:
    """A form with one file, while its bytes arrive.

    Parameters
    ----------
    boundary : of its parts
    folder : where the file goes
    known : names of parts that there may be
    """

    boundary: bytes
    folder: Path
    known: set[str]
    file_name: str = ""
    size: int = 0
    settings: bytearray = field(default_factory=bytearray)
    pending: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.path = self.folder / "arriving"
        self._stream = self.path.open("xb")
        self._seen: set[str] = set()
        self._part = ""
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._ended = False
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_end": self._end,
        }
        self._parser = MultipartParser(self.boundary, callbacks)

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise Refusal("InvalidRequest", "the body is no multipart form") from None

    def finish(self) -> None:
        """There are no more."""
        if not self._ended:
            raise Refusal("InvalidRequest", "the body is no multipart form, or broke off")
        if FILE not in self._seen:
            raise Refusal("InvalidRequest", "the form has no part 'file'; send the file as curl -F file=@scan.dcm does")

    def write(self) -> None:
        """What has arrived, to disk; in a thread."""
        self._stream.write(self.pending)
        self._stream.flush()
        self.pending.clear()

    def close(self) -> None:
        """No more is written."""
        self._stream.close()

    def _begin(self) -> None:
        self._part, self._disposition = "", b""

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, parameters = parse_options_header(self._disposition)
        self._part = parameters.get(b"name", b"").decode(errors="replace")
        if self._part not in self.known:
            known = ", ".join(sorted(self.known))
            raise Refusal("InvalidRequest", f"the form has a part {self._part[:40]!r}; it may have {known}")
        if self._part in self._seen:
            raise Refusal("InvalidRequest", f"the form has several parts {self._part!r}; send one")
        self._seen.add(self._part)
        if self._part == FILE:
            self.file_name = parameters.get(b"filename", b"").decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part == FILE:
            self.pending.extend(data[start:end])
            self.size += end - start
        else:
            self.settings.extend(data[start:end])
            if len(self.settings) > LONGEST_FIELD:
                raise Refusal("TooLarge", f"{self._part} has more than {LONGEST_FIELD} bytes")

    def _end(self) -> None:
        self._ended = True


def _length_of(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _boundary_of(request: Request) -> bytes:
    kind, parameters = parse_options_header(request.headers.get("content-type", ""))
    boundary = parameters.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 70:
        raise Refusal("InvalidRequest", "the body is to be multipart/form-data with a part 'file'")
    return boundary
