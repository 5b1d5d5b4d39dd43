"""Outputs that appear whole or not at all."""

import contextlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from noiseless.errors import NoiselessError, UnwritableFile, reason

STEM_LETTERS = 40
"""Of a name that stand in that of its temporary."""

TEMPORARY = re.compile(r"\.(?P<stem>.*)-[0-9a-f]{12}(?P<suffix>\.[^.]*)?", re.DOTALL)
"""The name of a temporary, for who cleans up after a process that was killed."""

FORMER = ".former"
"""The suffix of a folder that was put aside for another to take its place."""


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuse, before the work, an output that :func:`replacing` would refuse after it.

    Raises
    ------
    UnwritableFile : it exists, and ``overwrite`` is false.
    """
    if not overwrite and path.exists():
        raise exists(path)


def exists(path: Path) -> UnwritableFile:
    """What is wrong with an output that would replace another."""
    return UnwritableFile(f"{str(path)!r} exists; replace it with --force (overwrite=True) or choose another name")


@contextlib.contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    The temporary has the suffix of ``path``, for writers that look at it. A new file gets the permissions of any
    new file; one that replaces another gets those of the other. A symbolic link is followed, not replaced.

    Raises
    ------
    UnwritableFile : the file exists and ``overwrite`` is false; the folder is missing or cannot be written;
        the disk is full.
    """
    try:
        target = Path(os.path.realpath(path))
    except ValueError as error:  # a NUL in the name
        raise UnwritableFile(f"cannot write {str(path)!r}: {error}") from error
    mode = _mode_of_existing(path, target, overwrite=overwrite)
    temporary = target.with_name(f".{target.stem[:STEM_LETTERS]}-{secrets.token_hex(6)}{target.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise UnwritableFile(f"cannot write in the folder of {str(path)!r}: {reason(error)}") from error
    try:
        if mode is not None:
            temporary.chmod(mode)
        yield temporary
        _flush(temporary)
        _mode_of_existing(path, target, overwrite=overwrite)  # another process may have been faster
        temporary.replace(target)
    except NoiselessError:
        raise
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {reason(error)}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(
    path: Path, *, overwrite: bool = False, kind: str, is_kind: Callable[[Path], bool]
) -> Iterator[Path]:
    """As :func:`replacing`, for a folder that is one thing: a new one beside ``path`` takes its place at the end.

    Parameters
    ----------
    kind, is_kind : in a word what the folder is, and whether one that exists is that, and so may be replaced

    Raises
    ------
    UnwritableFile : it exists and ``overwrite`` is false; something else has its name; the place cannot be written; the
        disk is full.
    """
    try:
        target = Path(os.path.realpath(path))
        _check_folder(path, target, kind, is_kind, overwrite=overwrite)
    except NoiselessError:
        raise
    except (OSError, ValueError) as error:  # a NUL in the name
        raise UnwritableFile(f"cannot write {str(path)!r}: {error}") from error
    token = secrets.token_hex(6)
    temporary, former = (
        target.with_name(f".{target.stem[:STEM_LETTERS]}-{token}{end}") for end in (target.suffix, FORMER)
    )
    try:
        temporary.mkdir()
    except OSError as error:
        raise UnwritableFile(f"cannot write in the folder of {str(path)!r}: {reason(error)}") from error
    try:
        yield temporary
        _check_folder(path, target, kind, is_kind, overwrite=overwrite)  # another process may have been faster
        if target.exists():
            target.rename(former)
        temporary.rename(target)
    except NoiselessError:
        raise
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {reason(error)}") from error
    finally:
        if former.exists() and not target.exists():
            former.rename(target)
        for left in (temporary, former):
            shutil.rmtree(left, ignore_errors=True)


def _check_folder(path: Path, target: Path, kind: str, is_kind: Callable[[Path], bool], *, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir() or not is_kind(target):
        raise UnwritableFile(f"{str(path)!r} exists and is no {kind}; choose another name")
    if not overwrite:
        raise exists(path)


def _mode_of_existing(path: Path, target: Path, *, overwrite: bool) -> int | None:
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnwritableFile(f"{str(path)!r} exists and is not a file; choose another name")
    if not overwrite:
        raise exists(path)
    return stat.S_IMODE(status.st_mode)


def _flush(path: Path) -> None:
    # Without this a crash after the rename can leave an empty file under the final name.
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
