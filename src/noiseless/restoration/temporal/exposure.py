"""Did the light change? A gain and an offset between a frame and what was expected of it, whatever moved meanwhile."""

import array_api_compat
import numpy as np

from noiseless.denoiser import Array

SIDE = 16
# Pixels of the squares whose means are compared; noise is 16 times weaker in them.

ROUNDS, OUTLYING = 8, 3.0
# Of reweighting; and how many typical deviations from the fit take all weight from a square (Tukey's biweight).

FAINT, SMALLEST = 0.1, 0.5 / 255
# A change of less than so much of the noise, or half a grey level, at dark and at bright levels, is left alone: it
# cannot be seen.

FEWEST = 12
# Squares that a fit needs.


def exposure_change(frame: Array, expected: Array, sigma: float) -> tuple[float, float]:
    """(gain, offset) such that gain * expected + offset is as bright as the frame; (1, 0) where nothing changed.

    Parameters
    ----------
    frame, expected : (C, Y, X) float32
    sigma : of the noise of a frame
    """
    new, old = _squares(frame), _squares(expected)
    if new.size < FEWEST:
        return 1.0, 0.0
    weight = np.ones_like(new)
    gain, offset = 1.0, 0.0
    for _ in range(ROUNDS):
        total = weight.sum()
        centre, level = (weight * old).sum() / total, (weight * new).sum() / total
        spread = (weight * (old - centre) ** 2).sum() / total
        # A scene of one level tells the gain from the offset no better than its noise allows.
        gain = ((weight * (old - centre) * (new - level)).sum() / total + (sigma / SIDE) ** 2) / (
            spread + (sigma / SIDE) ** 2
        )
        offset = level - gain * centre
        away = np.abs(new - gain * old - offset)
        typical = max(1.4826 * float(np.median(away)), sigma / SIDE, 1e-6)
        weight = np.clip(1.0 - (away / (OUTLYING * typical)) ** 2, 0.0, 1.0) ** 2 + 1e-9
    ends = np.percentile(old, [10, 90])
    if np.abs((gain - 1.0) * ends + offset).max() < max(FAINT * sigma, SMALLEST):
        return 1.0, 0.0
    return float(gain), float(offset)


def _squares(image: Array) -> np.ndarray:
    """The means over squares, as NumPy numbers: few enough to leave a device."""
    xp = array_api_compat.array_namespace(image)
    rows, columns = image.shape[1] // SIDE, image.shape[2] // SIDE
    cropped = image[:, : rows * SIDE, : columns * SIDE]
    means = xp.mean(xp.reshape(cropped, (image.shape[0], rows, SIDE, columns, SIDE)), axis=(2, 4))
    flat = xp.reshape(means, (-1,))
    return np.asarray(flat.cpu() if hasattr(flat, "cpu") else flat, dtype=np.float64)
