"""``noiseless noise`` and ``noiseless diffuse``: steps 1 and 2 of the method by themselves."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console


def noise(
    source: Annotated[Path, typer.Argument(help="A clean image.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    model: Annotated[str, typer.Option("--noise", help="The noise, in the units of the file.")] = "gaussian:25",
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
) -> None:
    """Add noise to an image (step 1). Integer files are rounded and clipped to their range."""
    image = noiseless.read(source)
    stored = image.pixels.astype(np.float64) * image.scale + image.offset
    noisy = noiseless.noise.parse_noise(model).sample(stored, np.random.default_rng(seed))
    pixels = ((noisy - image.offset) / image.scale).astype(np.float32)
    noiseless.write(image.with_pixels(pixels), output, overwrite=force)
    typer.echo(f"{output}: {model}, seed {seed}")


def diffuse(
    source: Annotated[Path, typer.Argument(help="An image.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    method: Annotated[str, typer.Option("-m", "--method", help="heat or perona-malik.")] = "perona-malik",
    sigma: console.SigmaOption = None,
    time: Annotated[float | None, typer.Option(help="Of heat: time in square pixels, instead of sigma's.")] = None,
    steps: Annotated[int | None, typer.Option(help="Of perona-malik: number of explicit steps.")] = None,
    force: console.Force = False,  # noqa: FBT002
) -> None:
    """Diffuse an image (step 2): a partial differential equation smooths it."""
    choices = {name: value for name, value in (("time", time), ("steps", steps)) if value is not None}
    smooth = noiseless.diffusion.filter_named(method, **choices)
    image = noiseless.read(source)
    found = noiseless.noise.estimate_image_noise(image).sigma if sigma is None else sigma
    level = np.asarray(found, dtype=np.float32) / image.scale
    noiseless.write(image.with_pixels(smooth(image.pixels, level)), output, overwrite=force)
    typer.echo(f"{output}: {method}, sigma {console.levels(float(np.max(found)))}")
