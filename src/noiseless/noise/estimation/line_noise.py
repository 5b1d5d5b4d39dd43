"""Does every row, or every column, of a channel have an offset of its own? How strong are these stripes?

The offset of a line is the same along all of it, and image and white noise are not. So a line is cut into blocks of 16
pixels, the odd and the even blocks are two measurements of the same offset, and only what both agree on counts. The
noise of two blocks is independent; shading is taken out by second differences from line to line, and edges, which
touch few lines and few blocks, by clipping and by medians.

With a and b the second differences of the two measurements, and v the square of the median absolute deviation,

    v(a + b) - v(a - b) = 4 cov(a, b) = 4 * 6 stripe^2,   rho = (v(a + b) - v(a - b)) / (v(a + b) + v(a - b)),

the robust covariance and correlation of Gnanadesikan and Kettenring. Horizontal structure of the image agrees too, but
it goes on from line to line, while offsets are independent: second differences of independent numbers have the
correlation -4/6 with the next one.

References
----------
Gnanadesikan & Kettenring 1972, Biometrics 28, 81, doi:10.2307/2528963: covariance by robust variances of sums.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK, FEWEST_BLOCKS = 16, 4
# Pixels in a block, and the blocks a line must have.

FEWEST_LINES = 24
# Medians over fewer lines say nothing.

AGREEMENT = 0.5
# The correlation that shows stripes. CID22 and BSD400, both axes: without stripes, and with independence as below,
# it is at most 0.59 for clean photographs, 0.45, 0.33, 0.30 and 0.32 for white noise of 2, 5, 15 and 50; with stripes
# of half of sigma at least 0.84, of a quarter 0.56, of a tenth of 50 0.56.

CHANCE = 7.5
# Over n independent lines rho has the standard error 1.6 / sqrt(n) (the two deviations have 0.37 of the efficiency of
# standard deviations); second differences are not independent, and this is about 5 errors: short images need more.

INDEPENDENCE = -0.42
# The correlation of successive second differences is -0.67 for stripes, and below -0.46 in 99 % of the photographs
# with stripes of half of sigma. Clean photographs without stripes have -0.31 (median), where they agree at all.

CLIP = 3.0
# Differences of neighbours beyond three robust deviations are edges, and count as much as that.

_DEVIATION = 1.4826  # of a normal law, over its median absolute deviation


@dataclass(frozen=True)
class LineNoise:
    """The stripes of one channel, in its units.

    ``rows`` and ``columns`` are the standard deviations of the offsets of rows and of columns, 0 where there are no
    stripes; ``row_agreement`` and ``column_agreement`` the correlations rho by which that was decided, 0 to 1. Rows
    are the lines along X: ``noise.Stripes(rows, sigma, axis=0)``.
    """

    rows: float
    columns: float
    row_agreement: float
    column_agreement: float

    @property
    def found(self) -> bool:
        """Whether there are stripes of either kind."""
        return self.rows > 0.0 or self.columns > 0.0


def measure_lines(channel: NDArray[Any]) -> LineNoise:
    """The stripes of one channel, (Y, X) or (Z, Y, X); volumes plane by plane, with offsets of their own in each.

    Offsets common to all lines of a group (banding wider than a line) are part of the image here. Images of fewer than
    24 lines, or lines of fewer than 64 pixels, show none.
    """
    volume = channel.reshape((-1, *channel.shape[-2:])).astype(np.float32, copy=False)
    planes = volume[:: max(1, -(-len(volume) // 8))]  # eight planes tell the strength well enough
    rows, row_agreement = _offsets(planes)
    columns, column_agreement = _offsets(planes.swapaxes(-1, -2))
    return LineNoise(rows, columns, row_agreement, column_agreement)


def _offsets(planes: NDArray[np.float32]) -> tuple[float, float]:
    """Standard deviation of the offsets of rows, and rho; the first is 0 where the test says there are none."""
    _, lines, length = planes.shape
    if lines < FEWEST_LINES or length < BLOCK * FEWEST_BLOCKS:
        return 0.0, 0.0
    steps = np.diff(planes, axis=1)
    limit = CLIP * (_deviation(steps[..., ::3, ::3]) or float(steps.std(dtype=np.float64)))
    np.clip(steps, -limit, limit, out=steps)
    blocks = np.arange(0, length - BLOCK + 1, BLOCK)
    means = np.add.reduceat(steps[..., : blocks[-1] + BLOCK], blocks, axis=-1) / BLOCK
    first, second = (np.diff(np.median(means[..., start::2], axis=-1), axis=1) for start in (0, 1))
    common, apart = _deviation(first + second) ** 2, _deviation(first - second) ** 2
    if common <= apart:
        return 0.0, 0.0
    agreement = (common - apart) / (common + apart)
    both = first + second
    both = np.clip(both, -CLIP * common**0.5, CLIP * common**0.5)
    succession = float((both[:, 1:] * both[:, :-1]).sum() / np.square(both).sum())
    needed = max(AGREEMENT, CHANCE / float(first.size) ** 0.5)
    if agreement < min(needed, 0.95) or succession > INDEPENDENCE:
        return 0.0, agreement
    return float(((common - apart) / 24.0) ** 0.5), agreement


def _deviation(values: NDArray[Any]) -> float:
    """The standard deviation, by the median absolute deviation from the median."""
    return _DEVIATION * float(np.median(np.abs(values - np.median(values))))
