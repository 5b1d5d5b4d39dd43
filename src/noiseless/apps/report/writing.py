"""Reports as files."""

from pathlib import Path

import noiseless

SUFFIXES = (".html", ".htm")


def check(path: Path) -> None:
    """Refuse before the work what could not be written after it.

    Raises
    ------
    noiseless.UnsupportedFormat : the suffix is not that of HTML.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise noiseless.UnsupportedFormat(f"cannot write a report to {str(path)!r}; give a name that ends in .html")


def write_report(text: str, path: Path, *, overwrite: bool = False) -> None:
    """Write a report; the file appears whole or not at all.

    Raises
    ------
    noiseless.UnsupportedFormat : see :func:`check`.
    noiseless.UnwritableFile : it exists and ``overwrite`` is false, or its folder cannot be written.
    """
    check(path)
    with noiseless.files.replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
