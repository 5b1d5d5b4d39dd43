"""Quality against cost as SVG: PSNR over seconds a megapixel, each method with its name beside it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from noiseless.apps.report.document import text

WIDTH, HEIGHT = 360.0, 400.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 350.0, 12.0, 352.0

LETTER, BOLD, LINE = 5.9, 6.6, 11.0
"""Width of a letter on average, of a bold one, and height of a line, of the names."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Point:
    """One method.

    Parameters
    ----------
    name : of it
    seconds : a megapixel, above 0
    psnr : in dB
    ours : whether it is of noiseless
    """

    name: str
    seconds: float
    psnr: float
    ours: bool


def quality_against_cost(points: Sequence[Point], label: str) -> str:
    """The drawing: a round dot for each of ours, a square for each of others, a line through those that nothing betters
    at their cost.

    Parameters
    ----------
    points : at least one
    label : what it shows, for who cannot see it
    """
    low, high = (edge(math.log10(point.seconds) for point in points) for edge in (min, max))
    room = 0.06 * (high - low) + 0.12
    frame = _Frame((low - room, high + room), *_levels([point.psnr for point in points]))
    places = {point: (frame.x(math.log10(point.seconds)), frame.y(point.psnr)) for point in points}
    marks = [_mark(point, *place) for point, place in places.items()]
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in (places[point] for point in frontier(points)))
    line = f'<polyline class="axis" stroke-dasharray="3 4" points="{steps}"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{text(label)}">'
        f"{frame.axes()}{line}{''.join(marks)}{''.join(_names(places))}</svg>"
    )


def frontier(points: Sequence[Point]) -> list[Point]:
    """Those that no other is both as fast as and better than, the fastest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.seconds, -point.psnr)):
        if not best or point.psnr > best[-1].psnr:
            best.append(point)
    return best


def _mark(point: Point, x: float, y: float) -> str:
    if point.ours:
        return f'<circle class="dot blue" cx="{x:.1f}" cy="{y:.1f}" r="4.2"/>'
    return f'<rect class="dot red" x="{x - 3.4:.1f}" y="{y - 3.4:.1f}" width="6.8" height="6.8"/>'


def _names(places: dict[Point, tuple[float, float]]) -> Iterator[str]:
    """Each name at the first place around its dot that is free; the dot is pointed to where that is far."""
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in places.values()]
    for point, (x, y) in sorted(places.items(), key=lambda item: item[1]):
        wide = (BOLD if point.ours else LETTER) * len(point.name)
        candidates = [
            (left, top, left + wide, top + LINE)
            for left, top in _around(x, y, wide)
            if left >= LEFT + 2 and left + wide <= RIGHT and top >= TOP and top + LINE <= BOTTOM - 1
        ] or [(max(LEFT + 2, min(x, RIGHT - wide)), y + 6, 0.0, y + 6 + LINE)]
        box = min(candidates, key=lambda box: sum(_shared(box, other) for other in taken))
        taken.append(box)
        left, top, right, bottom = box
        near_x, near_y = min(max(x, left), right), min(max(y, top), bottom)
        if math.hypot(near_x - x, near_y - y) > 9:
            yield f'<path class="bar ink" d="M{x:.1f} {y:.1f}L{near_x:.1f} {near_y:.1f}"/>'
        weight = ' font-weight="700"' if point.ours else ""
        yield f'<text x="{left:.1f}" y="{top + LINE - 2.5:.1f}" font-size="10"{weight}>{text(point.name)}</text>'


def _around(x: float, y: float, wide: float) -> Iterator[tuple[float, float]]:
    """Left upper corners of a name about a dot, the nearest first."""
    for far in (7.0, 16.0, 28.0, 42.0, 58.0, 76.0):
        yield x + far, y - LINE / 2
        yield x - far - wide, y - LINE / 2
        for down in (-far - LINE, far):
            for share in (0.5, 0.0, 1.0, 0.25, 0.75):
                yield x - share * wide, y + down
        for down in (-far, far - LINE):
            yield x + far / 1.5, y + down
            yield x - far / 1.5 - wide, y + down


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True)
class _Frame:
    """Axes: decades of seconds across, dB up.

    Parameters
    ----------
    across : powers of ten at the ends
    up : dB at the ends
    step : dB between lines
    """

    across: tuple[float, float]
    up: tuple[float, float]
    step: float

    def x(self, power: float) -> float:
        low, high = self.across
        return LEFT + (power - low) / (high - low) * (RIGHT - LEFT)

    def y(self, psnr: float) -> float:
        low, high = self.up
        return BOTTOM - (psnr - low) / (high - low) * (BOTTOM - TOP)

    def axes(self) -> str:
        parts = []
        for power, said in _decades(*self.across):
            x = self.x(power)
            parts.append(
                f'<path class="grid" d="M{x:.1f} {TOP}V{BOTTOM}"/>'
                f'<text x="{x:.1f}" y="{BOTTOM + 17}" text-anchor="middle">{said}</text>'
            )
        for number in range(math.ceil(self.up[0] / self.step), math.floor(self.up[1] / self.step) + 1):
            y = self.y(number * self.step)
            parts.append(
                f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
                f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{number * self.step:g}</text>'
            )
        parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>')
        middle = (TOP + BOTTOM) / 2
        parts.append(
            f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">seconds a megapixel</text>'
            f'<text transform="translate(10 {middle}) rotate(-90)" text-anchor="middle">PSNR, dB</text>'
        )
        return "".join(parts)


def _decades(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Powers and labels: of each decade 1 where there are many, else 1 and 3."""
    for power in range(math.floor(low), math.ceil(high) + 1):
        for factor in (1.0, 3.0) if high - low < 3.0 else (1.0,):
            place = power + math.log10(factor)
            if low <= place <= high:
                yield place, f"{factor * 10.0**power:g}"


def _levels(psnr: Sequence[float]) -> tuple[tuple[float, float], float]:
    """The ends of the axis, with room for names, and the step of its lines."""
    low, high = min(psnr), max(psnr)
    spread = max(high - low, 0.5)
    step = next((step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if spread / step <= 8.0), 10.0)
    return (low - 0.08 * spread, high + 0.08 * spread), step
