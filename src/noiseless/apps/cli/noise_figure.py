"""The picture of a noise estimate: what was measured, and the law that was read from it."""

from pathlib import Path
from typing import Any

import numpy as np

import noiseless
from noiseless.apps.cli import figure

COLOURS = {1: ("#333333",), 3: ("#c0392b", "#27913f", "#2c5fb3")}
WIDE = 5.0  # standard deviations of noise that the histogram shows


def draw(found: Any, image: Any, path: Path, *, overwrite: bool) -> None:
    """Write variance against intensity, autocorrelation, and the histogram of a flat region, as PNG, SVG or PDF.

    Raises
    ------
    noiseless.MissingExtra : matplotlib is not installed.
    noiseless.UnsupportedFormat : the suffix is not of a kind of picture that can be drawn.
    """
    figure.check(path)
    evidence = noiseless.noise.evidence_of(image)
    shown = len(evidence) // 2  # green of a colour image
    picture = figure.new(13.0, 4.2)
    scatter, correlation, histogram = picture.subplots(1, 3)
    _draw_scatter(scatter, evidence, found.model)
    _draw_correlation(picture, correlation, evidence[shown])
    _draw_histogram(histogram, evidence[shown])
    picture.suptitle(f"{found.kind}, confidence {found.confidence:.2f} ({found.trust})", fontsize=11)
    figure.save(picture, path, overwrite=overwrite)


def _draw_scatter(axes: Any, evidence: Any, model: Any) -> None:
    for channel, colour in zip(evidence, COLOURS.get(len(evidence), ("#333333",) * len(evidence)), strict=True):
        axes.errorbar(
            channel.levels, channel.variances, channel.errors, fmt="o", ms=3.5, lw=0.8, color=colour, alpha=0.8
        )
    levels = np.concatenate([channel.levels for channel in evidence])
    if levels.size:
        grid = np.linspace(min(0.0, levels.min()), levels.max() * 1.02, 200)
        flat = np.broadcast_to(grid, (len(evidence), 1, grid.size)).copy()
        for curve in np.unique(np.round(model.variance(flat)[:, 0], 12), axis=0):
            axes.plot(grid, curve, "-", color="#e08e0b", lw=1.6, label="fitted law")
        axes.legend(*[part[:1] for part in axes.get_legend_handles_labels()], frameon=False, fontsize=9)
    axes.set(xlabel="intensity", ylabel="variance of the noise", title="variance against intensity")
    axes.set_ylim(bottom=0)


def _draw_correlation(picture: Any, axes: Any, channel: Any) -> None:
    values = channel.autocorrelation
    reach = values.shape[0] // 2
    shown = axes.imshow(
        values, vmin=-1, vmax=1, cmap="RdBu_r", extent=(-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5)
    )
    picture.colorbar(shown, ax=axes, shrink=0.8)
    beside = (values[reach, reach + 1] + values[reach + 1, reach]) / 2
    axes.set(xlabel="columns apart", ylabel="rows apart", title=f"autocorrelation ({beside:+.2f} beside)")


def _draw_histogram(axes: Any, channel: Any) -> None:
    values = channel.flat_values
    if values.size:
        sigma = float(values.std()) or 1.0
        middle = float(values.mean())
        bounds = middle - WIDE * sigma, middle + WIDE * sigma
        axes.hist(values, bins=60, range=bounds, density=True, color="#9db4c8")
        grid = np.linspace(*bounds, 300)
        bell = np.exp(-((grid - middle) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
        axes.plot(grid, bell, color="#333333", lw=1.2, label=f"Gaussian, sigma {sigma:.3g}")
        axes.legend(frameon=False, fontsize=9)
    axes.set(xlabel="intensity", ylabel="density", title="a flat region")
