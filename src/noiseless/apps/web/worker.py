"""Worker processes from inside: one task after the other, until the server is gone."""

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noiseless.apps.web.processes import Start

SERVER_GONE = 3
"""The exit code of a worker whose server died."""

BETWEEN_REPORTS = 0.1
"""Seconds between two reports of how far a task is, in the same words."""

_clearing = threading.Lock()

FIRST_TO_GO = b"1000"
"""To Linux, where memory runs out: kill the worker, not its server."""


def run(connection: Connection, start: "Start") -> None:
    """The life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the server ends its workers
    os.umask(0o077)
    # Before anything reads it, as NumPy and the engine do when they are loaded.
    if start.threads:
        os.environ["OMP_NUM_THREADS"] = str(start.threads)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:
        file.write(FIRST_TO_GO)
    threading.Thread(target=_leave_with_server, args=(start.root,), daemon=True).start()

    def say(message: dict[str, Any]) -> None:
        connection.send_bytes(json.dumps(message, allow_nan=False).encode())

    try:
        from noiseless.apps.web import tasks

        tasks.warm_up(start)
    except Exception as error:
        # Another worker would fare no better.
        say({"unfit": f"{type(error).__name__}: {error}"})
        return
    say({"ready": True})
    with contextlib.suppress(EOFError, OSError):
        while True:
            say(_answer(json.loads(connection.recv_bytes()), start, tasks.TASKS, say))
    _clear(start.root)  # the server closed its end, and so it is gone


def _answer(
    message: dict[str, Any],
    start: "Start",
    tasks: dict[str, Callable[..., dict[str, Any]]],
    say: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Do a task, and tell what came of it."""
    import noiseless

    said: list[Any] = [0.0, ""]

    def progress(share: float, text: str) -> None:
        now = time.monotonic()
        if text != said[1] or now - said[0] > BETWEEN_REPORTS:
            said[:] = [now, text]
            say({"share": share, "text": text})

    def found(values: dict[str, Any]) -> None:
        say({"found": values})

    try:
        return {"done": tasks[message["task"]](message, start, progress, found)}
    except noiseless.NoiselessError as error:
        name, words = type(error).__name__, str(error)
    except MemoryError:
        name, words = "TooLarge", "there is not enough memory for it; give a smaller image, or a part of it"
    except Exception as error:
        traceback.print_exc()  # for who runs the server; the client learns no more than the kind
        name, words = "Failed", f"an unexpected {type(error).__name__}; the log of the server has more"
    return {"failed": {"name": name, "message": _without_paths(words, message)}}


def _without_paths(words: str, message: dict[str, Any]) -> str:
    """With the name that the client gave in place of paths of the server."""
    for path in (message["upload"], message["folder"]):
        words = words.replace(path, message["name"])
    return words


def _leave_with_server(root: str) -> None:
    """Wait for the end of the server; what it left on disk goes with it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        _clear(root)
        os._exit(SERVER_GONE)


def _clear(root: str) -> None:
    with _clearing:
        shutil.rmtree(root, ignore_errors=True)
