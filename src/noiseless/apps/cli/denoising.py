"""``noiseless denoise``: files in, files of the same kind out."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import bags, console, large, restoration_figure, videos
from noiseless.apps.cli.jobs import STANDARD, Job, check_targets, jobs_of

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
    tile: Annotated[int, typer.Option(help="Side of a tile in pixels; smaller needs less memory.")] = 512,
    memory: large.Memory = None,
    codec: videos.Codec = None,
    quality: videos.Quality = None,
    topic: bags.Topics = None,
    max_pixels: console.MaxPixels = None,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Denoise images, videos and bags of ROS; the result is of the same kind, with its metadata.

    Without -o the result of photo.png is photo.denoised.png beside it. Several inputs need a folder for -o. Sigma of a
    video is in its grey levels: of 255 with 8 bits, of 1023 with 10. One that was broken off goes on when asked again.
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
    jobs = [replace(job, error=error, plot=plot, samples=recipe.samples) for job in jobs_of(inputs, output)]
    check_targets(jobs, force=force)
    videos.check_options(jobs, given, recipe, model_of_noise)
    settings = _Settings(recipe, model_of_noise, memory, codec, quality, force)
    with noiseless.files.allowing(max_pixels):
        failed = _denoise_all(jobs, settings, as_json=as_json)
    if failed:
        console.note(f"noiseless: {failed} of {len(jobs)} inputs failed")
        raise typer.Exit(PART_FAILED if failed < len(jobs) else 1)


@dataclass(frozen=True)
class _Settings:
    """What is done to every job, and how it is written."""

    recipe: Any
    noise: Any
    memory: float | None
    codec: str | None
    quality: int | None
    force: bool


def _denoise_all(jobs: list[Job], settings: _Settings, *, as_json: bool) -> int:
    """Denoise and tell; how many of several failed."""
    failed = 0
    with console.progress("denoise") as bar:
        for number, job in enumerate(jobs):
            bar.update(number / len(jobs), job.name)
            try:
                reports = _denoise_job(job, settings, console.part_of(bar, number, len(jobs)))
            except noiseless.NoiselessError as error:
                if len(jobs) == 1:
                    raise
                failed += 1
                reports = [{"input": job.name, "error": str(error)}]
            for report in reports:
                _tell(report, as_json=as_json, to_stderr=job.to_standard)
    return failed


def _denoise_job(job: Job, settings: _Settings, shown: Callable[[float, str], None]) -> list[dict[str, Any]]:
    recipe, noise, force = settings.recipe, settings.noise, settings.force
    if videos.is_video(job):
        codec, quality = settings.codec, settings.quality
        return [videos.denoise_video(job, recipe, noise, codec=codec, quality=quality, force=force, progress=shown)]
    image = large.large_image(job, settings.memory)
    if image is None:
        return [_denoise_one(job, recipe, noise, force=force)]

    def told(share: float) -> None:
        shown(share, job.name)

    return large.denoise_large(
        job, image, recipe, noise, memory=settings.memory, force=force, progress=told, words=_in_words
    )


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


def _denoise_one(job: Job, recipe: Any, noise: Any, *, force: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="noiseless-") as folder:
        sources = job.sources
        if sources == (STANDARD,):
            sources = (_from_standard_input(Path(folder)),)
        noisy = noiseless.read(sources[0]) if len(sources) == 1 else noiseless.files.read_series(sources)
        restored = noiseless.restore_image(noisy, recipe, noise=noise)
        line = f"noiseless {noiseless.__version__}: {_in_words(restored.report)}"
        if job.to_standard:
            result = Path(folder) / f"result{noiseless.files.suffix_of(sources[0]) or '.png'}"
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


def _write(image: noiseless.Image, paths: tuple[Path, ...], *, force: bool) -> None:
    if len(paths) == 1:
        noiseless.write(image, paths[0], overwrite=force)
    else:
        noiseless.files.write_series(image, paths, overwrite=force)


def _in_words(report: Mapping[str, Any]) -> str:
    """What was done, for the history of the image."""
    method = f"{report['method']} {report['model']}" if report["method"] == "score" else report["method"]
    strength = "" if report["strength"] == 1.0 else f", strength {report['strength']:g}"
    steps = "" if report["steps"] == 1 else f", {report['steps']} steps"
    return f"removed noise ({console.law(report)}) by {method}{strength}{steps}"


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
    if "video" in report or "topic" in report:
        words = videos.in_words(report) if "video" in report else bags.in_words(report)
        (console.note if to_stderr else typer.echo)(words)
        for warning in report["warnings"]:
            console.note(f"  warning: {warning}")
        return
    channel = f", channel {report['channel']}" if "channel" in report else ""
    line = f"{report['output']}{channel}: {console.law(report)}, {report['method']}, {report['seconds']:.2f} s"
    (console.note if to_stderr else typer.echo)(line)
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
