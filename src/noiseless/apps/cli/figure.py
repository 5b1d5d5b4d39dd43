"""Pictures that verbs draw: what they may be, and how they are written."""

from pathlib import Path
from typing import Any

import noiseless

SUFFIXES = (".png", ".svg", ".pdf")


def check(path: Path) -> None:
    """Refuse before the work what could not be drawn after it.

    Raises
    ------
    noiseless.MissingExtra : matplotlib is not installed.
    noiseless.UnsupportedFormat : the suffix is not of a kind of picture that can be drawn.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ModuleNotFoundError as error:
        raise noiseless.MissingExtra("--plot needs 'matplotlib': pip install 'noiseless[plot]'") from error
    if path.suffix.lower() not in SUFFIXES:
        raise noiseless.UnsupportedFormat(f"cannot draw {str(path)!r}; the plot may be {', '.join(SUFFIXES)}")


def new(width: float, height: float) -> Any:
    """An empty figure, in inches."""
    from matplotlib.figure import Figure  # slow to import, and needed only by who draws

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Any, path: Path, *, overwrite: bool) -> None:
    """Write the figure; the file appears whole or not at all."""
    with noiseless.files.replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=120)
