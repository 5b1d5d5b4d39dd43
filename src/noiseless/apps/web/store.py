"""The folder of a server: everything it keeps lies there, and nothing of it outlives the server.

It is temporary, only its owner may enter it, and it holds a lock as long as its server lives. A server that was killed
cannot clear it; its workers do, and where they could not, the next server that starts: an unlocked folder has no owner.
"""

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "noiseless-serve-"

LOCK = "lock"

YOUNG = 60.0
"""Seconds in which a folder without a lock may be one that is being made."""


class Store:
    """A folder of folders, one for each file and each job, and how much they take."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX))  # for its owner alone
        # A lock that shows under its name is held.
        made = self.root / f"{LOCK}.new"
        self._lock = FileLock(made)
        self._lock.acquire()
        made.rename(self.root / LOCK)
        self._sizes: dict[str, int] = {}

    @property
    def used(self) -> int:
        """Bytes, with what is promised to uploads that are on their way."""
        return sum(self._sizes.values())

    def has_room_for(self, size: int) -> bool:
        """Whether so many more bytes may come."""
        return self.used + size <= self.limit

    def new_folder(self) -> str:
        """The key of a new folder: 192 random bits, which cannot be guessed."""
        key = secrets.token_urlsafe(24)
        self.folder(key).mkdir(mode=0o700)
        self._sizes[key] = 0
        return key

    def folder(self, key: str) -> Path:
        """Of a key that :meth:`new_folder` gave."""
        return self.root / key

    def note(self, key: str, size: int) -> None:
        """A folder takes so many bytes, now or soon."""
        if key in self._sizes:
            self._sizes[key] = size

    def measure(self, key: str) -> int:
        """Look how many bytes a folder takes."""
        size = 0
        for folder, _, names in os.walk(self.folder(key)):
            for name in names:
                with contextlib.suppress(OSError):
                    size += os.lstat(os.path.join(folder, name)).st_size
        self.note(key, size)
        return size

    def delete(self, key: str) -> None:
        """Remove a folder and all in it; that it is gone already is no error."""
        self._sizes.pop(key, None)
        shutil.rmtree(self.folder(key), ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        self._sizes.clear()
        self._lock.release()
        shutil.rmtree(self.root, ignore_errors=True)


def sweep() -> int:
    """Remove the folders of servers that were killed; how many there were."""
    return sum(_removed_if_dead(folder) for folder in list(_folders()))


def _folders() -> Iterator[Path]:
    """Those that are ours; another's, or a link, is left alone."""
    with os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if not entry.name.startswith(PREFIX):
                continue
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid()):
                    yield Path(entry.path)


def _removed_if_dead(folder: Path) -> bool:
    lock = folder / LOCK
    try:
        if not lock.exists():
            # Of one whose time lies far ahead, the clock was set back since; it would never be old.
            if abs(time.time() - folder.stat().st_mtime) < YOUNG:
                return False
        else:
            with FileLock(lock, timeout=0):
                pass
    except (Timeout, OSError):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True
