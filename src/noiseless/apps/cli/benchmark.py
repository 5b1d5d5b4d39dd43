"""``noiseless bench``: PSNR, SSIM and time of every method on test sets, under one protocol."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console


@dataclass(frozen=True)
class Score:
    """One cell of the table: means over a set, and seconds a megapixel over all of it."""

    psnr: float
    ssim: float
    seconds: float


def bench(
    folder: Annotated[Path, typer.Argument(help="Folder with one folder of clean images for each set.")],
    sets: Annotated[str, typer.Option(help="Sets to run, separated by commas.")] = "Set12,BSD68,CBSD68,Kodak24",
    sigmas: Annotated[str, typer.Option(help="Noise levels of 255, separated by commas.")] = "15,25,50",
    methods: Annotated[str, typer.Option(help="Methods, separated by commas.")] = "heat,perona-malik,score",
    model: console.Model = "base",
    every: Annotated[int, typer.Option(help="Use every n-th image only.", min=1)] = 1,
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Measure methods on clean test images: PSNR, SSIM and time.

    White Gaussian noise from numpy.random.default_rng(0), fresh for each image, on float values of 0 to 255, neither
    clipped nor rounded; results clipped to 0 to 255; PSNR and SSIM are means over images; time is wall time of the
    whole call with all cores.
    """
    levels = [_number(text) for text in sigmas.split(",")]
    loaded = {name: _images(folder / name)[::every] for name in sets.split(",")}
    if not as_json:
        typer.echo(f"PSNR dB / SSIM / seconds a megapixel, {os.cpu_count()} cores")
        typer.echo(f"{'set':<9} {'method':<14}" + "".join(f"{f'sigma {sigma:g}':>24}" for sigma in levels))
    for name, images in loaded.items():
        for method in methods.split(","):
            row = {sigma: _measure(images, method, model, sigma) for sigma in levels}
            if as_json:
                for sigma, score in row.items():
                    console.record({"set": name, "method": method, "sigma": sigma, **vars(score)})
            else:
                cells = "".join(f"{f'{s.psnr:.2f} / {s.ssim:.4f} / {s.seconds:.2f}':>24}" for s in row.values())
                typer.echo(f"{name:<9} {method:<14}{cells}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise noiseless.InvalidParameter(f"{text!r} is not a noise level; use numbers such as 15,25,50") from None


def _measure(images: list[np.ndarray[Any, Any]], method: str, model: str, sigma: float) -> Score:
    psnr, ssim, seconds = [], [], 0.0
    axis = -1 if images[0].ndim == 3 else None
    # The first call compiles: it is not part of the time.
    noiseless.denoise(images[0], sigma=sigma, channel_axis=axis, method=method, model=model)
    for clean in images:
        noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
        started = time.perf_counter()
        denoised = noiseless.denoise(noisy, sigma=sigma, channel_axis=axis, method=method, model=model)
        seconds += time.perf_counter() - started
        denoised = np.clip(denoised, 0, 255)
        psnr.append(noiseless.psnr(denoised, clean))
        ssim.append(noiseless.ssim(denoised, clean, channel_axis=axis))
    pixels = sum(clean.shape[0] * clean.shape[1] for clean in images)
    return Score(float(np.mean(psnr)), float(np.mean(ssim)), seconds / pixels * 1e6)


def _images(folder: Path) -> list[np.ndarray[Any, Any]]:
    """The images of a set as float64 of 0 to 255, (Y, X) or (Y, X, 3)."""
    if not folder.is_dir():
        raise noiseless.UnreadableFile(f"no folder {str(folder)!r}; name the folder that holds the test sets")
    suffixes = noiseless.files.readable_suffixes()
    found = [noiseless.read(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in suffixes]
    if not found:
        raise noiseless.UnreadableFile(f"no image in {str(folder)!r}")
    return [_channel_last(image.stored().astype(np.float64)) for image in found]


def _channel_last(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return pixels[0] if pixels.shape[0] == 1 else np.moveaxis(pixels, 0, -1)
