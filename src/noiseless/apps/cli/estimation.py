"""``noiseless estimate``: what the noise is, how strong, and how far to trust that."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import console, noise_figure
from noiseless.apps.work import law


def estimate(
    inputs: Annotated[list[Path], typer.Argument(help="Image files.")],
    plot: Annotated[
        Path | None, typer.Option(help="Draw variance against intensity, autocorrelation and a flat region: out.png.")
    ] = None,
    level_map: Annotated[
        Path | None,
        typer.Option("--map", help="Write sigma at every pixel as a float TIFF, in units of the file."),
    ] = None,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Estimate the noise of images, in the units of their files."""
    if len(inputs) > 1 and (plot or level_map):
        raise noiseless.InvalidParameter(f"--plot and --map take one image, not {len(inputs)}; run them one by one")
    for path in inputs:
        image = noiseless.read(path)
        found = noiseless.noise.estimate_image_noise(image)
        if plot is not None:
            noise_figure.draw(found, image, plot, overwrite=force)
        if level_map is not None:
            _write_map(image, level_map, overwrite=force)
        if as_json:
            console.record({"input": str(path), **found.summary()})
            continue
        typer.echo(f"{path}: {law(found.summary())}, confidence {found.confidence:.2f} ({found.trust})")
        typer.echo(f"  {found.reason}")
        for warning in found.warnings:
            console.note(f"  warning: {warning}")


def _write_map(image: Any, path: Path, *, overwrite: bool) -> None:
    sigma = noiseless.noise.estimate_sigma_map(image)
    header = {"format": "tiff"}
    written = replace(image, pixels=sigma, scale=1.0, offset=0.0, stored_dtype="float32", alpha=None, header=header)
    noiseless.write(written, path, overwrite=overwrite)
