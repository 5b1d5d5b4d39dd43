"""Images larger than memory: zarr stores, and TIFF files above a limit, denoised block by block."""

import math
import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias

import typer

import noiseless
from noiseless.apps.cli.jobs import STANDARD, Job

GIB = 2**30

MOST, SHARE = 4.0, 0.25
"""GiB, and part of the memory of the machine: the less of the two is used where nothing is said."""

FLOAT_BYTES, EXPANSION = 4, 20
"""Of a pixel in memory; and by what natural pixels, of a byte at least, shrink at most. Smaller files need no look."""

Memory: TypeAlias = Annotated[
    float | None,
    typer.Option(help="GiB. Larger TIFF files, and zarr stores, are denoised block by block. [a quarter, at most 4]"),
]


def large_image(job: Job, memory: float | None) -> noiseless.files.ChunkedImage | None:
    """The image of a job, opened, if it is a store or a TIFF file whose pixels as float32 need more memory; or None."""
    source = job.sources[0]
    if len(job.sources) > 1 or source == STANDARD:
        return None
    if noiseless.files.is_store(source):
        return noiseless.files.open_chunked(source)
    is_tiff = noiseless.files.format_of(source) == noiseless.files.FORMATS["tiff"]
    if not is_tiff or source.stat().st_size * EXPANSION * FLOAT_BYTES <= _bytes(memory):
        return None
    try:
        image = noiseless.files.open_chunked(source)
    except noiseless.NoiselessError:
        return None  # who reads it whole says why not
    return image if FLOAT_BYTES * image.channels * math.prod(image.space) > _bytes(memory) else None


def denoise_large(
    job: Job,
    source: noiseless.files.ChunkedImage,
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
    source : the image, as :func:`large_image` gives it
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
