"""What an estimate rests on, as arrays to be drawn: variance against intensity, autocorrelation, and a flat region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseless.image import Image

from .correlation import REACH, measure_correlation
from .intensity_scatter import scatter

WINDOW, BLOCK = 32, 4
# The flat region is a window of 32 pixels, the one whose means over 4x4 pixels vary least: those show texture more than
# noise, and the noise inside the blocks has no part in the choice.

AT_A_BOUND = 0.05
# Windows with more of their pixels at the least or the greatest value of the image are clipped or masked.


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of one channel, in stored units.

    Parameters
    ----------
    levels, variances, errors : (G,) intensity, variance of the noise there, and its standard error; may be empty.
    autocorrelation : (17, 17) for lags of -8 to 8 pixels, 1 at the centre; all 0 but for that where it cannot be told.
    flat_values : the pixels of the flattest window, less the trend across it; empty where there is none.
    """

    levels: NDArray[np.float64]
    variances: NDArray[np.float64]
    errors: NDArray[np.float64]
    autocorrelation: NDArray[np.float64]
    flat_values: NDArray[np.float64]


def evidence_of(image: Image) -> tuple[Evidence, ...]:
    """What can be drawn of the noise of an image, for each channel."""
    return tuple(_of_channel(channel, image.scale, image.offset) for channel in image.pixels)


def _of_channel(channel: NDArray[np.float32], scale: float, offset: float) -> Evidence:
    points = scatter(channel)
    nothing = np.zeros(0)
    levels, variances, errors = (
        (points.levels, points.variances, points.errors) if points is not None else (nothing, nothing, nothing)
    )
    found = measure_correlation(channel)
    if found is not None and found.sigma > 0.0:
        autocorrelation = found.autocovariance / found.sigma**2
    else:
        autocorrelation = np.zeros((2 * REACH + 1, 2 * REACH + 1))
        autocorrelation[REACH, REACH] = 1.0
    flat = _flat_values(channel) * scale + offset
    return Evidence(levels * scale + offset, variances * scale**2, errors * scale**2, autocorrelation, flat)


def _flat_values(channel: NDArray[np.float32]) -> NDArray[np.float64]:
    plane = channel if channel.ndim == 2 else channel[len(channel) // 2]
    if min(plane.shape) < WINDOW:
        return np.zeros(0)
    step = WINDOW // 2
    windows = np.lib.stride_tricks.sliding_window_view(plane, (WINDOW, WINDOW))[::step, ::step]
    windows = windows.reshape(-1, WINDOW, WINDOW)
    inside = np.mean((windows == plane.min()) | (windows == plane.max()), axis=(1, 2)) <= AT_A_BOUND
    if not inside.any():
        return np.zeros(0)
    windows = windows[inside]
    blocks = windows.reshape(len(windows), WINDOW // BLOCK, BLOCK, WINDOW // BLOCK, BLOCK).mean(axis=(2, 4))
    calmest = windows[int(np.argmin(blocks.var(axis=(1, 2))))].astype(np.float64)
    # Shading is a plane; without it the histogram is that of the noise.
    rows, columns = (np.arange(WINDOW) - (WINDOW - 1) / 2 for _ in range(2))
    across = (calmest * columns).sum() / (WINDOW * (columns**2).sum())
    down = (calmest * rows[:, np.newaxis]).sum() / (WINDOW * (rows**2).sum())
    flattened: NDArray[np.float64] = calmest - across * columns - down * rows[:, np.newaxis]
    return flattened.ravel()
