"""What a run would do, said before it does it; and its recipe, kept for later runs."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.jobs import check_beside
from noiseless.apps.work import STANDARD, Job, Settings, is_video

WOULD_FAIL = 3
"""Exit code where a part of the inputs would fail."""


def save_recipe(recipe: Any, noise: Any, path: Path, jobs: Sequence[Job], *, force: bool, write: bool) -> None:
    """Write what the options say as a recipe; only refuse what could not be written, where ``write`` is false.

    Raises
    ------
    noiseless.UnwritableFile : the file exists; it is one of the inputs or results.
    noiseless.InvalidParameter : the noise has no words, as a map has not.
    """
    text = noiseless.restoration.recipe_text(recipe, noise)
    check_beside(path, jobs, "recipe", force=force)
    if write:
        with noiseless.files.replacing(path, overwrite=force) as temporary:
            temporary.write_text(text, encoding="utf-8")


def tell(jobs: Sequence[Job], settings: Settings, *, as_json: bool) -> None:
    """Say for every input what would be done with it, from the first bytes of its file; nothing is written.

    Raises
    ------
    typer.Exit : some of them would fail.
    """
    failing = 0
    for job in jobs:
        planned = _planned(job)
        failing += "error" in planned
        if as_json:
            console.record(planned)
        elif "error" in planned:
            console.note(f"noiseless: {planned['error']}")
        else:
            exists = " (exists)" if planned["exists"] else ""
            console.say(f"{planned['input']} -> {planned['output']}{exists}: {planned['kind']}")
    if not as_json:
        console.note(
            f"{len(jobs) - failing} of {len(jobs)} would be denoised by {_in_words(settings)}; nothing is written"
        )
    if failing:
        raise typer.Exit(WOULD_FAIL if failing < len(jobs) else 1)


def _planned(job: Job) -> dict[str, Any]:
    said: dict[str, Any] = {
        "input": job.name,
        "output": job.result,
        "also": [str(path) for path in job.outputs if path not in job.targets],
        "exists": any(path.exists() for path in job.outputs),
    }
    try:
        return {**said, "kind": _kind(job)}
    except noiseless.NoiselessError as error:
        return {**said, "error": str(error)}


def _kind(job: Job) -> str:
    source = job.sources[0]
    if source == STANDARD:
        return "standard input"
    if noiseless.files.is_store(source):
        return "OME-Zarr"
    if is_video(job):
        with noiseless.files.open_video(source) as video:
            return f"video, {video.width} x {video.height}"
    return str(noiseless.files.format_of(source).name)


def _in_words(settings: Settings) -> str:
    """The recipe where it is not as usual, and the noise."""
    usual, recipe = noiseless.Recipe(), settings.recipe
    said = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    changed = [f"{name} {value}" for name, value in said.items() if value != getattr(usual, name) and name != "method"]
    noise = settings.noise if isinstance(settings.noise, str) else "noise as given"
    return ", ".join([f"method {recipe.method}", *changed, "noise to be found" if settings.noise is None else noise])
