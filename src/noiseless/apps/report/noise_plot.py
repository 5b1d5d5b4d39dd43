"""The noise of an image as SVG: variance against intensity, autocorrelation, histogram of a flat region."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.report.document import text
from noiseless.apps.viewer import pictures

WIDTH, HEIGHT = 360.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 348.0, 12.0, 222.0

CHANNELS = {1: ("ink",), 3: ("red", "green", "blue")}

WIDE = 5.0
"""Standard deviations of noise that the histogram shows."""

BINS = 48
SHOWN_POINTS = 160


def noise_figures(image: noiseless.Image, model: Any) -> str:
    """Three drawings with their captions.

    Parameters
    ----------
    image : (C, Y, X), noisy
    model : of its noise, in stored units
    """
    evidence = noiseless.noise.evidence_of(image)
    middle = evidence[len(evidence) // 2]  # green of a colour image
    beside = _beside(middle.autocorrelation)
    flat = middle.flat_values
    drawn = [
        (
            _scatter(evidence, model),
            "Variance of the noise against intensity. Points: measured in groups of calm patches. Line: the law that "
            "was removed.",
        ),
        (
            _correlation(middle.autocorrelation),
            f"How alike neighbouring pixels are in the calmest patches: {beside:+.2f} beside. White noise is alike "
            "nowhere but in the middle; a broad spot is correlated noise, or texture that is left in the patches.",
        ),
        (
            _histogram(flat),
            "The calmest square of 32 by 32 pixels: its values, and a normal law of the same spread"
            f" ({flat.std() if flat.size else 0.0:.3g}).",
        ),
    ]
    figures = "".join(
        f"<figure>{svg}<figcaption>{text(caption)}</figcaption></figure>" for svg, caption in drawn if svg
    )
    return f'<div class="plots">{figures}</div>'


def line_plot(times: Sequence[float], levels: NDArray[np.float64], label: str) -> str:
    """Levels (N, C) over seconds, a line each."""
    frame = _Frame((min(times), max(times)), (0.0, float(levels.max()) * 1.08 or 1.0))
    names = CHANNELS.get(levels.shape[1], ("ink",) * levels.shape[1])
    lines = [frame.line(times, column, f"curve {name}") for column, name in zip(levels.T, names, strict=True)]
    return frame.svg(lines, "seconds", "sigma", label)


def _scatter(evidence: Sequence[Any], model: Any) -> str:
    levels = np.concatenate([channel.levels for channel in evidence])
    if not levels.size:
        return ""
    grid = np.linspace(min(0.0, float(levels.min())), float(levels.max()) * 1.02, 60)
    curves = _curves(model, grid, len(evidence))
    tops = [channel.variances + channel.errors for channel in evidence]
    highest = max(float(np.max(part)) for part in (*tops, *curves) if part.size)
    frame = _Frame((float(grid[0]), float(grid[-1])), (0.0, 1.08 * highest))
    names = CHANNELS.get(len(evidence), ("ink",) * len(evidence))
    marks = [mark for channel, name in zip(evidence, names, strict=True) for mark in _points(channel, name, frame)]
    marks += [frame.line(grid, curve, "curve accent") for curve in curves]
    said = f"Variance of the noise against intensity: {levels.size} groups of patches"
    return frame.svg(marks, "intensity", "variance", said)


def _points(channel: Any, name: str, frame: "_Frame") -> list[str]:
    """Dots with their standard errors; of many groups some."""
    count = len(channel.levels)
    chosen = np.unique(np.linspace(0, max(count - 1, 0), SHOWN_POINTS).astype(int))[: count or 0]
    values = (channel.levels[chosen], channel.variances[chosen], channel.errors[chosen])
    return [
        f'<path class="bar {name}" d="M{frame.x(level):.1f} {frame.y(variance - error):.1f}'
        f'V{frame.y(variance + error):.1f}"/>'
        f'<circle class="dot {name}" cx="{frame.x(level):.1f}" cy="{frame.y(variance):.1f}" r="2.6"/>'
        for level, variance, error in zip(*values, strict=True)
    ]


def _curves(model: Any, grid: NDArray[np.float64], channels: int) -> list[NDArray[np.float64]]:
    """The law as curves, different ones only; none where it changes from place to place."""
    flat = np.broadcast_to(grid, (channels, 1, grid.size)).copy()
    try:
        variance = np.asarray(model.variance(flat))
    except (ValueError, noiseless.NoiselessError):  # a map that does not fit a line of levels
        return []
    if variance.shape != flat.shape:
        return []
    return list(np.unique(np.round(variance[:, 0], 12), axis=0))


def _correlation(values: NDArray[np.float64]) -> str:
    side = len(values)
    reach = side // 2
    cell = (BOTTOM - TOP) / side
    left = (LEFT + RIGHT - cell * side) / 2
    colours = pictures.diverging(values, 1.0)
    cells = "".join(
        f'<rect x="{left + column * cell:.2f}" y="{TOP + row * cell:.2f}" width="{cell + 0.3:.2f}" '
        f'height="{cell + 0.3:.2f}" fill="#{bytes(colours[row, column]).hex()}"/>'
        for row in range(side)
        for column in range(side)
    )
    ticks = "".join(
        f'<text x="{left + (lag + reach + 0.5) * cell:.1f}" y="{BOTTOM + 18:.1f}" text-anchor="middle">{lag}</text>'
        f'<text x="{left - 8:.1f}" y="{TOP + (lag + reach + 0.5) * cell + 4:.1f}" text-anchor="end">{lag}</text>'
        for lag in range(-reach, reach + 1, 4)
    )
    title = f'<text x="{(LEFT + RIGHT) / 2:.1f}" y="{HEIGHT - 8:.1f}" text-anchor="middle">pixels apart</text>'
    return _svg(cells + ticks + title, f"Autocorrelation of the noise: {_beside(values):+.2f} beside")


def _beside(values: NDArray[np.float64]) -> float:
    reach = len(values) // 2
    return float(values[reach, reach + 1] + values[reach + 1, reach]) / 2


def _histogram(values: NDArray[np.float64]) -> str:
    if not values.size or not values.std() > 0.0:
        return ""
    mean, sigma = float(values.mean()), float(values.std())
    low, high = mean - WIDE * sigma, mean + WIDE * sigma
    density, edges = np.histogram(values, bins=BINS, range=(low, high), density=True)
    grid = np.linspace(low, high, 90)
    bell = np.exp(-((grid - mean) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    frame = _Frame((low, high), (0.0, 1.08 * float(max(density.max(), bell.max()))))
    bars = "".join(
        f'<rect class="block" x="{frame.x(a):.1f}" y="{frame.y(d):.1f}" width="{frame.x(b) - frame.x(a):.1f}" '
        f'height="{BOTTOM - frame.y(d):.1f}"/>'
        for d, a, b in zip(density, edges, edges[1:], strict=False)
        if d
    )
    label = f"Histogram of a flat region: mean {mean:.4g}, standard deviation {sigma:.3g}"
    return frame.svg([bars, frame.line(grid, bell, "curve accent")], "intensity", "density", label)


class _Frame:
    """Axes: from values to places."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        self.across, self.up = _open(*across), _open(*up)
        self.x = _scale(*self.across, LEFT, RIGHT)
        self.y = _scale(*self.up, BOTTOM, TOP)

    def line(self, xs: Sequence[float] | NDArray[Any], ys: NDArray[Any], name: str) -> str:
        points = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in zip(xs, ys, strict=True))
        return f'<polyline class="{name}" points="{points}"/>'

    def svg(self, marks: Sequence[str], below: str, beside: str, label: str) -> str:
        ticks = [
            f'<path class="grid" d="M{self.x(value):.1f} {TOP}V{BOTTOM}"/>'
            f'<text x="{self.x(value):.1f}" y="{BOTTOM + 18}" text-anchor="middle">{_said(value)}</text>'
            for value in _ticks(*self.across)
        ]
        ticks += [
            f'<path class="grid" d="M{LEFT} {self.y(value):.1f}H{RIGHT}"/>'
            f'<text x="{LEFT - 8}" y="{self.y(value) + 4:.1f}" text-anchor="end">{_said(value)}</text>'
            for value in _ticks(*self.up)
        ]
        middle = (TOP + BOTTOM) / 2
        names = (
            f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{text(below)}</text>'
            f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">{text(beside)}</text>'
        )
        axis = f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>'
        return _svg("".join([*ticks, *marks, axis, names]), label)


def _svg(inside: str, label: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{text(label)}">{inside}</svg>'


def _open(low: float, high: float) -> tuple[float, float]:
    return (float(low), float(high)) if high > low else (float(low), float(low) + (abs(float(low)) or 1.0))


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    def place(value: float) -> float:
        return start + (min(max(float(value), low), high) - low) / (high - low) * (end - start)

    return place


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round values within."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (5.0, 2.0, 1.0) if factor * power <= rough)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _said(value: float) -> str:
    return f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-")
