"""Plots of results as SVG that takes its colours from the page: cost, scaling, and whether errors are as they are said.

Each function takes what a benchmark printed or recorded, and returns the text of one ``<svg>``, or "" where there is
nothing to draw.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 620, 360
LEFT, RIGHT, TOP, BOTTOM = 58, 20, 34, 48
LETTER, LINE = 6.3, 13.0
"""Width and height of a letter of a label, about, in pixels."""
COLOURS = 4
PROMISED = {68: (65.0, 71.0), 95: (93.0, 97.0)}


@dataclass
class Scale:
    """From values to pixels, along one axis."""

    low: float
    high: float
    first: float
    last: float
    logarithmic: bool = False
    whole: bool = False

    def at(self, value: float) -> float:
        low, high, here = self.low, self.high, value
        if self.logarithmic:
            low, high, here = math.log(low), math.log(high), math.log(value)
        return self.first + (here - low) / (high - low) * (self.last - self.first)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
            inside = [value for value in every if self.low <= value <= self.high]
            return inside if len(inside) <= 8 else [value for value in inside if f"{value:e}"[0] == "1"]
        rough = (self.high - self.low) / 6
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
        step = max(1.0, step) if self.whole else step
        first = math.ceil(self.low / step - 1e-9)
        return [step * number for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def spread(values: Iterable[float], *, logarithmic: bool = False) -> tuple[float, float]:
    """The range of an axis: that of the values and a little beside them."""
    values = list(values)
    low, high = min(values), max(values)
    if logarithmic:
        return low / 1.5, high * 1.5
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


@dataclass
class Drawing:
    """A plot with its axes."""

    title: str
    across: str
    up: str
    x: Scale
    y: Scale
    height: int = HEIGHT
    parts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, title, names, across, up, *, logarithmic=(False, False), height=HEIGHT):
        x = Scale(*across, LEFT, WIDTH - RIGHT, logarithmic[0])
        y = Scale(*up, height - BOTTOM, TOP, logarithmic[1])
        return cls(title, *names, x, y, height)

    def line(self, points: Sequence[tuple[float, float]], look: str) -> None:
        path = " ".join(f"{self.x.at(x):.1f},{self.y.at(y):.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{look}" points="{path}"/>')

    def point(self, x: float, y: float, colour: int, title: str) -> None:
        place = f'cx="{self.x.at(x):.1f}" cy="{self.y.at(y):.1f}"'
        self.parts.append(f'<circle class="p{colour % COLOURS}" r="4" {place}><title>{escape(title)}</title></circle>')

    def label(self, x: float, y: float, text: str, taken: list[tuple[float, float, float, float]]) -> None:
        """Beside a point, with a thread to it where that is not near."""
        x, y = self.x.at(x), self.y.at(y)
        left, base = free_place(x, y, text, taken)
        if abs(base - 4 - y) > 1:
            end = left - 2 if left > x else left + LETTER * len(text)
            self.parts.append(f'<line class="thread" x1="{x:.1f}" y1="{y:.1f}" x2="{end:.1f}" y2="{base - 4:.1f}"/>')
        self.words(left, base, text)

    def words(self, x: float, y: float, text: str, look: str = "label") -> None:
        """At pixels."""
        self.parts.append(f'<text class="{look}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>')

    def key(self, names: Sequence[str]) -> None:
        """What the colours mean, at the right of the title."""
        x = WIDTH - RIGHT - sum(LETTER * len(name) + 26 for name in names)
        for number, name in enumerate(names):
            self.parts.append(f'<circle class="p{number % COLOURS}" r="4" cx="{x:.1f}" cy="16"/>')
            self.words(x + 8, 20, name)
            x += LETTER * len(name) + 26

    def svg(self, *, rows: bool = False) -> str:
        """With axes; ``rows`` leaves out the numbers of the upright one."""
        bottom, axes = self.height - BOTTOM, []
        for value in self.x.ticks():
            x = self.x.at(value)
            axes.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>')
            axes.append(f'<text class="tick middle" x="{x:.1f}" y="{bottom + 16}">{value:g}</text>')
        for value in [] if rows else self.y.ticks():
            y = self.y.at(value)
            axes.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            axes.append(f'<text class="tick end" x="{LEFT - 7}" y="{y + 4:.1f}">{value:g}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        axes.append(f'<text class="tick middle" x="{middle}" y="{self.height - 10}">{escape(self.across)}</text>')
        turned = f'transform="translate(14 {(TOP + bottom) / 2}) rotate(-90)"'
        axes.append(f'<text class="tick middle" {turned}>{escape(self.up)}</text>')
        head = f'<text class="title" x="{LEFT if not rows else 12}" y="20">{escape(self.title)}</text>'
        size = f'viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(self.title)}"'
        return f"<svg {size}>{head}{''.join(axes)}{''.join(self.parts)}</svg>"


def free_place(x: float, y: float, text: str, taken: list[tuple[float, float, float, float]]) -> tuple[float, float]:
    """Where a label is over nothing else: right, left, above or below its point, or farther away."""
    width = LETTER * len(text)
    for far in (0, 7, 14, 24, 36, 48, 60):
        for dx, dy in ((8, 4 - far), (8, 4 + far), (-8 - width, 4 - far), (-8 - width, 4 + far)):
            box = (x + dx, y + dy - LINE + 3, x + dx + width, y + dy + 3)
            inside = box[0] >= LEFT and box[2] <= WIDTH - 4
            free = not any(box[0] < old[2] and old[0] < box[2] and box[1] < old[3] and old[1] < box[3] for old in taken)
            if inside and free:
                taken.append(box)
                return x + dx, y + dy
    return x + 8, y + 4


def quality_against_cost(rows: Sequence[dict], name: str, sigma: float) -> str:
    """PSNR against seconds a megapixel of every method on a set, from rows of ``noiseless bench --record``."""
    chosen = [row for row in rows if row["set"] == name and row["sigma"] == sigma and row.get("seconds")]
    if len(chosen) < 2:
        return ""
    across = spread((row["seconds"] for row in chosen), logarithmic=True)
    drawing = Drawing.of(
        f"{name}, sigma {sigma:g}", ("seconds a megapixel", "PSNR, dB"), (across[0], across[1] * 1.6),
        spread(row["psnr"] for row in chosen), logarithmic=(True, False),
    )  # fmt: skip
    front, best = [], -math.inf
    for row in sorted(chosen, key=lambda row: row["seconds"]):
        if row["psnr"] > best:
            best = row["psnr"]
            front.append((row["seconds"], best))
    drawing.line(front, "front")
    taken = [(drawing.x.at(row["seconds"]) - 5, drawing.y.at(row["psnr"]) - 5,
              drawing.x.at(row["seconds"]) + 5, drawing.y.at(row["psnr"]) + 5) for row in chosen]  # fmt: skip
    for row in sorted(chosen, key=lambda row: -row["psnr"]):
        told = f"{row['method']}: {row['psnr']:.2f} dB, {row['seconds']:.3g} s a megapixel"
        ours = not row["method"].startswith(("skimage", "opencv", "itk", "bm3d"))
        drawing.point(row["seconds"], row["psnr"], 0 if ours else 1, told)
        drawing.label(row["seconds"], row["psnr"], row["method"], taken)
    drawing.key(["noiseless", "others"])
    return drawing.svg()


def time_against_pixels(output: str) -> str:
    """Seconds a megapixel against megapixels, from what ``scaling.py`` printed."""
    found = re.findall(r"^ +\d+ +\d+ +([\d.]+) +[\d.]+ +([\d.]+)$", output, re.MULTILINE)
    points = [(float(area), float(each)) for area, each in found]
    if len(points) < 2:
        return ""
    most = max(each for _, each in points)
    drawing = Drawing.of(
        "time against pixels", ("megapixels", "seconds a megapixel"),
        spread((area for area, _ in points), logarithmic=True), (0.0, 1.15 * most), logarithmic=(True, False),
    )  # fmt: skip
    drawing.line(points, "front")
    for area, each in points:
        drawing.point(area, each, 0, f"{area:g} megapixels: {each:g} s a megapixel")
    return drawing.svg()


def images_against_processes(output: str) -> str:
    """Images a second by one process and more, from the same output."""
    found = re.findall(r"--jobs (\d+), .*?, ([\d.]+) images a second", output)
    points = [(int(jobs), float(rate)) for jobs, rate in found]
    if len(points) < 2:
        return ""
    most = max(rate for _, rate in points)
    drawing = Drawing.of(
        "images a second against processes", ("processes", "images a second"),
        (0.5, max(jobs for jobs, _ in points) + 0.5), (0.0, 1.15 * most),
    )  # fmt: skip
    drawing.x.whole = True
    drawing.line(points, "front")
    for jobs, rate in points:
        drawing.point(jobs, rate, 0, f"{jobs} processes: {rate:g} images a second")
    return drawing.svg()


def coverage(outputs: Sequence[str]) -> str:
    """What intervals hold beside what they say, from what ``interval_coverage.py`` printed."""
    line = re.compile(r"^(\w+) +(\d+) ([\d.]+) +(\S+) +\S+ +([\d.]+) +(\S+) ", re.MULTILINE)
    found = [match for output in outputs for match in line.findall(output)]
    if not found:
        return ""
    height = TOP + BOTTOM + 26 * len(found)
    names = ("percent of the pixels that the interval holds", "")
    drawing = Drawing.of("intervals: all pixels, and thirds", names, (45.0, 100.0), (len(found), 0.0), height=height)
    drawing.x.first = 130
    for low, high in PROMISED.values():
        left, right = drawing.x.at(low), drawing.x.at(high)
        place = f'x="{left:.1f}" width="{right - left:.1f}" y="{TOP}" height="{height - TOP - BOTTOM}"'
        drawing.parts.append(f'<rect class="band" {place}/>')
    for nominal in PROMISED:
        drawing.line([(nominal, 0.0), (nominal, len(found))], "nominal")
    for number, (name, sigma, *held) in enumerate(found):
        middle = number + 0.5
        drawing.words(12, drawing.y.at(middle) + 4, f"{name}, sigma {sigma}")
        for colour, whole, thirds in ((0, held[0], held[1]), (1, held[2], held[3])):
            values = [float(value) for value in thirds.split("/")]
            drawing.line([(min(values), middle), (max(values), middle)], f"bar s{colour}")
            told = f"{name}, sigma {sigma}: {whole} %; flat, medium, textured {thirds} %"
            drawing.point(float(whole), middle, colour, told)
    drawing.key(["68 % intervals", "95 % intervals"])
    return drawing.svg(rows=True)


def predicted_against_true(outputs: Sequence[str], title: str) -> str:
    """How far predicted PSNRs and their intervals are off, from what ``predicted_psnr.py --each`` printed."""
    line = re.compile(r"^ +(\S+), sigma ([\d.]+): predicted (\S+) dB \((\S+) to (\S+)\), true (\S+) dB$", re.MULTILINE)
    found = [(match[0], *map(float, match[1:])) for output in outputs for match in line.findall(output)]
    if not found:
        return ""
    sigmas = sorted({match[1] for match in found})
    across = spread(true for *_, true in found)
    up = spread(value - true for *_, low, high, true in found for value in (low, high))
    names = ("true PSNR, dB", "predicted less true, dB")
    drawing = Drawing.of(title, names, across, (min(up[0], -0.5), max(up[1], 0.5)))
    drawing.line([(across[0], 0.0), (across[1], 0.0)], "nominal")
    for image, sigma, predicted, low, high, true in found:
        colour = sigmas.index(sigma)
        drawing.line([(true, low - true), (true, high - true)], f"thin s{colour % COLOURS}")
        told = f"{image}, sigma {sigma:g}: {predicted:.2f} ({low:.2f} to {high:.2f}) predicted, {true:.2f} true"
        drawing.point(true, predicted - true, colour, told)
    drawing.key([f"sigma {sigma:g}" for sigma in sigmas])
    return drawing.svg()
