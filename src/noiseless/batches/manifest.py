"""The manifest of a folder of results: one line of JSON for each input that was finished, well or badly."""

import contextlib
import errno
import json
import logging
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseless.errors import UnreadableFile, UnwritableFile, reason

logger = logging.getLogger(__name__)

NAME = "manifest.jsonl"

DONE, FAILED, SKIPPED = "done", "failed", "skipped"
"""States of an input; the last is of a run, and in no manifest."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a line.

    Parameters
    ----------
    input : name of the input, relative to the folder of results
    outputs : names of the files and stores that it gives, likewise
    state : DONE or FAILED
    source, recipe : see :func:`.content_hash` and :func:`.recipe_key`
    results : the content hash of each output as it was written; None where it was not
    """

    input: str
    outputs: tuple[str, ...]
    state: str
    source: str | None
    recipe: str
    results: tuple[str | None, ...]

    def result_of(self, output: str) -> str | None:
        """What was written to an output."""
        return dict(zip(self.outputs, self.results, strict=True)).get(output)


class Manifest:
    """A manifest that is open for further lines; a context manager.

    Parameters
    ----------
    path : of its file, which is made where it is missing

    A last line that was broken off, as by a kill, is taken away: what it told of counts as not finished. ``records``
    has, by the name of each output that was written, the record of the last line that tells of its writing.

    Raises
    ------
    UnreadableFile, UnwritableFile : as is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _mend(path)
            self.records = {name: record for record in _records_in(path) for name in _written(record)}
        except OSError as error:
            raise UnreadableFile(f"cannot read the manifest {str(path)!r}: {reason(error)}") from error
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise UnwritableFile(f"cannot write the manifest {str(path)!r}: {reason(error)}") from error

    def add(self, fields: Mapping[str, Any]) -> None:
        """Write a line, in one go and through to the disk.

        Raises
        ------
        UnwritableFile : the disk is full, say. The manifest is then as before.
        """
        line = json.dumps(_finite(fields), allow_nan=False).encode() + b"\n"
        before = os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, before)
            raise UnwritableFile(f"cannot write the manifest {str(self.path)!r}: {reason(error)}") from error

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._file)


def _finite(value: Any) -> Any:
    """The value, with null for numbers that JSON cannot hold."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _written(record: Record) -> Iterator[str]:
    return (name for name, result in zip(record.outputs, record.results, strict=True) if result is not None)


def _records_in(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    known: dict[str, str] = {}  # of a million lines most have the same recipe
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                fields = json.loads(line)
                recipe = str(fields["recipe"])
                record = Record(
                    fields["input"],
                    tuple(fields["output"]),
                    fields["state"],
                    fields["source"],
                    known.setdefault(recipe, recipe),
                    tuple(fields["result"]),
                )
                record.result_of("")  # as many results as outputs
            except (ValueError, KeyError, TypeError):
                logger.warning("line %d of %r is none of a manifest; it is passed over", number, str(path))
                continue
            yield record


def _mend(path: Path) -> None:
    """Let the last line be a whole one."""
    if not path.exists():
        return
    with path.open("rb+") as stream:
        end = stream.seek(0, os.SEEK_END)
        start = _start_of_last_line(stream, end)
        stream.seek(start)
        rest = stream.read()
        if not rest:
            return
        try:
            json.loads(rest)
        except ValueError:
            stream.truncate(start)
        else:
            stream.write(b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def _start_of_last_line(stream: Any, end: int) -> int:
    """Where that begins which no end of a line follows; ``end`` where there is no such thing."""
    step, stop = 1 << 16, end
    while stop > 0:
        start = max(0, stop - step)
        stream.seek(start)
        found = stream.read(stop - start).rfind(b"\n")
        if found >= 0:
            return int(start + found + 1)
        stop = start
    return 0
