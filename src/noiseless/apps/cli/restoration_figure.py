"""The picture of a restoration: the result, what was removed, how far it may be wrong, and what else it may be."""

from pathlib import Path
from typing import Any

import numpy as np

from noiseless.apps.cli import figure

STRIP = 160  # side of the part of each sample that is shown, pixels


def draw(noisy: Any, restored: Any, path: Path, *, overwrite: bool) -> None:
    """Write the picture; of a volume, its middle slice.

    Residual and error are in the units of the image, with their scales. Samples are shown where the error is greatest.
    """
    shown = [noisy, restored.image]
    before, after = (_plane(image.stored().astype(np.float64)) for image in shown)
    half68 = _plane(restored.error.half68).mean(axis=0)
    samples = [_plane(sample.stored().astype(np.float64)) for sample in restored.samples]
    height, width = half68.shape
    rows = 1 + bool(samples)
    picture = figure.new(15.0, 4.2 * height / width * 0.9 + 1.0 + 2.3 * (rows - 1))
    top, *below = np.atleast_1d(picture.subfigures(rows, 1, height_ratios=[3.2, 1.8][:rows]))
    low, high = np.percentile(after, [0.1, 99.9])
    axes = top.subplots(1, 4)
    for axis, values, title in zip(axes[:2], (before, after), ("noisy", "denoised"), strict=True):
        _show(axis, values, low, high, title)
    removed = (before - after).mean(axis=0)
    most = float(np.percentile(np.abs(removed), 99.5)) or 1.0
    _mapped(top, axes[2], removed, "RdBu_r", (-most, most), "removed")
    kind = "68 % of pixels are nearer" if restored.error.calibrated else "not calibrated"
    _mapped(top, axes[3], half68, "magma", (0.0, float(np.percentile(half68, 99.5))), f"error ({kind})")
    if samples:
        place = _where_greatest(half68)
        _strip(below[0], [(after, "mean")] + [(s, f"sample {i}") for i, s in enumerate(samples, 1)], place, (low, high))
    figure.save(picture, path, overwrite=overwrite)


def _plane(values: Any) -> Any:
    """(C, Y, X): of a volume the middle slice."""
    return values if values.ndim == 3 else values[:, values.shape[1] // 2]


def _where_greatest(half68: Any) -> tuple[slice, slice]:
    """The square with the greatest mean error."""
    side = min(STRIP, *half68.shape)
    sums = np.pad(half68, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    blocks = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    row, column = np.unravel_index(np.argmax(blocks), blocks.shape)
    return slice(int(row), int(row) + side), slice(int(column), int(column) + side)


def _strip(part: Any, images: list[tuple[Any, str]], place: tuple[slice, slice], limits: tuple[float, float]) -> None:
    for axis, (values, title) in zip(part.subplots(1, max(len(images), 6)), images, strict=False):
        _show(axis, values[:, place[0], place[1]], *limits, title)
    for axis in part.axes[len(images) :]:
        axis.remove()


def _show(axis: Any, values: Any, low: float, high: float, title: str) -> None:
    grey = values.shape[0] != 3
    shown = np.clip((values - low) / max(high - low, 1e-12), 0.0, 1.0)
    axis.imshow(shown[0] if grey else np.moveaxis(shown, 0, -1), cmap="gray", vmin=0.0, vmax=1.0)
    axis.set_title(title, fontsize=10)
    axis.axis("off")


def _mapped(picture: Any, axis: Any, values: Any, colours: str, limits: tuple[float, float], title: str) -> None:
    drawn = axis.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1])
    axis.set_title(title, fontsize=10)
    axis.axis("off")
    bar = picture.colorbar(drawn, ax=axis, shrink=0.75, fraction=0.06)
    bar.set_label("units of the image", fontsize=8)
