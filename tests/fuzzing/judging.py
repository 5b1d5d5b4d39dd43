"""What is a right answer to a damaged file, and what is not.

Right is a picture (or a source that is read in parts, of which a part is read too) that keeps every promise of
``Image``, twice the same, or one of the errors of noiseless for its inputs, in one line that names the file. All else
is a finding: another error, a warning, memory that was asked for in vain, files left behind or left open.
"""

import ctypes
import gc
import logging
import os
import re
import shutil
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzzing.mutation import Case
from noiseless.errors import InvalidImage, MissingExtra, NoiselessError, UnreadableFile, UnsupportedFormat

INPUT = "fuzzed"
SCRATCH = "scratch"
OURS = (INPUT, SCRATCH, "noise", "tally", "tally.new", "beat", "beat.new")
INPUT_ERRORS = (UnreadableFile, UnsupportedFormat, MissingExtra, InvalidImage)
LONGEST_LINE = 2000
QUOTED = (".txt", ".toml")

MEMORY = ("out of memory", "cannot allocate", "unable to allocate", "not enough memory", "sufficient memory")
"""What messages of libraries say when there is none."""

MOST_GROWTH = 2**29
"""Bytes of memory that an input may fill for a while: what is allowed needs a tenth."""

FILLED = 3
"""Of so many inputs one is read with fresh memory filled; the others show how much of it is touched."""

FILL = -6
"""Of glibc's mallopt: with which byte fresh memory is filled. What is read from there differs between two times."""

Read = Callable[[Path], object]


class Finding(Exception):
    """Something that is wrong; ``kind`` in a word, ``place`` where it came from."""

    def __init__(self, kind: str, detail: str, place: str = "") -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.place = kind, detail, place


@dataclass
class Ears(logging.Handler):
    """Hears what libraries log: a user would see it."""

    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("noiseless"):
            self.heard.append(f"{record.name}: {record.getMessage()[:100]}")

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class Trial:
    """A reader, and the folder that inputs are put into.

    Parameters
    ----------
    read : from the folder of an input to what it gave, in values that can be compared
    errors : that are right
    name : whether a message must name the file
    strict : whether nothing may ask for much memory; or else only what is filled counts. Python's ``read(n)`` of a file
        makes room for all that is asked for, without filling it; LibRaw and FFmpeg refuse 2 GiB by themselves.
    steady : whether the pixels must be the same twice. Where a stream of lossless JPEG is damaged, LibRaw says so on
        stderr and leaves the pixels as the memory was.
    """

    read: Read
    folder: Path
    errors: tuple[type[Exception], ...] = INPUT_ERRORS
    named: bool = True
    strict: bool = True
    steady: bool = True

    def __call__(self, case: Case) -> str:
        """Where the reader came to with an input: a picture of some kind, or an error raised at some place.

        Raises
        ------
        Finding : the answer was wrong.
        """
        self.put(case)
        open_before, left_before = _open_files(), self._left(case)
        filled = zlib.crc32(b"".join(case.values())) % FILLED == 0
        memory = _memory(fresh=True)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            result, place = self._once(0x5A if filled else 0)
            again, _ = self._once(0xA5 if filled else 0)
        if warned:
            first = warned[0]
            raise Finding("warning", f"{first.category.__name__}: {first.message}", f"{first.filename}:{first.lineno}")
        if result != again and (self.steady or kind_of(result) != kind_of(again)):
            raise Finding("unsteady", f"{str(result)[:300]} and then {str(again)[:300]}", place)
        if not filled and _memory() - memory > MOST_GROWTH:
            raise Finding("memory", f"{(_memory() - memory) >> 20} MiB were filled for a while", place)
        if _open_files() > open_before:
            gc.collect()
            if _open_files() > open_before:
                raise Finding("open files", f"{_open_files()} are open, before it were {open_before}")
        if left := self._left(case) - left_before:
            raise Finding("left behind", ", ".join(sorted(left))[:300])
        return place

    def put(self, case: Case) -> None:
        """Write the files of an input."""
        target = self.folder / INPUT
        shutil.rmtree(target, ignore_errors=True)
        for name, content in case.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(content)

    def _once(self, fill: int) -> tuple[object, str]:
        _fill_memory(fill)
        try:
            result = self.read(self.folder / INPUT)
        except Finding:
            raise
        except self.errors as error:
            if self.strict:
                _check_memory(error)
            line = str(error)
            if not line or "\n" in line or len(line) > LONGEST_LINE + self._quoted():
                raise Finding("message", repr(line[:400]), place_of(error)) from error
            if self.named and INPUT not in line and not isinstance(error, InvalidImage):
                raise Finding("nameless", repr(line[:400]), place_of(error)) from error
            return (type(error).__name__,), place_of(error)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            detail = f"{type(error).__name__}: {str(error)[:300]}\n{''.join(traceback.format_exception(error)[-6:])}"
            raise Finding("error", detail, place_of(error)) from error
        finally:
            _fill_memory(0)
        return result, f"{type(result).__name__} {kind_of(result)}"

    def _quoted(self) -> int:
        """What a message may be longer where it quotes all of the input."""
        return sum(12 * path.stat().st_size for path in (self.folder / INPUT).iterdir() if path.suffix in QUOTED)

    def _left(self, case: Case) -> set[str]:
        """What lies in the folders besides the input."""
        target, scratch = self.folder / INPUT, self.folder / SCRATCH
        left = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} - set(case)
        left |= {path.name for path in self.folder.iterdir() if path.name not in OURS}
        return left | {f"{SCRATCH}/{path.name}" for path in (scratch.iterdir() if scratch.is_dir() else ())}


def kind_of(result: object) -> str:
    """The part of a result that is of its kind and not of its content: its first element."""
    return str(result[0]) if isinstance(result, tuple) and result else ""


def place_of(error: BaseException) -> str:
    """Where an error and its causes were raised."""
    places = []
    seen: BaseException | None = error
    while seen is not None and len(places) < 4:
        frames = traceback.extract_tb(seen.__traceback__)
        last = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        places.append(f"{type(seen).__name__}@{last}")
        seen = seen.__cause__
    return " < ".join(places)


def _check_memory(error: BaseException) -> None:
    seen: BaseException | None = error
    while seen is not None:
        words = str(seen).lower()
        if isinstance(seen, MemoryError) or any(word in words for word in MEMORY):
            raise Finding("memory", f"{type(seen).__name__}: {str(seen)[:200]}", place_of(error)) from error
        seen = seen.__cause__ or seen.__context__


def _memory(*, fresh: bool = False) -> int:
    """Bytes that the process has filled at most; ``fresh``: from now on."""
    if not os.path.exists("/proc/self/clear_refs"):
        return 0
    if fresh:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return 1024 * int(found.group(1)) if found else 0


def _fill_memory(byte: int) -> None:
    if _LIBC is not None:
        _LIBC.mallopt(FILL, byte)


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def _libc() -> Any:
    try:
        library = ctypes.CDLL(None)
        library.mallopt  # noqa: B018
    except (OSError, AttributeError, TypeError):
        return None
    return library


_LIBC = _libc()


@contextmanager
def refusing_only() -> Iterator[list[str]]:
    """Within it errors of noiseless are right, and their names are put into the list: of writing, say."""
    refused: list[str] = []
    try:
        yield refused
    except NoiselessError as error:
        _check_memory(error)
        refused.append(type(error).__name__)
