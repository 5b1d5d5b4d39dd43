"""Squared gradients, the conductivities of :mod:`noiseless.diffusion.conductivity`, and fluxes, on rows."""

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


@inner
def squares(out: Array, here: Array, before: Array, after: Array, across: Array, along: Array) -> None:
    for j in range(out.size):
        a, b = here[j] - here[j + 1], here[j + 2] - here[j + 1]
        c, d = before[j + 1] - here[j + 1], after[j + 1] - here[j + 1]
        out[j] = along * (a * a + b * b) + across * (c * c + d * d)


@inner
def squares_more(out: Array, here: Array, before: Array, after: Array, weight: Array) -> None:
    for j in range(out.size):
        a, b = before[j] - here[j], after[j] - here[j]
        out[j] += weight * (a * a + b * b)


@inner
def conduct_rational(out: Array, here: Array, before: Array, after: Array, across: Array, along: Array) -> None:
    one = out.dtype.type(1)
    for j in range(out.size):
        a, b = here[j] - here[j + 1], here[j + 2] - here[j + 1]
        c, d = before[j + 1] - here[j + 1], after[j + 1] - here[j + 1]
        out[j] = one / (one + (along * (a * a + b * b) + across * (c * c + d * d)))


@inner
def conduct_charbonnier(out: Array, here: Array, before: Array, after: Array, across: Array, along: Array) -> None:
    one = out.dtype.type(1)
    for j in range(out.size):
        a, b = here[j] - here[j + 1], here[j + 2] - here[j + 1]
        c, d = before[j + 1] - here[j + 1], after[j + 1] - here[j + 1]
        out[j] = one / np.sqrt(one + (along * (a * a + b * b) + across * (c * c + d * d)))


@inner
def update(
    out: Array,
    here: Array,
    before: Array,
    after: Array,
    g: Array,
    g_before: Array,
    g_after: Array,
    across: Array,
    along: Array,
) -> None:
    for j in range(out.size):
        a, c = here[j + 1], g[j + 1]
        x = (c + g[j]) * (here[j] - a) + (c + g[j + 2]) * (here[j + 2] - a)
        z = (c + g_before[j + 1]) * (before[j + 1] - a) + (c + g_after[j + 1]) * (after[j + 1] - a)
        out[j] = a + (along * x + across * z)


@inner
def update_more(
    out: Array, here: Array, up: Array, down: Array, g: Array, g_up: Array, g_down: Array, rate: Array
) -> None:
    for j in range(out.size):
        a, c = here[j], g[j]
        out[j] += rate * ((c + g_up[j]) * (up[j] - a) + (c + g_down[j]) * (down[j] - a))
