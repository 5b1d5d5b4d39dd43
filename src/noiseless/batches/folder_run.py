"""A run over a folder of results: alone there, with a manifest, and gone on with where one before was broken off."""

import contextlib
import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from noiseless.atomic import check_new
from noiseless.errors import UnwritableFile, reason

from .deciding import (
    BEGUN,
    HIDDEN,
    Once,
    Outcome,
    Task,
    Work,
    failure,
    line_of,
    mark_of,
    names_in,
    read_mark,
    relative_name,
)
from .leftovers import clear_leftovers
from .manifest import NAME, Manifest
from .workers import Lost

logger = logging.getLogger(__name__)

LOCK = "lock"


@dataclass(frozen=True)
class FolderRun:
    """What a run knows of the folder that it writes to; see :func:`open_run`.

    Parameters
    ----------
    folder : of the results
    recipe : key of what is done, see :func:`.recipe_key`
    manifest : of the folder
    """

    folder: Path
    recipe: str
    manifest: Manifest

    def once(self, work: Work, *, force: bool = False) -> Once:
        """What workers do with the tasks."""
        return Once(work, self.folder, self.recipe, force)

    def task(self, task: Task) -> Task:
        """The task with what the manifest has of it."""
        found = (self.manifest.records.get(name) for name in names_in(self.folder, task))
        records = tuple(dict.fromkeys(record for record in found if record is not None))
        return Task(task.name, task.sources, task.outputs, task.job, records)

    def finish(self, task: Task, result: Outcome | Lost) -> Outcome:
        """Write down what became of a task.

        Raises
        ------
        UnwritableFile : the manifest cannot be written.
        """
        if isinstance(result, Lost):
            outcome = failure(task.name, f"{task.name}: {result.why}")
            self.manifest.add(line_of(self.folder, task, outcome, self.recipe))
            return outcome  # its mark stays, for what it may have left
        if result.line is not None:
            self.manifest.add(result.line)
        if result.settled:
            mark_of(self.folder, names_in(self.folder, task)).unlink(missing_ok=True)
        return result


@contextlib.contextmanager
def open_run(folder: Path, recipe: str, outputs: Iterable[Path], *, force: bool = False) -> Iterator[FolderRun]:
    """Begin a run, or go on with one: take the folder for oneself, and clear what a killed one left of its work.

    Parameters
    ----------
    folder : of the results, made where it is missing
    recipe : key of what is done
    outputs : of all tasks

    Raises
    ------
    UnwritableFile : another run works there; an output exists of which no manifest knows, and ``force`` is false.
    """
    hidden = folder / HIDDEN
    if not force and not hidden.exists():
        _check_outputs(folder, outputs, known=())
    try:
        (hidden / BEGUN).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableFile(f"cannot make {str(hidden / BEGUN)!r}: {reason(error)}") from error
    with _alone_in(folder), Manifest(folder / NAME) as manifest:
        begun = {name for mark in (hidden / BEGUN).iterdir() for name in read_mark(mark).get("output", ())}
        if not force:
            _check_outputs(folder, outputs, known=manifest.records.keys() | begun)
        clear_leftovers(folder / name for name in begun)
        yield FolderRun(folder, recipe, manifest)


def _check_outputs(folder: Path, outputs: Iterable[Path], known: Collection[str]) -> None:
    for path in outputs:
        check_new(path, overwrite=relative_name(path, folder) in known)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / HIDDEN / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UnwritableFile(f"another run writes to {str(folder)!r}; wait for it, or choose another folder") from error
    except NotImplementedError:
        logger.warning("the file system of %r has no locks; let no other run write there", str(folder))
    except OSError as error:
        raise UnwritableFile(f"cannot write in {str(folder)!r}: {reason(error)}") from error
    try:
        yield
    finally:
        lock.release()
