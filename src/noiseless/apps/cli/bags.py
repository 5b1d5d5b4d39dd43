"""``noiseless denoise run.bag``: the image topics of ROS 1 and ROS 2 bags, frame after frame."""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import typer

import noiseless
from noiseless.apps.cli import console

Topics: TypeAlias = Annotated[
    list[str] | None, typer.Option("--topic", help="Image topic of a bag to denoise, may be repeated. [all]")
]


EIGHT_BITS = 255.0
"""Levels above the least that a range has at least."""


def is_bag(path: str | os.PathLike[str]) -> bool:
    """Whether it is a ROS 1 bag, the folder of a ROS 2 bag, or an .mcap or .db3 file."""
    return noiseless.files.is_bag(path)


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
    console.check_frames(recipe, noise, found[0], "bag")
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


def denoise_bag(
    source: Path,
    target: Path,
    *,
    sigma: float | None = None,
    model: str = "base",
    strength: float = 1.0,
    topics: Sequence[str] | None = None,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> list[dict[str, Any]]:
    """Denoise the image topics of a bag, each by a denoiser of its own; a report for each.

    A Bayer mosaic has four: those of its planes, topic#0 to topic#3.

    Parameters
    ----------
    sigma : of the noise, in the levels of the frames; None: estimated for each topic, and followed
    topics : to denoise; None, or none: all image topics

    Raises
    ------
    noiseless.NoiselessError : as of :func:`noiseless.files.rewrite_bag`.
    """
    streams: dict[str, _Stream] = {}

    def clean(name: str, frame: Any) -> Any:
        if name not in streams:
            streams[name] = _Stream(sigma, model, strength)
        return streams[name].cleaned(frame)

    noiseless.files.rewrite_bag(source, target, clean, topics=topics or None, overwrite=force, progress=progress)
    places = {"input": str(source), "output": str(target)}
    return [{**places, "topic": name, **stream.report()} for name, stream in streams.items()]


def in_words(report: Mapping[str, Any]) -> str:
    """A report for people; the noise is in the levels of the frames."""
    low, high = report["levels"]
    sigma = console.levels([level * (high - low) for level in report["noise"]["sigma"]])
    frames = f"{report['frames']} frames, sigma {sigma}, {report['seconds']:.2f} s"
    return f"{report['output']} {report['topic']}: {frames}"


@dataclass
class _Stream:
    """The frames of one topic, or of one plane of a mosaic.

    Cameras of 10 to 14 bits use a part of 16, and thermal ones a few hundred levels somewhere. To a denoiser of nominal
    units their noise would be none; so the levels of the first frame are the range. Later ones may go beyond it a bit;
    far beyond it, after a lens cap say, all begins anew.

    Parameters
    ----------
    sigma : in levels, or None
    low, high : levels that are 0 and 1 to the denoiser
    denoiser : remembers the frames before
    frames : that denoisers before this one had
    seconds : that all took so far
    """

    sigma: float | None
    model: str
    strength: float
    low: float = 0.0
    high: float = 0.0
    denoiser: Any = None
    frames: int = 0
    seconds: float = 0.0

    def cleaned(self, frame: Any) -> Any:
        """(Y, X) or (Y, X, 3) whole numbers, denoised."""
        start = time.perf_counter()
        if self.denoiser is None or self._is_far_off(frame):
            self._begin(frame)
        span = self.high - self.low
        by_channel = frame[np.newaxis] if frame.ndim == 2 else np.moveaxis(frame, -1, 0)
        nominal = ((by_channel.astype(np.float64) - self.low) / span).astype(np.float32)
        levels = np.asarray(self.denoiser.push(np.ascontiguousarray(nominal))).astype(np.float64) * span + self.low
        clean = np.clip(np.rint(levels), 0, np.iinfo(frame.dtype).max).astype(frame.dtype)
        self.seconds += time.perf_counter() - start
        return clean[0] if frame.ndim == 2 else np.moveaxis(clean, 0, -1)

    def report(self) -> dict[str, Any]:
        """Of the denoiser, with the levels that are 0 and 1 to it."""
        last = self.denoiser.report()
        frames = self.frames + last["frames"]
        return {**last, "frames": frames, "levels": [self.low, self.high], "seconds": self.seconds}

    def _is_far_off(self, frame: Any) -> bool:
        span = self.high - self.low
        return bool(frame.min() < self.low - span or frame.max() > self.high + span)

    def _begin(self, frame: Any) -> None:
        if self.denoiser is not None:
            self.frames += self.denoiser.report()["frames"]
        if frame.dtype == np.uint8:
            self.low, self.high = 0.0, EIGHT_BITS
        else:
            self.low = float(frame.min())
            self.high = max(float(frame.max()), self.low + EIGHT_BITS)
        nominal = None if self.sigma is None else self.sigma / (self.high - self.low)
        self.denoiser = noiseless.TemporalDenoiser(sigma=nominal, model=self.model, strength=self.strength)
