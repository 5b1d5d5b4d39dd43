"""``noiseless denoise run.bag``: the image topics of ROS 1 and ROS 2 bags, frame after frame."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import noiseless
from noiseless.apps.work import check_for_frames, denoise_bag, is_bag, levels

Topics: TypeAlias = Annotated[
    list[str] | None, typer.Option("--topic", help="Image topic of a bag to denoise, may be repeated. [all]")
]


def result_of(source: Path) -> Path:
    """Where the result goes when nothing is said: run.bag to run.denoised.bag, the folder run to run.denoised."""
    if source.is_dir():
        return source.with_name(f"{source.name}.denoised")
    return source.with_name(f"{source.stem}.denoised{source.suffix}")


TAKEN = frozenset(
    {"inputs", "output", "sigma", "noise", "model", "strength", "preset", "recipe_file", "topic", "force", "as_json"}
)
"""Options of ``denoise`` that mean something for a bag."""


def check_inputs(inputs: Sequence[str], given: Collection[str], recipe: Any, noise: Any) -> bool:
    """Whether the one input is a bag; refuse what does not go with it.

    Parameters
    ----------
    given : names of the options on the command line
    recipe, noise : what they say, with what a preset or a file says

    Raises
    ------
    noiseless.InvalidParameter : the option, and what to do instead.
    """
    found = [text for text in inputs if is_bag(text)]
    if not found:
        if "topic" in given:
            raise noiseless.InvalidParameter("--topic is for bags, and no input is one; leave it out")
        return False
    if len(inputs) > 1:
        raise noiseless.InvalidParameter(f"{found[0]!r} is a bag; give it alone")
    for option in sorted(set(given) - TAKEN):
        raise noiseless.InvalidParameter(f"--{option.replace('_', '-')} is not for bags; leave it out")
    check_for_frames(recipe, noise, repr(found[0]), "bag")
    return True


def denoise_alone(
    text: str,
    output: Path | None,
    recipe: Any,
    noise: Any,
    topics: Sequence[str] | None,
    *,
    force: bool,
    progress: Callable[[float], None],
) -> list[dict[str, Any]]:
    """:func:`denoise_bag` as the options of ``denoise`` say."""
    sigma = float(noise.sigma) if isinstance(noise, noiseless.noise.Gaussian) else None
    source = Path(text)
    return denoise_bag(
        source,
        output or result_of(source),
        sigma=sigma,
        model=recipe.model,
        strength=recipe.strength,
        topics=topics,
        force=force,
        progress=progress,
    )


def in_words(report: Mapping[str, Any]) -> str:
    """A report for people; the noise is in the levels of the frames."""
    low, high = report["levels"]
    sigma = levels([level * (high - low) for level in report["noise"]["sigma"]])
    frames = f"{report['frames']} frames, sigma {sigma}, {report['seconds']:.2f} s"
    return f"{report['output']} {report['topic']}: {frames}"
