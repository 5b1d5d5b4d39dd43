"""The parts of a video that is being written, in a folder beside it: what a later run finds after a crash.

A part is a short video file that is finished, with a list of its times. Its list appears, whole, after all that
belongs to the part; what has no list is not done. The folder is of one source, one coding and one manner of denoising:
what was begun with others is not gone on with.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import UnwritableFile, reason

logger = logging.getLogger(__name__)

State = Mapping[str, NDArray[Any]]

JOB, LOCK = "job.json", "lock"

DAMAGE = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
"""What NumPy raises on damaged states."""

HEAD_BYTES = 2**20
"""Of the source, that must be the same."""


@dataclass(frozen=True)
class Part:
    """A finished part.

    Parameters
    ----------
    path : of its file
    times : of its packets, in their order in the file, in ticks of the result
    """

    path: Path
    times: tuple[int, ...]


class PartsFolder:
    """The folder of the parts of one result.

    Parameters
    ----------
    target : the result
    suffix : of the files of the parts
    job : what must be the same for going on, as plain values
    resume : whether to go on with what is there

    Raises
    ------
    UnwritableFile : the folder cannot be made, or another run writes to it.
    """

    def __init__(self, target: Path, suffix: str, job: Mapping[str, Any], *, resume: bool) -> None:
        self.path = target.with_name(f".{target.name}.parts")
        self._suffix = suffix
        wanted = json.dumps(job, sort_keys=True)
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            if self.path.is_symlink():  # another's, where others can write: all that it leads to would be cleared
                raise UnwritableFile(
                    f"{str(self.path)!r} is a link, and parts of a video are kept under that name; remove it"
                )
            self._lock = _locked(self.path / LOCK, target)
            if not (resume and self._is_of(wanted)):
                self._clear()
            _write_whole(self.path / JOB, wanted.encode())
        except UnwritableFile:
            raise
        except OSError as error:
            raise UnwritableFile(f"cannot write in the folder of {str(target)!r}: {reason(error)}") from error
        self.done = self._found()
        try:
            self.state = self._state_of(len(self.done) - 1)
        except DAMAGE:
            logger.warning("the state in %r is damaged; it starts anew", str(self.path))
            self._clear()
            _write_whole(self.path / JOB, wanted.encode())
            self.done, self.state = [], None

    def next_path(self) -> Path:
        """Of the file of the part that comes next."""
        return self.path / f"{len(self.done):06d}{self._suffix}"

    def add(self, times: Sequence[int], state: State | None) -> None:
        """Take up the part whose file is finished."""
        number, path = len(self.done), self.next_path()
        _flush(path)
        if state is not None:
            state_path = self._state_path(number)
            with state_path.open("wb") as stream:
                np.savez(stream, **{name: np.asarray(held) for name, held in state.items()})  # type: ignore[arg-type]
            _flush(state_path)
        _write_whole(path.with_suffix(".json"), json.dumps({"times": list(times)}).encode())
        self.done.append(Part(path, tuple(times)))
        self._state_path(number - 1).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave the folder for a later run."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def discard(self) -> None:
        """Remove the folder."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def _is_of(self, wanted: str) -> bool:
        with contextlib.suppress(OSError):
            held = (self.path / JOB).read_bytes()
            if held != wanted.encode():
                logger.warning("%r was begun otherwise; it starts anew", str(self.path))
            return held == wanted.encode()
        return False

    def _clear(self) -> None:
        for path in self.path.iterdir():
            if path.name != LOCK:
                path.unlink()

    def _found(self) -> list[Part]:
        found: list[Part] = []
        while True:
            path = self.path / f"{len(found):06d}{self._suffix}"
            try:
                times = tuple(json.loads(path.with_suffix(".json").read_bytes())["times"])
            except (OSError, ValueError, LookupError, TypeError, RecursionError):
                return found
            if not path.is_file() or not all(type(time) is int for time in times):
                return found
            found.append(Part(path, times))

    def _state_of(self, number: int) -> dict[str, NDArray[Any]] | None:
        path = self._state_path(number)
        if not path.is_file():
            return None
        with path.open("rb") as stream, np.load(stream) as held:  # np.load leaves a damaged file open
            return {name: held[name] for name in held.files}

    def _state_path(self, number: int) -> Path:
        return self.path / f"{number:06d}.npz"


def fingerprint(path: Path) -> dict[str, Any]:
    """Of a source: what is different when it is another file."""
    status = path.stat()
    with path.open("rb") as stream:
        head = hashlib.sha256(stream.read(HEAD_BYTES)).hexdigest()
    return {"bytes": status.st_size, "modified": status.st_mtime_ns, "head": head}


def _locked(path: Path, target: Path) -> BinaryIO | None:
    """A lock that ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows, which does not let two processes write one file anyway
        return None
    stream = path.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.close()
        raise UnwritableFile(
            f"{str(target)!r} is being written by another run; wait for it, or choose another name"
        ) from error
    except OSError:  # a file system without locks
        logger.debug("no lock on %s", path)
    return stream


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    _flush(temporary)
    temporary.replace(path)


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
