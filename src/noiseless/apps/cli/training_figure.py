"""The picture of a training run: validation PSNR against steps."""

from pathlib import Path
from typing import Any

import noiseless

SUFFIXES = (".png", ".svg", ".pdf")


def check(path: Path) -> None:
    """Refuse before the run what could not be drawn after it.

    Raises
    ------
    noiseless.MissingExtra : matplotlib is not installed.
    noiseless.UnsupportedFormat : the suffix is not of a kind of picture that can be drawn.
    """
    _figure_class()
    if path.suffix.lower() not in SUFFIXES:
        raise noiseless.UnsupportedFormat(f"cannot draw {str(path)!r}; the plot may be {', '.join(SUFFIXES)}")


def draw(curve: list[tuple[int, dict[str, float]]], path: Path, *, overwrite: bool) -> None:
    """One line for each noise level, over its own range: a gain of 0.1 dB shows at every level."""
    levels = list(curve[0][1])
    figure = _figure_class()(figsize=(7.0, 1.0 + 2.0 * len(levels)), layout="constrained")
    panels = figure.subplots(len(levels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, level in zip(panels, levels, strict=True):
        steps, values = [step for step, _ in curve], [psnr[level] for _, psnr in curve]
        axes.plot(steps, values, "-o", ms=3, lw=1.2, color="#2c5fb3")
        best = max(range(len(values)), key=values.__getitem__)
        axes.annotate(
            f"{values[best]:.2f}", (steps[best], values[best]), xytext=(0, 5), textcoords="offset points", ha="center"
        )
        axes.margins(y=0.2)
        axes.set_ylabel(f"sigma {level}, dB" if level.isdigit() else f"{level}, dB")
        axes.grid(visible=True, lw=0.4, alpha=0.5)
    panels[-1].set_xlabel("steps")
    figure.suptitle("validation PSNR", fontsize=11)
    with noiseless.files.replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=120)


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise noiseless.MissingExtra("--plot needs 'matplotlib': pip install 'noiseless[plot]'") from error
    return Figure
