"""``noiseless adapt``: a network that fits these images, from the images alone."""

from pathlib import Path
from typing import Annotated

import typer

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.sources import sources_of
from noiseless.apps.work import noise_as_said


def adapt(  # noqa: PLR0913  one parameter an option
    inputs: Annotated[list[str], typer.Argument(help="Noisy files, folders or patterns, of one kind.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Checkpoint to write, mine.safetensors.")],
    sigma: console.SigmaOption = None,
    noise: console.NoiseOption = "auto",
    model: console.Model = "base",
    budget: Annotated[float, typer.Option(help="Seconds that it may learn.")] = 45.0,
    side: Annotated[int, typer.Option(help="Of the part of each image that is learned from, in pixels.")] = 1024,
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Adapt a network to noisy images, without clean ones; denoise --model takes the result.

    Only its gains are fitted, by the error that the images tell themselves. What is learned on one half of an
    image is judged on the other, and the network stays as it was where it is not surely better.
    """
    given = noise_as_said(sigma, noise)
    images = [noiseless.read(source) for text in inputs for source in sources_of(text)]
    adapted = noiseless.adapt(
        images, output, noise=given, model=model, budget_s=budget, side=side, seed=seed, overwrite=force
    )
    if as_json:
        console.record(adapted.summary())
        return
    summary = adapted.summary()
    if not adapted.changed:
        result = "as it was; nothing was surely better"
    elif "gain_db" in summary:
        low, high = summary["gain_db_interval"]
        result = f"{summary['gain_db']:+.2f} dB on what was held out, from {low:+.2f} to {high:+.2f} (95 %)"
    else:
        result = f"error less by {adapted.gain.fall:.3g} of the noise on what was held out"
    typer.echo(f"{output}: {result}")
