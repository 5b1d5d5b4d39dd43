"""Workers that are processes of this machine: each with its share of the cores, none of them needed."""

import contextlib
import itertools
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from noiseless.errors import InvalidParameter
from noiseless.threads import SEAT, THREADS, usual_threads

from .workers import Item, Lost, Result

GRACE_S = 2.0
"""How long workers that are told to end have to take back what they began."""

MOST_FALSE_STARTS = 3
"""In a row."""

KILLED = "the process that denoised it was killed; perhaps memory was short: fewer --jobs, less --memory"

_READY, _RESULT, _ERROR = "ready", "result", "error"


class Processes:
    """Workers in processes of their own.

    Parameters
    ----------
    jobs : how many at most, 1 or more

    A process is told by OMP_NUM_THREADS to use its share of the cores: of as many as that variable says already, or
    else of those that this process may use; and by NOISELESS_SEAT which one it is, so that it takes a GPU of its own.
    One that is killed takes nothing with it but its item, which is tried once more at the end, when no other is at
    work. All of them end with this process, however that ends.

    Programs that use this need ``if __name__ == "__main__":``, since the processes begin by importing the program.

    Raises
    ------
    InvalidParameter : there are none.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise InvalidParameter(f"jobs is {jobs}; use 1 or more, usually half as many as there are cores")
        self.jobs = jobs
        self._crew: list[_Worker] = []

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """See :meth:`.Workers.map`.

        Raises
        ------
        InvalidParameter : the processes cannot begin.
        """
        told = pickle.dumps(function)
        tried: list[Item] = []
        try:
            for item, result in self._go(told, iter(items), self.jobs):
                if isinstance(result, Lost):
                    tried.append(item)
                else:
                    yield item, result
            self._end()
            yield from self._go(told, iter(tried), 1)
        finally:
            self._end()

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def _go(self, told: bytes, items: Iterator[Any], most: int) -> Iterator[tuple[Any, Any]]:
        false_starts = 0
        for item in itertools.islice(items, most):
            self._begin(told, item)
        while busy := [worker for worker in self._crew if worker.busy]:
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                kind, value = worker.heard()
                if kind == _READY:
                    worker.ready, false_starts = True, 0
                    continue
                if kind == _ERROR:
                    raise value
                item, dead = worker.item, kind is None
                if dead:
                    self._crew.remove(worker)
                    worker.process.join()
                    if not worker.ready:
                        false_starts += 1
                        _check_starts(false_starts, self.jobs)
                        self._begin(told, item)
                        continue
                # Before the result is told, so that nobody waits for who takes it.
                worker.busy = False
                for following in itertools.islice(items, 1):
                    if dead:
                        self._begin(told, following)
                    else:
                        worker.give(following)
                yield item, Lost(KILLED) if dead else value

    def _begin(self, told: bytes, item: Any) -> None:
        taken = {worker.seat for worker in self._crew}
        seat = next(number for number in itertools.count() if number not in taken)
        self._crew.append(_begun(told, item, self.jobs, seat))

    def _end(self) -> None:
        """Let the idle go, and stop the others."""
        crew, self._crew = self._crew, []
        for worker in crew:
            worker.dismiss()
        end = time.monotonic() + GRACE_S
        for worker in crew:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


@dataclass(eq=False)
class _Worker:
    """A process, the way to it, and what it was given; ``seat`` tells it from the others at work."""

    seat: int
    process: BaseProcess
    connection: Connection
    item: Any
    busy: bool = True
    ready: bool = False

    def give(self, item: Any) -> None:
        self.item, self.busy = item, True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; that is heard next
            self.connection.send(item)

    def heard(self) -> tuple[Any, Any]:
        """What it says; (None, None) where it is dead."""
        try:
            said: tuple[Any, Any] = self.connection.recv()
        except (EOFError, OSError):
            return None, None
        return said

    def dismiss(self) -> None:
        # An idle one sees the end of the pipe.
        self.connection.close()
        if self.busy:
            self.process.terminate()


def _begun(told: bytes, item: Any, jobs: int, seat: int) -> _Worker:
    """A new process that does an item first."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_serve, args=(its, told), daemon=True, name="noiseless")
    # In the environment from the start on: some libraries look at it when they are loaded, and only then.
    with _environment(THREADS, str(max(1, usual_threads() // jobs))), _environment(SEAT, str(seat)):
        process.start()
    its.close()
    worker = _Worker(seat, process, ours, item)
    worker.give(item)
    return worker


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _check_starts(failed: int, jobs: int) -> None:
    if failed >= MOST_FALSE_STARTS:
        raise InvalidParameter(
            f"jobs is {jobs}, and {failed} processes ended as they began; use 1, or where a program of yours calls "
            'this, put the call under if __name__ == "__main__"'
        )


def _serve(connection: Connection, told: bytes) -> None:
    """What such a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who gives the work
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        signal.signal(signal.SIGTERM, _stop)
        _work(connection, told)
    except (_Stopped, EOFError, OSError):
        os._exit(1)  # who gave the work has gone, or wants no more


def _work(connection: Connection, told: bytes) -> None:
    try:
        function = pickle.loads(told)
    except Exception as error:
        connection.send(_as_error(error))
        return
    connection.send((_READY, None))
    while True:
        sent = connection.recv_bytes()
        try:
            answer = pickle.dumps((_RESULT, function(pickle.loads(sent))))
        except Exception as error:
            answer = pickle.dumps(_as_error(error))
        connection.send_bytes(answer)


def _as_error(error: Exception) -> tuple[str, Exception]:
    """As it can be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return _ERROR, RuntimeError(f"{type(error).__name__}: {error}")
    return _ERROR, error


class _Stopped(BaseException):
    """The process is to end; not to be taken for an error of the work."""


def _stop(*_: object) -> None:
    raise _Stopped


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
