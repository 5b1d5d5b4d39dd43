"""A page of results: what was promised, asked, recorded and measured, with plots.

    python benchmarks/results_page.py RESULTS... [-o results.html] [--force]

RESULTS are files that ``check_promises.py --record`` or ``noiseless bench --record`` wrote, or what ``scaling.py``,
``interval_coverage.py`` or ``predicted_psnr.py --each`` printed. Of a promise that stands in several files the last
measurement counts. The page is one file, light and dark, and asks nothing of the network.
"""

import argparse
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path

import results_plots as plots

from noiseless.atomic import replacing

ORDER = ("failed", "fell", "missed", "known miss", "held", "told", "by a test", "not run", "not here")
UNMEASURED = ("not run", "by a test", "not here")
ISSUES = {
    2: "The foundation",
    3: "Noise",
    4: "Diffusion",
    5: "Score networks",
    6: "The posterior",
    7: "Choosing without a clean image",
    8: "Files and volumes",
    9: "Video",
    10: "Cost",
    11: "People",
    12: "Proof",
}
SHORT = ("failed", "fell", "missed", "known miss")
FEW, MANY = 6, 2
"""Values of a promise, and tests, that are shown unasked."""

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfa; --card: #fff; --ink: #1d2329; --soft: #5c6670; --line: #dfe3e6;
  --c0: #2c5fb3; --c1: #b8562a; --c2: #27824a; --c3: #7a4fa3; --band: #2c5fb31c; --good: #1d7a43; --bad: #b3261e;
  --warn: #8a5a00; --mute: #5c6670 }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --card: #1b2126; --ink: #e4e8eb; --soft: #9aa5ae;
  --line: #313a42; --c0: #7fb0ff; --c1: #f0a070; --c2: #74d09a; --c3: #c9a2ee; --band: #7fb0ff22; --good: #74d09a;
  --bad: #ff8a80; --warn: #f0c060; --mute: #9aa5ae } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1180px; padding: 24px 20px 60px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 19px; margin: 34px 0 10px }
.soft { color: var(--soft) } .counts { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 }
.counts span { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 4px 10px }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(480px, 100%), 1fr)); gap: 14px;
  align-items: start }
.plots svg, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px }
svg { width: 100%; height: auto; display: block }
svg text { font: 11.5px system-ui, sans-serif; fill: var(--ink) } svg .title { font-size: 13.5px; font-weight: 600 }
svg .tick { fill: var(--soft) } svg .middle { text-anchor: middle } svg .end { text-anchor: end }
svg .grid { stroke: var(--line); stroke-width: 1 } svg polyline { fill: none }
svg .front { stroke: var(--c0); stroke-width: 1.6; opacity: .55 } svg .band { fill: var(--band) }
svg .nominal { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 5 4 }
svg .thread { stroke: var(--soft); stroke-width: .8; opacity: .6 }
svg .bar { stroke-width: 3; opacity: .45 } svg .thin { stroke-width: 1; opacity: .4 }
svg .p0 { fill: var(--c0) } svg .p1 { fill: var(--c1) } svg .p2 { fill: var(--c2) } svg .p3 { fill: var(--c3) }
svg .s0 { stroke: var(--c0) } svg .s1 { stroke: var(--c1) } svg .s2 { stroke: var(--c2) } svg .s3 { stroke: var(--c3) }
article { display: grid; grid-template-columns: 96px minmax(0, 1fr) minmax(250px, 390px); gap: 4px 16px;
  padding: 12px 16px; border-top: 1px solid var(--line) }
article:first-child { border-top: 0 }
.verdict { font-weight: 600; font-size: 13px } .held { color: var(--good) } .told, .test, .not { color: var(--mute) }
.failed, .fell, .missed { color: var(--bad) } .known { color: var(--warn) }
.how { color: var(--soft); font-size: 12.5px; overflow-wrap: anywhere } code { font: 12px ui-monospace, monospace }
.why { color: var(--warn); font-size: 13.5px } .why.bad { color: var(--bad); white-space: pre-wrap }
.issue { margin: 10px 0 } .issue > summary { font-size: 16px; color: var(--ink); padding: 4px 0 }
.issue .counts { display: inline-flex; margin: 0 0 0 10px; font-size: 12.5px }
.issue .counts span { padding: 1px 8px }
table { border-collapse: collapse; table-layout: fixed; width: 100%; font-size: 13px;
  font-variant-numeric: tabular-nums }
th { color: var(--soft); font-weight: 400; text-align: right; padding: 0 0 0 8px } td { text-align: right;
  padding: 0 0 0 8px } th:first-child, td:first-child { text-align: left; color: var(--soft); width: 42% }
.date { white-space: nowrap }
td.bad { color: var(--bad); font-weight: 600 } td.warn { color: var(--warn); font-weight: 600 }
details summary { cursor: pointer; color: var(--soft); font-size: 13px }
@media (max-width: 760px) { article { grid-template-columns: 1fr } }
"""


@dataclass
class Results:
    """What was read from all files."""

    promises: dict[str, dict] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    about: list[dict] = field(default_factory=list)

    def take(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        try:
            content = json.loads(text)
        except json.JSONDecodeError:
            self.outputs[file.name] = text
            return
        self.rows += content.get("rows", [])
        self.about.append({"file": file.name, **content})
        for run in content.get("runs", []):
            self.outputs[run["command"]] = run["output"]
        for promise in content.get("promises", []):
            if promise["name"] not in self.promises or promise["verdict"] not in UNMEASURED:
                self.promises[promise["name"]] = promise


def number(value: float, unit: str) -> str:
    if unit == "dB":
        return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def sentence(text: str) -> str:
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def asked(bar) -> str:
    return "" if bar is None else f"{bar[0]:g} to {bar[1]:g}" if isinstance(bar, list) else f"{bar:g}"


def table_of(promise: dict) -> str:
    recorded = promise["quick_recorded"] if promise["was_quick"] else promise["recorded"]
    bars = {} if promise["was_quick"] else promise["bars"]
    named = promise["why"].split(", ") if promise["verdict"] in ("fell", "missed") else []
    lines = []
    for name, before in recorded.items():
        now = number(promise["values"][name], promise["unit"]) if name in promise["values"] else ""
        look = ' class="bad"' if name in named else ""
        cells = f"<td{look}>{now}</td><td>{number(before, promise['unit'])}</td><td>{asked(bars.get(name))}</td>"
        lines.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    if not lines:
        return ""
    unit = promise["unit"] + (", of a part" if promise["was_quick"] else "")
    head = f"<tr><th>{escape(unit)}</th><th>now</th><th>recorded</th><th>asked</th></tr>"
    table = f"<table>{head}{''.join(lines)}</table>"
    return table if len(lines) <= FEW else f"<details><summary>{len(lines)} values</summary>{table}</details>"


def article_of(promise: dict) -> str:
    verdict, why = promise["verdict"], promise["why"]
    how = promise["quick"] if promise["was_quick"] else promise["command"]
    told = f"<code>{escape(how)}</code>" if how else escape(why)
    if len(promise["test"]) > MANY:
        told = f"<details><summary>{len(promise['test'])} tests</summary>{told}</details>"
    if promise["recorded"]:
        told += (
            f' &middot; <span class="date">recorded {escape(promise["date"])}</span>'
            + f", {escape(promise['machine'])}" * bool(promise["machine"])
        )
    reason = ""
    if why and how and verdict != "told":
        look = " bad" if verdict in ("failed", "fell", "missed") else ""
        reason = f'<div class="why{look}">{escape(why)}</div>'
    look = verdict.replace("by a ", "").split()[0]
    return (
        f'<article><div class="verdict {look}">{escape(verdict)}</div><div>{sentence(promise["says"])}{reason}'
        f'<div class="how">{told}</div></div><div>{table_of(promise)}</div></article>'
    )


def plots_of(results: Results) -> str:
    pairs = sorted({(row["set"], row["sigma"]) for row in results.rows if row.get("seconds")})
    middle = {name: sorted(sigma for each, sigma in pairs if each == name) for name, _ in pairs}
    cost = [plots.quality_against_cost(results.rows, name, of[len(of) // 2]) for name, of in middle.items()]
    texts = list(results.outputs.values())
    scaling = [draw(text) for text in texts for draw in (plots.time_against_pixels, plots.images_against_processes)]
    blind = [text for command, text in results.outputs.items() if "--blind" in command]
    told = [text for text in texts if text not in blind]
    calibration = [
        plots.coverage(texts),
        plots.predicted_against_true(told, "predicted PSNR, sigma known"),
        plots.predicted_against_true(blind, "predicted PSNR, sigma found"),
    ]
    heads = (("Quality against cost", cost), ("Scaling", scaling), ("Calibration", calibration))
    return "".join(
        f'<h2>{head}</h2><div class="plots">{"".join(found)}</div>'
        for head, drawn in heads
        if (found := list(filter(None, drawn)))
    )


def short(commit: str | None) -> str:
    """Twelve letters of it, and whether files differed from it."""
    name, _, changes = (commit or "unknown").partition(",")
    return name[:12] + ", with changes" * bool(changes)


def about_of(results: Results) -> str:
    lines = []
    for each in results.about:
        machine, versions = each.get("machine", {}), each.get("versions", {})
        own = {name: machine[name] for name in ("noiseless", "python") if name in machine}
        versions = versions or own | machine.get("libraries", {})
        processor = each.get("processor") or machine.get("processor", "")
        cores = machine.get("cores", {})
        cores = cores.get("usable", "") if isinstance(cores, dict) else cores
        parts = [each["file"], each.get("date", ""), f"commit {short(each.get('commit'))}", str(processor)]
        parts += [f"{cores} cores"] * bool(cores)
        parts += [", ".join(f"{name} {version}" for name, version in versions.items())]
        lines.append(f'<p class="soft">{escape(" · ".join(part for part in parts if part))}</p>')
    return "".join(lines)


def chips_of(counts: Counter) -> str:
    return "".join(f"<span>{counts[verdict]} {verdict}</span>" for verdict in ORDER if counts[verdict])


def issue_of(issue: int, promises: list[dict]) -> str:
    chips = chips_of(Counter(each["verdict"] for each in promises))
    head = f'<summary><b>{issue}. {ISSUES.get(issue, "")}</b> <span class="counts">{chips}</span></summary>'
    return f'<details class="issue">{head}<section>{"".join(map(article_of, promises))}</section></details>'


def page_of(results: Results) -> str:
    promises = sorted(results.promises.values(), key=lambda each: (each["issue"], ORDER.index(each["verdict"])))
    counts = Counter(each["verdict"] for each in promises)
    short = [each for verdict in SHORT for each in promises if each["verdict"] == verdict]
    first = f"<h2>What falls short</h2><section>{''.join(map(article_of, short))}</section>" if short else ""
    issues = "".join(issue_of(issue, list(group)) for issue, group in groupby(promises, key=lambda each: each["issue"]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>noiseless: what was promised</title><style>{STYLE}</style></head><body>"
        f'<h1>What was promised, and how it stands</h1>{about_of(results)}<div class="counts">{chips_of(counts)}</div>'
        f"{first}{plots_of(results)}<h2>Issue by issue</h2>{issues}</body></html>\n"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("results.html"))
    parser.add_argument("--force", action="store_true", help="replace a page that exists")
    options = parser.parse_args(arguments)
    results = Results()
    for file in options.results:
        results.take(file)
    with replacing(options.output, overwrite=options.force) as temporary:
        temporary.write_text(page_of(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
