"""A frame and what is known from the frames before: fused where nothing changed, pixel by pixel.

Each pixel carries the mean of what was fused, and its variance as a share v of that of one frame. A new frame y with
noise of variance 1 (all is divided by sigma) and the prediction p differ by d = y - p, of variance 1 + v where nothing
changed. Then (a Kalman filter whose gain never falls below 1 / memory)

    K = max(v / (1 + v), 1 / memory),   p + K d,   v' = K^2 + (1 - K)^2 v

Where something changed K is 1: the frame alone, v' = 1. That is decided by the largest of four tests, each a standard
normal number where nothing changed: the energy of d / sqrt(1 + v) in 5x5 pixels, for edges that moved, and the size of
its mean in 3x3, 7x7 and 15x15 pixels, for faint changes of large things. From 2.5 to 4.5 standard deviations K goes to
1.
"""

from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np

from noiseless.denoiser import Array
from noiseless.names import Lazy, load

_FUSED = Lazy("noiseless.restoration.temporal.kernels.fusion:fused")

ENERGY_SIDE, MEAN_SIDES = 5, (3, 7, 15)

DOUBTFUL, CHANGED = 2.5, 4.5
# Standard deviations. Above 2.5 the four tests come in 3 of 100 places by chance, above 4.5 in none of 100 000.


@dataclass(frozen=True)
class Fused:
    """The fused frame.

    Parameters
    ----------
    mean : (C, Y, X) float32
    variance : (Y, X) float32, of the noise that is left, as a share of that of one frame
    changed : share of the pixels that were taken from the frame alone
    """

    mean: Array
    variance: Array
    changed: float


def fused(frame: Array, predicted: Array, variance: Array, sigma: Array, hidden: Array, memory: float) -> Fused:
    """One step of the recursion.

    Parameters
    ----------
    frame, predicted : (C, Y, X) float32
    variance : (Y, X) float32 >= 0, of the prediction, as a share of that of a frame
    sigma : (C,) float32 > 0, of the noise of a frame
    hidden : (Y, X) float32 >= 0, standard deviations that were lost to the tests as the prediction was chosen to fit
    memory : >= 1, of how many frames a mean is made at most. More: less noise, and slower to follow faint changes.
    """
    if isinstance(frame, np.ndarray):
        return Fused(*load(_FUSED)(frame, predicted, variance, sigma, hidden, (DOUBTFUL, CHANGED, 1.0 / memory)))
    xp = array_api_compat.array_namespace(frame)
    difference = (frame - predicted) / (xp.reshape(sigma, (-1, 1, 1)) * xp.sqrt(1.0 + variance))
    unlike = surprise(difference, xp) + hidden
    trust = xp.clip((CHANGED - unlike) / (CHANGED - DOUBTFUL), 0.0, 1.0)
    gain = 1.0 - trust * (1.0 - xp.clip(variance / (1.0 + variance), 1.0 / memory, 1.0))
    mean = predicted + gain * (frame - predicted)
    # A variance without a bound, of what came into sight, must not turn 0 * inf.
    left = xp.where(gain == 1.0, 1.0, gain**2 + (1.0 - gain) ** 2 * variance)
    return Fused(mean, left, float(xp.mean(xp.astype(trust == 0.0, xp.float32))))


def surprise(difference: Array, xp: Any) -> Array:
    """The largest of the tests at each pixel, (Y, X), from differences (C, Y, X) of variance 1."""
    channels = difference.shape[0]
    energy = _box_mean(xp.mean(difference**2, axis=0), ENERGY_SIDE, xp)
    largest = (energy - 1.0) * (ENERGY_SIDE**2 * channels / 2) ** 0.5
    mean = xp.mean(difference, axis=0)
    for side in MEAN_SIDES:
        largest = xp.maximum(largest, xp.abs(_box_mean(mean, side, xp)) * side * channels**0.5)
    return largest


def _box_mean(plane: Array, side: int, xp: Any) -> Array:
    """The mean over side x side pixels, the border repeated."""
    for axis in (0, 1):
        length = plane.shape[axis]
        places = xp.arange(-(side // 2), length + side // 2, device=array_api_compat.device(plane))
        padded = xp.take(plane, xp.clip(places, 0, length - 1), axis=axis)
        parts = [padded[i : i + length, :] if axis == 0 else padded[:, i : i + length] for i in range(side)]
        plane = sum(parts[1:], start=parts[0]) / side
    return plane
