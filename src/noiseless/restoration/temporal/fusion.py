"""A frame and what is known from the frames before: fused where nothing changed, pixel by pixel.

Each pixel carries the mean of what was fused, and its variance as a share v of that of one frame. A new frame y with
noise of variance 1 (all is divided by sigma) and the prediction p differ by d = y - p, of variance 1 + v where nothing
changed. Then (a Kalman filter whose gain never falls below 1 / memory)

    K = max(v / (1 + v), 1 / memory),   p + K d,   v' = K^2 + (1 - K)^2 v

Where something changed K is 1: the frame alone, v' = 1. That is decided by the largest of four tests, each a standard
normal number where nothing changed: the energy of d / sqrt(1 + v) in 5x5 pixels, for edges that moved, and the size of
its mean in 3x3, 7x7 and 15x15 pixels, for faint changes of large things. From 2.5 to 4.5 standard deviations K goes to
1.

Noise that cameras and codecs have tied together in space has larger means than that. What is usual in a clip is
measured (:func:`typical_sizes`), and the tests are taken relative to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.names import Lazy, load
from noiseless.restoration.devices import in_main_memory

_KERNELS = "noiseless.restoration.temporal.kernels.fusion"
_DIFFERENCES, _SAMPLED, _FUSED = (Lazy(f"{_KERNELS}:{name}") for name in ("differences", "sampled_tests", "fused"))

ENERGY_SIDE, MEAN_SIDES = 5, (3, 7, 15)

APART, NORMAL_MEDIAN = 16, 0.6745
# Pixels between the places where the tests are looked at for what is usual; the median size of a normal number.

DOUBTFUL, CHANGED = 2.5, 4.5
# Standard deviations. By chance the largest of the tests is above 2.5 in 5 of 100 places, above 4.5 in 6 of 10 000.


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


def differences(frame: Array, predicted: Array, variance: Array, sigma: Array) -> Array:
    """(2, Y, X): the means over the channels of d^2 / (sigma^2 (1 + v)), and of its signed root.

    Parameters
    ----------
    frame, predicted : (C, Y, X) float32
    variance : (Y, X) float32 >= 0, of the prediction, as a share of that of a frame
    sigma : (C,) float32 > 0, of the noise of a frame
    """
    if isinstance(frame, np.ndarray):
        compiled: Callable[..., Array] = load(_DIFFERENCES)
        return compiled(frame, predicted, variance, sigma)
    xp = array_api_compat.array_namespace(frame)
    difference = (frame - predicted) / (xp.reshape(sigma, (-1, 1, 1)) * xp.sqrt(1.0 + variance))
    return xp.stack([xp.mean(difference**2, axis=0), xp.mean(difference, axis=0)])


def typical_sizes(statistics: Array, channels: int) -> NDArray[np.float64]:
    """What the tests are like over the frame, (5,), as multiples of what they are for independent noise.

    The median of the energy, how far its upper quartile lies above that, and the median size of each mean.
    """
    if isinstance(statistics, np.ndarray):
        tests = load(_SAMPLED)(statistics, APART)
    else:
        xp = array_api_compat.array_namespace(statistics)
        planes = [_box_mean(statistics[0, ...], ENERGY_SIDE, xp)]
        planes += [_box_mean(statistics[1, ...], side, xp) for side in MEAN_SIDES]
        tests = in_main_memory(xp.stack([xp.reshape(plane[::APART, ::APART], (-1,)) for plane in planes]))
    energy, upper = np.quantile(tests[0], [0.5, 0.75])
    spread = (upper - energy) / max(energy, 1e-12) / (NORMAL_MEDIAN * (2 / (ENERGY_SIDE**2 * channels)) ** 0.5)
    means = np.median(np.abs(tests[1:]), axis=1) / [NORMAL_MEDIAN / (side * channels**0.5) for side in MEAN_SIDES]
    return np.array([energy, spread, *means])


def fused(
    frame: Array, predicted: Array, variance: Array, statistics: Array, hidden: Array, sizes: Array, *, memory: float
) -> Fused:
    """One step of the recursion.

    Parameters
    ----------
    frame, predicted, variance : as of :func:`differences`
    statistics : what that gave
    hidden : (Y, X) float32 >= 0, standard deviations that were lost to the tests as the prediction was chosen to fit
    sizes : (5,) float32 >= 1, of the tests where nothing changed, see :func:`typical_sizes`
    memory : >= 1, of how many frames a mean is made at most. More: less noise, and slower to follow faint changes.
    """
    if isinstance(frame, np.ndarray):
        bounds = DOUBTFUL, CHANGED, 1.0 / memory
        return Fused(*load(_FUSED)(frame, predicted, variance, statistics, hidden, sizes, bounds))
    xp = array_api_compat.array_namespace(frame)
    unlike = surprise(statistics, frame.shape[0], sizes, xp) + hidden
    trust = xp.clip((CHANGED - unlike) / (CHANGED - DOUBTFUL), 0.0, 1.0)
    gain = 1.0 - trust * (1.0 - xp.clip(variance / (1.0 + variance), 1.0 / memory, 1.0))
    mean = predicted + gain * (frame - predicted)
    # A variance without a bound, of what came into sight, must not turn 0 * inf.
    left = xp.where(gain == 1.0, 1.0, gain**2 + (1.0 - gain) ** 2 * variance)
    return Fused(mean, left, float(xp.mean(xp.astype(trust == 0.0, xp.float32))))


def surprise(statistics: Array, channels: int, sizes: Array, xp: Any) -> Array:
    """The largest of the tests at each pixel, (Y, X), in standard deviations."""
    energy = _box_mean(statistics[0, ...], ENERGY_SIDE, xp) / float(sizes[0])
    largest = (energy - 1.0) * ((ENERGY_SIDE**2 * channels / 2) ** 0.5 / float(sizes[1]))
    for side, size in zip(MEAN_SIDES, sizes[2:], strict=True):
        mean = xp.abs(_box_mean(statistics[1, ...], side, xp)) * (side * channels**0.5 / float(size))
        largest = xp.maximum(largest, mean)
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
