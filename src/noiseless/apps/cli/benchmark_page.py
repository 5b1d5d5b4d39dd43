"""The page of ``noiseless bench --page``: what was found by methods side by side, in one file."""

from collections.abc import Mapping, Sequence
from typing import Any

import noiseless
from noiseless.apps.cli.benchmark_plot import Point, quality_against_cost
from noiseless.apps.cli.benchmark_record import Change
from noiseless.apps.cli.benchmark_run import Row
from noiseless.apps.report.document import facts, section, text, whole_page

_COSTS = (
    "seconds are wall time of the whole call for a megapixel, the least of several runs for short ones; the ratio is "
    "to score in the same run."
)


def page_of(record: Mapping[str, Any], rows: Sequence[Row], moved: Sequence[Change] | None) -> str:
    """The page.

    Parameters
    ----------
    record : as :func:`.benchmark_record.record_of` makes it
    rows : of it
    moved : since the record that it was checked against; None where it was not
    """
    sets = list(dict.fromkeys(row.set for row in rows))
    parts = [
        '<header>\n<p class="eyebrow">noiseless bench</p>\n<h1>Denoisers side by side</h1>',
        f'<p class="lead">{text(_lead(record))}</p>\n</header>',
    ]
    if moved is not None:
        parts.append(section("What moved", _moved(moved)))
    for name in sets:
        mine = [row for row in rows if row.set == name]
        parts.append(section(name, _plots(mine), _table(mine)))
    parts.append(section("Protocol, machine, versions", facts(_facts(record))))
    return whole_page("Denoisers side by side: noiseless bench", "\n".join(parts))


def _lead(record: Mapping[str, Any]) -> str:
    count = len(record["options"]["methods"])
    return (
        f"{count} method{'s' * (count != 1)} on the same images with the same noise, in one run. {machine_line(record)}"
    )


def machine_line(record: Mapping[str, Any]) -> str:
    """What it ran on, in a line."""
    found = record["machine"]
    memory = f", {found['memory_gib']:.0f} GiB" if found["memory_gib"] else ""
    cores = f"{found['cores']} core{'s' * (found['cores'] != 1)}"
    threads = f"{found['threads']} thread{'s' * (found['threads'] != 1)}"
    return f"{found['processor']}; {cores}, {threads}{memory}."


def _plots(rows: Sequence[Row]) -> str:
    """A drawing for each level; none where times were not measured."""
    figures = []
    for sigma in dict.fromkeys(row.sigma for row in rows):
        points = [
            Point(row.method, row.seconds, row.psnr, row.method not in noiseless.classical.INSTALLED)
            for row in rows
            if row.sigma == sigma and row.seconds
        ]
        if points:
            label = f"{rows[0].set}, noise of sigma {sigma:g}"
            drawn = quality_against_cost(points, f"{label}: PSNR against seconds a megapixel")
            figures.append(f'<figure class="plot">{drawn}<figcaption>{text(label)}.</figcaption></figure>')
    if not figures:
        return ""
    said = (
        "Up is better, left is faster. Round: noiseless; square: other packages. The dashed line goes through those "
        "that no other betters at their cost."
    )
    return f'<div class="plots">{"".join(figures)}</div>\n<p class="note">{said}</p>'


def _table(rows: Sequence[Row]) -> str:
    """PSNR and SSIM of all levels, costs at the middle one."""
    sigmas = list(dict.fromkeys(row.sigma for row in rows))
    middle = sigmas[len(sigmas) // 2]
    timed, measured = (any(getattr(row, name) is not None for row in rows) for name in ("seconds", "memory"))
    heads = ["Method", *(f"sigma {sigma:g}" for sigma in sigmas)]
    heads += ["s/MP", "× score"] * timed + ["MiB/MP"] * measured
    best = {sigma: max(row.psnr for row in rows if row.sigma == sigma) for sigma in sigmas}
    lines = []
    for method in dict.fromkeys(row.method for row in rows):
        mine = {row.sigma: row for row in rows if row.method == method}
        cells = [_quality(mine[sigma], best[sigma]) for sigma in sigmas]
        cost = mine[middle]
        breaking = text(method).replace(":", ":<wbr>")
        cells += [said(cost.seconds), said(cost.ratio)] * timed + [said(cost.memory)] * measured
        lines.append(f'<tr><th scope="row">{breaking}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in heads)
    told = "PSNR in dB, and SSIM; the best in bold."
    costs = f" At sigma {middle:g}: {_COSTS}" if timed else ""
    grown = " Memory: by how much the resident size grew at most, in a process of its own." if measured else ""
    table = f'<table class="files"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return f'<div class="wide">{table}</div>\n<p class="note">{text(told + costs + grown)}</p>'


def _quality(row: Row, best: float) -> str:
    psnr = f"{row.psnr:.2f}"
    shown = f"<strong>{psnr}</strong>" if psnr == f"{best:.2f}" else psnr
    return f'{shown} <span class="muted">{row.ssim:.4f}</span>'


def said(value: float | None) -> str:
    """A cost with three digits; a dash where it was not measured."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _moved(moved: Sequence[Change]) -> str:
    if not moved:
        return "<p>Every figure is as it was.</p>"
    lines = "".join(
        f'<tr><th scope="row">{text(change.method)}</th><td>{text(change.set)}</td><td>{change.sigma:g}</td>'
        f"<td>{change.figure}</td><td>{change.before:.3f}</td><td>{change.after:.3f}</td>"
        f"<td>{_verdict(change)}</td></tr>"
        for change in moved
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Method", "Set", "Sigma", "Figure", "Was", "Is", ""))
    return f'<div class="wide"><table class="files"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'


def _verdict(change: Change) -> str:
    if change.worse:
        return '<span class="bad">worse</span>'
    better = (change.after > change.before) == (change.figure == "PSNR")
    return "better" if better else "within the bound"


def _facts(record: Mapping[str, Any]) -> list[tuple[str, object]]:
    options, found = record["options"], record["machine"]
    images = "all images" if options["every"] == 1 else f"every {options['every']}th image"
    return [
        (
            "Noise",
            "white Gaussian, numpy.random.default_rng(0) anew for each image, on values of 0 to 255, neither clipped "
            "nor rounded",
        ),
        ("Results", f"clipped to 0 to 255; PSNR and SSIM are means over {images} of a set"),
        ("Peers", "told sigma; one constant for each method, the best on photographs that are none of these"),
        ("Model", f"{options['model']}, where a method does not name one"),
        ("Processor", found["processor"]),
        ("Instructions", ", ".join(found["instructions"]) or "none that make networks fast"),
        ("Cores, threads", f"{found['cores']}, {found['threads']}"),
        ("Memory", f"{found['memory_gib']} GiB" if found["memory_gib"] else "unknown"),
        ("System", found["platform"]),
        ("noiseless", f"{record['noiseless']}, commit {record['commit']}"),
        *record["versions"].items(),
        ("Date", record["date"]),
    ]
