"""Contact sheets: many images of a run, and frames of a video."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

import noiseless
from noiseless.apps.report import embedding, record
from noiseless.apps.report.document import facts, image, section, text, whole_page
from noiseless.apps.report.noise_plot import line_plot
from noiseless.apps.viewer import pictures, words
from noiseless.apps.work.history import law

THUMBNAIL = 320

ROOM = 24_000_000
"""Bytes of small pictures in one page; those beyond have none."""


@dataclass(frozen=True)
class Entry:
    """One input of a run.

    Parameters
    ----------
    report : what was done, as the command line has it: "input", "output", and what a report of its kind holds
    before, after : small pictures, as :func:`thumbnail` makes them; None where there is none
    error : why it failed; None where it did not
    """

    report: Mapping[str, Any]
    before: bytes | None = None
    after: bytes | None = None
    error: str | None = None


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Parameters
    ----------
    time : seconds from the start
    before, after : pictures of it, PNG or JPEG
    sigma : of the noise at that time, one a channel, in grey levels; empty where it is not known
    """

    time: float
    before: bytes
    after: bytes
    sigma: tuple[float, ...] = ()


def window_of(picture: noiseless.Image) -> tuple[float, float]:
    """What to show black and white: one window for before and after."""
    return pictures.display_window(_middle(picture))


def thumbnail(picture: noiseless.Image, window: tuple[float, float] | None = None) -> bytes:
    """A small picture as JPEG, at most 320 pixels a side; of a volume its middle slice.

    Parameters
    ----------
    window : what is black and white, see :func:`window_of`; None: as the picture itself has it
    """
    values = embedding.smaller(_middle(picture), THUMBNAIL)
    return embedding.jpeg(pictures.shown(values, *(window or pictures.display_window(values))), 85)


def _middle(picture: noiseless.Image) -> Any:
    pixels = picture.pixels if len(picture.space) == 2 else picture.pixels[:, picture.space[0] // 2]
    return noiseless.Image(
        pixels, scale=picture.scale, offset=picture.offset, stored_dtype=picture.stored_dtype
    ).stored()


def folder_report(entries: Iterable[Entry], *, title: str) -> str:
    """One HTML page with a row for each input of a run.

    Parameters
    ----------
    title : such as the name of the folder
    """
    rows, room, without = [], ROOM, 0
    counted = {"denoised": 0, "skipped": 0, "failed": 0}
    wrong = []
    for number, entry in enumerate(entries, 1):
        state = _state(entry)
        counted[state] += 1
        need = len(entry.before or b"") + len(entry.after or b"")
        fits = need <= room
        room -= need if fits else 0
        without += not fits
        found = words.findings(entry.report) if state == "denoised" and "reason" in entry.report else []
        bad = [finding for finding in found if finding.kind == "bad"]
        if state == "failed" or bad:
            why = entry.error or entry.report.get("error") or bad[0].text
            wrong.append(f'<li><a href="#row-{number}">{text(_name(entry))}</a>: {text(why)}</li>')
        rows.append(_row(number, entry, state, found, shown=fits))
    counts = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    note = (
        f'<p class="note">{without} inputs have no small picture here, for the page to stay small.</p>'
        if without
        else ""
    )
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Before and after", "Input", "Noise", "Predicted PSNR", "Seconds", "Findings")
    )
    table = f'<table class="sheet"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    inputs = len(rows)
    body = [
        f'<header><p class="eyebrow">noiseless report</p><h1>{text(title)}</h1>'
        f'<p class="lead">{inputs} input{"s" * (inputs != 1)}: {counts or "nothing was done"}.</p></header><main>',
        section("To be looked at", f'<ul class="wrong">{"".join(wrong)}</ul>' if wrong else ""),
        section("All inputs", table if rows else "", note),
        section("How it was made", facts(record.versions())),
        "</main>",
    ]
    return whole_page(f"{title}: what noiseless removed", "\n".join(filter(None, body)))


def video_report(report: Mapping[str, Any], frames: Sequence[Frame], *, name: str) -> str:
    """One HTML page of a video: some frames before and after, the noise, what was done.

    Parameters
    ----------
    report : as the command line has it for a video
    frames : some of them, in order
    name : of the video, for people
    """
    noise = report["noise"]
    sigma = [level for level in noise["sigma"] if math.isfinite(level)]
    ends = sorted({f"{end:.3g}": None for end in (min(sigma), max(sigma))}, key=float) if sigma else []
    strength = f"of about {' to '.join(ends)}" if ends else "of unknown strength, in"
    lead = f"Noise {strength} grey levels of {noise.get('levels', 255):g} was removed from {report['frames']} frames."
    views, sheet = [], []
    for number, frame in enumerate(frames):
        said = clock(frame.time)
        figures = []
        for side, data in (("before", frame.before), ("after", frame.after)):
            height, width = _size(data)
            alt = f"at {said}, {side}"
            figures.append(image(embedding.uri_of(data), alt, width=width, height=height, at=f"frame-{number}-{side}"))
        sheet.append(f"<figure>{''.join(figures)}<figcaption>{said}</figcaption></figure>")
        views.append({
            "key": f"frame-{number}", "label": said, "width": width, "height": height, "origin": [0, 0], "factor": 1.0,
            "left": {"name": "before", "image": f"frame-{number}-before"},
            "right": {"name": "after", "image": f"frame-{number}-after"}, "unit": "", "bytes": False,
        })  # fmt: skip
    known = [frame for frame in frames if frame.sigma]
    over_time = ""
    if len(known) > 1:
        levels = np.array([frame.sigma for frame in known], np.float64)
        over_time = f'<figure class="plot">{line_plot([f.time for f in known], levels, "Noise over time")}<figcaption>'
        over_time += "Standard deviation of the noise over time, in grey levels.</figcaption></figure>"
    warnings = [
        words.Finding("doubt", f"{said[:1].upper()}{said[1:].rstrip('.')}.") for said in report.get("warnings", ())
    ]
    body = [
        f'<header><p class="eyebrow">noiseless report</p><h1>{text(name)}</h1>'
        f'<p class="lead">{text(lead)}</p></header><main>',
        section("Before and after", _VIEWER if views else ""),
        section("Frames", f'<div class="strip frames">{"".join(sheet)}</div>' if sheet else ""),
        section("What was noticed", "".join(f'<p class="doubt">{text(finding.text)}</p>' for finding in warnings)),
        section("The noise", over_time, facts(_noise_of_video(noise))),
        section("How it was made", facts(_facts_of_video(report))),
        "</main>",
    ]
    shown = {"label": f"{name}, before and after", "views": views}
    return whole_page(f"{name}: what noiseless removed", "\n".join(filter(None, body)), shown if views else None)


_VIEWER = (
    '<div id="picker" class="picker" role="group" aria-label="Show" hidden></div>'
    '<div id="viewer" class="viewer" hidden></div><p id="readout" class="readout" hidden></p>'
)


def _noise_of_video(noise: Mapping[str, Any]) -> list[tuple[str, object]]:
    levels = ", ".join(f"{level:.3g}" for level in noise["sigma"]) or "not known"
    return [
        ("Kind", noise["kind"]),
        ("Sigma at the end", f"{levels} of {noise.get('levels', 255):g}"),
        ("Known from", "the frames themselves" if noise.get("estimated", True) else "given by whoever asked"),
    ]


def _facts_of_video(report: Mapping[str, Any]) -> list[tuple[str, object]]:
    video = report.get("video", {})
    pairs: list[tuple[str, object]] = []
    if video:
        pairs.append(
            ("Frames", f"{report['frames']} of {video['width']} × {video['height']} pixels, {video['bits']} bits")
        )
        if video.get("damaged"):
            pairs.append(("Damaged frames", video["damaged"]))
    for key, name in (("cuts", "Scene cuts"), ("exposure_changes", "Changes of the light"), ("model", "Model")):
        if report.get(key):
            pairs.append((name, report[key]))
    if report.get("resumed_at"):
        pairs.append(("Begun earlier", f"the first {report['resumed_at']} frames are of an earlier run"))
    if "strength" in report:
        pairs.append(("Strength", f"{report['strength']:g}"))
    if "seconds" in report:
        pairs.append(("Time", f"{report['seconds']:.1f} s, {report.get('frames_per_second', 0):.3g} frames a second"))
    return [*pairs, *record.versions()]


def clock(seconds: float) -> str:
    """1:02:03.5, or 2:03.5."""
    tenths = round(10 * seconds)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{start}:{rest / 10:04.1f}"


def _size(data: bytes) -> tuple[int, int]:
    import io

    from PIL import Image as Picture  # slow to import, and needed only by who makes a report

    with Picture.open(io.BytesIO(data)) as picture:
        return picture.height, picture.width


def _state(entry: Entry) -> str:
    if entry.error is not None or "error" in entry.report:
        return "failed"
    return "skipped" if entry.report.get("state") == "skipped" else "denoised"


def _name(entry: Entry) -> str:
    return PurePath(str(entry.report.get("input", "without a name"))).name


def _row(number: int, entry: Entry, state: str, found: Sequence[words.Finding], *, shown: bool) -> str:
    report, name = entry.report, _name(entry)
    cells = []
    thumbs = ""
    for side, data in (("before", entry.before), ("after", entry.after)):
        if data is not None and shown:
            height, width = _size(data)
            thumbs += image(embedding.uri_of(data), f"{name}, {side}", width=width, height=height)
    cells.append(("Before and after", f'<span class="thumbs">{thumbs}</span>' if thumbs else "–"))
    place = f'<span class="path">{text(report.get("input", ""))}</span>'
    noise, quality = "–", "–"
    if state != "failed":
        noise, quality = text(_noise(report)), text(_quality(report.get("audit", {})))
    seconds = f"{report['seconds']:.2f}" if "seconds" in report else "–"
    body = [
        ("Noise", noise),
        ("Predicted PSNR", quality),
        ("Seconds", seconds),
        ("Findings", _said(entry, state, found)),
    ]
    row = "".join(f'<td data-name="{label}">{value}</td>' for label, value in cells)
    row += f'<th scope="row" data-name="Input">{text(name)}{place if str(report.get("input", "")) != name else ""}</th>'
    row += "".join(f'<td data-name="{label}">{value}</td>' for label, value in body)
    return f'<tr id="row-{number}" class="{state}">{row}</tr>'


def _noise(report: Mapping[str, Any]) -> str:
    if isinstance(report.get("noise"), Mapping):  # of a video or a bag
        sigma = ", ".join(f"{level:.3g}" for level in report["noise"]["sigma"])
        return f"{report['noise']['kind']}, sigma {sigma or 'unknown'}"
    if isinstance(report.get("noise"), str) and isinstance(report.get("parameters"), Mapping):
        return law(report)
    return "–"  # of several channels a manifest has several


def _quality(audit: Mapping[str, Any]) -> str:
    if "predicted_psnr" not in audit:
        return "–"
    psnr = audit["predicted_psnr"]
    if psnr is None:
        return "more than can be measured"
    if "predicted_psnr_interval" not in audit:  # a manifest has none
        return f"{psnr:.1f} dB"
    low, high = audit["predicted_psnr_interval"]
    ends = [f"{end:.1f}" if end is not None else "…" for end in (low, high)]
    return f"{psnr:.1f} dB ({ends[0]} to {ends[1]})"


def _said(entry: Entry, state: str, found: Sequence[words.Finding]) -> str:
    if state == "failed":
        return f'<span class="bad">Failed: {text(entry.error or entry.report.get("error"))}</span>'
    if state == "skipped":
        return '<span class="muted">Done before, by the same recipe.</span>'
    if not found:
        lines = "".join(f"<li>{text(said)}</li>" for said in entry.report.get("warnings", ()))
        return f"<ul>{lines}</ul>" if lines else "–"
    doubts = [finding for finding in found if finding.kind != "good" and finding != words.NOT_MEASURED]
    if not doubts:
        return '<span class="good">Nothing was found to be wrong.</span>'
    lines = "".join(f'<li class="{finding.kind}">{text(finding.text)}</li>' for finding in doubts)
    worst = doubts[0].kind
    count = f"{len(doubts)} thing{'s' * (len(doubts) != 1)} to know"
    return f'<details><summary class="{worst}">{count}</summary><ul>{lines}</ul></details>'
