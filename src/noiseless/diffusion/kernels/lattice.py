"""From diffusion tensors to weights >= 0, on rows; equals :mod:`noiseless.diffusion.stencil`."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import inner
from noiseless.diffusion.kernels.views import MARGIN
from noiseless.diffusion.stencil import DIRECTIONS, MOST_FLIPS, PAIRS, WINDOW

_LONGEST = WINDOW[3]
_SIDE = 2 * _LONGEST + 1
_FIRST = np.array([pair[0] for pair in PAIRS])
_SECOND = np.array([pair[1] for pair in PAIRS])
_OTHERS = np.array([[k for k in range(4) if k not in pair] for pair in PAIRS])


class Lattice(NamedTuple):
    """Memory for the search of :func:`weigh_volume`."""

    bases: NDArray[np.int64]  # (2, 4, 3) a superbase and its neighbour
    tensors: NDArray[np.float64]  # (2, 6) where the search starts, and how far it is to the tensor wanted


def _numbered() -> Any:
    """The number of the direction along each offset within the window; offset and opposite share one."""
    numbers = np.full(_SIDE**3, -1)
    for number, direction in enumerate(DIRECTIONS[3]):
        for sign in (1, -1):
            z, y, x = (sign * step + _LONGEST for step in direction)
            numbers[(z * _SIDE + y) * _SIDE + x] = number
    return numbers


_NUMBER_OF = _numbered()


@inner
def fit_image(yy: Array, yx: Array, xx: Array, per_y: Array, per_x: Array) -> None:
    """Into steps of the grid, and mixed with the isotropic tensor until the directions suffice, in place."""
    number = yy.dtype.type
    one, two, three, half = number(1), number(2), number(3), number(0.5)
    for j in range(yy.size):
        trace = half * (yy[j] + xx[j])
        y_start, x_start = trace * (per_y * per_y), trace * (per_x * per_x)
        y, b, x = yy[j] * (per_y * per_y), yx[j] * (per_y * per_x), xx[j] * (per_x * per_x)
        off = abs(b)
        share = one
        now = two * y - off
        share = min(share, two * y_start / (two * y_start - now)) if now < 0 else share
        now = two * x - off
        share = min(share, two * x_start / (two * x_start - now)) if now < 0 else share
        now, start = x + two * y - three * off, x_start + two * y_start
        share = min(share, start / (start - now)) if now < 0 else share
        now, start = y + two * x - three * off, y_start + two * x_start
        share = min(share, start / (start - now)) if now < 0 else share
        yy[j], xx[j], yx[j] = y_start + share * (y - y_start), x_start + share * (x - x_start), share * b


@inner
def weigh_image(first: Array, second: Array, yy: Array, yx: Array, xx: Array, pair: int) -> None:
    """The weights of two of the eight directions, in their order; see :mod:`noiseless.diffusion.stencil`."""
    number = first.dtype.type
    two, none = number(2), number(0)
    for j in range(first.size):
        off, minor, major = abs(yx[j]), min(yy[j], xx[j]), max(yy[j], xx[j])
        beyond = max(off - minor, none)
        tall = yy[j] > xx[j]
        if pair == 0:  # the axes
            small, large = max(minor - off + beyond, none), max(major - off - two * beyond, none)
            first[j] = small if tall else large
            second[j] = large if tall else small
        else:
            if pair == 1:  # the diagonals
                weight = max(off - two * beyond, none)
            elif pair == 2:  # one step down, two aside
                weight = none if tall else beyond
            else:
                weight = beyond if tall else none
            falling = yx[j] > 0
            first[j] = none if falling else weight
            second[j] = weight if falling else none


@inner
def weigh_volume(
    tensor: Array, weights: Array, z: int, y: int, slot: int, columns: int, sizes: Array, lattice: Lattice
) -> None:
    """From the diffusion tensors of row y of slab z to weights, in steps of the grid."""
    base, other = lattice.bases[0], lattice.bases[1]
    start, change = lattice.tensors[0], lattice.tensors[1]
    for j in range(MARGIN, MARGIN + columns):
        trace = (float(tensor[0, z, y, j]) + float(tensor[3, z, y, j]) + float(tensor[5, z, y, j])) / 3.0
        part = 0
        for i in range(3):
            for k in range(i, 3):
                start[part] = trace / (sizes[i] * sizes[i]) if i == k else 0.0
                change[part] = tensor[part, z, y, j] / (sizes[i] * sizes[k]) - start[part]
                part += 1
        for k in range(4):
            for axis in range(3):
                base[k, axis] = -1 if k == 3 else (1 if k == axis else 0)
        share = 0.0
        for _ in range(MOST_FLIPS):
            crossing, flipped = 1.0, -1
            for pair in range(6):
                slope = _between(base, _FIRST[pair], _SECOND[pair], change)
                if slope > 0.0:
                    value = _between(base, _FIRST[pair], _SECOND[pair], start)
                    at = max(-value / slope, share)
                    if at < crossing:
                        crossing, flipped = at, pair
            share = crossing
            if flipped < 0:
                break
            _exchange(base, other, flipped)
            if _longest(other) > _LONGEST:
                break
            for k in range(4):
                for axis in range(3):
                    base[k, axis] = other[k, axis]
        for direction in range(weights.shape[0]):
            weights[direction, slot, y, j] = 0
        for pair in range(6):
            weight = -(
                _between(base, _FIRST[pair], _SECOND[pair], start)
                + share * _between(base, _FIRST[pair], _SECOND[pair], change)
            )
            if weight > 0.0:
                dz, dy, dx = _cross(base, _OTHERS[pair, 0], _OTHERS[pair, 1])
                code = ((dz + _LONGEST) * _SIDE + dy + _LONGEST) * _SIDE + dx + _LONGEST
                weights[_NUMBER_OF[code], slot, y, j] += weight


@inner
def _between(base: Array, i: int, k: int, t: Array) -> Any:
    """b_i . T b_k for the upper triangle T."""
    az, ay, ax = base[i, 0], base[i, 1], base[i, 2]
    bz, by, bx = base[k, 0], base[k, 1], base[k, 2]
    return (
        t[0] * (az * bz) + t[3] * (ay * by) + t[5] * (ax * bx)
        + t[1] * (az * by + ay * bz) + t[2] * (az * bx + ax * bz) + t[4] * (ay * bx + ax * by)
    )  # fmt: skip


@inner
def _exchange(base: Array, other: Array, pair: int) -> None:
    """The neighbour of a superbase: -b_i, b_j, and b_i added to the other two."""
    i, k = _FIRST[pair], _SECOND[pair]
    for axis in range(3):
        for m in range(4):
            other[m, axis] = base[m, axis] + base[i, axis]
        other[i, axis], other[k, axis] = -base[i, axis], base[k, axis]


@inner
def _longest(base: Array) -> int:
    longest = 0
    for pair in range(6):
        z, y, x = _cross(base, _OTHERS[pair, 0], _OTHERS[pair, 1])
        longest = max(longest, abs(z), abs(y), abs(x))
    return longest


@inner
def _cross(base: Array, i: int, k: int) -> Any:
    return (
        base[i, 1] * base[k, 2] - base[i, 2] * base[k, 1],
        base[i, 2] * base[k, 0] - base[i, 0] * base[k, 2],
        base[i, 0] * base[k, 1] - base[i, 1] * base[k, 0],
    )
