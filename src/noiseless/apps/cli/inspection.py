"""``noiseless models`` and ``info``: what there is, in models and in files."""

from pathlib import Path
from typing import Annotated, Any

import typer

import noiseless
from noiseless.apps.cli import console
from noiseless.apps.cli.sources import sources_of
from noiseless.apps.work import name_of

PART_REFUSED = 3


def models(
    files: Annotated[list[Path] | None, typer.Argument(help="Checkpoints; without one, those of the package.")] = None,
    as_json: console.Json = False,  # noqa: FBT002
) -> None:
    """List models from their cards, and check their weights: that they are what the cards say."""
    if not files:
        for name in noiseless.score.shipped():
            _tell_card(name, *_network_card(noiseless.score.load_shipped(name)), as_json=as_json)
        _tell_card("experts", *_density_card(noiseless.score.load_density()), as_json=as_json)
        return
    failed = 0
    for path in files:
        try:
            found = _card_of(path)
        except noiseless.NoiselessError as error:
            if len(files) == 1:
                raise
            failed += 1
            _tell_refused({"model": str(path)}, error, as_json=as_json)
            continue
        _tell_card(str(path), *found, as_json=as_json)
    _leave(failed, len(files), "models")


def _tell_card(name: str, size: str, card: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.record({"model": name, **card})
        return
    scores = ", ".join(f"{key} {value}" for key, value in card.get("scores", {}).items())
    typer.echo(f"{name}: {size}")
    typer.echo(f"  trained on {card.get('data', 'unknown data')}; licence {card.get('licence') or 'not stated'}")
    typer.echo(f"  {scores or 'no scores on the card'}")
    typer.echo(f"  sha256 {card['sha256'][:16]}..., {'verified' if card['verified'] else 'not on the card'}")


def _tell_refused(fields: dict[str, Any], error: Exception, *, as_json: bool) -> None:
    console.record({**fields, "error": str(error)}) if as_json else console.note(f"noiseless: {error}")


def _leave(failed: int, count: int, kind: str) -> None:
    """With the code that says how many of several were refused."""
    if failed:
        console.note(f"noiseless: {failed} of {count} {kind} were refused")
        raise typer.Exit(PART_REFUSED if failed < count else 1)


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
    """Say what files are, and what an output keeps of them.

    Kind, axes, spacing, range, bits, compression, or why a file is refused. Metadata are named,
    their values are not shown. The files of a DICOM series are one image.
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
            _tell_refused({"input": name}, error, as_json=as_json)
            continue
        if as_json:
            console.record({"input": name, **fields})
        else:
            _tell(name, fields)
    _leave(failed, len(images), "inputs")


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
