"""The picture of a training run: validation PSNR against steps."""

from pathlib import Path

from noiseless.apps.cli import figure


def draw(curve: list[dict[str, float]], path: Path, *, overwrite: bool) -> None:
    """One line for each noise level, over its own range: a gain of 0.1 dB shows at every level.

    ``curve`` is that of a card, not empty: for each validation the step, and PSNR by level.
    """
    levels = [name for name in curve[0] if name != "step"]
    picture = figure.new(7.0, 1.0 + 2.0 * len(levels))
    panels = picture.subplots(len(levels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, level in zip(panels, levels, strict=True):
        steps, values = [entry["step"] for entry in curve], [entry[level] for entry in curve]
        axes.plot(steps, values, "-o", ms=3, lw=1.2, color="#2c5fb3")
        best = max(range(len(values)), key=values.__getitem__)
        axes.annotate(
            f"{values[best]:.2f}", (steps[best], values[best]), xytext=(0, 5), textcoords="offset points", ha="center"
        )
        axes.margins(y=0.2)
        axes.set_ylabel(f"{level.replace('sigma', 'sigma ')}, dB")
        axes.grid(visible=True, lw=0.4, alpha=0.5)
    panels[-1].set_xlabel("steps")
    picture.suptitle("validation PSNR", fontsize=11)
    figure.save(picture, path, overwrite=overwrite)
