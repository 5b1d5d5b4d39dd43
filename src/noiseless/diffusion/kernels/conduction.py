"""The conductivities of :mod:`noiseless.diffusion.conductivity`, on rows."""

import numpy as np

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import inner

KINDS = {"homogeneous": 0, "rational": 1, "exponential": 2, "charbonnier": 3}


@inner
def conduct(line: Array, kind: int) -> None:
    """From squared gradients, in units of the contrast, to conductivities, in place."""
    one = line.dtype.type(1)
    if kind == 1:
        for j in range(line.size):
            line[j] = one / (one + line[j])
    elif kind == 2:
        for j in range(line.size):
            line[j] = _exponential(line[j])
    else:
        for j in range(line.size):
            line[j] = one / np.sqrt(one + line[j])


@inner
def _exponential(s: Array) -> Array:
    """exp(-s) for s >= 0, vectorisable as the library function is not.

    exp(-s) = p(s / 16)^16 with the Taylor polynomial of order 10; from s = 16 on it stays at exp(-16) = 1e-7. The
    error is below 2e-7 plus 16 roundings.
    """
    number = type(s)
    one = number(1)
    x = -min(s, number(16)) * number(1 / 16)
    p = one + x * number(1 / 10)
    p = one + x * number(1 / 9) * p
    p = one + x * number(1 / 8) * p
    p = one + x * number(1 / 7) * p
    p = one + x * number(1 / 6) * p
    p = one + x * number(1 / 5) * p
    p = one + x * number(1 / 4) * p
    p = one + x * number(1 / 3) * p
    p = one + x * number(1 / 2) * p
    p = one + x * p
    p *= p
    p *= p
    p *= p
    return p * p
