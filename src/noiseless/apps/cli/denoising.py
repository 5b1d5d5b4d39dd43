"""``noiseless denoise``: files in, files of the same kind out."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import bags, console, large, restoration_figure, videos
from noiseless.apps.cli.batch_run import check_processes, denoise_batch, workers_of
from noiseless.apps.cli.jobs import STANDARD, Job, check_targets, jobs_of, make_folders

PART_FAILED = 3


def denoise(  # noqa: PLR0913  one parameter an option
    context: typer.Context,
    inputs: Annotated[list[str], typer.Argument(help="Files, folders or patterns; '-' is standard input.")],
    output: console.Output = None,
    sigma: console.SigmaOption = None,
    noise: console.NoiseOption = "auto",
    method: console.Method = "auto",
    model: console.Model = "base",
    preset: Annotated[str | None, typer.Option(help="photo mr ct xray ultrasound microscopy volume cctv.")] = None,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML, as of tune; options given here go before it.")
    ] = None,
    strength: Annotated[float, typer.Option(help="Factor on sigma: below 1 leaves grain, above 1 smooths more.")] = 1.0,
    bound: Annotated[float | None, typer.Option(help="The most a pixel may change, in sigma.")] = None,
    steps: Annotated[int, typer.Option(help="1: best PSNR. More: follow the probability flow, sharper.")] = 1,
    sampler: Annotated[str, typer.Option(help="Rule of the steps: euler (DDIM), heun, ancestral and others.")] = "auto",
    samples: Annotated[int, typer.Option(help="So many images that may be the clean one, each to its own file.")] = 0,
    error: Annotated[
        Path | None, typer.Option(help="TIFF of how far a pixel may be wrong; 68 in 100 are nearer.")
    ] = None,
    budget: Annotated[
        float, typer.Option(help="Seconds in which auto may choose the method of least predicted error; 0: score.")
    ] = 0.0,
    predict: Annotated[bool, typer.Option("--predict", help="Say how good it is: PSNR, with an interval.")] = False,  # noqa: FBT002
    plot: Annotated[Path | None, typer.Option(help="Picture: result, what was removed, error, samples.")] = None,
    seed: console.Seed = 0,
    tile: Annotated[int, typer.Option(help="Side of a square as large as a tile; smaller needs less memory.")] = 1536,
    memory: large.Memory = None,
    codec: videos.Codec = None,
    quality: videos.Quality = None,
    topic: bags.Topics = None,
    max_pixels: console.MaxPixels = None,
    device: console.Device = "cpu",
    jobs: console.Jobs = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="tcp://HOST:PORT of a Dask cluster, whose workers see the same folders.")
    ] = None,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Denoise images, videos and bags of ROS; the result is of the same kind, with its metadata.

    Without -o the result of photo.png is photo.denoised.png beside it. Several inputs need a folder for -o, which keeps
    a manifest: what is done already, by the same recipe, is left out, and a run that was broken off goes on when asked
    again; so does a video. Folders are searched with all below them. Sigma of a video is in its grey levels: of 255
    with 8 bits, of 1023 with 10.
    """
    start, model_of_noise = _start(preset, recipe_file)
    if sigma is not None or noise != "auto":
        model_of_noise = console.chosen_noise(sigma, noise)
    options = {
        "method": method, "model": model, "strength": strength, "bound": bound, "steps": steps, "sampler": sampler,
        "samples": samples, "predict": predict, "seed": seed, "tile": tile,
    }  # fmt: skip
    said = {name: value for name, value in options.items() if console.was_given(context, name)}
    if console.was_given(context, "budget"):
        said["budget_s"] = budget
    recipe = replace(start, **said, error=start.error or error is not None or plot is not None)
    given = {name for name in context.params if console.was_given(context, name)}
    if bags.check_inputs(inputs, given, recipe, model_of_noise):
        with console.progress("denoise") as bar:
            shown = partial(bar.update, text=inputs[0])
            reports = bags.denoise_alone(inputs[0], output, recipe, model_of_noise, topic, force=force, progress=shown)
        for report in reports:
            _tell(report, as_json=as_json, to_stderr=False)
        return
    if scheduler is not None:  # workers elsewhere are in other folders
        inputs = [text if text == str(STANDARD) else os.path.abspath(text) for text in inputs]
        output, error, plot = (path and path.absolute() for path in (output, error, plot))
    todo = [replace(job, error=error, plot=plot, samples=recipe.samples) for job in jobs_of(inputs, output)]
    check_processes(todo, jobs, scheduler)
    check_targets(todo, force=force)
    videos.check_options(todo, given, recipe, model_of_noise)
    settings = _Settings(recipe, model_of_noise, large.limits_of(memory, jobs), device, codec, quality, max_pixels)
    with noiseless.files.allowing(max_pixels):  # refuses what cannot be allowed
        if len(todo) == 1 and not todo[0].recorded:
            make_folders(todo)
            with console.progress("denoise") as bar:
                bar.update(0.0, todo[0].name)
                reports = _denoise_job(settings, todo[0], force, shown=bar.update)
            for report in reports:
                _tell(report, as_json=as_json, to_stderr=todo[0].to_standard)
            return
    key = noiseless.batches.recipe_key(recipe, model_of_noise, codec=codec, quality=quality)
    tell = partial(_tell, as_json=as_json, to_stderr=False)
    where = workers_of(jobs, scheduler)
    tally = denoise_batch(todo, partial(_denoise_job, settings), where, key=key, force=force, tell=tell)
    if failed := tally[noiseless.batches.FAILED]:
        raise typer.Exit(PART_FAILED if failed < len(todo) else 1)


@dataclass(frozen=True)
class _Settings:
    """What is done to every job, and how it is written."""

    recipe: Any
    noise: Any
    limits: large.Limits
    device: str
    codec: str | None
    quality: int | None
    max_pixels: int | None


def _unseen(share: float, text: str) -> None:
    """Nobody watches."""


def _denoise_job(
    settings: _Settings,
    job: Job,
    force: bool,  # noqa: FBT001  a callback's
    *,
    shown: Callable[[float, str], None] = _unseen,
) -> list[dict[str, Any]]:
    recipe, noise, limits, device = settings.recipe, settings.noise, settings.limits, settings.device
    with noiseless.files.allowing(settings.max_pixels):
        if videos.is_video(job):
            codec, quality = settings.codec, settings.quality
            return [videos.denoise_video(job, recipe, noise, codec=codec, quality=quality, force=force, progress=shown)]
        found = large.large_image(job, limits)
        if found is None:
            return [_denoise_one(job, recipe, noise, device, force=force)]

        def told(share: float) -> None:
            shown(share, job.name)

        try:
            return large.denoise_large(
                job, found.image, recipe, noise, memory_bytes=limits.usual, device=device, force=force, progress=told
            )
        except noiseless.NeedsWholeImage:
            if not found.fits:
                raise
            return [_denoise_one(job, recipe, noise, device, force=force)]


def _start(preset: str | None, path: Path | None) -> tuple[Any, Any]:
    """The recipe that the options change, and the noise that it names, or None."""
    if preset is not None and path is not None:
        raise noiseless.InvalidParameter(f"--preset {preset} and --recipe {path} both say how; give one of them")
    if path is not None:
        read = noiseless.restoration.read_recipe(path)
    elif preset is not None:
        read = noiseless.restoration.preset_named(preset)
    else:
        return noiseless.Recipe(), None
    return read.recipe, read.noise


def _denoise_one(job: Job, recipe: Any, noise: Any, device: str, *, force: bool) -> dict[str, Any]:
    with _files_of(job) as (sources, result):
        noisy = noiseless.read(sources[0]) if len(sources) == 1 else noiseless.files.read_series(sources)
        restored = noiseless.restore_image(noisy, recipe, noise=noise, device=device)
        line = f"noiseless {noiseless.__version__}: {console.what_was_done(restored.report)}"
        if result is not None:
            noiseless.write(noiseless.files.with_history(restored.image, line), result)
            with result.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer)
        else:
            _write(noiseless.files.with_history(restored.image, line), job.targets, force=force)
            for number, (sample, paths) in enumerate(zip(restored.samples, job.sample_targets, strict=True), 1):
                _write(noiseless.files.with_history(sample, f"{line}, sample {number}"), paths, force=force)
    if job.error is not None and restored.error is not None:
        image = restored.image
        half = noiseless.Image(restored.error.half68, image.axes, spacing=image.spacing)
        noiseless.write(half, job.error, overwrite=force)
    if job.plot is not None:
        restoration_figure.draw(noisy, restored, job.plot, overwrite=force)
    return {"input": job.name, "output": job.result, **restored.report}


@contextmanager
def _files_of(job: Job) -> Iterator[tuple[tuple[Path, ...], Path | None]]:
    """The sources of a job as files, and a file for the result on its way to standard output, or None."""
    if STANDARD not in (*job.sources, *job.targets):
        yield job.sources, None
        return
    with tempfile.TemporaryDirectory(prefix="noiseless-") as name:
        folder = Path(name)
        sources = (_from_standard_input(folder),) if job.sources == (STANDARD,) else job.sources
        suffix = noiseless.files.suffix_of(sources[0]) or ".png"
        yield sources, folder / f"result{suffix}" if job.to_standard else None


def _write(image: noiseless.Image, paths: tuple[Path, ...], *, force: bool) -> None:
    if len(paths) == 1:
        noiseless.write(image, paths[0], overwrite=force)
    else:
        noiseless.files.write_series(image, paths, overwrite=force)


def _from_standard_input(folder: Path) -> Path:
    """Standard input as a file whose suffix is that of its kind."""
    arrived = folder / "input"
    with arrived.open("wb") as stream:
        shutil.copyfileobj(sys.stdin.buffer, stream)
    kind = noiseless.files.format_of(arrived)
    return arrived.rename(arrived.with_suffix(kind.suffixes[0]))


def _tell(report: dict[str, Any], *, as_json: bool, to_stderr: bool) -> None:
    if as_json:
        (console.note(json.dumps(report)) if to_stderr else console.record(report))
        return
    if "error" in report:
        console.note(f"noiseless: {report['error']}")
        return
    if report.get("state") == "skipped":
        return  # they are counted
    if "video" in report or "topic" in report:
        words = videos.in_words(report) if "video" in report else bags.in_words(report)
        (console.note if to_stderr else console.say)(words)
        for warning in report["warnings"]:
            console.note(f"  warning: {warning}")
        return
    channel = f", channel {report['channel']}" if "channel" in report else ""
    line = f"{report['output']}{channel}: {console.law(report)}, {report['method']}, {report['seconds']:.2f} s"
    (console.note if to_stderr else console.say)(line)
    if "choice" in report:
        console.note(f"  chosen: {report['choice']['why']}")
    audit = report["audit"]
    if "predicted_psnr" in audit:
        low, high = audit["predicted_psnr_interval"]
        console.note(
            f"  predicted: {_decibels(audit['predicted_psnr'])}, from {_decibels(low)} to {_decibels(high)} (95 %)"
        )
    for warning in report["warnings"]:
        console.note(f"  warning: {warning}")


def _decibels(value: float | None) -> str:
    return "more than can be measured" if value is None else f"{value:.2f} dB"
