"""What a report says, for someone with a picture and a doubt: plain sentences, each from one measured thing.

A report is ``Restored.report``, or what the command line gives with ``--json``. Nothing is said that was not measured;
a test that was not made is named as such.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Report: TypeAlias = Mapping[str, Any]

Kind: TypeAlias = Literal["good", "doubt", "bad"]

GIVEN = "given by the caller"
"""The reason of noise that nobody estimated."""

IN_UNITS = "in the units of the file"

USUAL = 0.3, 1.3
"""What was removed over the noise, as the audit judges it."""

RESERVE = (
    "Detail that is fainter than the noise cannot be told from noise, by this or by any program: no test can say that "
    "none was lost."
)
"""To be shown beside all findings, the good ones above all."""


@dataclass(frozen=True)
class Finding:
    """One sentence or two for a person.

    Parameters
    ----------
    kind : "good": a check that was passed; "doubt": something to keep in mind; "bad": the result is wrong somewhere
    text : what was found, and what to do about it
    """

    kind: Kind
    text: str


NOT_MEASURED = Finding("doubt", "How strong the noise is was given, not measured: all that is said here rests on it.")


def headline(report: Report, unit: str = "") -> str:
    """How much noise was removed and, where that was asked for, how good the result is.

    Parameters
    ----------
    unit : of the values, such as "grey levels" or "HU"; empty where it is not known
    """
    strength = _amount(report["sigma"])
    noise = f"Noise of about {strength} {unit}" if unit else f"Noise of about {strength} ({IN_UNITS})"
    audit = report.get("audit", {})
    if "predicted_psnr" not in audit:
        return f"{noise} was removed."
    psnr, (low, high) = audit["predicted_psnr"], audit["predicted_psnr_interval"]
    if psnr is None:
        least = "" if low is None else f": {low:.1f} dB or better"
        return f"{noise} was removed; the error that is left is too small to be measured{least}."
    span = f"{_decibels(low)} to {_decibels(high)}" if high is not None else f"{_decibels(low)} or better"
    return f"{noise} was removed; the result is good to about {psnr:.1f} dB ({span})."


def findings(report: Report) -> list[Finding]:
    """What the checks found: what is bad first, then doubts, then checks that were passed."""
    audit = report.get("audit", {})
    verdicts = list(audit.get("verdicts", ()))
    warnings = [text for text in report.get("warnings", ()) if text not in verdicts]
    found = [*map(_of_verdict, verdicts), *(Finding("doubt", _sentence(text)) for text in warnings)]
    if audit:
        found += _passed(report, audit, verdicts)
    order = ("bad", "doubt", "good")
    return sorted(found, key=lambda finding: order.index(finding.kind))


def _passed(report: Report, audit: Report, verdicts: list[str]) -> Iterator[Finding]:
    """Checks without a verdict: passed, or not made."""
    structure = audit.get("structure")
    alike = any(text.startswith("neighbours in what") for text in verdicts)
    if structure is None:
        yield Finding(
            "doubt",
            "Whether some of the picture went with the noise was not tested: there is no test for this kind of noise, "
            "method or size of picture. Look at what was removed yourself.",
        )
    elif not structure["found"]:
        yield _of_squares(structure, alike=alike)
    if structure is not None and not alike:
        yield Finding("good", "Neighbouring pixels of what was removed show no likeness that noise would not have.")
    share = audit["removed_over_noise"]
    if USUAL[0] <= share <= USUAL[1]:
        yield Finding(
            "good",
            f"The strength of what was removed fits that of the noise: {share:.2f} of it, where {USUAL[0]} to "
            f"{USUAL[1]} is usual.",
        )
    if not audit["clipped"] and not any("piled up" in text for text in report.get("warnings", ())):
        yield Finding("good", "No pile of values was found at black or white, where noise would have been cut off.")
    if report["reason"] == GIVEN:
        yield NOT_MEASURED
    elif report["trust"] == "high":
        yield Finding("good", "The strength of the noise could be measured well in the picture itself.")
    elif report["trust"] == "moderate":
        yield Finding("doubt", "The strength of the noise could be measured in the picture only moderately well.")
    elif not any("was guessed" in text for text in verdicts):
        yield Finding("doubt", "The strength of the noise could be measured only poorly: give it if you know it.")


def _of_squares(structure: Report, *, alike: bool) -> Finding:
    """No square stands out. Where neighbours are alike all over, that is no acquittal of the whole."""
    figures = f"the strongest is {structure['strongest']:.1f}, pure noise reaches up to {structure['limit']:.1f}"
    if alike:
        return Finding(
            "good",
            f"No square of 16 by 16 pixels of what was removed stands out by itself from pure noise ({figures}).",
        )
    return Finding(
        "good",
        "Nothing of the picture was found in what was removed: none of its squares of 16 by 16 pixels stands out from "
        f"pure noise ({figures}).",
    )


NUMBER = r"([0-9.einf+-]+)"

_VERDICTS: tuple[tuple[str, Kind, str], ...] = (
    (
        r"structure of the image went with the noise in " + NUMBER + r" % of it \(z = " + NUMBER + ".*below " + NUMBER,
        "bad",
        "Some of the picture went with the noise, in {0} % of it: squares of what was removed show more than noise "
        "({1}, where pure noise reaches up to {2}). Remove less (a strength below 1), and look where it was.",
    ),
    (
        r"neighbours in what was removed are correlated by " + NUMBER,
        "doubt",
        "Neighbouring pixels of what was removed are alike ({0}), which independent noise is not: some of the picture "
        "may have gone with it, or the noise is of another kind. Look at what was removed.",
    ),
    (
        r"what was removed has " + NUMBER + " times the energy",
        "bad",
        "What was removed is {0} times as strong as the noise, where 0.3 to 1.3 is usual: the kind or the strength of "
        "the noise is probably not right.",
    ),
    (
        r"how strong the noise is was guessed \(confidence " + NUMBER,
        "doubt",
        "How strong the noise is could only be guessed (confidence {0} of 1). Give its strength if you know it, and "
        "look at what was removed.",
    ),
    (
        r"the image shows noise of sigma " + NUMBER + ", not " + NUMBER,
        "bad",
        "The picture shows noise of strength {0}, not {1} as was said; the predicted quality is that of the latter: "
        "let the noise be measured, or see what `noiseless estimate` says.",
    ),
    (
        NUMBER + r" % of the values are piled up at an end of their range",
        "doubt",
        "{0} % of the values are cut off at black or white. There the result is a little off in brightness, and so is "
        "what is said of its error.",
    ),
    (
        r"the network errs " + NUMBER + " times",
        "bad",
        "The network errs {0} times as much as by its own account: the picture is unlike those it has learned from, or "
        "the noise is not as was said. Adapt the network to it, or use the method ensemble.",
    ),
)  # fmt: skip


def _of_verdict(verdict: str) -> Finding:
    for pattern, kind, text in _VERDICTS:
        if match := re.match(pattern, verdict):
            return Finding(kind, text.format(*(number.rstrip(".") for number in match.groups())))
    return Finding("doubt", _sentence(verdict))


def _sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _amount(sigma: Any) -> str:
    """A number, one a channel, or the ends of a map."""
    if isinstance(sigma, Mapping):
        return f"{sigma['min']:.3g} to {sigma['max']:.3g}"
    if isinstance(sigma, list | tuple):
        shown = [f"{level:.3g}" for level in sigma]
        return shown[0] if len(set(shown)) == 1 else ", ".join(shown)
    return f"{sigma:.3g}"


def _decibels(value: float | None) -> str:
    return "unknown" if value is None or not math.isfinite(value) else f"{value:.1f}"
