"""``noiseless export``: a score network for other runtimes."""

from pathlib import Path
from typing import Annotated

import typer

import noiseless
from noiseless.apps.cli import completion, console


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A shipped model such as base-gray, or a .safetensors file.", autocompletion=completion.networks
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    form: Annotated[
        str, typer.Option("--format", help="onnx: any runtime of ONNX.", autocompletion=completion.formats)
    ] = "onnx",
    force: console.Force = False,  # noqa: FBT002
) -> None:
    """Write a score network for other runtimes, which need nothing of this package.

    Inputs noisy and sigma, output denoised: (batch, channels, height, width) float32 of any size that is a multiple of
    2 (the entry "factor" in the metadata): repeat the last row and column, cut the result.
    """
    write = noiseless.names.lookup(noiseless.score.EXPORTS, form, kind="format")
    from_file = model not in noiseless.score.shipped() and Path(model).suffix != ""
    checkpoint = noiseless.score.load(Path(model)) if from_file else noiseless.score.load_shipped(model)
    write(checkpoint, output, overwrite=force)
    typer.echo(str(output))
