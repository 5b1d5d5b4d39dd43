"""The image topics of ROS 1 and ROS 2 bags, frame after frame."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import noiseless

EIGHT_BITS = 255.0
"""Levels above the least that a range has at least."""


def is_bag(path: str | os.PathLike[str]) -> bool:
    """Whether it is a ROS 1 bag, the folder of a ROS 2 bag, or an .mcap or .db3 file."""
    return noiseless.files.is_bag(path)


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
