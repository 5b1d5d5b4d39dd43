"""SQLite files of ROS 2 bags: copied, and messages put in their places, whatever the version of the tables."""

import contextlib
import errno
import os
import shutil
import sqlite3
from pathlib import Path

from .words import Change, Topics


def rewrite_sqlite(source: Path, target: Path, topics: Topics, change: Change) -> None:
    """Copy a file with the messages of some topics changed."""
    shutil.copyfile(source, target)
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as database:
        # A copy that fails is thrown away, and needs no journal; but a mode that stays in the file stays.
        if database.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        marks = ", ".join("?" * len(topics))
        listed = database.execute(
            f"SELECT id, topic_id, timestamp FROM messages WHERE topic_id IN ({marks}) ORDER BY timestamp, id",
            tuple(topics),
        ).fetchall()
        for number, topic, time in listed:
            (old,) = database.execute("SELECT data FROM messages WHERE id = ?", (number,)).fetchone()
            new = change(topics[topic], time, bytes(old))
            if new != old:
                _put(database, number, new)
        database.execute("COMMIT")


def _put(database: sqlite3.Connection, number: int, data: bytes) -> None:
    try:
        database.execute("UPDATE messages SET data = ? WHERE id = ?", (data, number))
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise
