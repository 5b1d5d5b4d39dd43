"""Did structure of the image go with the noise? Looked for in what was removed.

A posterior mean removes less energy than the noise has, everywhere: E |y - D|^2 = sigma^2 - |e|^2, e its error. Where
more than the noise is gone, some of the image went too. Structure is smooth and noise is not, so the residual, in units
of the noise, is smoothed by a Gaussian g of 0.7 pixels before its energy is taken in blocks of B x B pixels:

    z = (mean of (g * r)^2 / |g|^2 - 1) sqrt(nu / 2),   nu = C B^4 / tr K^2

with C channels, and K the correlation that g makes in white noise, between the pixels of a block. The law of z is that
of chi-square with the skewness of C such blocks, C (tr K^2)^3 / (tr K^3)^2 degrees of freedom, and the greatest z of
all blocks exceeds its limit in one of a hundred images of pure noise.

References
----------
Buckley, Eagleson 1988, Austral. J. Statist. 30A, 150: quadratic forms by chi-square of the same three moments.
"""

import functools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noiseless.image import FloatArray
from noiseless.names import Lazy, load
from noiseless.restoration.blocks import block_means
from noiseless.threads import usual_threads

_GAUSSIAN_FILTER = Lazy("scipy.ndimage:gaussian_filter1d")
_CHI_SQUARE_ABOVE = Lazy("scipy.special:chdtri")

WIDTH = 0.7
"""Of the Gaussian, pixels: wide enough to favour structure over noise, narrow enough for edges and lines."""

BLOCK = 16
"""Side of a block, pixels."""

FALSE_ALARMS = 0.01
"""How many images of pure noise may have a block above the limit."""


@dataclass(frozen=True, eq=False)
class Structure:
    """What the residual says, block by block.

    Parameters
    ----------
    z : (..., blocks, blocks), of the last two axes; a block without noise has 0
    limit : what pure noise exceeds anywhere in one of a hundred images
    """

    z: NDArray[np.float64]
    limit: float

    @property
    def strongest(self) -> float:
        return float(np.max(self.z))

    @property
    def share(self) -> float:
        """The part of the blocks above the limit."""
        return float(np.mean(self.z > self.limit))

    @property
    def found(self) -> bool:
        return self.strongest > self.limit


def structure_in(residual: FloatArray) -> Structure:
    """Structure in what was removed.

    Parameters
    ----------
    residual : (C, *space), noisy less denoised, in standard deviations of the noise at each pixel, which is white; at
        least 16 pixels along the last two axes. Beyond the last whole block nothing is looked at.
    """
    rows, columns = (slice(length // BLOCK * BLOCK) for length in residual.shape[-2:])
    smooth = load(_GAUSSIAN_FILTER)

    def energy_of(channel: FloatArray) -> NDArray[np.float64]:
        for axis in (-2, -1):
            # Wrapped around, noise keeps its variance at the border.
            channel = smooth(channel, WIDTH, axis=axis, mode="wrap")
        return block_means(np.square(channel[..., rows, columns], dtype=np.float64), BLOCK)

    # Channel by channel: all at once need several times the memory of the image.
    with ThreadPoolExecutor(usual_threads()) as threads:
        energies = sum(threads.map(energy_of, residual)) / len(residual)
    empty = block_means((residual[..., rows, columns] != 0.0).mean(axis=0), BLOCK) < 0.5
    energy, *traces = _of_smoothed_noise()
    channels = residual.shape[0]
    freedom = channels * BLOCK**4 / traces[0]
    z = np.where(empty, 0.0, (energies / energy - 1.0) * math.sqrt(freedom / 2.0))
    skewed = channels * traces[0] ** 3 / traces[1] ** 2
    above = float(load(_CHI_SQUARE_ABOVE)(skewed, FALSE_ALARMS / z.size))
    return Structure(z, (above - skewed) / math.sqrt(2.0 * skewed))


@functools.cache
def _of_smoothed_noise() -> tuple[float, float, float]:
    """|g|^2, tr K^2 and tr K^3 of a block; all are products over its two axes."""
    line = np.zeros(2 * BLOCK + 1)
    line[BLOCK] = 1.0
    kernel = load(_GAUSSIAN_FILTER)(line, WIDTH)
    correlation = np.convolve(kernel, kernel)[2 * BLOCK : 3 * BLOCK]
    places = np.arange(BLOCK)
    along = np.linalg.eigvalsh((correlation / correlation[0])[np.abs(places[:, None] - places)])
    return float(correlation[0] ** 2), float(np.sum(along**2) ** 2), float(np.sum(along**3) ** 2)


def neighbour_correlation(residual: FloatArray) -> tuple[float, float]:
    """The greater of the correlations of neighbours along the last two axes, and what white noise stays below.

    Of what a posterior mean removes it is below 0, as smooth parts of the noise stay in; above four standard errors the
    noise was not white, or structure went with it.
    """
    energy, products, pairs = 0.0, np.zeros(2), np.zeros(2)
    for plane in residual.reshape(-1, *residual.shape[-2:]):
        values = plane.astype(np.float64)
        energy += float(np.vdot(values, values))
        for axis, (a, b) in enumerate(((values[1:], values[:-1]), (values[:, 1:], values[:, :-1]))):
            products[axis] += np.einsum("ij,ij->", a, b)
            pairs[axis] += a.size
    along = products / np.maximum(pairs, 1) / ((energy / residual.size) or 1.0)
    return float(along.max()), 4.0 / math.sqrt(residual.size)
