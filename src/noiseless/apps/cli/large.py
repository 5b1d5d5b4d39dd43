"""Images larger than memory: zarr stores, and TIFF files above a limit, denoised block by block."""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import noiseless
from noiseless.apps.cli import jobs
from noiseless.apps.cli.jobs import STANDARD, Job

GIB = 2**30

MOST, SHARE = 4.0, 0.25
"""GiB, and part of the memory of the machine: the less of the two is used where nothing is said."""

FLOAT_BYTES = 4

Memory: TypeAlias = Annotated[
    float | None,
    typer.Option(help="GiB. Larger TIFF files, and zarr stores, are denoised block by block. [a quarter, at most 4]"),
]


def jobs_of(inputs: list[str], output: Path | None) -> Iterator[Job]:
    """As :func:`noiseless.apps.cli.jobs.jobs_of`; a store, though it is a folder, is one image.

    Raises
    ------
    noiseless.InvalidParameter : several would go to one file.
    """
    if len(inputs) == 1 and output is not None and noiseless.files.is_store(Path(inputs[0])):
        source = Path(inputs[0])
        is_folder = output.is_dir() and not noiseless.files.is_store(output)
        yield Job((source,), (output / source.name if is_folder else output,))
    else:
        yield from jobs.jobs_of(inputs, output)


def is_large(job: Job, memory: float | None) -> bool:
    """Whether the image of a job is a store, or a TIFF file whose pixels as float32 need more memory."""
    source = job.sources[0]
    if len(job.sources) > 1 or source == STANDARD or noiseless.files.is_store(source):
        return len(job.sources) == 1 and source != STANDARD
    if noiseless.files.format_of(source).name != noiseless.files.FORMATS["tiff"].name:
        return False
    try:
        image = noiseless.files.open_chunked(source)
    except noiseless.NoiselessError:
        return False  # who reads it whole says why not
    return FLOAT_BYTES * image.channels * math.prod(image.space) > _bytes(memory)


def progress_of(bar: Any, number: int, of: int, name: str) -> Callable[[float], None]:
    """What shows on a bar how far one of several jobs is."""

    def show(share: float) -> None:
        bar.update((number + share) / of, name)

    return show


def denoise_large(
    job: Job,
    recipe: Any,
    noise: Any,
    *,
    memory: float | None,
    force: bool,
    progress: Callable[[float], None],
    words: Callable[[Mapping[str, Any]], str],
) -> list[dict[str, Any]]:
    """Denoise a large image; a report for each of its channels, or one for all where they are one picture.

    Parameters
    ----------
    words : what was done, by the report of it, for the history of the image

    Raises
    ------
    noiseless.InvalidParameter : something is asked for that needs the whole image.
    """
    if job.error is not None or job.plot is not None:
        raise noiseless.InvalidParameter(
            f"--error and --plot need the whole image, and {job.name!r} is denoised block by block; leave them out, "
            "or give a TIFF file more --memory"
        )
    if job.to_standard:
        raise noiseless.InvalidParameter(
            f"{job.name!r} is denoised block by block, which needs a file; name it with -o"
        )
    source = noiseless.files.open_chunked(job.sources[0])
    with source.rewriting(job.targets[0], overwrite=force) as writer:
        restored = noiseless.restoration.restore_by_blocks(
            source, writer, recipe, noise=noise, memory_bytes=_bytes(memory), progress=progress
        )
        for number, report in enumerate(restored.reports):
            channel = "" if len(restored.reports) == 1 else f", channel {number}"
            writer.history.append(f"noiseless {noiseless.__version__}{channel}: {words(report)}")
    several = len(restored.reports) > 1
    return [
        {"input": job.name, "output": job.result, **({"channel": number} if several else {}), **report}
        for number, report in enumerate(restored.reports)
    ]


def _bytes(memory: float | None) -> int:
    """That may be used.

    Raises
    ------
    noiseless.InvalidParameter : none.
    """
    if memory is None:
        return int(min(MOST * GIB, SHARE * _memory_of_machine()))
    if not (math.isfinite(memory) and memory > 0.0):
        raise noiseless.InvalidParameter(f"--memory is {memory:g}; give some GiB, usually a quarter of what there is")
    return int(memory * GIB)


def _memory_of_machine() -> float:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):  # where the system has no such calls
        return MOST * GIB / SHARE
