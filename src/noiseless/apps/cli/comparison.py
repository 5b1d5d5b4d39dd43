"""``noiseless compare``: PSNR and SSIM against a clean image."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console


def compare(
    clean: Annotated[Path, typer.Argument(help="The clean image.")],
    images: Annotated[list[Path], typer.Argument(help="Images to hold against it.")],
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Compare images with a clean one: PSNR in dB and SSIM, greater is closer."""
    reference = noiseless.read(clean)
    for path in images:
        image = noiseless.read(path)
        if image.pixels.shape != reference.pixels.shape:
            raise noiseless.InvalidImage(
                f"{str(path)!r} has the shape {image.pixels.shape}, {str(clean)!r} has {reference.pixels.shape}; "
                "a comparison needs equal ones"
            )
        # The peak is that of the clean file: 255, 65535, or the span of its values for floats.
        span = reference.scale if reference.stored_dtype.startswith("u") else float(np.ptp(reference.stored()))
        if not span > 0:
            raise noiseless.InvalidImage(f"{str(clean)!r} is constant, so PSNR has no peak; compare with another image")
        values, truth = image.stored(), reference.stored()
        psnr = noiseless.psnr(values, truth, data_range=span)
        try:
            ssim = noiseless.ssim(values, truth, data_range=span, channel_axis=0)
        except noiseless.InvalidImage:
            ssim = float("nan")  # smaller than a window of SSIM
        if as_json:
            console.record({"input": str(path), "psnr": psnr, "ssim": ssim})
        else:
            typer.echo(f"{path}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}")
