"""What was found in the images of a layer, in plain words."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from noiseless.apps.viewer.words import Finding, findings, headline

NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")

UNIT = "in the units of the layer"


def summary(reports: Sequence[Any]) -> str:
    """One sentence for all images, such as "Noise of about 12.3 was removed"."""
    if not reports:
        return "The layer is lazy: its images are denoised when they are looked at."
    if len(reports) == 1:
        return headline(reports[0]).replace("in the units of the file", UNIT)
    levels = [_level(report["sigma"]) for report in reports]
    least, most = min(levels), max(levels)
    amount = f"{least:.3g}" if f"{least:.3g}" == f"{most:.3g}" else f"{least:.3g} to {most:.3g}"
    text = f"Noise of about {amount} ({UNIT}) was removed from {len(reports)} images."
    predicted = [report["audit"]["predicted_psnr"] for report in reports if "predicted_psnr" in report["audit"]]
    known = [psnr for psnr in predicted if psnr is not None]
    if known:
        text += f" They are good to about {min(known):.1f} to {max(known):.1f} dB."
    return text


def gathered(reports: Sequence[Any]) -> list[Finding]:
    """Findings of all images, the worst first; alike but for their numbers, they are one, with how many there are."""
    first: dict[tuple[str, str], Finding] = {}
    times: dict[tuple[str, str], int] = {}
    for finding in (finding for report in reports for finding in findings(report)):
        key = (finding.kind, NUMBER.sub("#", finding.text))
        first.setdefault(key, finding)
        times[key] = times.get(key, 0) + 1
    order = ("bad", "doubt", "good")
    found = []
    for alike, finding in sorted(first.items(), key=lambda item: order.index(item[1].kind)):
        share = "" if len(reports) == 1 else f" (in {times[alike]} of {len(reports)} images)"
        found.append(Finding(finding.kind, f"{finding.text}{share}"))
    return found


def worth_a_notice(reports: Sequence[Any]) -> list[str]:
    """What should not go unseen: what is bad, and other warnings of the reports, if there are any."""
    warned = {text.rstrip(".").lower() for report in reports for text in report["warnings"]}
    return [
        finding.text
        for finding in gathered(reports)
        if finding.kind == "bad" or any(finding.text.lower().startswith(text) for text in warned)
    ]


def _level(sigma: Any) -> float:
    if isinstance(sigma, dict):
        return float(np.mean([sigma["min"], sigma["max"]]))
    return float(np.mean(sigma))
