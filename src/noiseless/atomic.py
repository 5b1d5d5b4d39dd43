"""Outputs that appear whole or not at all."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from noiseless.errors import NoiselessError, UnwritableFile


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
    temporary = target.with_name(f".{target.stem[:40]}-{secrets.token_hex(6)}{target.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise UnwritableFile(f"cannot write in the folder of {str(path)!r}: {error.strerror}") from error
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
        raise UnwritableFile(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _mode_of_existing(path: Path, target: Path, *, overwrite: bool) -> int | None:
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise UnwritableFile(f"{str(path)!r} exists and is not a file; choose another name")
    if not overwrite:
        raise UnwritableFile(f"{str(path)!r} exists; replace it with --force (overwrite=True) or choose another name")
    return stat.S_IMODE(status.st_mode)


def _flush(path: Path) -> None:
    # Without this a crash after the rename can leave an empty file under the final name.
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
