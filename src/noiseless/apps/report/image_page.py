"""The report of one image."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.report import embedding, record
from noiseless.apps.report.compared import before_and_after
from noiseless.apps.report.document import image, section, text, verdicts, whole_page
from noiseless.apps.report.maps import map_figures
from noiseless.apps.report.noise_plot import noise_figures
from noiseless.apps.report.slices import Plane, most_doubtful, picture_of, plane_of, unit_of
from noiseless.apps.viewer import pictures, words

SAMPLE_SIDE = 256

STRIP, STRIP_SIDE = 9, 240
"""Slices of a volume, or samples, that are shown besides, and their longer side. Of nine, one is in the middle."""


def image_report(
    noisy: noiseless.Image, restored: Any, *, name: str, sources: tuple[Path, ...], outputs: tuple[Path, ...]
) -> str:
    """One HTML page about a restored image.

    Parameters
    ----------
    noisy, restored : what went in, and ``Restored[Image]`` that came out
    name : of it, for people
    sources, outputs : its files, whose hashes are told; those that are not there any more are only named

    Returns
    -------
    The text of a page that needs nothing else. Of a volume its middle slice is shown large.
    """
    depth = noisy.space[0] if len(noisy.space) == 3 else 1
    plane = plane_of(noisy, restored, depth // 2)
    window = pictures.display_window(plane.before)
    unit = unit_of(noisy)
    views, compared = before_and_after(plane, restored.report, window, unit)
    title = f"{name}: what noiseless removed"
    parts = [
        f'<header><p class="eyebrow">noiseless report</p><h1>{text(name)}</h1>'
        f'<p class="lead">{text(words.headline(restored.report, unit))}</p></header><main>',
        section("Before and after", compared),
        section("What was checked", verdicts(words.findings(restored.report))),
        section("What was removed, and how sure the rest is", map_figures(plane, restored, unit)),
        section("Other slices", _slices(noisy, restored, depth, window), name="slices"),
        section("Other pictures that fit", _samples(restored, plane, window), name="samples"),
        section(
            "The noise",
            noise_figures(picture_of(noisy, depth // 2), restored.noise.model),
            record.facts_of_noise(restored.report),
        ),
        section(
            "How it was made", record.facts_of_work(restored.report), "<h3>Recipe</h3>", record.recipe_of(restored)
        ),
        section("Files", record.files_table(sources, outputs), record.facts_of_image(noisy)),
        "</main>",
    ]
    return whole_page(title, "\n".join(filter(None, parts)), {"label": f"{name}, noisy and denoised", "views": views})


def _slices(noisy: noiseless.Image, restored: Any, depth: int, window: tuple[float, float]) -> str:
    """A strip of slices, before and after."""
    if depth < 2:
        return ""
    chosen = sorted({round(float(place)) for place in np.linspace(0, depth - 1, min(STRIP, depth))})
    figures = []
    for number in chosen:
        shown = "".join(
            _small(picture_of(each, number).stored(), window, f"slice {number + 1}, {name}")
            for name, each in (("noisy", noisy), ("denoised", restored.image))
        )
        figures.append(f"<figure>{shown}<figcaption>{number + 1} of {depth}</figcaption></figure>")
    return f'<div class="strip">{"".join(figures)}</div>'


def _samples(restored: Any, plane: Plane, window: tuple[float, float]) -> str:
    """Draws, where the error is greatest."""
    if not restored.samples:
        return ""
    side = min(SAMPLE_SIDE, *plane.removed.shape)
    row, column = most_doubtful(plane, side)
    figures = []
    for number, sample in enumerate(restored.samples[:STRIP], 1):
        depth = sample.space[0] // 2 if len(sample.space) == 3 else 0
        part = picture_of(sample, depth).stored()[:, row : row + side, column : column + side]
        figures.append(
            f"<figure>{_small(part, window, f'sample {number}')}<figcaption>Sample {number}</figcaption></figure>"
        )
    note = (
        "Parts of pictures that fit the same noisy one, drawn at random, at the place of most doubt. What differs from "
        "one to the next was filled in: read nothing from it."
    )
    return f'<p>{text(note)}</p><div class="strip">{"".join(figures)}</div>'


def _small(values: NDArray[Any], window: tuple[float, float], alt: str) -> str:
    levels = pictures.shown(embedding.smaller(values, STRIP_SIDE), *window)
    return image(embedding.uri_of(embedding.jpeg(levels, 88)), alt, width=levels.shape[1], height=levels.shape[0])
