"""``noiseless estimate``: how strong the noise is, and how far to trust that."""

from pathlib import Path
from typing import Annotated

import typer

import noiseless
from noiseless.apps.cli import console


def estimate(
    inputs: Annotated[list[Path], typer.Argument(help="Image files.")],
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Estimate the noise of images, in the units of their files."""
    for path in inputs:
        found = noiseless.noise.estimate_image_noise(noiseless.read(path))
        summary = found.summary()
        if as_json:
            console.record({"input": str(path), **summary})
            continue
        sigma = console.levels(summary["sigma"])
        typer.echo(f"{path}: sigma {sigma}, confidence {found.confidence:.2f} ({found.reason})")
        for warning in found.warnings:
            console.note(f"  warning: {warning}")
