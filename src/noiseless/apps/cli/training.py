"""``noiseless train``: a score network from a folder of clean images."""

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console


def train(  # noqa: PLR0913  one parameter an option
    folder: Annotated[Path, typer.Argument(help="Folder of clean 8-bit images.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Checkpoint to write, model.safetensors.")],
    model: Annotated[str, typer.Option(help="Size: tiny, base or large.")] = "base",
    colour: Annotated[bool, typer.Option("--colour/--gray", help="A network for colour or for gray images.")] = True,  # noqa: FBT002
    steps: Annotated[int, typer.Option(help="Optimiser steps.", min=1)] = 20_000,
    minutes: Annotated[float, typer.Option(help="A limit on the time instead of the steps.")] = math.inf,
    batch: Annotated[int, typer.Option(help="Patches a step.", min=1)] = 16,
    patch: Annotated[int, typer.Option(help="Side of a patch in pixels.", min=8)] = 64,
    rate: Annotated[float, typer.Option(help="Learning rate of the inner kernels (Muon).")] = 0.005,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin from.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:n.")] = "cpu",
    licence: Annotated[str, typer.Option(help="Licence of the weights, for the card.")] = "",
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Train a score network by denoising score matching.

    The run is stored every minute in OUTPUT.resume: the same command goes on where it was stopped.
    """
    if output.exists() and not force:
        raise noiseless.UnwritableFile(f"{str(output)!r} exists; replace it with --force or choose another -o")
    settings = noiseless.score.TrainingSettings(
        steps=steps, minutes=minutes, batch=batch, patch=patch, muon_rate=rate, seed=seed
    )
    images = _images(folder, channels=3 if colour else 1)
    console.note(f"{len(images)} images, {sum(image[0].size for image in images) / 1e6:.0f} megapixels")
    card = {"data": folder.name, "licence": licence}
    states = noiseless.score.train(
        images, output, model=model, settings=settings, start=start, device=device, card=card
    )
    with console.progress("train") as bar:
        for state in states:
            _show(state, bar, as_json=as_json)
    typer.echo(str(output))


def _show(state: Any, bar: Any, *, as_json: bool) -> None:
    curve = ", ".join(f"{level}: {value:.2f} dB" for level, value in state.psnr.items())
    bar.update(state.progress, f"step {state.step}, loss {state.loss:.4f}")
    if state.psnr and as_json:
        console.record({"step": state.step, "seconds": state.elapsed, "loss": state.loss, "psnr": dict(state.psnr)})
    elif state.psnr:
        console.note(f"step {state.step}, {state.remaining / 60:.0f} min to go, validation {curve}")


def _images(folder: Path, *, channels: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Every image of a folder as (C, H, W) uint8; gray ones serve a colour network too, and the other way round."""
    if not folder.is_dir():
        raise noiseless.UnreadableFile(f"{str(folder)!r} is not a folder; name one that holds clean images")
    suffixes = noiseless.files.readable_suffixes()
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    if not paths:
        raise noiseless.UnreadableFile(f"no image in {str(folder)!r}; it may hold {', '.join(sorted(suffixes))}")
    return [_with_channels(noiseless.read(path).pixels, channels) for path in paths]


def _with_channels(pixels: np.ndarray[Any, np.dtype[np.float32]], channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    if pixels.shape[0] == 3 and channels == 1:
        # ITU-R BT.601 luma, as in the gray test sets of the field.
        pixels = np.tensordot(np.array([0.299, 0.587, 0.114], np.float32), pixels, axes=1)[np.newaxis]
    elif pixels.shape[0] != channels:
        pixels = np.repeat(pixels[:1], channels, axis=0)
    return np.asarray(np.rint(np.clip(pixels, 0, 1) * 255), dtype=np.uint8)
