"""Semi-implicit steps by additive operator splitting; equals the implicit steps of :mod:`noiseless.diffusion.scalar`.

The tridiagonal systems along slabs and along rows are solved for a whole row of columns at once, which vectorises;
those along columns for blocks of lines, transposed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.diffusion.kernels.scalar import held_conductivity
from noiseless.diffusion.scalar import ScalarScheme
from noiseless.diffusion.stepping import Cycle

_LINES_A_BLOCK = 16  # one vector register of float32


def diffuse(
    image: NDArray[Any], scheme: ScalarScheme, cycles: list[Cycle], mask: NDArray[Any] | None, threads: int
) -> NDArray[Any]:
    """The image after all semi-implicit cycles; a new array of the same shape and dtype."""
    number = image.dtype.type
    dimensions = len(scheme.spacing)
    inside = np.ones(image.shape[1:], number) if mask is None else mask.astype(number)
    image = image.copy()
    for cycle in cycles:
        conductivity = held_conductivity(image, scheme, cycle.contrast_factor, mask, threads)
        (step,) = cycle.steps
        total = np.zeros_like(image)
        for axis, size in enumerate(scheme.spacing):
            rate = number(0.5 * dimensions * step / size**2)
            _along(axis, image, conductivity, inside, rate, total, threads)
        image = total * number(1.0 / dimensions)
    return image


def _along(axis: int, image: Array, conductivity: Array, inside: Array, rate: Any, total: Array, threads: int) -> None:
    """Add the solutions along one axis to ``total``, each band of lines in its own thread."""
    channels, *space = image.shape
    before, size, after = int(np.prod(space[:axis])), space[axis], int(np.prod(space[axis + 1 :]))
    shape = (before, size, after)
    u, out = image.reshape(channels, *shape), total.reshape(channels, *shape)
    g, m = conductivity.reshape(shape), inside.reshape(shape)
    lines = before if after == 1 else after
    with bands_of(lines, threads, image.size) as bands:

        def solve(first: int, last: int) -> None:
            if after == 1:
                work, line = np.empty((4, size, _LINES_A_BLOCK), u.dtype), np.empty(_LINES_A_BLOCK, u.dtype)
                _solve_rows(u, g, m, rate, out, work, line, first, last)
            else:
                work, line = np.empty((2, size, last - first), u.dtype), np.empty(last - first, u.dtype)
                _solve_columns(u, g, m, rate, out, work, line, first, last)

        bands(solve)


@compiled
def _solve_columns(
    u: Array, g: Array, m: Array, rate: Any, out: Array, work: Array, line: Array, first: int, last: int
) -> None:
    """Systems along the middle axis, for the columns from ``first`` to ``last`` side by side."""
    channels, planes, size, _ = u.shape
    for plane in range(planes):
        for c in range(channels):
            for i in range(size):
                _copy(work[1, i], u[c, plane, i, first:last])
            _eliminate(work[1], g[plane, :, first:last], m[plane, :, first:last], rate, work[0], line)
            for i in range(size):
                _add(out[c, plane, i, first:last], work[1, i])


@compiled
def _solve_rows(
    u: Array, g: Array, m: Array, rate: Any, out: Array, work: Array, line: Array, first: int, last: int
) -> None:
    """Systems along the last axis, for the rows from ``first`` to ``last``, a block of them transposed at a time."""
    channels, _, size, _ = u.shape
    values, pivots, conducting, within = work[0], work[1], work[2], work[3]
    conducting[:], within[:] = 1, 1
    for block in range(first, last, _LINES_A_BLOCK):
        count = min(_LINES_A_BLOCK, last - block)
        for k in range(count):
            for i in range(size):
                conducting[i, k] = g[block + k, i, 0]
                within[i, k] = m[block + k, i, 0]
        for c in range(channels):
            values[:] = 0
            for k in range(count):
                for i in range(size):
                    values[i, k] = u[c, block + k, i, 0]
            _eliminate(values, conducting, within, rate, pivots, line)
            for k in range(count):
                for i in range(size):
                    out[c, block + k, i, 0] += values[i, k]


@inner
def _eliminate(values: Array, g: Array, m: Array, rate: Array, pivots: Array, line: Array) -> None:
    """Solve the systems side by side, in place; ``rate`` is half of D step / h^2.

    Every pivot is at least 1, so there is no need to exchange rows.
    """
    size = values.shape[0]
    for j in range(line.size):
        line[j] = 0
    for i in range(size):
        after = min(i + 1, size - 1)
        open_after = rate if i + 1 < size else rate * 0
        if i == 0:
            _first_pivot(pivots[0], line, g[0], g[after], m[0], m[after], open_after)
        else:
            _next_pivot(
                pivots[i], pivots[i - 1], values[i], values[i - 1], line, g[i], g[after], m[i], m[after], open_after
            )
    for j in range(line.size):
        values[-1, j] /= pivots[-1, j]
    for i in range(size - 2, -1, -1):
        _back(values[i], values[i + 1], pivots[i], g[i], g[i + 1], m[i], m[i + 1], rate)


@inner
def _first_pivot(pivot: Array, line: Array, g: Array, g_after: Array, m: Array, m_after: Array, rate: Array) -> None:
    one = pivot.dtype.type(1)
    for j in range(pivot.size):
        after = rate * (g[j] + g_after[j]) * (m[j] * m_after[j])
        pivot[j] = one + after
        line[j] = after


@inner
def _next_pivot(
    pivot: Array,
    previous: Array,
    value: Array,
    value_before: Array,
    line: Array,
    g: Array,
    g_after: Array,
    m: Array,
    m_after: Array,
    rate: Array,
) -> None:
    """``line`` holds the coupling to the pixel before, and then that to the pixel after."""
    one = pivot.dtype.type(1)
    for j in range(pivot.size):
        after = rate * (g[j] + g_after[j]) * (m[j] * m_after[j])
        share = line[j] / previous[j]
        pivot[j] = one + after + share * (previous[j] - line[j])
        value[j] += share * value_before[j]
        line[j] = after


@inner
def _back(
    value: Array, value_after: Array, pivot: Array, g: Array, g_after: Array, m: Array, m_after: Array, rate: Array
) -> None:
    for j in range(value.size):
        value[j] = (value[j] + rate * (g[j] + g_after[j]) * (m[j] * m_after[j]) * value_after[j]) / pivot[j]


@inner
def _copy(out: Array, row: Array) -> None:
    for j in range(out.size):
        out[j] = row[j]


@inner
def _add(out: Array, row: Array) -> None:
    for j in range(out.size):
        out[j] += row[j]
