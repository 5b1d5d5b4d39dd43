"""What was done, to what, and by what: the parts of a report that one checks later."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import noiseless
from noiseless.apps.report.document import facts, text
from noiseless.apps.viewer.words import GIVEN
from noiseless.apps.work.history import law, levels

HASHED = 12
"""Files of a series that are listed; the rest is in a fold."""

LIBRARIES = ("numpy", "scipy", "openvino", "torch")

CHUNK = 1 << 20


def recipe_of(restored: Any) -> str:
    """The recipe as TOML, ready for ``--recipe``; with the noise where it was given."""
    given = restored.noise.model if restored.noise.reason == GIVEN else None
    said = ""
    try:
        toml = noiseless.restoration.recipe_text(restored.recipe, given)
    except noiseless.InvalidParameter as error:
        toml = noiseless.restoration.recipe_text(restored.recipe)
        said = f'<p class="note">The noise is not in it: {text(error)}.</p>'
    return f'<pre tabindex="0" aria-label="Recipe"><code>{text(toml.strip())}</code></pre>{said}'


def facts_of_work(report: Mapping[str, Any]) -> str:
    """Method, time, versions."""
    method = f"{report['method']}, model {report['model']}" if report["method"] == "score" else report["method"]
    pairs: list[tuple[str, object]] = [("Method", method), ("Strength", f"{report['strength']:g}")]
    if report.get("steps", 1) != 1:
        pairs.append(("Steps", report["steps"]))
    if "bound" in report:
        pairs.append(
            ("Bound", f"no pixel was changed by more than {report['bound']:g} standard deviations of the noise")
        )
    if "choice" in report:
        pairs.append(("Chosen", report["choice"]["why"]))
    pairs += [("Time", f"{report['seconds']:.2f} s"), *versions()]
    return facts(pairs)


def versions() -> list[tuple[str, str]]:
    """Of what took part, and when the report was made."""
    found = [("noiseless", noiseless.__version__), ("Python", platform.python_version())]
    for name in LIBRARIES:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return [("Versions", ", ".join(" ".join(pair) for pair in found)), ("Report made", made_at())]


def made_at() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def facts_of_noise(report: Mapping[str, Any]) -> str:
    """Kind, parameters, where they are known from."""
    reason = "given by whoever asked" if report["reason"] == GIVEN else report["reason"]
    pairs = [
        ("Law", law(report)),
        ("Strength", f"{levels(report['sigma'])} (standard deviation, over the whole picture)"),
        ("Known from", reason),
    ]
    if report["reason"] != GIVEN:
        pairs.append(("Confidence", f"{report['confidence']:.2f} of 1 ({report['trust']})"))
    return facts(pairs)


def facts_of_image(image: noiseless.Image) -> str:
    """What the file held. Metadata are named, never shown: they may say who somebody is."""
    found = noiseless.files.described(image)
    channels, *space = found["shape"]
    pairs: list[tuple[str, object]] = [
        ("Format", image.header.get("format") or "not known"),
        (
            "Size",
            f"{' × '.join(map(str, space))} ({', '.join(image.axes[1:])}), {channels} channel{'s' * (channels > 1)}",
        ),
        ("Values", f"{found['dtype']}, {found['min']:g} to {found['max']:g}"),
    ]
    if found["volumes"] > 1:
        pairs.append(("Volumes or pictures", found["volumes"]))
    if found["spacing_mm"]:
        pairs.append(("Spacing", f"{' × '.join(f'{step:g}' for step in found['spacing_mm'])} mm"))
    if found["alpha"]:
        pairs.append(("Transparency", "kept as it was"))
    if found["measured"] < 1.0:
        pairs.append(("Noise read from", f"{100 * found['measured']:.0f} % of it: the rest is padding or air"))
    pairs.append(("Metadata kept", ", ".join(found["metadata"]) or "none"))
    return facts(pairs)


def files_table(sources: Iterable[Path], outputs: Iterable[Path]) -> str:
    """Names, sizes and SHA-256 of the files; only names, without their folders."""
    rows = [("in", path) for path in sources] + [("out", path) for path in outputs]
    if not rows:
        return ""
    body = [
        f'<tr><th scope="row">{text(path.name)}</th><td>{way}</td>{_size_and_hash(path)}</tr>' for way, path in rows
    ]
    head = '<thead><tr><th scope="col">File</th><th scope="col">Way</th><th scope="col">Bytes</th>'
    head += '<th scope="col">SHA-256</th></tr></thead>'
    shown = _table(head, body[:HASHED])
    if len(body) <= HASHED:
        return shown
    return f"{shown}<details><summary>{len(body) - HASHED} more files</summary>{_table(head, body[HASHED:])}</details>"


def _table(head: str, rows: list[str]) -> str:
    return f'<div class="wide"><table class="files">{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _size_and_hash(path: Path) -> str:
    if not path.is_file():
        return f"<td>–</td><td>{'a folder' if path.is_dir() else 'no file to look at'}</td>"
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return f'<td>{path.stat().st_size:,}</td><td><code class="hash">{digest.hexdigest()}</code></td>'
