"""The picture of a tuning: what was tried, and the error of each."""

from pathlib import Path
from typing import Any

from noiseless.apps.cli import figure


def draw(tuned: Any, path: Path, *, overwrite: bool) -> None:
    """Error against each parameter, a panel each."""
    tried = [trial for trial in tuned.trials if trial.values]
    names = list(tried[0].values) if tried else []
    best = min(tuned.trials, key=lambda trial: trial.risk)
    usual = tuned.trials[0].risk
    picture = figure.new(5.0 * max(1, len(names)), 3.6)
    panels = picture.subplots(1, max(1, len(names)), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=False):
        at, risks = [trial.values[name] for trial in tried], [trial.risk for trial in tried]
        numbers = all(isinstance(value, int | float) for value in at)
        if numbers and len(names) == 1:
            order = sorted(range(len(at)), key=at.__getitem__)
            axes.plot([at[index] for index in order], [risks[index] for index in order], lw=1.0, color="#2c5fb3")
        axes.plot(at if numbers else list(map(str, at)), risks, "o", ms=4, color="#2c5fb3", label="tried")
        axes.axhline(usual, color="#888888", lw=1.0, ls="--", label="as it was")
        if best.values:
            found = best.values[name]
            axes.plot([found if numbers else str(found)], [best.risk], "*", ms=12, color="#c0392b", label="best")
        if numbers and min(at) > 0 and max(at) > 4 * min(at):
            axes.set_xscale("log")
        axes.set_xlabel(name.replace("_", " "))
        axes.grid(visible=True, lw=0.4, alpha=0.5)
    panels[0].set_ylabel("estimated error, of the noise")
    panels[0].legend()
    top = max(usual, best.risk + 3.0 * abs(usual - best.risk), 1.15 * best.risk)
    panels[0].set_ylim(top=top)
    picture.suptitle(tuned.recipe.method, fontsize=10)
    figure.save(picture, path, overwrite=overwrite)
