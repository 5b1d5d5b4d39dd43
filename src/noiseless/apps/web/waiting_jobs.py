"""The bounded queue, and the workers that empty it."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from noiseless.apps.web.limits import Limits
from noiseless.apps.web.metrics import Metrics
from noiseless.apps.web.processes import Message, Start, WorkerProcess
from noiseless.apps.web.records import WAITING, Job, Watched
from noiseless.apps.web.refusals import Refusal
from noiseless.threads import cores

logger = logging.getLogger(__name__)

FILES_IN_A_ROW = 4
"""Uploads are read before jobs are begun, as that is quick; but no more than so many while a job waits."""

PATIENCE = 5.0
"""Seconds before another worker is started where one died before it could work."""

LONGEST_RETRY = 60


Hire: TypeAlias = Callable[[Start, Callable[[WorkerProcess, Message], None]], WorkerProcess]
"""What starts a worker, given whom it speaks to."""


@dataclass(eq=False)
class Task:
    """Work for a worker.

    Parameters
    ----------
    message : to it
    record : of which it is
    state : of the record while the work is done
    ended : told what came of it: what the worker found, or None and the name and the words of an error
    """

    message: Message
    record: Watched
    state: str
    ended: Callable[[dict[str, Any] | None, tuple[str, str] | None], None]
    began: float = field(default=0.0, init=False)
    timer: asyncio.TimerHandle | None = field(default=None, init=False)

    @property
    def is_job(self) -> bool:
        """Or the reading of a file."""
        return isinstance(self.record, Job)


class WaitingJobs:
    """Tasks in their order, and the processes that do them. To be used in one event loop.

    ``uploading`` is the number of files that are on their way, and have a place among those that wait; ``promised``
    that of jobs whose files have to be read first. ``on_unfit`` is told why, where not even the first worker can begin.
    """

    def __init__(self, limits: Limits, metrics: Metrics, hire: Hire, *, root: str, device: str) -> None:
        self.limits, self.metrics, self._hire = limits, metrics, hire
        threads = max(1, cores() // limits.workers) if limits.workers > 1 else 0
        self._start = Start(root, threads, limits.memory_bytes, limits.pixels, device)
        self._files: deque[Task] = deque()
        self._jobs: deque[Task] = deque()
        self._files_in_a_row = 0
        self._mean_seconds = 1.0
        self._workers: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Task] = {}
        self._stopped = self._fit = False
        self.on_unfit: Callable[[str], None] | None = None
        self.uploading = self.promised = 0
        metrics.watch("waiting_files", "Uploads that wait to be read.", lambda: len(self._files))
        metrics.watch("waiting_jobs", "Jobs that wait.", lambda: len(self._jobs))
        metrics.watch("busy_workers", "Workers that have a task.", lambda: len(self._busy))
        metrics.watch("ready_workers", "Workers that are alive and loaded.", lambda: self.ready)

    @property
    def ready(self) -> int:
        """Workers that are alive and loaded."""
        return sum(worker.ready and worker.alive for worker in self._workers)

    @property
    def alive(self) -> int:
        """Workers that are alive; some may still be loading."""
        return sum(worker.alive for worker in self._workers)

    def pids(self) -> list[int]:
        """Of the workers."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def start(self) -> None:
        """Start the workers; they load in the background."""
        for _ in range(self.limits.workers):
            self._employ()

    def begin_stop(self) -> None:
        """End everything; who waits is told."""
        self._stopped = True
        stopped = "Cancelled", "the service was stopped"
        for task in [*self._files, *self._jobs, *self._busy.values()]:
            if task.timer is not None:
                task.timer.cancel()
            task.ended(None, stopped)
        self._files.clear()
        self._jobs.clear()
        self._busy.clear()
        for worker in self._workers:
            worker.kill()

    async def stop(self) -> None:
        """Wait until the workers have ended."""
        await asyncio.gather(*(asyncio.to_thread(worker.join, 5.0) for worker in self._workers))

    def check_room(self, *, for_job: bool) -> None:
        """Refuse more than may wait.

        Raises
        ------
        Refusal : QueueFull, with the seconds after which it may be worth to ask again.
        """
        if self._stopped:
            raise Refusal("Stopped", "the service is being stopped")
        waiting = len(self._jobs) + self.promised if for_job else len(self._files) + self.uploading
        idle = self.limits.workers - len(self._busy)
        if waiting - max(idle, 0) < self.limits.waiting:
            return
        ahead = len(self._jobs) + len(self._files) + 1
        seconds = math.ceil(min(max(1.0, self._mean_seconds * ahead / self.limits.workers), LONGEST_RETRY))
        kind = "jobs" if for_job else "uploads"
        raise Refusal(
            "QueueFull",
            f"{waiting} {kind} wait already, and no more than {self.limits.waiting} may; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )

    def add(self, task: Task) -> None:
        """Put a task at the end."""
        (self._jobs if task.is_job else self._files).append(task)
        self._dispatch()

    def cancel(self, record: Watched) -> None:
        """Forget the task of a record; the process that does it ends."""
        for queue in (self._files, self._jobs):
            for task in [task for task in queue if task.record is record]:
                queue.remove(task)
        for worker in [worker for worker, task in self._busy.items() if task.record is record]:
            self._forget(worker)
            self._replace(worker)
        self._dispatch()

    def _dispatch(self) -> None:
        for worker in self._workers:
            if self._stopped or not (worker.ready and worker.alive) or worker in self._busy:
                continue
            task = self._next()
            if task is None:
                break
            self._busy[worker] = task
            task.began = time.monotonic()
            task.timer = asyncio.get_running_loop().call_later(self.limits.seconds, self._late, worker, task)
            task.record.change(task.state)
            worker.ask(task.message)
        for place, task in enumerate(self._jobs, 1):
            if isinstance(task.record, Job) and task.record.place != place:
                task.record.place = place
                task.record.change(WAITING)

    def _next(self) -> Task | None:
        files_first = self._files and not (self._jobs and self._files_in_a_row >= FILES_IN_A_ROW)
        queue = self._files if files_first else self._jobs
        self._files_in_a_row = self._files_in_a_row + 1 if files_first else 0
        return queue.popleft() if queue else None

    def _heard(self, worker: WorkerProcess, message: Message) -> None:
        task = self._busy.get(worker)
        if "gone" in message:
            self._lost(worker, message["code"])
        elif "ready" in message:
            worker.ready = self._fit = True
        elif "unfit" in message:
            if self.on_unfit is not None and not self._fit:
                self.on_unfit(message["unfit"])
            else:
                logger.warning("a worker cannot begin: %s", message["unfit"])
            return
        elif task is None:
            pass  # of a task that was cancelled meanwhile
        elif "share" in message:
            if isinstance(task.record, Job):
                task.record.share, task.record.text = message["share"], message["text"]
                task.record.change()
            return
        elif "found" in message:
            task.record.change(**message["found"])
            return
        else:
            self._forget(worker)
            failed = message.get("failed")
            if failed is None:
                seconds = time.monotonic() - task.began
                self._mean_seconds += 0.1 * (seconds - self._mean_seconds)
                self.metrics.took("denoise" if task.is_job else "read", seconds)
            task.ended(message.get("done"), failed and (failed["name"], failed["message"]))
        self._dispatch()

    def _late(self, worker: WorkerProcess, task: Task) -> None:
        if self._busy.get(worker) is not task:
            return
        self._forget(worker)
        self._replace(worker)
        task.ended(None, ("TimedOut", f"it took longer than the {self.limits.seconds:g} s that are allowed"))
        self._dispatch()

    def _lost(self, worker: WorkerProcess, code: int | None) -> None:
        """A worker has ended; where that was not asked for, its task has failed, and another takes its place."""
        if worker not in self._workers or self._stopped:
            return
        task = self._busy.get(worker)
        self._forget(worker)
        worker.alive = False
        logger.warning("a worker ended by itself, with code %s", code)
        if worker.ready:
            self._replace(worker)
        else:
            self._workers.remove(worker)
            asyncio.get_running_loop().call_later(PATIENCE, self._employ)
        if task is not None:
            task.ended(None, ("WorkerDied", "the process that worked on it died, perhaps for want of memory"))

    def _forget(self, worker: WorkerProcess) -> None:
        task = self._busy.pop(worker, None)
        if task is not None and task.timer is not None:
            task.timer.cancel()

    def _replace(self, worker: WorkerProcess) -> None:
        self._workers.remove(worker)
        worker.kill()
        self._employ()

    def _employ(self) -> None:
        if not self._stopped:
            self._workers.append(self._hire(self._start, self._heard))
