"""``noiseless demo``: a real photograph through the four steps, side by side."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

import noiseless
from noiseless.apps.cli import console

CAPTION = 40
COLUMNS = 3


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of the demo, and its closeness to the clean photograph."""

    title: str
    pixels: NDArray[np.float64]
    psnr: float | None = None
    ssim: float | None = None
    seconds: float = 0.0


def demo(
    photograph: Annotated[Path | None, typer.Argument(help="A clean photograph; by default scikit-image's.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG file to write.")] = Path("noiseless-demo.png"),
    sigma: Annotated[float, typer.Option("-s", "--sigma", help="Noise to add, in grey levels of 255.")] = 25.0,
    steps: Annotated[int, typer.Option(help="Steps of the probability flow in step 4.", min=2)] = 5,
    seed: console.Seed = 0,
    force: console.Force = False,  # noqa: FBT002
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Show the four steps of the method on a photograph.

    Adds noise to it, then takes it through diffusion, score and generation. Writes the pictures side by side, with PSNR
    and SSIM at each of the four steps, and prints the table.
    """
    noiseless.files.format_for(output)  # before the work, so that nothing is lost at its end
    noiseless.files.check_new(output, overwrite=force)
    clean = _clean(photograph)
    noisy = noiseless.noise.Gaussian(sigma).sample(clean, np.random.default_rng(seed))
    axis = -1 if clean.ndim == 3 else None

    def blind(**choices: Any) -> NDArray[np.float64]:
        return np.asarray(noiseless.denoise(noisy, channel_axis=axis, **choices))

    image = noiseless.from_array(noisy, channel_axis=axis)
    found = noiseless.noise.estimate_image_noise(image)
    estimated = float(np.sqrt(np.mean(found.model.variance(image.in_stored_units()))))
    panels = [
        Panel("clean photograph", clean),
        _panel(f"1 noise: sigma {sigma:g}", clean, lambda: noisy),
        _panel("2 diffusion: Perona-Malik", clean, lambda: blind(method="perona-malik")),
        _panel("3 score: posterior mean", clean, lambda: blind(method="score")),
        _panel(f"4 generation: flow, {steps} steps", clean, lambda: blind(method="score", steps=steps, sampler="heun")),
        Panel("what step 3 removed", np.clip(127.5 + 2 * (noisy - blind(method="score")), 0, 255)),
    ]
    noiseless.write(noiseless.from_array(_side_by_side(panels), channel_axis=-1), output, overwrite=force)
    if as_json:
        _record(output, panels, sigma, found.kind, estimated)
        return
    typer.echo(f"noise found blind: {found.kind}, sigma {estimated:.2f} (added: {sigma:g})")
    typer.echo(f"{'step':<32}{'PSNR dB':>9}{'SSIM':>9}{'seconds':>9}")
    for panel in panels:
        if panel.psnr is not None:
            typer.echo(f"{panel.title:<32}{panel.psnr:>9.2f}{panel.ssim:>9.4f}{panel.seconds:>9.2f}")
    typer.echo(f"{output}")


def _record(output: Path, panels: list[Panel], sigma: float, kind: str, estimated: float) -> None:
    steps = {
        panel.title: {"psnr": panel.psnr, "ssim": panel.ssim, "seconds": panel.seconds}
        for panel in panels
        if panel.psnr is not None
    }
    noise = {"kind": kind, "sigma_found": estimated, "sigma_added": sigma}
    console.record({"output": str(output), "noise": noise, "steps": steps})


def _panel(title: str, clean: NDArray[np.float64], make: Callable[[], NDArray[np.float64]]) -> Panel:
    started = time.perf_counter()
    pixels = np.clip(make(), 0, 255)
    seconds = time.perf_counter() - started
    axis = -1 if clean.ndim == 3 else None
    ssim = noiseless.ssim(pixels, clean, channel_axis=axis)
    return Panel(title, pixels, noiseless.psnr(pixels, clean), ssim, seconds)


def _clean(photograph: Path | None) -> NDArray[np.float64]:
    """The photograph as float64 of 0 to 255, (Y, X) or (Y, X, 3)."""
    if photograph is None:
        try:
            from skimage import data  # an extra of the demo alone
        except ModuleNotFoundError as error:
            raise noiseless.MissingExtra(
                "the demo's own photograph comes with scikit-image: pip install 'noiseless[demo]', or give a photograph"
            ) from error
        return np.asarray(data.astronaut(), dtype=np.float64)
    image = noiseless.read(photograph)
    if image.axes != "CYX":
        raise noiseless.InvalidImage(f"{str(photograph)!r} is a volume; the demo takes a photograph")
    pixels = np.clip(image.pixels, 0, 1).astype(np.float64) * 255
    return pixels[0] if image.channels == 1 else np.moveaxis(pixels[:3], 0, -1)


def _side_by_side(panels: list[Panel]) -> NDArray[np.uint8]:
    """The panels in rows of three with a caption under each, as (Y, X, 3) uint8."""
    from PIL import Image, ImageDraw, ImageFont  # drawing text is needed here alone

    height, width = panels[0].pixels.shape[:2]
    rows = -(-len(panels) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width, rows * (height + CAPTION)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=max(11, min(18, width // 26)))
    for number, panel in enumerate(panels):
        left, top = number % COLUMNS * width, number // COLUMNS * (height + CAPTION)
        sheet.paste(Image.fromarray(np.rint(panel.pixels).astype(np.uint8)).convert("RGB"), (left, top))
        caption = panel.title if panel.psnr is None else f"{panel.title}   {panel.psnr:.2f} dB   SSIM {panel.ssim:.3f}"
        pen.text((left + 8, top + height + 10), caption, fill="black", font=font)
    return np.asarray(sheet)
