"""Did the light change? A gain and an offset between a frame and what was expected of it, whatever moved meanwhile."""

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.restoration.devices import in_main_memory

SIDE = 4
# Pixels of the squares whose means are compared; noise is 4 times weaker in them.

ROUNDS, SETTLED, OUTLYING = 8, 0.01, 3.0
# Of reweighting at most; by which share of what is left alone the last may still change it; and how many typical
# deviations from the fit take all weight from a square (Tukey's biweight).

FEWEST = 12
# Squares that a fit needs.


def exposure_change(frame: Array, expected: Array, sigma: float, least: float) -> tuple[float, float]:
    """(gain, offset) such that gain * expected + offset is as bright as the frame; (1, 0) where nothing changed.

    Parameters
    ----------
    frame, expected : (Y, X) float32, the brightness
    sigma : of the noise of their pixels
    least : a change of less than this, at dark and at bright levels, is left alone
    """
    new, old = _squares(frame), _squares(expected)
    if new.size < FEWEST:
        return 1.0, 0.0
    dark, change = old <= np.median(old), new - old
    if all(abs(float(np.median(change[half]))) < least / 2 for half in (dark, ~dark) if half.any()):
        return 1.0, 0.0
    weight = np.ones_like(new)
    gain, offset = 1.0, 0.0
    for _ in range(ROUNDS):
        total = weight.sum()
        centre, level = (weight * old).sum() / total, (weight * new).sum() / total
        spread = (weight * (old - centre) ** 2).sum() / total
        before = gain, offset
        # A scene of one level tells the gain from the offset no better than its noise allows.
        gain = ((weight * (old - centre) * (new - level)).sum() / total + (sigma / SIDE) ** 2) / (
            spread + (sigma / SIDE) ** 2
        )
        offset = level - gain * centre
        if max(abs(gain - before[0]), abs(offset - before[1])) < SETTLED * least:
            break
        away = np.abs(new - gain * old - offset)
        typical = max(1.4826 * float(np.median(away)), sigma / SIDE, 1e-6)
        weight = np.clip(1.0 - (away / (OUTLYING * typical)) ** 2, 0.0, 1.0) ** 2 + 1e-9
    ends = np.percentile(old, [10, 90])
    if np.abs((gain - 1.0) * ends + offset).max() < least:
        return 1.0, 0.0
    return float(gain), float(offset)


def _squares(plane: Array) -> NDArray[np.float64]:
    """The means over squares, as NumPy numbers: few enough to leave a device."""
    xp = array_api_compat.array_namespace(plane)
    rows, columns = plane.shape[0] // SIDE, plane.shape[1] // SIDE
    cropped = plane[: rows * SIDE, : columns * SIDE]
    means = xp.mean(xp.reshape(cropped, (rows, SIDE, columns, SIDE)), axis=(1, 3))
    return in_main_memory(xp.reshape(means, (-1,))).astype(np.float64)
