"""The noise of computed tomography: what filtered back-projection makes of noise that is white in the projections.

Each projection is filtered by a ramp, perhaps smoothed, and all directions are alike. So the power of the noise is the
same in all directions and begins at 0, rising with the frequency (to its first power: the filter squared, over the
density of the projections). What is seen beyond that at low frequencies is the body and not its noise.

References
----------
Riederer, Pelc & Chesler 1978, Physics in Medicine and Biology 23, 446, doi:10.1088/0031-9155/23/3/008.
"""

import numpy as np
from numpy.typing import NDArray

RAMP = 0.1
"""Up to this frequency, in cycles a pixel, the power rises as the ramp says. Simulated low-dose CT of a head
(``benchmarks/computed_tomography.py``, 30 000 photons) has an error of 13.8 and 7.1 HU so (ramp and Hann filter), and
of 14.6 and 7.6 where the spectrum is taken as it is read."""

RING = 0.06
"""The width of the ring above it whose mean power it reaches."""


def tomographic_spectrum(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """A spectrum (Y, X) as it was read, made that of filtered back-projection."""
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, power.shape), indexing="ij"))
    rings = np.rint(frequency * min(power.shape)).astype(int)
    isotropic = (np.bincount(rings.ravel(), power.ravel()) / np.bincount(rings.ravel()))[rings]
    reached = isotropic[(frequency > RAMP) & (frequency <= RAMP + RING)].mean()
    ramp = np.where(frequency < RAMP, reached * frequency / RAMP, np.inf)
    return np.asarray(np.minimum(isotropic, ramp), dtype=np.float64)
