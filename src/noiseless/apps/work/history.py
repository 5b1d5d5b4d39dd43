"""What was done to an image, in the words of its history."""

from collections.abc import Mapping
from typing import Any

HIDDEN = ("kernel",)
# Parameters with too many numbers for a line.


def law(summary: Mapping[str, Any]) -> str:
    """The noise of a summary for people: "poisson-gaussian, gain 0.5, sigma 2"."""
    shown = {name: value for name, value in summary["parameters"].items() if name not in HIDDEN}
    return ", ".join([summary["noise"], *(f"{name} {levels(value)}" for name, value in shown.items())])


def what_was_done(report: Mapping[str, Any]) -> str:
    """The report of an image in words, for its history."""
    method = f"{report['method']} {report['model']}" if report["method"] == "score" else report["method"]
    strength = "" if report["strength"] == 1.0 else f", strength {report['strength']:g}"
    steps = "" if report["steps"] == 1 else f", {report['steps']} steps"
    return f"removed noise ({law(report)}) by {method}{strength}{steps}"


def levels(sigma: Any) -> str:
    """Sigma for people: a number, one a channel, or the range of a map."""
    if isinstance(sigma, dict):
        return f"{sigma['min']:.3g} to {sigma['max']:.3g}"
    if isinstance(sigma, list):
        return " ".join(f"{value:.3g}" for value in sigma)
    return f"{sigma:.3g}"
