"""Images larger than memory: zarr stores, and TIFF files above a limit, denoised block by block."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import noiseless
from noiseless.apps.work.history import what_was_done
from noiseless.apps.work.job import STANDARD, Job
from noiseless.memory import usable_memory

GIB = 2**30

USUAL, SHARE = 1.0, 0.25
"""GiB, and part of the memory of the machine: the less of the two is used where nothing is said."""

MOST_SHARE = 0.5
"""Of the memory of the machine: an image that needs less may be taken whole where what is asked for looks at all of
it."""

WHOLE_BYTES, EXPANSION = 64, 20
"""That a value takes while an image is denoised as a whole, and noise is found in it; and by what natural values, of a
byte at least, shrink at most. Smaller files need no look."""


@dataclass(frozen=True)
class Limits:
    """How much memory a process may take.

    Parameters
    ----------
    usual : bytes; what needs more as a whole is denoised block by block
    most : bytes; what needs less may be taken whole where what is asked for looks at all of it
    """

    usual: int
    most: int


def limits_of(memory: float | None, jobs: int) -> Limits:
    """Of each of several processes: as the option says it, or by the memory of the machine.

    Raises
    ------
    noiseless.InvalidParameter : the option says none.
    """
    if memory is None:
        machine = memory_of_machine() / jobs
        return Limits(int(min(USUAL * GIB, SHARE * machine)), int(MOST_SHARE * machine))
    if not (math.isfinite(memory) and memory > 0.0):
        raise noiseless.InvalidParameter(f"--memory is {memory:g}; give some GiB, usually a quarter of what there is")
    return Limits(int(memory * GIB), 0)


@dataclass(frozen=True)
class Large:
    """An image that is to be denoised block by block.

    Parameters
    ----------
    image : opened
    fits : whether it may be taken whole where something is asked for that looks at all of it
    """

    image: noiseless.files.ChunkedImage
    fits: bool


def large_image(job: Job, limits: Limits) -> Large | None:
    """The image of a job, if it is a store or a TIFF file that needs more memory as a whole; or None."""
    source = job.sources[0]
    if len(job.sources) > 1 or source == STANDARD:
        return None
    if noiseless.files.is_store(source):
        return Large(noiseless.files.open_chunked(source), fits=False)
    is_tiff = noiseless.files.format_of(source) == noiseless.files.FORMATS["tiff"]
    if not is_tiff or source.stat().st_size * EXPANSION * WHOLE_BYTES <= limits.usual:
        return None
    try:
        image = noiseless.files.open_chunked(source)
    except noiseless.NoiselessError:
        return None  # who reads it whole says why not
    whole = WHOLE_BYTES * image.channels * math.prod(image.space)
    if whole <= limits.usual:
        return None
    return Large(image, fits=whole <= limits.most)


def denoise_large(
    job: Job,
    source: noiseless.files.ChunkedImage,
    recipe: Any,
    noise: Any,
    *,
    memory_bytes: int,
    device: str,
    force: bool,
    progress: Callable[[float], None],
) -> list[dict[str, Any]]:
    """Denoise a large image; a report for each of its channels, or one for all where they are one picture.

    Parameters
    ----------
    source : that of :func:`large_image`
    memory_bytes : that its arrays may take

    Raises
    ------
    noiseless.NeedsWholeImage : something is asked for that looks at all of it.
    """
    if job.error is not None or job.plot is not None or job.report is not None:
        raise noiseless.NeedsWholeImage(
            f"--error, --plot and --report need the whole image, and {job.name!r} is denoised block by block; leave "
            "them out, or give a TIFF file more --memory"
        )
    if job.to_standard:
        raise noiseless.NeedsWholeImage(f"{job.name!r} is denoised block by block, which needs a file; name it with -o")
    with source.rewriting(job.targets[0], overwrite=force) as writer:
        restored = noiseless.restoration.restore_by_blocks(
            source, writer, recipe, noise=noise, memory_bytes=memory_bytes, device=device, progress=progress
        )
        for number, report in enumerate(restored.reports):
            channel = "" if len(restored.reports) == 1 else f", channel {number}"
            writer.history.append(f"noiseless {noiseless.__version__}{channel}: {what_was_done(report)}")
    several = len(restored.reports) > 1
    return [
        {"input": job.name, "output": job.result, **({"channel": number} if several else {}), **report}
        for number, report in enumerate(restored.reports)
    ]


def memory_of_machine() -> int:
    """Bytes that a process may use; 4 GiB where the system does not tell."""
    return usable_memory() or int(USUAL * GIB / SHARE)
