"""``noiseless diffuse``: step 2 of the method by itself, on a file, and as a movie."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import completion, console
from noiseless.apps.work import levels

MOST_STATES = 60


def diffuse(  # noqa: PLR0913  every choice is an option
    source: Annotated[Path, typer.Argument(help="An image or a volume.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    kind: Annotated[
        str,
        typer.Option(
            "-k",
            "--kind",
            help="The equation: " + ", ".join(sorted(noiseless.diffusion.FILTERS)) + ".",
            autocompletion=completion.filters,
        ),
    ] = "perona-malik",
    sigma: console.SigmaOption = None,
    time: Annotated[
        float | None, typer.Option(help="How long, in squares of the finest pixel; more smooths more.")
    ] = None,
    contrast: Annotated[
        float | None, typer.Option(help="Gradients above it, in units of the file a pixel, stay; instead of sigma's.")
    ] = None,
    stepping: Annotated[
        str | None,
        typer.Option(
            help="explicit, fast-explicit, or semi-implicit (not for tensors).", autocompletion=completion.steppings
        ),
    ] = None,
    least_risk: Annotated[  # noqa: FBT002  typer reads a flag from a bool
        bool, typer.Option("--least-risk", help="Stop where the estimated error is least, not at the usual time.")
    ] = False,
    movie: Annotated[Path | None, typer.Option(help="Also show it happen: a .gif or an .mp4.")] = None,
    force: console.Force = False,  # noqa: FBT002
) -> None:
    """Smooth an image by a diffusion process (step 2).

    Without --sigma the noise is estimated; without --time or --contrast they follow from it. In a volume with known
    spacing, diffusion is the same in all directions of space, however thick the slices; the movie shows the middle one.
    """
    # Before the work, so that nothing is lost at its end, nor one output written without the other.
    noiseless.files.format_for(output)
    for target in (output, movie):
        if target is not None:
            noiseless.files.check_new(target, overwrite=force)
    image = noiseless.read(source)
    given = {
        "time": time,
        "contrast": None if contrast is None else contrast / image.scale,
        "stepping": stepping,
        "least_risk": least_risk or None,
    }
    finest = min(image.spacing) if image.spacing else 1.0
    spacing = tuple(size / finest for size in image.spacing)
    smooth: Any = noiseless.diffusion.filter_named(kind, spacing=spacing, **_asked_for(kind, given))
    found = noiseless.noise.estimate_sigma_per_channel(image.pixels) if sigma is None else (sigma / image.scale,)
    level = np.asarray(found, dtype=np.float32).reshape((-1,) + (1,) * len(image.space))
    if movie is None:
        pixels = smooth(image.pixels, level)
    else:
        if least_risk:
            raise noiseless.InvalidParameter("--movie shows the whole time, and --least-risk stops before; take one")
        frames = []
        for state in smooth.states(image.pixels, level, most=MOST_STATES):
            pixels = state.image
            frames.append(_frame(image.with_pixels(pixels)))
        noiseless.files.write_movie(frames, movie, overwrite=force)
    said = f"{kind}, sigma {levels(float(np.max(found)) * image.scale)}"
    line = f"noiseless {noiseless.__version__}: diffused by {said}"
    noiseless.write(noiseless.files.with_history(image.with_pixels(pixels), line), output, overwrite=force)
    typer.echo(f"{output}: {said}")


def _asked_for(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters that were given; one that the filter does not have is refused under the option's name."""
    table = noiseless.diffusion.FILTERS
    known = {field.name for field in fields(table[kind])} if kind in table else set(given)  # type: ignore[arg-type]
    asked = {name: value for name, value in given.items() if value is not None}
    for name in asked:
        if name not in known:
            raise noiseless.InvalidParameter(f"--{name.replace('_', '-')} has no meaning for {kind}")
    return asked


def _frame(image: noiseless.Image) -> Any:
    """8-bit pixels of a picture, or of the middle slice of a volume; black and white are those of the scale."""
    shown = image.pixels if image.axes == "CYX" else image.pixels[:, image.space[0] // 2]
    levels = np.rint(255.0 * shown.clip(0.0, 1.0)).astype(np.uint8)
    return levels[0] if levels.shape[0] == 1 else np.ascontiguousarray(levels[:3].transpose(1, 2, 0))
