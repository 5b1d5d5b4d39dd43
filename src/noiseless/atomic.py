"""Outputs that appear whole or not at all."""

import contextlib
import hashlib
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
    try:
        temporary, lock = _begun(target, _make_file)
    except OSError as error:
        raise UnwritableFile(f"cannot write in the folder of {str(path)!r}: {reason(error)}") from error
    in_place = False
    try:
        if mode is not None:
            temporary.chmod(mode | stat.S_IRUSR | stat.S_IWUSR)  # a file that must not be written is replaced too
        yield temporary
        _flush(temporary)
        if mode is not None:
            temporary.chmod(mode)
        _mode_of_existing(path, target, overwrite=overwrite)  # another process may have been faster
        temporary.replace(target)
        in_place = True  # and its name is free for the next writer
    except NoiselessError:
        raise
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {reason(error)}") from error
    finally:
        if not in_place:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        _close(lock)


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
        _take_back(target)
        _check_folder(path, target, kind, is_kind, overwrite=overwrite)
    except NoiselessError:
        raise
    except (OSError, ValueError) as error:  # a NUL in the name
        raise UnwritableFile(f"cannot write {str(path)!r}: {error}") from error
    try:
        temporary, lock = _begun(target, Path.mkdir)
    except OSError as error:
        raise UnwritableFile(f"cannot write in the folder of {str(path)!r}: {reason(error)}") from error
    former, in_place = _former_of(temporary), False
    try:
        yield temporary
        _check_folder(path, target, kind, is_kind, overwrite=overwrite)  # another process may have been faster
        if former.exists():  # of another writer, who is about to remove it
            former = _former_of(_temporary_of(target, secrets.token_hex(6)))
        if target.exists():
            target.rename(former)
        temporary.rename(target)
        in_place = True
    except NoiselessError:
        raise
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {reason(error)}") from error
    finally:
        if former.exists() and not target.exists():
            former.rename(target)
        for left in (former,) if in_place else (temporary, former):
            shutil.rmtree(left, ignore_errors=True)
        _close(lock)


def _begun(target: Path, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """A temporary that is made beside ``target``, and a lock that lasts as long as its writer.

    Its name follows from that of the target, so that that of a killed writer is found, and removed. Whoever holds the
    lock owns it; where another does, this one takes a name of its own.
    """
    usual = _usual_temporary(target)
    with _abandoned(usual) as is_abandoned:
        if is_abandoned:
            with contextlib.suppress(OSError):
                shutil.rmtree(usual) if usual.is_dir() else usual.unlink()
    with contextlib.suppress(FileExistsError, BlockingIOError):
        make(usual)
        return usual, _locked(usual)  # another may have taken it for abandoned between the two
    own = _temporary_of(target, secrets.token_hex(6))
    make(own)
    return own, _locked(own)


def _usual_temporary(target: Path) -> Path:
    return _temporary_of(target, hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest())


def _temporary_of(target: Path, token: str) -> Path:
    return target.with_name(f".{target.stem[:STEM_LETTERS]}-{token}{target.suffix}")


def _former_of(temporary: Path) -> Path:
    return temporary.with_name(temporary.name.removesuffix(temporary.suffix) + FORMER)


def _take_back(target: Path) -> None:
    """Let a folder have its place again that a writer put aside who was killed before another took it."""
    usual = _usual_temporary(target)
    former = _former_of(usual)
    if not former.is_dir():
        return
    with _abandoned(usual) as is_abandoned:
        if is_abandoned or not usual.exists():
            shutil.rmtree(former, ignore_errors=True) if target.exists() else former.rename(target)


def _make_file(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of what is there; None where the system has no locks.

    Raises
    ------
    BlockingIOError : another holds it, or has just removed it.
    """
    try:
        import fcntl
    except ImportError:  # Windows, which does not let two processes write one file anyway
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BlockingIOError from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:  # a file system without locks
        os.close(descriptor)
        return None
    os.close(descriptor)
    raise BlockingIOError


@contextlib.contextmanager
def _abandoned(path: Path) -> Iterator[bool]:
    """Whether it is there, is ours, and nobody writes it any more; nobody can begin to, meanwhile."""
    lock = None
    try:
        if path.lstat().st_uid == os.geteuid():
            lock = _locked(path)
    except (OSError, AttributeError):  # none is there, or another holds it; Windows has no users of that kind
        lock = None
    try:
        yield lock is not None
    finally:
        _close(lock)


def _close(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


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
