"""Random numbers that are the same on every device."""

from collections.abc import Callable
from typing import TypeAlias

import array_api_compat
import numpy as np

from noiseless.argument_checks import whole
from noiseless.denoiser import Array

Normal: TypeAlias = Callable[[Array], Array]
"""Standard normal numbers of the shape, dtype, kind and device of the argument."""


# Not the numbers of default_rng(seed): whoever made an image noisy with those and denoises it with the same seed would
# have the noise of the image drawn again.
_STREAM = 0x6E6F6973


def normal_from_seed(seed: int) -> Normal:
    """A source of standard normal numbers, drawn on the CPU by NumPy and then moved, whatever the array is.

    Parameters
    ----------
    seed : >= 0; the same seed gives the same sequence for NumPy, torch on the CPU and torch on a GPU.

    Raises
    ------
    InvalidParameter : the seed is no whole number, or negative.
    """
    rng = np.random.default_rng((whole("seed", seed, 0, "it fixes the noise that is drawn"), _STREAM))

    def normal(like: Array) -> Array:
        xp = array_api_compat.array_namespace(like)
        drawn = rng.standard_normal(tuple(like.shape), dtype=np.float32)
        return xp.asarray(drawn, dtype=like.dtype, device=array_api_compat.device(like))

    return normal


def seed_of_sample(seed: int, number: int) -> int:
    """The seed of one sample of several: the n-th is the same however many are drawn."""
    seed = whole("seed", seed, 0, "it fixes the samples")
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
