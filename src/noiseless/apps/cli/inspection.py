"""``noiseless models``, ``info`` and ``doctor``: what there is, and whether it works."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.sources import name_of, sources_of

# A soft pattern in noise of sigma 25 has a known answer: a healthy score network gains over 10 dB on it.
LEAST_GAIN = 8.0

PART_REFUSED = 3

LIBRARIES = ("numpy", "scipy", "numba", "openvino", "pillow", "tifffile", "imagecodecs", "safetensors", "torch")


def models(
    files: Annotated[list[Path] | None, typer.Argument(help="Checkpoints; without one, those of the package.")] = None,
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """List models from their cards, and check that their weights are what the cards say."""
    if files:
        cards = [(str(path), *_card_of(path)) for path in files]
    else:
        cards = [(name, *_network_card(noiseless.score.load_shipped(name))) for name in noiseless.score.shipped()]
        cards.append(("experts", *_density_card(noiseless.score.load_density())))
    for name, size, card in cards:
        if as_json:
            console.record({"model": name, **card})
            continue
        scores = ", ".join(f"{key} {value}" for key, value in card.get("scores", {}).items())
        typer.echo(f"{name}: {size}")
        typer.echo(f"  trained on {card.get('data', 'unknown data')}; licence {card.get('licence') or 'not stated'}")
        typer.echo(f"  {scores or 'no scores on the card'}")
        typer.echo(f"  sha256 {card['sha256'][:16]}..., {'verified' if card['verified'] else 'not on the card'}")


def _card_of(path: Path) -> tuple[str, dict[str, Any]]:
    """Of a network or, where the file says that it holds one, of a density."""
    try:
        return _network_card(noiseless.score.load(path))
    except noiseless.IncompatibleCheckpoint as no_network:
        try:
            return _density_card(noiseless.score.load_density(path))
        except noiseless.IncompatibleCheckpoint:
            raise no_network from None


def _network_card(checkpoint: Any) -> tuple[str, dict[str, Any]]:
    shape, weights = checkpoint.shape, sum(kernel.size for kernel in checkpoint.kernels.values())
    known = {"weights": weights, "multiply_adds_a_pixel": shape.multiply_adds, "reach": shape.reach}
    # Loading has compared the two where the card has one.
    checked = {"sha256": checkpoint.digest, "verified": "sha256" in checkpoint.card}
    return f"{weights / 1e6:.2f} M weights, {shape.multiply_adds / 1e6:.3f} MMAC/px", {
        **checkpoint.card,
        **known,
        **checked,
    }


def _density_card(mixture: Any) -> tuple[str, dict[str, Any]]:
    experts, side = len(mixture.weights), mixture.side
    known = {"experts": experts, "side": side, "reach": side - 1, "sha256": mixture.digest, "verified": True}
    return f"density of {side}x{side} patches, {experts} experts", {**mixture.card, **known}


def info(
    inputs: Annotated[list[str], typer.Argument(help="Image or video files, folders or patterns.")],
    max_pixels: console.MaxPixels = None,
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """Say what files are: kind, axes, spacing, range, bits, compression, what an output keeps, or why it is refused.

    Metadata are named, their values are not shown. The files of a DICOM series are one image.
    """
    images = noiseless.files.gathered(path for text in inputs for path in sources_of(text))
    failed = 0
    for paths in images:
        name = name_of(paths)
        try:
            with noiseless.files.allowing(max_pixels):
                fields = _described(paths)
        except noiseless.NoiselessError as error:
            if len(images) == 1:
                raise
            failed += 1
            console.record({"input": name, "error": str(error)}) if as_json else console.note(f"noiseless: {error}")
            continue
        if as_json:
            console.record({"input": name, **fields})
        else:
            _tell(name, fields)
    if failed:
        console.note(f"noiseless: {failed} of {len(images)} inputs were refused")
        raise typer.Exit(PART_REFUSED if failed < len(images) else 1)


def _described(paths: tuple[Path, ...]) -> dict[str, Any]:
    if noiseless.files.is_store(paths[0]):  # larger than memory, perhaps: no pixel is read
        return noiseless.files.open_chunked(paths[0]).described()
    if noiseless.files.is_video(paths[0]):
        with noiseless.files.open_video(paths[0]) as video:
            return video.described()
    image = noiseless.read(paths[0]) if len(paths) == 1 else noiseless.files.read_series(paths)
    return {"format": noiseless.files.format_of(paths[0]).name, **noiseless.files.described(image)}


def _tell(name: str, fields: dict[str, Any]) -> None:
    if "codec" in fields:
        _tell_video(name, fields)
        return
    if "metadata" not in fields:
        said = ", ".join(f"{key} {_plain(value)}" for key, value in fields.items() if key != "format")
        typer.echo(f"{name}: {fields['format']}, {said}")
        return
    channels, *space = fields["shape"]
    size = " x ".join(str(side) for side in space)
    alpha = " and alpha" if fields["alpha"] else ""
    volumes = f", {fields['volumes']} volumes or pictures" if fields["volumes"] > 1 else ""
    depth = f"{fields['dtype']}, values {fields['min']:g} to {fields['max']:g}"
    typer.echo(f"{name}: {fields['format']}, {size}, {channels} channel(s){alpha}{volumes}, {depth}")
    if fields["spacing_mm"]:
        typer.echo(f"  spacing: {' x '.join(f'{step:g}' for step in fields['spacing_mm'])} mm")
    if fields["measured"] < 1.0:
        typer.echo(f"  noise is read from {100 * fields['measured']:.0f} % of it: the rest is padding or air")
    if fields["stored"]:
        typer.echo(f"  stored: {', '.join(f'{key} {_plain(value)}' for key, value in fields['stored'].items())}")
    typer.echo(f"  metadata kept: {', '.join(fields['metadata']) or 'none'}")


def _tell_video(name: str, fields: dict[str, Any]) -> None:
    width, height = fields["size"]
    rate = "unknown rate" if fields["rate"] is None else f"{fields['rate']:.6g} frames a second"
    length = "of unknown length" if fields["seconds"] is None else f"{fields['seconds']:.6g} s"
    count = f", {fields['frames']} frames" if fields["frames"] else ""
    depth = f"{fields['codec']}, {fields['pixel_format']}, {fields['bits']} bits, {fields['channels']} channel(s)"
    typer.echo(f"{name}: {fields['format']}, {width} x {height}, {rate}, {length}{count}, {depth}")
    colours = ", ".join(f"{key} {value}" for key, value in fields["colours"].items() if value != "unspecified")
    turned = f"; shown turned by {fields['rotation']} degrees" if fields["rotation"] else ""
    typer.echo(f"  colours: {colours or 'of no stated kind'}{turned}")
    streams = ", ".join(f"{number} {kind}" for kind, number in fields["streams"].items())
    typer.echo(f"  kept: times, tags of colours, rotation; streams: {streams or 'none besides'}")
    typer.echo(f"  metadata kept: {', '.join(fields['metadata']) or 'none'}")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_plain(item) for item in value)
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def doctor() -> None:
    """Check the installation: versions, engines, models, and a small denoising with a known answer."""
    typer.echo(f"noiseless {noiseless.__version__}, Python {platform.python_version()}, {platform.platform()}")
    for library in LIBRARIES:
        try:
            typer.echo(f"  {library} {importlib.metadata.version(library)}")
        except importlib.metadata.PackageNotFoundError:
            typer.echo(f"  {library} is not installed")
    typer.echo(f"  {os.cpu_count()} CPU cores; {noiseless.score.engine_description()}")
    rows, columns = np.mgrid[0:128, 0:128] / 128.0
    clean = (127.5 + 90 * np.sin(9 * rows) * np.cos(7 * columns)).astype(np.float32)
    noisy = clean + 25 * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    arrays: dict[str, Any] = {"NumPy by OpenVINO": noisy}
    if importlib.util.find_spec("torch") is not None:
        arrays["torch"] = importlib.import_module("torch").from_numpy(noisy)
    healthy = True
    for engine, array in arrays.items():
        started = time.perf_counter()
        denoised = np.asarray(noiseless.denoise(array, sigma=25))
        seconds = time.perf_counter() - started
        gain = noiseless.psnr(denoised, clean) - noiseless.psnr(noisy, clean)
        healthy = healthy and gain > LEAST_GAIN
        verdict = "ok" if gain > LEAST_GAIN else f"FAILED, expected {LEAST_GAIN} dB"
        typer.echo(f"  {engine}: {gain:.1f} dB gained in {seconds:.2f} s: {verdict}")
    if not healthy:
        raise typer.Exit(1)
    typer.echo("all is well")
