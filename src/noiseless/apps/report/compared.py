"""Before and after: the views of the page's viewer, and what of them is not as the files have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.apps.report import embedding
from noiseless.apps.report.document import image, text
from noiseless.apps.report.slices import Plane, most_doubtful
from noiseless.apps.viewer import pictures

CROP = 512
"""Side of the part that is shown pixel by pixel where the whole is shown smaller."""

STILL = 640
"""Longer side of what is shown of packed values where no script runs, and in print."""

_SLIDERS = (
    '<fieldset id="window" class="sliders" hidden><legend>Window</legend>'
    '<label>Level <input id="level" type="range" step="any"><output id="level-said"></output></label>'
    '<label>Width <input id="width" type="range" step="any"><output id="width-said"></output></label>'
    '<button id="usual" type="button">As at first</button></fieldset>'
)


def before_and_after(
    plane: Plane, report: Mapping[str, Any], window: tuple[float, float], unit: str
) -> tuple[list[dict[str, Any]], str]:
    """The views of the viewer, and the HTML around it.

    Parameters
    ----------
    plane, report : what was restored, and what is known of it
    window, unit : what is shown black and white, and in which units values are told
    """
    packed = plane.before.dtype != np.uint8 and plane.before.shape[0] != 3
    side = embedding.PACKED_SIDE if packed else embedding.SIDE
    height, width = plane.before.shape[-2:]
    large = max(height, width) > side
    whole = [embedding.smaller(values, side) for values in (plane.before, plane.after)]
    packing = embedding.packing_for(np.stack([plane.before[0], plane.after[0]]), _level(report)) if packed else None
    seen = [_Seen("whole", "Whole", whole, (0, 0), width / whole[0].shape[-1])]
    if large:
        row, column = most_doubtful(plane, min(CROP, height, width))
        part = [values[:, row : row + CROP, column : column + CROP] for values in (plane.before, plane.after)]
        seen.append(_Seen("part", "Part, pixel by pixel", part, (column, row), 1.0))
    views, pairs = [], []
    for each in seen:
        view, pair = each.shown(window, packing, unit)
        views.append(view)
        pairs.append(pair)
    html = [
        '<div id="picker" class="picker" role="group" aria-label="Show" hidden></div>',
        '<div id="viewer" class="viewer" hidden></div>',
        '<p id="readout" class="readout" hidden></p>',
        *([_SLIDERS] if packing else []),
        *pairs,
        f'<p class="note">{text(_notes(plane, views, packing, window, unit))}</p>',
    ]
    return views, "\n".join(html)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Before and after as the page has them.

    Parameters
    ----------
    key, label : for the script, and for people
    pair : before and after, (C, Y, X)
    origin, factor : the first pixel (x, y), and pixels of the file along one of these
    """

    key: str
    label: str
    pair: list[NDArray[Any]]
    origin: tuple[int, int]
    factor: float

    def shown(
        self, window: tuple[float, float], packing: embedding.Packing | None, unit: str
    ) -> tuple[dict[str, Any], str]:
        sides, figures, qualities = [], [], []
        for name, values in zip(("noisy", "denoised"), self.pair, strict=True):
            at = f"{self.key}-{name}"
            still = values if packing is None else embedding.smaller(values, STILL)
            picture = embedding.embedded(pictures.shown(still, *window))
            label = f"{self.label}, {name}"
            qualities.append(picture.quality)
            figures.append(
                f"<figure>{image(picture.uri, label, width=picture.width, height=picture.height, at=at)}"
                f"<figcaption>{text(label)}</figcaption></figure>"
            )
            side: dict[str, Any] = {"name": name, "image": at}
            if packing is not None:
                side["packed"] = packing.pack(values[0]).uri
            sides.append(side)
        height, width = self.pair[0].shape[-2:]
        exact = packing is None and self.factor == 1.0 and qualities == [None, None]
        view: dict[str, Any] = {
            "key": self.key, "label": self.label, "width": width, "height": height, "left": sides[0],
            "right": sides[1], "origin": self.origin, "factor": self.factor, "unit": unit, "qualities": qualities,
            "bytes": exact and self.pair[0].dtype == np.uint8,
        }  # fmt: skip
        if packing is not None:
            ends = float(min(values.min() for values in self.pair)), float(max(values.max() for values in self.pair))
            view["packing"] = {**packing.summary(), "window": window, "range": ends}
        return view, f'<div class="pair">{"".join(figures)}</div>'


def _level(report: Mapping[str, Any]) -> float:
    """One sigma for all of it; the least."""
    sigma = report["sigma"]
    return float(sigma["min"]) if isinstance(sigma, dict) else float(np.min(sigma))


def _notes(
    plane: Plane,
    views: list[dict[str, Any]],
    packing: embedding.Packing | None,
    window: tuple[float, float],
    unit: str,
) -> str:
    """What of these pictures is not as the files have it."""
    channels, height, width = plane.before.shape
    said = []
    if len(views) > 1:
        (wide, high), (part_wide, part_high) = ((view["width"], view["height"]) for view in views)
        because = "most was removed" if plane.error is None else "the result is least sure"
        said.append(
            f"The file has {width} × {height} pixels; the whole is shown with {wide} × {high}, each a mean, and so "
            f"with less noise than the file has. The part of {part_wide} × {part_high} pixels is shown pixel by pixel: "
            f"it is where {because}."
        )
    if channels not in (1, 3):
        said.append(f"Of its {channels} channels the first is shown.")
    if packing is not None:
        said.append(f"Values are kept in steps of {packing.step:.3g} {unit}".strip() + ", and without loss besides.")
        return " ".join(f"{sentence[:1].upper()}{sentence[1:]}" for sentence in said)
    if plane.before.dtype != np.uint8:
        said.append(f"Black is {window[0]:.5g} and white {window[1]:.5g}; what lies beyond is not told apart here.")
    for view in views:
        which = f"{view['label']}: " if len(views) > 1 else ""
        codings = [
            "without loss" if quality is None else f"as JPEG of quality {quality}, so not exactly"
            for quality in view["qualities"]
        ]
        sides = "" if codings[0] == codings[1] else f" (noisy), {codings[1]} (denoised)"
        said.append(f"{which}embedded {codings[0]}{sides}.")
    return " ".join(f"{sentence[:1].upper()}{sentence[1:]}" for sentence in said)
