"""A server's files and jobs: taken in, given to workers, kept for a while, and cleared away."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from noiseless.apps.web import choices
from noiseless.apps.web.file_names import kind_of, name_of_result
from noiseless.apps.web.limits import Limits
from noiseless.apps.web.metrics import Metrics
from noiseless.apps.web.processes import WorkerProcess
from noiseless.apps.web.pyramids import bytes_of
from noiseless.apps.web.records import CANCELLED, DONE, FAILED, READING, READY, RUNNING, Job, StoredFile, Watched
from noiseless.apps.web.refusals import Refusal
from noiseless.apps.web.settings import check_for_file_of_frames, check_for_image, recipe_of
from noiseless.apps.web.store import Store, sweep
from noiseless.apps.web.waiting_jobs import Hire, Task, WaitingJobs

EXAMPLE_NAME = "example.png"

TOLD = ("report", "headline", "findings", "true_psnr")
"""Of what a worker says of its job, what clients are told as it is."""

BETWEEN_SWEEPS = 5.0
"""Seconds between two looks for what has been kept long enough."""


@dataclass
class Service:
    """What a server has. Used in its event loop alone.

    Parameters
    ----------
    limits : what it takes on
    token : that requests under /api must bear; None: none
    device : where images are denoised
    names : by which it may be called in the header Host, besides its addresses
    hire : starts a worker
    """

    limits: Limits = field(default_factory=Limits)
    token: str | None = None
    device: str = "cpu"
    names: tuple[str, ...] = ()
    hire: Hire = WorkerProcess

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.files: dict[str, StoredFile] = {}
        self.jobs: dict[str, Job] = {}
        self.stopping = False
        self.options: dict[str, Any] = {}

    async def start(self) -> None:
        """Make the folder, start the workers, and begin to look for what has been kept long enough."""
        self.store = Store(limit=self.limits.disk_bytes)
        self.queue = WaitingJobs(self.limits, self.metrics, self.hire, root=str(self.store.root), device=self.device)
        self.queue.start()
        self.metrics.watch("disk_bytes", "That files and results take.", lambda: self.store.used)
        self.metrics.watch("stored_files", "Files that are kept.", lambda: len(self.files))
        self.options = await asyncio.to_thread(self._options)
        self._sweeper = asyncio.create_task(self._sweep())
        self._broom = asyncio.create_task(asyncio.to_thread(sweep))  # of others, which died; it may take a while

    def begin_stop(self) -> None:
        """End all jobs; who waits for one is told so."""
        if not self.stopping:
            self.stopping = True
            self.queue.begin_stop()

    async def stop(self) -> None:
        """End all jobs, and leave nothing."""
        self.begin_stop()
        self._sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweeper
        await self.queue.stop()
        await self._broom
        await asyncio.to_thread(self.store.close)

    def clear(self) -> None:
        """The same at once, where there is no loop any more; it may have been done."""
        if hasattr(self, "store"):
            self.begin_stop()
            self.store.close()

    def file(self, key: str) -> StoredFile:
        """The file of a key.

        Raises
        ------
        Refusal : there is none.
        """
        stored: StoredFile = _found(self.files, key, "file")
        return stored

    def job(self, key: str) -> Job:
        """The job of a key.

        Raises
        ------
        Refusal : there is none.
        """
        job: Job = _found(self.jobs, key, "job")
        return job

    def check_room(self, size: int) -> None:
        """Refuse an upload that there is no room for.

        Raises
        ------
        Refusal : too many wait already, or the disk holds enough.
        """
        self.queue.check_room(for_job=False)
        self.check_disk(size)

    def check_disk(self, size: int) -> None:
        """Refuse so many more bytes where the disk holds enough.

        Raises
        ------
        Refusal : it does, or there are too many files.
        """
        if len(self.files) >= self.limits.files or not self.store.has_room_for(size):
            raise Refusal(
                "StorageFull",
                f"{len(self.files)} files take {self.store.used / 1e6:.0f} MB, and there is no room for more; "
                f"they are deleted {self.limits.minutes_kept:g} minutes after their last use, so try again later",
                headers={"Retry-After": "60"},
            )

    def add_file(self, key: str, *, name: str, suffix: str, size: int) -> StoredFile:
        """Take in an upload that lies in its folder already, and have it read."""
        stored = StoredFile(key, self.store.folder(key), name=name, suffix=suffix, size=size)
        self._have_read(stored, "read")
        return stored

    def add_example(self) -> StoredFile:
        """Have the example made."""
        self.check_room(0)
        key = self.store.new_folder()
        stored = StoredFile(key, self.store.folder(key), name=EXAMPLE_NAME, suffix=".png", clean_known=True)
        self._have_read(stored, "example")
        return stored

    def add_job(self, stored: StoredFile, given: Mapping[str, Any], *, admitted: bool = False) -> Job:
        """Have a file denoised.

        Parameters
        ----------
        given : settings, as they were said
        admitted : whether the job has its place in the queue already, and is one of a program, which wants no page

        Raises
        ------
        Refusal : the file is not ready, too many jobs wait, or the disk holds enough.
        noiseless.NoiselessError : the settings are out of range, contradict, or do not fit to the file.
        """
        if stored.state != READY:
            raise Refusal("NotReady", f"the file is {stored.state}; a job is begun when it is ready")
        recipe, noise = recipe_of(given)
        if stored.known["kind"] == "image":
            check_for_image(recipe, stored.known["picture"]["channels"])
        else:
            check_for_file_of_frames(recipe, noise, stored.known["kind"])
        if not admitted:
            self.queue.check_room(for_job=True)
        promised = _size_of_results(stored, with_error=recipe.error)
        if len(self.jobs) >= self.limits.files or not self.store.has_room_for(promised):
            raise Refusal("StorageFull", "there is no room for the results; delete files, or try again later")
        key = self.store.new_folder()
        self.store.note(key, promised)
        job = Job(key, self.store.folder(key), file=stored, settings=dict(given))
        self.jobs[key] = stored.jobs[key] = job
        stored.touch()
        message = {
            "task": "denoise",
            "upload": str(stored.upload),
            "folder": str(job.folder),
            "name": stored.name,
            "kind": stored.known["kind"],
            "unit": stored.known.get("picture", {}).get("unit", ""),
            "settings": dict(given),
            "page": not admitted,
        }

        def ended(done: dict[str, Any] | None, error: tuple[str, str] | None) -> None:
            if done is None:
                self.store.delete(key)
                job.change(CANCELLED if error and error[0] == "Cancelled" else FAILED, error=error)
            else:
                self.store.measure(key)
                job.share, job.text = 1.0, ""
                job.maps = {"limits": done.get("limits", {}), "levels": done.get("levels", 0)}
                job.result = done["suffix"]
                job.change(DONE, **_told(stored, done))
            self.metrics.job_ended(job.state)

        self.queue.add(Task(message, job, RUNNING, ended))
        return job

    def delete_job(self, job: Job) -> None:
        """Cancel a job, and remove what there is of it."""
        self.queue.cancel(job)
        self.jobs.pop(job.key, None)
        job.file.jobs.pop(job.key, None)
        self.store.delete(job.key)
        if not job.over:
            job.change(CANCELLED)
            self.metrics.job_ended(CANCELLED)

    def delete_file(self, stored: StoredFile) -> None:
        """Remove a file with all its jobs."""
        for job in list(stored.jobs.values()):
            self.delete_job(job)
        self.queue.cancel(stored)
        self.files.pop(stored.key, None)
        self.store.delete(stored.key)
        if not stored.over:
            stored.change(FAILED, error=("Cancelled", "the file was deleted"))

    def _have_read(self, stored: StoredFile, task: str) -> None:
        self.files[stored.key] = stored
        self.store.note(stored.key, stored.size)
        message = {
            "task": task,
            "upload": str(stored.upload),
            "folder": str(stored.folder),
            "name": stored.name,
            "kind": kind_of(stored.suffix),
        }

        def ended(done: dict[str, Any] | None, error: tuple[str, str] | None) -> None:
            if done is None:
                self.store.delete(stored.key)
                stored.change(FAILED, error=error)
                self.metrics.refused(error[0] if error else "")
            else:
                self.store.measure(stored.key)
                stored.size = done.pop("bytes", stored.size)
                stored.change(READY, **done)
            self.metrics.file_read(stored.state)

        self.queue.add(Task(message, stored, READING, ended))

    def _options(self) -> dict[str, Any]:
        limits = self.limits
        told = {name: getattr(limits, name) for name in ("bytes", "pixels", "seconds", "waiting", "minutes_kept")}
        return {**choices.options(), "limits": told, "token": self.token is not None}

    async def _sweep(self) -> None:
        """Every few seconds, for as long as the server lives."""
        while True:
            await asyncio.sleep(min(BETWEEN_SWEEPS, self.limits.minutes_kept * 60.0))
            before = time.monotonic() - self.limits.minutes_kept * 60.0
            for job in [job for job in self.jobs.values() if _is_idle(job, before)]:
                self.delete_job(job)
            for stored in [stored for stored in self.files.values() if _is_idle(stored, before)]:
                if not stored.jobs:
                    self.delete_file(stored)


def _is_idle(record: Watched, before: float) -> bool:
    return record.over and not record.watchers and record.used < before


def _found(records: Mapping[str, Any], key: str, kind: str) -> Any:
    record = records.get(key)
    if record is None:
        raise Refusal("NotFound", f"there is no {kind} of this id; it was never there, or was deleted meanwhile")
    record.touch()
    return record


def _size_of_results(stored: StoredFile, *, with_error: bool) -> int:
    picture = stored.known.get("picture")
    if picture is None:
        return 2 * stored.size
    pixels = picture["width"] * picture["height"] * picture["slices"]
    values = pixels * picture["channels"]
    itemsize = np.dtype(picture["dtype"]).itemsize
    return 2 * stored.size + bytes_of(values, itemsize) + (bytes_of(pixels, 4) if with_error else 0)


def _told(stored: StoredFile, done: dict[str, Any]) -> dict[str, Any]:
    """Of what a worker found, what clients are told."""
    told: dict[str, Any] = {name: done[name] for name in TOLD if name in done}
    told["result"] = {"name": name_of_result(stored.name, done["suffix"]), "bytes": done["bytes"]}
    if "limits" in done:
        limits = done["limits"]
        told["pictures"] = {
            "error": limits["error"] is not None,
            "structure": limits["structure"] is not None,
            **{f"{name}_limit": limit for name, limit in limits.items()},
        }
    return told
