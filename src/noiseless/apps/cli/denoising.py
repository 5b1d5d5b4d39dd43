"""``noiseless denoise``: files in, files of the same kind out."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import console, figure, restoration_figure
from noiseless.apps.cli.sources import sources_of

PART_FAILED = 3
ERROR_SUFFIXES = (".tif", ".tiff")
STANDARD = Path("-")


@dataclass(frozen=True)
class Job:
    """One file to denoise and where its results go."""

    source: Path
    target: Path
    error: Path | None = None
    plot: Path | None = None
    samples: int = 0

    @property
    def sample_targets(self) -> list[Path]:
        """photo.png: photo.sample1.png and so on."""
        return [
            self.target.with_name(f"{self.target.stem}.sample{number}{self.target.suffix}")
            for number in range(1, self.samples + 1)
        ]

    @property
    def outputs(self) -> list[Path]:
        """All that is written to files."""
        named = [path for path in (self.error, self.plot) if path is not None]
        return named if self.target == STANDARD else [self.target, *self.sample_targets, *named]


def denoise(  # noqa: PLR0913  one parameter an option
    context: typer.Context,
    inputs: Annotated[list[str], typer.Argument(help="Files, folders or patterns; '-' is standard input.")],
    output: console.Output = None,
    sigma: console.SigmaOption = None,
    noise: console.NoiseOption = "auto",
    method: console.Method = "auto",
    model: console.Model = "base",
    preset: Annotated[str | None, typer.Option(help="ct, mr, xray or cctv: bounds what a pixel may change.")] = None,
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
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Denoise images; the result is of the same kind, with its metadata.

    Without -o the result of photo.png is photo.denoised.png beside it. Several inputs need a folder for -o.
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
    jobs = [replace(job, error=error, plot=plot, samples=recipe.samples) for job in _jobs(inputs, output)]
    _check_targets(jobs, force=force)
    failed = 0
    with console.progress("denoise") as bar:
        for number, job in enumerate(jobs):
            bar.update(number / len(jobs), job.source.name)
            try:
                report = _denoise_one(job, recipe, model_of_noise, force=force)
            except noiseless.NoiselessError as error:
                if len(jobs) == 1:
                    raise
                failed += 1
                report = {"input": str(job.source), "error": str(error)}
            _tell(report, as_json=as_json, to_stderr=job.target == STANDARD)
    if failed:
        console.note(f"noiseless: {failed} of {len(jobs)} inputs failed")
        raise typer.Exit(PART_FAILED if failed < len(jobs) else 1)


def _start(preset: str | None, path: Path | None) -> tuple[Any, Any]:
    """The recipe that the options change, and the noise that it names, or None."""
    if preset is not None and path is not None:
        raise noiseless.InvalidParameter(f"--preset {preset} and --recipe {path} both say how; give one of them")
    if path is not None:
        read = noiseless.restoration.read_recipe(path)
        return read.recipe, read.noise
    return (noiseless.Recipe() if preset is None else noiseless.restoration.preset_named(preset)), None


def _denoise_one(job: Job, recipe: Any, noise: Any, *, force: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="noiseless-") as folder:
        source = _from_standard_input(Path(folder)) if job.source == STANDARD else job.source
        noisy = noiseless.read(source)
        restored = noiseless.restore_image(noisy, recipe, noise=noise)
        if job.target == STANDARD:
            result = Path(folder) / f"result{source.suffix or '.png'}"
            noiseless.write(restored.image, result)
            with result.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer)
        else:
            noiseless.write(restored.image, job.target, overwrite=force)
            for sample, path in zip(restored.samples, job.sample_targets, strict=True):
                noiseless.write(sample, path, overwrite=force)
    if job.error is not None and restored.error is not None:
        image = restored.image
        half = noiseless.Image(restored.error.half68, image.axes, spacing=image.spacing)
        noiseless.write(half, job.error, overwrite=force)
    if job.plot is not None:
        restoration_figure.draw(noisy, restored, job.plot, overwrite=force)
    return {"input": str(job.source), "output": str(job.target), **restored.report}


def _from_standard_input(folder: Path) -> Path:
    """Standard input as a file whose suffix is that of its kind."""
    arrived = folder / "input"
    with arrived.open("wb") as stream:
        shutil.copyfileobj(sys.stdin.buffer, stream)
    kind = noiseless.files.format_of(arrived)
    return arrived.rename(arrived.with_suffix(kind.suffixes[0]))


def _jobs(inputs: list[str], output: Path | None) -> Iterator[Job]:
    """Every file that the arguments name, and its target."""
    sources = [source for text in inputs for source in sources_of(text)]
    several = len(sources) > 1 or any(Path(text).is_dir() for text in inputs)
    if several and output is not None and (output.is_file() or output == STANDARD):
        raise noiseless.InvalidParameter(f"{len(sources)} inputs cannot go to {str(output)!r}; name a folder with -o")
    into_folder = output is not None and output != STANDARD and (several or output.is_dir())
    for source in sources:
        if output is None:
            named = source.with_name(f"{source.stem}.denoised{source.suffix}")
            yield Job(source, STANDARD if source == STANDARD else named)
        else:
            yield Job(source, output / source.name if into_folder else output)


def _check_targets(jobs: list[Job], *, force: bool) -> None:
    """Refuse before the first pixel is computed what would be refused after the last."""
    _check_extras(jobs)
    targets = [path for job in jobs for path in job.outputs]
    twice = {str(target) for target in targets if targets.count(target) > 1}
    if twice:
        raise noiseless.InvalidParameter(f"two results would both be written to {sorted(twice)[0]!r}; rename one")
    for job in jobs:
        for path in job.outputs:
            if path.exists() and job.source.exists() and path.samefile(job.source):
                raise noiseless.InvalidParameter(f"{str(job.source)!r} would overwrite itself; choose another -o")
            if path.exists() and not force:
                raise noiseless.UnwritableFile(f"{str(path)!r} exists; replace it with --force or choose another name")
        if len(jobs) > 1:
            try:
                job.target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise noiseless.UnwritableFile(f"cannot make {str(job.target.parent)!r}: {error.strerror}") from error


def _check_extras(jobs: list[Job]) -> None:
    """What is written beside the result fits to it."""
    first = jobs[0]
    for option, path in (("--error", first.error), ("--plot", first.plot)):
        if path is not None and len(jobs) > 1:
            raise noiseless.InvalidParameter(f"{option} names one file, and there are {len(jobs)} inputs; give one")
    if first.error is not None and first.error.suffix.lower() not in ERROR_SUFFIXES:
        raise noiseless.UnsupportedFormat(
            f"the error is not whole numbers; {str(first.error)!r} must end in .tif or .tiff"
        )
    if first.plot is not None:
        figure.check(first.plot)
    if first.samples and any(job.target == STANDARD for job in jobs):
        raise noiseless.InvalidParameter("samples go to files beside the result, and standard output is none; give -o")


def _tell(report: dict[str, Any], *, as_json: bool, to_stderr: bool) -> None:
    if as_json:
        (console.note(json.dumps(report)) if to_stderr else console.record(report))
        return
    if "error" in report:
        console.note(f"noiseless: {report['error']}")
        return
    line = f"{report['output']}: {console.law(report)}, {report['method']}, {report['seconds']:.2f} s"
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
