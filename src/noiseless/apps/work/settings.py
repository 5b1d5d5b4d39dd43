"""How everything that is asked for in one go is denoised."""

from dataclasses import dataclass

import noiseless
from noiseless.apps.work.large import Limits


@dataclass(frozen=True)
class Settings:
    """What is done to every job, and how it is written. To be pickled.

    Parameters
    ----------
    recipe : how
    noise : what to remove, in stored units; a kind, whose parameters are to be found; None: its kind too
    limits : of the memory
    device : as of :func:`noiseless.denoise`
    codec, quality : of videos; None: as the source
    max_pixels : the most that a file may claim to hold; None: as usual
    """

    recipe: "noiseless.Recipe"
    noise: "noiseless.noise.NoiseModel | str | None"
    limits: Limits
    device: str = "cpu"
    codec: str | None = None
    quality: int | None = None
    max_pixels: int | None = None
