"""Standard input and output as files, for what reads and writes files."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import noiseless
from noiseless.apps.cli import closed_streams
from noiseless.apps.work import STANDARD, Job


@contextmanager
def as_files(job: Job) -> Iterator[Job]:
    """The job with files in the place of "-"; at the end what is meant for standard output goes there."""
    if STANDARD not in (*job.sources, *job.targets):
        yield job
        return
    if job.to_standard and "stdout" in closed_streams.CLOSED:
        raise noiseless.UnwritableFile("standard output is closed; name a file with -o")
    with tempfile.TemporaryDirectory(prefix="noiseless-") as name:
        folder = Path(name)
        sources = (_from_standard_input(folder),) if job.sources == (STANDARD,) else job.sources
        suffix = noiseless.files.suffix_of(sources[0]) or ".png"
        targets = (folder / f"result{suffix}",) if job.to_standard else job.targets
        yield replace(job, sources=sources, targets=targets)
        if job.to_standard:
            try:
                with targets[0].open("rb") as stream:
                    shutil.copyfileobj(stream, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            except BrokenPipeError:
                raise  # the reader has had enough, which is no failure of ours
            except OSError as error:
                raise noiseless.UnwritableFile(
                    f"cannot write to standard output: {noiseless.files.reason(error)}"
                ) from error


def _from_standard_input(folder: Path) -> Path:
    """Standard input as a file whose suffix is that of its kind."""
    arrived = folder / "input"
    with arrived.open("wb") as stream:
        shutil.copyfileobj(sys.stdin.buffer, stream)
    kind = noiseless.files.format_of(arrived)
    return arrived.rename(arrived.with_suffix(kind.suffixes[0]))
