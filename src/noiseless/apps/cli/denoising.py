"""``noiseless denoise``: files in, files of the same kind out."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.sources import sources_of

PART_FAILED = 3
STANDARD = Path("-")


@dataclass(frozen=True)
class Job:
    """One file to denoise and where its result goes."""

    source: Path
    target: Path


def denoise(  # noqa: PLR0913  one parameter an option
    inputs: Annotated[list[str], typer.Argument(help="Files, folders or patterns; '-' is standard input.")],
    output: console.Output = None,
    sigma: console.SigmaOption = None,
    noise: console.NoiseOption = "auto",
    method: console.Method = "auto",
    model: console.Model = "base",
    strength: Annotated[float, typer.Option(help="Factor on sigma: below 1 leaves grain, above 1 smooths more.")] = 1.0,
    steps: Annotated[int, typer.Option(help="1: best PSNR. More: follow the probability flow, sharper.", min=1)] = 1,
    sampler: Annotated[str, typer.Option(help="Rule of the steps: euler (DDIM) or heun.")] = "euler",
    seed: console.Seed = 0,
    tile: Annotated[int, typer.Option(help="Side of a tile in pixels; smaller needs less memory.")] = 512,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Denoise images; the result is of the same kind, with its metadata.

    Without -o the result of photo.png is photo.denoised.png beside it. Several inputs need a folder for -o.
    """
    model_of_noise = console.chosen_noise(sigma, noise)
    recipe = noiseless.Recipe(method, model, strength, steps, sampler, seed, tile)
    jobs = list(_jobs(inputs, output))
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


def _denoise_one(job: Job, recipe: Any, noise: Any, *, force: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="noiseless-") as folder:
        source = _from_standard_input(Path(folder)) if job.source == STANDARD else job.source
        restored = noiseless.restore_image(noiseless.read(source), recipe, noise=noise)
        if job.target == STANDARD:
            result = Path(folder) / f"result{source.suffix or '.png'}"
            noiseless.write(restored.image, result)
            with result.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer)
        else:
            noiseless.write(restored.image, job.target, overwrite=force)
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
    targets = [job.target for job in jobs if job.target != STANDARD]
    twice = {str(target) for target in targets if targets.count(target) > 1}
    if twice:
        raise noiseless.InvalidParameter(f"two inputs would both be written to {sorted(twice)[0]!r}; rename one")
    for job in jobs:
        if job.target == STANDARD:
            continue
        if job.target.exists() and job.source.exists() and job.target.samefile(job.source):
            raise noiseless.InvalidParameter(f"{str(job.source)!r} would overwrite itself; choose another -o")
        if job.target.exists() and not force:
            raise noiseless.UnwritableFile(f"{str(job.target)!r} exists; replace it with --force or choose another -o")
        if len(jobs) > 1:
            try:
                job.target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise noiseless.UnwritableFile(f"cannot make {str(job.target.parent)!r}: {error.strerror}") from error


def _tell(report: dict[str, Any], *, as_json: bool, to_stderr: bool) -> None:
    if as_json:
        (console.note(json.dumps(report)) if to_stderr else console.record(report))
        return
    if "error" in report:
        console.note(f"noiseless: {report['error']}")
        return
    line = f"{report['output']}: {console.law(report)}, {report['method']}, {report['seconds']:.2f} s"
    (console.note if to_stderr else typer.echo)(line)
    for warning in report["warnings"]:
        console.note(f"  warning: {warning}")
