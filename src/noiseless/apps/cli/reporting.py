"""``noiseless denoise --report``: the page that shows what was done, of an image, a video, or all of a run."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import noiseless
from noiseless.apps import report as pages
from noiseless.apps.cli import console
from noiseless.apps.cli.jobs import check_beside
from noiseless.apps.work import Done, Job, Settings, denoise_image, is_video, read_image

FRAMES = 6
"""Of a video that are shown."""


def check(path: Path | None, jobs: Sequence[Job], *, force: bool) -> None:
    """Refuse before the work what could not be written after it.

    Raises
    ------
    noiseless.NoiselessError : the name is not of a page; the file exists, or is one of the inputs or results.
    """
    if path is None:
        return
    pages.check(path)
    check_beside(path, [replace(job, report=None) for job in jobs], "report", force=force)


def denoise_measured(job: Job, settings: Settings, *, force: bool, progress: Callable[[float, str], None]) -> Done:
    """As :func:`noiseless.apps.work.denoise_image`, with the error of each pixel and the predicted PSNR where these can
    be known; where not, it is said why.
    """
    measured = replace(settings, recipe=replace(settings.recipe, error=True, predict=True))
    try:
        return denoise_image(job, measured, force=force, progress=progress)
    except noiseless.InvalidParameter as error:
        console.note(f"  the report is without error and predicted PSNR: {error}")
        return denoise_image(job, settings, force=force, progress=progress)


def write_image(job: Job, filed: Job, done: Done, *, overwrite: bool) -> None:
    """Of one image; ``filed``: the job with the files that it was read from and written to."""
    text = pages.image_report(done.noisy, done.restored, name=job.name, sources=filed.sources, outputs=filed.targets)
    _write(text, job, overwrite=overwrite)


def write_video(job: Job, report: dict[str, Any], *, overwrite: bool) -> None:
    """Of one video."""
    frames = [
        pages.Frame(time, *_thumbnails(before, after))
        for time, before, after in _frames_of(job.sources[0], job.targets[0], report["frames"])
    ]
    _write(pages.video_report(report, frames, name=job.name), job, overwrite=overwrite)


def _write(text: str, job: Job, *, overwrite: bool) -> None:
    if job.report is not None:
        pages.write_report(text, job.report, overwrite=overwrite)


@dataclass
class Gathered:
    """What is told of the inputs of a run, kept for its report.

    Parameters
    ----------
    path : of the report; None: there is to be none
    jobs : of the run
    told : takes the reports further
    force : leave to replace the report
    """

    path: Path | None
    jobs: Sequence[Job]
    told: Callable[[dict[str, Any]], None]
    force: bool
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    def tell(self, report: dict[str, Any]) -> None:
        """Of an input, or of one of its channels."""
        if self.path is not None:
            self.reports.setdefault(report["input"], report)
        self.told(report)

    def write(self) -> None:
        """The report, from what was told, what the manifest remembers, and the files."""
        if self.path is None:
            return
        remembered = _remembered(self.jobs)
        entries = (_entry(job, self.reports.get(job.name, {}), remembered) for job in self.jobs)
        title = str(self.jobs[0].folder or self.path.stem)
        pages.write_report(pages.folder_report(entries, title=title), self.path, overwrite=self.force)


def _entry(job: Job, report: dict[str, Any], remembered: dict[str, dict[str, Any]]) -> Any:
    if report.get("state") == noiseless.batches.SKIPPED:
        report = {**remembered.get(job.result, {}), **report}
    pictures: tuple[bytes | None, bytes | None] = (None, None)
    if "error" not in report:
        # A page without this picture is better than none; what is wrong with a file was told.
        with contextlib.suppress(noiseless.NoiselessError):
            pictures = _thumbnails(*_pair(job))
    named = {"input": job.name, "output": job.result}
    return pages.Entry({**named, **report}, *pictures, report.get("error"))


def _remembered(jobs: Sequence[Job]) -> dict[str, dict[str, Any]]:
    """What the manifest tells of results, by their paths."""
    folder = jobs[0].folder
    path = folder / noiseless.batches.NAME if folder is not None else None
    if folder is None or path is None or not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        if said.get("state") == noiseless.batches.DONE and said.get("output"):
            audit = {"predicted_psnr": said["predicted_psnr"]} if said.get("predicted_psnr") is not None else {}
            kept = {key: said[key] for key in ("noise", "parameters", "method", "seconds", "warnings")}
            found[str(folder / said["output"][0])] = {**kept, "audit": audit}
    return found


def _pair(job: Job) -> tuple[noiseless.Image, noiseless.Image]:
    """Before and after; of a video a frame of its middle."""
    if is_video(job):
        with noiseless.files.open_video(job.sources[0]) as video:
            count = video.frames or 2 * FRAMES
        *_, (_, before, after) = _frames_of(job.sources[0], job.targets[0], count, shown=1)
        return before, after
    return read_image(job.sources), read_image(job.targets)


def _frames_of(
    source: Path, target: Path, count: int, *, shown: int = FRAMES
) -> Iterator[tuple[float, noiseless.Image, noiseless.Image]]:
    """Time, before and after of some frames, evenly spread."""
    wanted = {int(number) for number in np.linspace(0, count - 1, shown + 2)[1:-1].round()}
    with noiseless.files.open_video(source) as before, noiseless.files.open_video(target) as after:
        for number, (noisy, clean) in enumerate(zip(before, after, strict=False)):
            if number in wanted:
                yield float(noisy.time), _image(noisy.pixels), _image(clean.pixels)
            if number >= max(wanted):
                return


def _image(pixels: Any) -> noiseless.Image:
    return noiseless.from_array(pixels, channel_axis=None if pixels.ndim == 2 else -1)


def _thumbnails(before: noiseless.Image, after: noiseless.Image) -> tuple[bytes, bytes]:
    window = pages.window_of(before)
    return pages.thumbnail(before, window), pages.thumbnail(after, window)
