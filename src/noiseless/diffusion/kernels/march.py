"""The steps of a cycle of a diffusion tensor, and the weights of its directions on the way."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import compiled, in_bands, inner
from noiseless.diffusion.kernels.lattice import Lattice, weigh_image, weigh_volume
from noiseless.diffusion.kernels.rows import copy, rows_for
from noiseless.diffusion.kernels.views import MARGIN, row


@dataclass(frozen=True)
class March:
    """All steps of a cycle, from one array to the other and back.

    Parameters
    ----------
    tensor : (parts, slabs, rows, padded columns) diffusion tensor, fitted to the directions if of an image
    inside : the mask, or None
    limit : what may pass to a pixel where pixels decide for themselves; None where an edge has one weight
    directions, sizes : as (direction, axis) and (axis) of a volume; an even number of directions, the last perhaps 0
    steps : sizes of the steps
    columns, window : how many columns there are, and how far a direction reaches along the slabs
    """

    tensor: NDArray[Any]
    inside: NDArray[Any] | None
    limit: NDArray[Any] | None
    directions: NDArray[Any]
    sizes: NDArray[Any]
    steps: NDArray[Any]
    columns: int
    window: int

    def run(self, u: NDArray[Any], other: NDArray[Any], bands: Any) -> None:
        shrink = self.window * np.arange(len(self.steps))
        in_bands(bands, u.shape[1], shrink, lambda start, stop: self._march(u, other, start, stop))

    def _march(self, u: NDArray[Any], other: NDArray[Any], start: NDArray[Any], stop: NDArray[Any]) -> None:
        count, rows = len(self.directions), u.shape[2]
        held = (self.window + 1) * len(self.steps)  # slabs between the edges that come and those still needed
        rings = [rows_for((count, slots, rows), self.columns, u.dtype) for slots in (self.window + 1, held, held)]
        for ring in rings:
            ring[...] = 0
        lattice = None if self.tensor.shape[0] == 3 else Lattice(np.empty((2, 4, 3), np.int64), np.zeros((2, 6)))
        _march(
            u, other, self.tensor, lattice, self.inside, self.limit, rings[0], rings[1],
            rings[1] if self.limit is None else rings[2],
            self.directions, self.sizes, self.steps, self.columns, self.window, start, stop,
        )  # fmt: skip


@compiled
def _march(
    u: Array,
    other: Array,
    tensor: Array,
    lattice: Lattice | None,
    inside: Array | None,
    limit: Array | None,
    weights: Array,
    ahead: Array,
    behind: Array,
    directions: Array,
    sizes: Array,
    steps: Array,
    columns: int,
    window: int,
    start: Array,
    stop: Array,
) -> None:
    """Explicit steps, each a few slabs behind the one before, and the weights just before the first of them.

    So the weights never leave the cache. A step writes where the one before does not read any more: one slab further
    back than a direction reaches.
    """
    channels, slabs, rows, _ = u.shape
    lag, first, last = window + 1, max(min(start[0], start[-1]) - window, 0), max(stop[0], stop[-1])
    for front in range(first, last + lag * (len(steps) - 1)):
        if front < last:
            for z in range(front if front == first else front + window, min(front + window + 1, slabs)):
                for y in range(rows):
                    _weigh(weights, tensor, lattice, inside, sizes, columns, z, y, z % lag)
            for y in range(rows):
                _join(weights, ahead, behind, limit, directions, columns, front, y, slabs)
        for step in range(len(steps)):
            z = front - step * lag
            if start[step] <= z < stop[step]:
                for c in range(channels):
                    before, after = (u[c], other[c]) if step % 2 == 0 else (other[c], u[c])
                    for y in range(rows):
                        _step(before, after, ahead, behind, limit, directions, steps[step], columns, z, y)


@inner
def _weigh(
    weights: Array,
    tensor: Array,
    lattice: Lattice | None,
    inside: Array | None,
    sizes: Array,
    columns: int,
    z: int,
    y: int,
    slot: int,
) -> None:
    """The weight of each direction in one row, 0 outside the mask."""
    if lattice is None:
        yy, yx, xx = (
            row(tensor, (0, z, y), MARGIN, columns),
            row(tensor, (1, z, y), MARGIN, columns),
            row(tensor, (2, z, y), MARGIN, columns),
        )
        for pair in range(4):
            one, other = (
                row(weights, (2 * pair, slot, y), MARGIN, columns),
                row(weights, (2 * pair + 1, slot, y), MARGIN, columns),
            )
            weigh_image(one, other, yy, yx, xx, pair)
    else:
        weigh_volume(tensor, weights, z, y, slot, columns, sizes, lattice)
    if inside is not None:
        for d in range(weights.shape[0]):
            _close(row(weights, (d, slot, y), MARGIN, columns), row(inside, (z, y), MARGIN, columns))


@inner
def _join(
    weights: Array,
    ahead: Array,
    behind: Array,
    limit: Array | None,
    directions: Array,
    columns: int,
    z: int,
    y: int,
    slabs: int,
) -> None:
    """The weight of the edge along each direction: the lesser one of both ends, or what the far end allows."""
    count, held, rows, _ = ahead.shape
    lag = weights.shape[1]
    for d in range(count):
        dz, dy, dx = directions[d, 0], directions[d, 1], directions[d, 2]
        weight = row(weights, (d, z % lag, y), MARGIN, columns)
        edge = row(ahead, (d, z % held, y), MARGIN, columns)
        if z + dz >= slabs or y + dy < 0 or y + dy >= rows:
            _clear(edge)
        elif limit is None:
            _lesser(edge, weight, row(weights, (d, (z + dz) % lag, y + dy), MARGIN + dx, columns))
        else:
            _lesser(edge, weight, row(limit, (z + dz, y + dy), MARGIN + dx, columns))
        if limit is not None:
            edge = row(behind, (d, z % held, y), MARGIN, columns)
            if z - dz < 0 or y - dy < 0 or y - dy >= rows:
                _clear(edge)
            else:
                _lesser(edge, weight, row(limit, (z - dz, y - dy), MARGIN - dx, columns))


@inner
def _step(
    u: Array,
    out: Array,
    ahead: Array,
    behind: Array,
    limit: Array | None,
    directions: Array,
    step: Any,
    columns: int,
    z: int,
    y: int,
) -> None:
    """One row after a step; an edge has one weight, or, where pixels decide for themselves, one from each end."""
    count, held, rows, _ = ahead.shape
    slabs = u.shape[0]
    here, line = row(u, (z, y), MARGIN, columns), row(out, (z, y), MARGIN, columns)
    copy(line, here)
    for i in range(0, count, 2):
        # Two directions at once, of which a and b, c and d are the ends: pixels and sums are loaded half as often.
        az, ay, ax = _end(directions, i, 1, z, y, slabs, rows)
        bz, by, bx = _end(directions, i, -1, z, y, slabs, rows)
        cz, cy, cx = _end(directions, i + 1, 1, z, y, slabs, rows)
        dz, dy, dx = _end(directions, i + 1, -1, z, y, slabs, rows)
        a, b = row(u, (az, ay), ax, columns), row(u, (bz, by), bx, columns)
        c, d = row(u, (cz, cy), cx, columns), row(u, (dz, dy), dx, columns)
        a_weight = row(ahead, (i, z % held, y), MARGIN, columns)
        c_weight = row(ahead, (i + 1, z % held, y), MARGIN, columns)
        if limit is None:
            b_weight = row(ahead, (i, bz % held, by), bx, columns)
            d_weight = row(ahead, (i + 1, dz % held, dy), dx, columns)
        else:
            b_weight = row(behind, (i, z % held, y), MARGIN, columns)
            d_weight = row(behind, (i + 1, z % held, y), MARGIN, columns)
        _exchange(line, here, a, b, a_weight, b_weight, c, d, c_weight, d_weight, step)
    out[z, y, MARGIN - 1], out[z, y, MARGIN + columns] = line[0], line[columns - 1]


@inner
def _end(directions: Array, d: int, sign: int, z: int, y: int, slabs: int, rows: int) -> Any:
    """Slab, row and first column of the neighbours along a direction; the pixels themselves where there are none."""
    to_z, to_y = z + sign * directions[d, 0], y + sign * directions[d, 1]
    if 0 <= to_z < slabs and 0 <= to_y < rows:
        return to_z, to_y, MARGIN + sign * directions[d, 2]
    return z, y, MARGIN


@inner
def _exchange(
    out: Array,
    here: Array,
    a: Array,
    b: Array,
    a_weight: Array,
    b_weight: Array,
    c: Array,
    d: Array,
    c_weight: Array,
    d_weight: Array,
    step: Array,
) -> None:
    for j in range(out.size):
        u = here[j]
        first = out[j] + step * (a_weight[j] * (a[j] - u) + b_weight[j] * (b[j] - u))
        out[j] = first + step * (c_weight[j] * (c[j] - u) + d_weight[j] * (d[j] - u))


@inner
def _lesser(out: Array, a: Array, b: Array) -> None:
    for j in range(out.size):
        out[j] = min(a[j], b[j])


@inner
def _clear(out: Array) -> None:
    for j in range(out.size):
        out[j] = 0


@inner
def _close(weights: Array, inside: Array) -> None:
    for j in range(weights.size):
        if inside[j] == 0:
            weights[j] = 0
