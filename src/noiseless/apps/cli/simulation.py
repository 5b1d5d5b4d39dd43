"""``noiseless noise`` and ``noiseless diffuse``: steps 1 and 2 of the method by themselves."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console

LEAST_CLIPPED = 0.001
# Fewer clipped values than one in a thousand are not worth a warning.
ROUNDED = 0.51
# What differs by more than half a unit was not rounded but clipped.


def noise(
    source: Annotated[Path, typer.Argument(help="A clean image.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    model: Annotated[
        str, typer.Option("--noise", help="The noise, in the units of the file: rician:sigma=10, or two joined by +.")
    ] = "gaussian:25",
    as_float: Annotated[  # noqa: FBT002  typer reads a flag from a bool
        bool, typer.Option("--float", help="Write 32-bit floats (a TIFF), neither rounded nor clipped.")
    ] = False,
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
) -> None:
    """Add noise to an image (step 1), and say so in its metadata.

    Integer files are rounded and clipped to their range, which changes the law of the noise near both ends.
    """
    law = noiseless.noise.parse_noise(model)
    image = noiseless.read(source)
    clean = image.in_stored_units().astype(np.float64)
    noisy = law.sample(clean, np.random.default_rng(seed))
    image = image.with_pixels(((noisy - image.offset) / image.scale).astype(np.float32))
    if as_float:
        image = replace(image, stored_dtype="float32")
    said = f"{noiseless.noise.notation_of(law)}, seed {seed}"
    line = f"noiseless {noiseless.__version__}: added noise {said}"
    noiseless.write(noiseless.files.with_history(image, line), output, overwrite=force)
    typer.echo(f"{output}: {said}")
    clipped = 0.0 if as_float else float(np.mean(np.abs(image.stored() - noisy) > ROUNDED))
    if clipped > LEAST_CLIPPED:
        console.note(f"  warning: {100 * clipped:.1f} % of the values lie outside the range of the file: clipped")


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
    found = noiseless.noise.estimate_sigma_per_channel(image.pixels) if sigma is None else (sigma / image.scale,)
    level = np.asarray(found, dtype=np.float32).reshape((-1,) + (1,) * len(image.space))
    noiseless.write(image.with_pixels(smooth(image.pixels, level)), output, overwrite=force)
    typer.echo(f"{output}: {method}, sigma {console.levels(float(np.max(found)) * image.scale)}")
