"""The HTML around a report: one file, with a policy that lets it load nothing and run nothing but its own script."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import noiseless
from noiseless.apps.viewer.words import RESERVE, Finding

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"

SIGNS = {"good": ("✓", "Good"), "doubt": ("?", "Keep in mind"), "bad": ("!", "Problem")}


def whole_page(title: str, body: str, data: Mapping[str, Any] | None = None) -> str:
    """A whole page.

    Parameters
    ----------
    title : plain text
    body : HTML, in which all that is not ours was escaped by :func:`text`
    data : for the viewer, see ``report.js``; None: the page needs no script
    """
    style = _asset("viewer", "viewer.css") + _asset("report", "report.css")
    scripts = [] if data is None else [_asset("viewer", "viewer.js"), _asset("report", "report.js")]
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {allowed}; base-uri 'none'; "
        "form-action 'none'"
    )
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f'<meta name="generator" content="noiseless {text(noiseless.__version__)}">',
        f"<title>{text(title)}</title>",
        f"<style>{style}</style>\n</head>\n<body>",
        body,
    ]
    if data is not None:
        # In a script element only "<" can end the text.
        values = json.dumps(data).replace("<", "\\u003c")
        parts.append(f'<script type="application/json" id="data">{values}</script>')
        parts += [f"<script>{script}</script>" for script in scripts]
    return "\n".join([*parts, "</body>\n</html>\n"])


def text(value: object) -> str:
    """Escaped, for text and for attributes in double quotes; characters that no text has become question marks."""
    said = str(value).encode("utf-8", "replace").decode("utf-8")
    return html.escape("".join(letter if letter.isprintable() or letter in "\n\t" else UNPRINTABLE for letter in said))


def section(title: str, *parts: str, name: str = "") -> str:
    """A part of the page with a heading; empty where nothing is in it."""
    inside = "\n".join(part for part in parts if part)
    at = name or title.lower().replace(" ", "-")
    return f'<section aria-labelledby="{at}">\n<h2 id="{at}">{text(title)}</h2>\n{inside}\n</section>' if inside else ""


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, as a list of descriptions."""
    rows = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{rows}</dl>" if rows else ""


def image(uri: str, alt: str, *, width: int, height: int, name: str = "", at: str = "") -> str:
    """A picture, whose room is kept before it is there."""
    kind = f' class="{name}"' if name else ""
    place = f' id="{at}"' if at else ""
    return f'<img{place}{kind} src="{uri}" alt="{text(alt)}" width="{width}" height="{height}">'


def verdicts(found: Sequence[Finding]) -> str:
    """What the checks found, as a list, and what no check can find."""
    rows = []
    for finding in found:
        sign, word = SIGNS[finding.kind]
        rows.append(
            f'<li class="{finding.kind}"><span class="sign" aria-hidden="true">{sign}</span>'
            f"<p><strong>{word}.</strong> {text(finding.text)}</p></li>"
        )
    return f'<ul class="findings">{"".join(rows)}</ul>\n<p class="note">{text(RESERVE)}</p>' if rows else ""


def _asset(room: str, name: str) -> str:
    return (resources.files(f"noiseless.apps.{room}") / "assets" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')}'"
