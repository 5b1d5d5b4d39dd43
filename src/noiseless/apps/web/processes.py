"""Worker processes from outside: started, asked, listened to, and killed.

Messages are JSON, not pickles: a worker reads files of strangers, and its server need not trust what it says to run it.
"""

import asyncio
import contextlib
import json
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]

GONE = {"gone": True}
"""What is heard last of a worker."""


@dataclass(frozen=True)
class Start:
    """How a worker begins.

    Parameters
    ----------
    root : the folder of the server, which a worker that outlives its server removes
    threads : that it may use; 0: as the environment has it, usually one a core
    memory_bytes, pixels : see :class:`.limits.Limits`
    device : where images are denoised
    """

    root: str
    threads: int
    memory_bytes: int
    pixels: int
    device: str


class WorkerProcess:
    """One process, which does one task at a time. Used from the loop of the server alone."""

    def __init__(self, start: Start, heard: Callable[["WorkerProcess", Message], None]) -> None:
        self.ready = False
        self.alive = True
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        # Not imported here: the name is enough for the process that runs it.
        from noiseless.apps.web.worker import run

        self._process = context.Process(target=run, args=(theirs, start), name="noiseless-worker", daemon=True)
        self._process.start()
        theirs.close()
        threading.Thread(target=self._listen, args=(self._ours,), daemon=True, name="worker-listener").start()

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    def ask(self, message: Message) -> None:
        """Give it a task; a process that has just died is heard of in a moment."""
        with contextlib.suppress(OSError, ValueError):
            self._ours.send_bytes(json.dumps(message).encode())

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self.alive = False
        self._process.kill()

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        self._process.join(seconds)

    def _listen(self, connection: Connection) -> None:
        """In a thread: messages, until the process closes its end or dies."""
        with contextlib.suppress(EOFError, OSError, ValueError):
            while True:
                self._tell(json.loads(connection.recv_bytes()))
        self._process.join()
        connection.close()
        self._tell(GONE | {"code": self._process.exitcode})

    def _tell(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._heard, self, message)
