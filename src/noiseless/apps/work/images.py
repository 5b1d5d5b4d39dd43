"""An image as a whole, from its file to those of its results."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import noiseless
from noiseless.apps.work.history import what_was_done
from noiseless.apps.work.job import Job
from noiseless.apps.work.settings import Settings


@dataclass(frozen=True, eq=False)
class Done:
    """An image that was denoised, and what became of it.

    Parameters
    ----------
    report : what was done, in plain values
    noisy : as it was read
    restored : as it was written
    """

    report: dict[str, Any]
    noisy: noiseless.Image
    restored: "noiseless.Restored[noiseless.Image]"


def denoise_image(
    job: Job, settings: Settings, *, force: bool, progress: Callable[[float, str], None] | None = None
) -> Done:
    """Read an image, denoise it, and write the result, its samples and its error.

    Parameters
    ----------
    force : leave to overwrite
    progress : told the share that is done, and what is being done

    Raises
    ------
    noiseless.NoiselessError : as of reading, denoising and writing. An exception of ``progress`` ends the work too.
    """
    noisy = read_image(job.sources)
    restored = noiseless.restore_image(
        noisy, settings.recipe, noise=settings.noise, device=settings.device, progress=progress
    )
    line = f"noiseless {noiseless.__version__}: {what_was_done(restored.report)}"
    _write(noiseless.files.with_history(restored.image, line), job.targets, force=force)
    for number, (sample, paths) in enumerate(zip(restored.samples, job.sample_targets, strict=True), 1):
        _write(noiseless.files.with_history(sample, f"{line}, sample {number}"), paths, force=force)
    if job.error is not None and restored.error is not None:
        image = restored.image
        half = noiseless.Image(restored.error.half68, image.axes, spacing=image.spacing)
        noiseless.write(half, job.error, overwrite=force)
    return Done({"input": job.name, "output": job.result, **restored.report}, noisy, restored)


def read_image(paths: tuple[Path, ...]) -> noiseless.Image:
    """The image in a file, or in those of a series."""
    return noiseless.read(paths[0]) if len(paths) == 1 else noiseless.files.read_series(paths)


def _write(image: noiseless.Image, paths: tuple[Path, ...], *, force: bool) -> None:
    if len(paths) == 1:
        noiseless.write(image, paths[0], overwrite=force)
    else:
        noiseless.files.write_series(image, paths, overwrite=force)
