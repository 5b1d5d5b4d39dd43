"""Several inputs one after the other, or by several processes: what is done, what shows, and what is written down."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.jobs import make_folders
from noiseless.apps.work import Job

Work: TypeAlias = Callable[..., list[dict[str, Any]]]
"""(job, leave to overwrite) to reports; takes ``shown``, a function of share and text, where it is asked to show."""

Tell: TypeAlias = Callable[[dict[str, Any]], None]


@dataclass
class Tally:
    """How many of the inputs are done, and how well.

    Parameters
    ----------
    total : number of inputs
    states : how many there are of each state of ``noiseless.batches``
    """

    total: int
    states: dict[str, int]

    def __getitem__(self, state: str) -> int:
        return self.states.get(state, 0)

    def add(self, state: str) -> None:
        """One more."""
        self.states[state] = self[state] + 1

    @property
    def finished(self) -> int:
        return sum(self.states.values())

    def in_words(self) -> str:
        """For a progress bar."""
        parts = [f"{self.finished} of {self.total}"]
        parts += [
            f"{self[state]} {state}" for state in (noiseless.batches.SKIPPED, noiseless.batches.FAILED) if self[state]
        ]
        return ", ".join(parts)


def check_processes(todo: Sequence[Job], jobs: int, scheduler: str | None) -> None:
    """Refuse several workers for what one does.

    Raises
    ------
    noiseless.InvalidParameter : there is one input, and no folder of them.
    """
    if jobs > 1 and scheduler is not None:
        raise noiseless.InvalidParameter(
            f"--jobs {jobs} are processes here, and --scheduler {scheduler} is for those of a cluster; give one of them"
        )
    asked = f"--scheduler {scheduler}" if scheduler is not None else f"--jobs {jobs}" if jobs > 1 else None
    if asked is not None and len(todo) == 1 and not todo[0].recorded:
        raise noiseless.InvalidParameter(f"{asked} is for several inputs, and {todo[0].name!r} is one; leave it out")


def workers_of(jobs: int, scheduler: str | None) -> Any:
    """Who does the work: this process, several, or those of a cluster."""
    if scheduler is not None:
        return noiseless.batches.Cluster(scheduler)
    return noiseless.batches.InProcess() if jobs == 1 else noiseless.batches.Processes(jobs)


def denoise_batch(todo: Sequence[Job], work: Work, where: Any, *, key: str, force: bool, tell: Tell) -> Tally:
    """Do the work of all jobs that is not done yet; what fails is told, and ends nothing.

    Parameters
    ----------
    work : to be pickled where it is done by other processes
    where : see :func:`workers_of`
    key : see :func:`noiseless.batches.recipe_key`
    tell : takes the reports

    Raises
    ------
    noiseless.UnwritableFile : another run writes to the folder; an output exists that is not of such a run.
    """
    batches = noiseless.batches
    tally = Tally(len(todo), {})
    with ExitStack() as stack:
        workers, run = stack.enter_context(where), None
        if todo[0].recorded:
            outputs = [path for job in todo for path in job.outputs]
            run = stack.enter_context(batches.open_run(_folder(todo), key, outputs, force=force))
        make_folders(todo)
        bar = stack.enter_context(console.progress("denoise"))
        if isinstance(where, batches.InProcess):
            work = partial(work, shown=_shown_on(bar, tally))
        function = run.once(work, force=force) if run else batches.Attempt(work, force)
        for task, result in workers.map(function, _tasks(todo, run, bar, tally)):
            outcome = run.finish(task, result) if run else _outcome(task, result)
            tally.add(outcome.state)
            bar.update(tally.finished / tally.total, tally.in_words())
            for report in outcome.reports or [{"input": task.name, "output": task.job.result}]:
                tell({**report, "state": outcome.state})
    _say_how_it_ended(tally, todo)
    return tally


def _folder(todo: Sequence[Job]) -> Any:
    (folder,) = {job.folder for job in todo}
    return folder


def _tasks(todo: Sequence[Job], run: Any, bar: Any, tally: Tally) -> Iterator[Any]:
    for job in todo:
        bar.update(tally.finished / tally.total, f"{tally.in_words()}: {job.name}")
        task = noiseless.batches.Task(job.name, job.sources, tuple(job.outputs), job)
        yield run.task(task) if run else task


def _outcome(task: Any, result: Any) -> Any:
    batches = noiseless.batches
    if isinstance(result, batches.Lost):
        return batches.Outcome(batches.FAILED, [{"input": task.name, "error": f"{task.name}: {result.why}"}])
    return result


def _shown_on(bar: Any, tally: Tally) -> Callable[[float, str], None]:
    def show(share: float, text: str) -> None:
        bar.update((tally.finished + share) / tally.total, f"{tally.in_words()}: {text}")

    return show


def _say_how_it_ended(tally: Tally, todo: Sequence[Job]) -> None:
    batches = noiseless.batches
    failed = tally[batches.FAILED]
    if failed:
        console.note(f"noiseless: {failed} of {tally.total} inputs failed")
    if todo[0].recorded:
        done, skipped = tally[batches.DONE], tally[batches.SKIPPED]
        manifest = _folder(todo) / batches.NAME
        console.note(f"{done} denoised, {skipped} skipped (done before), {failed} failed; manifest {manifest}")
