"""Videos on the command line: their options, and what is said of them."""

from collections.abc import Collection
from typing import Annotated, Any, TypeAlias

import typer

import noiseless
from noiseless.apps.cli import completion
from noiseless.apps.work import Job, check_for_frames, is_video, law_of_video

Codec: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Of videos: h264, hevc, av1, vp9, mpeg4, prores, ffv1 (lossless). [that of the source]",
        autocompletion=completion.codecs,
    ),
]
Quality: TypeAlias = Annotated[
    int | None, typer.Option(help="Of videos, as CRF: less is better and larger. [16 for h264, the like for others]")
]

OF_IMAGES = ("samples", "plot", "error", "predict", "steps", "sampler", "budget", "bound", "tile", "memory", "device")
"""Options that say what is done with a picture as a whole."""


def check_options(jobs: Collection[Job], given: Collection[str], recipe: Any, noise: Any) -> None:
    """Refuse what does not go with videos, or only with them.

    Parameters
    ----------
    given : names of the options on the command line
    recipe, noise : what they say, with what a preset or a file says

    Raises
    ------
    noiseless.InvalidParameter : the option, and what to do instead.
    """
    videos = [job for job in jobs if is_video(job)]
    if not videos:
        for name in ("codec", "quality"):
            if name in given:
                raise noiseless.InvalidParameter(f"--{name} is for videos, and no input is one; leave it out")
        return
    name = videos[0].name
    asked = {"steps": recipe.steps > 1, "samples": recipe.samples, "error": recipe.error, "predict": recipe.predict}
    for option in OF_IMAGES:
        if option in given or asked.get(option) or (option == "budget" and recipe.budget_s):
            raise noiseless.InvalidParameter(f"--{option} is for images, and {name!r} is a video; leave it out")
    check_for_frames(recipe, noise, repr(name), "video")


def in_words(report: dict[str, Any]) -> str:
    """The report of a video, for people."""
    done = f"{report['frames']} frames"
    if report["resumed_at"]:
        done += f", the first {report['resumed_at']} of them by an earlier run"
    cuts = f", {report['cuts']} cuts" if report.get("cuts") else ""
    speed = f"{report['seconds']:.1f} s, {report['frames_per_second']:.3g} frames a second"
    return f"{report['output']}: {law_of_video(report)}, {done}{cuts}, {speed}"
