"""``noiseless denoise``: files in, files of the same kind out."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import (
    bags,
    completion,
    console,
    planning,
    reporting,
    restoration_figure,
    standard_streams,
    videos,
)
from noiseless.apps.cli.batch_run import check_processes, denoise_batch, workers_of
from noiseless.apps.cli.jobs import check_targets, jobs_of, make_folders
from noiseless.apps.work import (
    STANDARD,
    Job,
    Settings,
    denoise_image,
    denoise_large,
    denoise_video,
    is_video,
    large_image,
    law,
    limits_of,
    noise_as_said,
)

PART_FAILED = 3


def denoise(  # noqa: PLR0913  one parameter an option
    context: typer.Context,
    inputs: Annotated[list[str], typer.Argument(help="Files, folders or patterns; '-' is standard input.")],
    output: console.Output = None,
    sigma: console.SigmaOption = None,
    noise: console.NoiseOption = "auto",
    method: console.Method = "auto",
    model: console.Model = "base",
    preset: Annotated[
        str | None,
        typer.Option(help="photo mr ct xray ultrasound microscopy volume cctv.", autocompletion=completion.presets),
    ] = None,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="TOML, as of tune; options given here go before it.")
    ] = None,
    strength: Annotated[float, typer.Option(help="Factor on sigma: below 1 leaves grain, above 1 smooths more.")] = 1.0,
    bound: Annotated[float | None, typer.Option(help="The most a pixel may change, in sigma.")] = None,
    steps: Annotated[int, typer.Option(help="1: best PSNR. More: follow the probability flow, sharper.")] = 1,
    sampler: Annotated[
        str,
        typer.Option(
            help="Rule of the steps: euler (DDIM), heun, ancestral and others.", autocompletion=completion.samplers
        ),
    ] = "auto",
    samples: Annotated[int, typer.Option(help="So many images that may be the clean one, each to its own file.")] = 0,
    error: Annotated[
        Path | None, typer.Option(help="TIFF of how far a pixel may be wrong; 68 in 100 are nearer.")
    ] = None,
    budget: Annotated[
        float, typer.Option(help="Seconds in which auto may choose the method of least predicted error; 0: score.")
    ] = 0.0,
    predict: Annotated[bool, typer.Option("--predict", help="Say how good it is: PSNR, with an interval.")] = False,  # noqa: FBT002
    plot: Annotated[Path | None, typer.Option(help="Picture: result, what was removed, error, samples.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="HTML page of before and after, what was removed, and how good it is.")
    ] = None,
    seed: console.Seed = 0,
    tile: Annotated[int, typer.Option(help="Side of a square as large as a tile; smaller needs less memory.")] = 1536,
    memory: console.Memory = None,
    codec: videos.Codec = None,
    quality: videos.Quality = None,
    topic: bags.Topics = None,
    max_pixels: console.MaxPixels = None,
    device: console.Device = "cpu",
    jobs: console.Jobs = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="tcp://HOST:PORT of a Dask cluster, whose workers see the same folders.")
    ] = None,
    save_recipe: Annotated[
        Path | None, typer.Option(help="TOML of what these options say, for --recipe of later runs.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,  # noqa: FBT002
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
        model_of_noise = noise_as_said(sigma, noise)
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
        _denoise_bag(inputs[0], output, recipe, model_of_noise, topic, force=force, as_json=as_json)
        return
    if scheduler is not None:  # workers elsewhere are in other folders
        inputs = [text if text == str(STANDARD) else os.path.abspath(text) for text in inputs]
        output, error, plot, report = (path and path.absolute() for path in (output, error, plot, report))
    todo = [replace(job, error=error, plot=plot, samples=recipe.samples) for job in jobs_of(inputs, output)]
    check_processes(todo, jobs, scheduler)
    check_targets(todo, force=force)
    videos.check_options(todo, given, recipe, model_of_noise)
    reporting.check(report, todo, force=force)
    settings = Settings(recipe, model_of_noise, limits_of(memory, jobs), device, codec, quality, max_pixels)
    if save_recipe is not None:
        saved = replace(recipe, error=start.error)  # what is written beside a result is no matter of the recipe
        planning.save_recipe(saved, model_of_noise, save_recipe, todo, force=force, write=not dry_run)
    with noiseless.files.allowing(max_pixels):  # refuses what cannot be allowed
        if dry_run:
            planning.tell(todo, settings, as_json=as_json)
            return
    if len(todo) == 1 and not todo[0].recorded:
        _denoise_alone(settings, replace(todo[0], report=report), force=force, as_json=as_json)
        return
    tell = partial(_tell, as_json=as_json, to_stderr=False)
    gathered = reporting.Gathered(report, todo, tell, force=force)
    key = noiseless.batches.recipe_key(recipe, model_of_noise, codec=codec, quality=quality)
    where = workers_of(jobs, scheduler)
    tally = denoise_batch(todo, partial(_denoise_job, settings), where, key=key, force=force, tell=gathered.tell)
    gathered.write()
    if failed := tally[noiseless.batches.FAILED]:
        raise typer.Exit(PART_FAILED if failed < len(todo) else 1)


def _denoise_bag(
    text: str,
    output: Path | None,
    recipe: Any,
    noise: Any,
    topics: list[str] | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    with console.progress("denoise") as bar:
        shown = partial(bar.update, text=text)
        reports = bags.denoise_alone(text, output, recipe, noise, topics, force=force, progress=shown)
    for said in reports:
        _tell(said, as_json=as_json, to_stderr=False)


def _denoise_alone(settings: Settings, job: Job, *, force: bool, as_json: bool) -> None:
    """One input, whose errors are those of the run."""
    make_folders([job])
    with console.progress("denoise") as bar:
        bar.update(0.0, job.name)
        reports = _denoise_job(settings, job, force, shown=bar.update)
    for said in reports:
        _tell(said, as_json=as_json, to_stderr=job.to_standard)


def _unseen(share: float, text: str) -> None:
    """Nobody watches."""


def _denoise_job(
    settings: Settings,
    job: Job,
    force: bool,  # noqa: FBT001  a callback's
    *,
    shown: Callable[[float, str], None] = _unseen,
) -> list[dict[str, Any]]:
    recipe, noise, limits = settings.recipe, settings.noise, settings.limits
    with noiseless.files.allowing(settings.max_pixels):
        if is_video(job):
            return [_denoise_video(settings, job, force=force, shown=shown)]
        found = large_image(job, limits)
        if found is None:
            return [_denoise_whole(settings, job, force=force, shown=shown)]

        def told(share: float) -> None:
            shown(share, job.name)

        try:
            return denoise_large(
                job,
                found.image,
                recipe,
                noise,
                memory_bytes=limits.usual,
                device=settings.device,
                force=force,
                progress=told,
            )
        except noiseless.NeedsWholeImage:
            if not found.fits:
                raise
            return [_denoise_whole(settings, job, force=force, shown=shown)]


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


def _denoise_whole(settings: Settings, job: Job, *, force: bool, shown: Callable[[float, str], None]) -> dict[str, Any]:
    def told(share: float, text: str) -> None:
        shown(share, f"{job.name}: {text}")

    with standard_streams.as_files(job) as filed:
        if job.report is None:
            done = denoise_image(filed, settings, force=force, progress=told)
        else:
            done = reporting.denoise_measured(filed, settings, force=force, progress=told)
            reporting.write_image(job, filed, done, overwrite=force)
    if job.plot is not None:
        restoration_figure.draw(done.noisy, done.restored, job.plot, overwrite=force)
    return {**done.report, "input": job.name, "output": job.result}


def _denoise_video(settings: Settings, job: Job, *, force: bool, shown: Callable[[float, str], None]) -> dict[str, Any]:
    report = denoise_video(
        job,
        settings.recipe,
        settings.noise,
        codec=settings.codec,
        quality=settings.quality,
        force=force,
        progress=shown,
    )
    if job.report is not None:
        reporting.write_video(job, report, overwrite=force)
    return report


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
    line = f"{report['output']}{channel}: {law(report)}, {report['method']}, {report['seconds']:.2f} s"
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
