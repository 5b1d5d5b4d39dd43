"""What a worker does with one input: leave it where it is done, refuse it, or have it denoised; and what it says."""

import contextlib
import hashlib
import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from noiseless.errors import NoiselessError, UnwritableFile, reason

from .fingerprints import content_hash
from .manifest import DONE, FAILED, SKIPPED, Record

logger = logging.getLogger(__name__)

HIDDEN, BEGUN = ".noiseless", "begun"
"""The folder, within that of the results, of what a run needs for itself; and within it that of the marks."""

Work: TypeAlias = Callable[[Any, bool], list[dict[str, Any]]]
"""Denoise a job, with leave to overwrite or without; its reports."""


@dataclass(frozen=True)
class Task:
    """An input of a batch; small, and to be pickled.

    Parameters
    ----------
    name : of the input, for people
    sources, outputs : files, or stores
    job : what the work is told
    records : those of a manifest that tell of an output of that name
    """

    name: str
    sources: tuple[Path, ...]
    outputs: tuple[Path, ...]
    job: Any
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of an input.

    Parameters
    ----------
    state : DONE, FAILED or SKIPPED
    reports : of the work; where it failed one that says why
    line : for the manifest; None where nothing is to be written
    settled : whether the manifest with this line accounts for every output, so that no mark is needed any more
    """

    state: str
    reports: list[dict[str, Any]]
    line: dict[str, Any] | None = None
    settled: bool = False


@dataclass(frozen=True)
class Attempt:
    """Do the work of a task; where it fails, the outcome says so.

    Parameters
    ----------
    work : to be pickled for workers elsewhere
    force : leave to overwrite
    """

    work: Work
    force: bool = False

    def __call__(self, task: Task) -> Outcome:
        """Of the task."""
        try:
            return Outcome(DONE, self.work(task.job, self.force))
        except Exception as error:
            return failure(task.name, in_a_line(error))


@dataclass(frozen=True)
class Once:
    """Do the work of a task, unless a record says that it was done and the files bear it out.

    It was done where source and recipe are those of the record, and every output has the recorded content. Otherwise an
    output that exists is replaced where it is ours: written from this input by an earlier run and not changed since, or
    by a run that was broken off; any other only by force.

    Parameters
    ----------
    work, force : as of :class:`Attempt`
    folder : of the results
    recipe : its key
    """

    work: Work
    folder: Path
    recipe: str
    force: bool = False

    def __call__(self, task: Task) -> Outcome:
        """Of the task."""
        began, names, origin = time.perf_counter(), names_in(self.folder, task), input_name(self.folder, task)
        mark, source = mark_of(self.folder, names), None
        results: list[str | None] = [None] * len(names)
        try:
            # Before it is read for denoising: what changes in between is then denoised again, and never wrongly done.
            source = content_hash(task.sources)
            before = _contents(task.outputs)
            if self._is_done(task, names, source, before):
                return Outcome(SKIPPED, [], settled=True)
            broken_off = read_mark(mark).get("input") == origin
            overwrite = self.force or broken_off or _ours_exist(task, names, origin, before)
            if not broken_off:
                _write_mark(mark, origin, names)
        except Exception as error:
            outcome = failure(task.name, in_a_line(error))
            return self._with_line(outcome, task, source, results, began)
        outcome = Attempt(self.work, overwrite)(task)
        try:
            after = _contents(task.outputs)
            if outcome.state == DONE and None in after:
                raise UnwritableFile(f"{str(task.outputs[after.index(None)])!r} has gone as soon as it was written")
        except Exception as error:
            outcome = failure(task.name, in_a_line(error))
            return self._with_line(outcome, task, source, results, began)
        whole = outcome.state == DONE or broken_off
        # What failed half way may have written some outputs, and they are ours.
        results = [now if whole or now != then else None for now, then in zip(after, before, strict=True)]
        return self._with_line(outcome, task, source, results, began, settled=True)

    def _is_done(self, task: Task, names: tuple[str, ...], source: str, contents: Sequence[str | None]) -> bool:
        wanted = (DONE, source, self.recipe, names, tuple(contents))
        found = ((held.state, held.source, held.recipe, held.outputs, held.results) for held in task.records)
        return None not in contents and wanted in found

    def _with_line(
        self,
        outcome: Outcome,
        task: Task,
        source: str | None,
        results: Sequence[str | None],
        began: float,
        *,
        settled: bool = False,
    ) -> Outcome:
        said = {"source": source, "result": list(results), "seconds": round(time.perf_counter() - began, 3)}
        line = {**line_of(self.folder, task, outcome, self.recipe), **said}
        return Outcome(outcome.state, outcome.reports, line, settled)


def failure(name: str, why: str) -> Outcome:
    """Of an input with a name, for a reason."""
    return Outcome(FAILED, [{"input": name, "error": why}])


def in_a_line(error: Exception) -> str:
    """What went wrong; with the place in the code where that was not foreseen."""
    if isinstance(error, NoiselessError):
        return str(error)
    if isinstance(error, MemoryError):
        return "memory was short; fewer --jobs, less --memory, a smaller --tile or a smaller image may do"
    logger.debug("unforeseen", exc_info=error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"unforeseen {type(error).__name__}{place}: {' '.join(str(error).split())}"


def names_in(folder: Path, task: Task) -> tuple[str, ...]:
    """The outputs of a task as a manifest has them."""
    return tuple(relative_name(path, folder) for path in task.outputs)


def input_name(folder: Path, task: Task) -> str:
    """The input of a task as a manifest has it: the file, or the folder of a series."""
    return relative_name(task.sources[0] if len(task.sources) == 1 else task.sources[0].parent, folder)


def line_of(folder: Path, task: Task, outcome: Outcome, recipe: str) -> dict[str, Any]:
    """A line of the manifest, as far as the outcome says it."""
    reports = [report for report in outcome.reports if "error" not in report]
    errors = [report["error"] for report in outcome.reports if "error" in report]
    laws = [_law(report) for report in reports]
    warnings = [warning for report in reports for warning in report.get("warnings", ())]
    series = {"slices": len(task.sources)} if len(task.sources) > 1 else {}
    return {
        "input": input_name(folder, task),
        **series,
        "output": list(names_in(folder, task)),
        "state": outcome.state,
        "source": None,
        "recipe": recipe,
        "result": [None] * len(task.outputs),
        "noise": _alone([noise for noise, _ in laws]),
        "parameters": _alone([parameters for _, parameters in laws]),
        "method": _alone([report.get("method", "score") for report in reports]),
        "predicted_psnr": _alone([report.get("audit", {}).get("predicted_psnr") for report in reports]),
        "seconds": None,
        "warnings": list(dict.fromkeys(warnings)),
        "error": errors[0] if errors else None,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def mark_of(folder: Path, names: Sequence[str]) -> Path:
    """The file that says that outputs of these names are being written."""
    name = hashlib.blake2b(names[0].encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return folder / HIDDEN / BEGUN / name


def read_mark(path: Path) -> dict[str, Any]:
    """What a mark says: input and outputs; empty where it was broken off, and so before anything was written."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return held if isinstance(held, dict) and {"input", "output"} <= held.keys() else {}
    except (OSError, ValueError):
        return {}


def _write_mark(path: Path, origin: str, names: Sequence[str]) -> None:
    try:
        with path.open("w", encoding="utf-8") as stream:
            json.dump({"input": origin, "output": list(names)}, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise UnwritableFile(f"cannot write {str(path)!r}: {reason(error)}") from error


def _ours_exist(task: Task, names: Sequence[str], origin: str, contents: Sequence[str | None]) -> bool:
    """Whether there are outputs, all of them written from this input and not changed since.

    Raises
    ------
    UnwritableFile : one is not ours.
    """
    remedy = "replace it with --force (overwrite=True) or choose another name"
    for path, name, content in zip(task.outputs, names, contents, strict=True):
        if content is None:
            continue
        record = next((held for held in task.records if held.result_of(name) is not None), None)
        if record is None:
            raise UnwritableFile(f"{str(path)!r} exists; {remedy}")
        if record.input != origin:
            raise UnwritableFile(f"{str(path)!r} exists, and was made of another input, {record.input!r}; {remedy}")
        if record.result_of(name) != content:
            raise UnwritableFile(f"{str(path)!r} was changed since it was written; {remedy}")
    return any(content is not None for content in contents)


def _contents(paths: Sequence[Path]) -> list[str | None]:
    """Of each that exists."""
    return [content_hash([path]) if path.exists() else None for path in paths]


def relative_name(path: Path, folder: Path) -> str:
    """As a manifest has it: relative to the folder of results, unless that is on another drive."""
    with contextlib.suppress(ValueError):  # another drive
        path = Path(os.path.relpath(path, folder))
    return path.as_posix()


def _law(report: dict[str, Any]) -> tuple[Any, Any]:
    """Kind and parameters of the noise; reports of videos have them together."""
    noise = report.get("noise")
    if isinstance(noise, dict):
        return noise.get("kind"), {name: value for name, value in noise.items() if name != "kind"}
    return noise, report.get("parameters")


def _alone(values: list[Any]) -> Any:
    """Of a single report what it has, of several, for channels, a list."""
    return values[0] if len(values) == 1 else (values or None)
