"""``noiseless noise``: step 1 of the method by itself."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import completion, console

LEAST_CLIPPED = 0.001
# Fewer clipped values than one in a thousand are not worth a warning.
ROUNDED = 0.51
# What differs by more than half a unit was not rounded but clipped.


def noise(
    source: Annotated[Path, typer.Argument(help="A clean image.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    model: Annotated[
        str,
        typer.Option(
            "--noise",
            help="The noise, in the units of the file: rician:sigma=10, or two joined by +.",
            autocompletion=completion.noise_models,
        ),
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
