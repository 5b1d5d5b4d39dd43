"""From a diffusion tensor to weights >= 0 between a pixel and its neighbours, so that the range of an image is kept.

A symmetric positive tensor is a sum of few rank-one tensors along grid directions, each with a weight >= 0:

    D = sum_e weight_e e e^T,   so that   div(D grad u) = sum_e d_e(weight_e d_e u),   d_e: difference along e

In two dimensions this is written out; in three the superbase of Selling is followed. The thinner the ellipse of D, the
longer the directions that are needed. They end at the neighbourhood of :data:`DIRECTIONS` (5x5 pixels, 3x3x3 voxels):
a tensor that needs more is mixed with the isotropic one of the same trace until it fits. That leaves a ratio of its
eigenvalues of at least 16 in two dimensions, whatever its orientation, and 5.8 in three; often much more.

References
----------
Selling 1874, J. reine angew. Math. 77, 143, doi:10.1515/crelle-1874-0005.
Fehrenbach & Mirebeau 2014, J. Math. Imaging Vis. 49, 123, doi:10.1007/s10851-013-0446-3.
"""

from collections.abc import Mapping
from itertools import combinations, product
from math import gcd
from typing import Any

from array_api_compat import array_namespace

from noiseless.denoiser import Array

Direction = tuple[int, ...]

WINDOW: Mapping[int, int] = {2: 2, 3: 1}
"""The longest step along an axis, for each number of dimensions."""


def _directions(dimensions: int) -> tuple[Direction, ...]:
    reach = range(-WINDOW[dimensions], WINDOW[dimensions] + 1)
    found = [e for e in product(reach, repeat=dimensions) if e > (0,) * dimensions and gcd(*e) == 1]
    return tuple(sorted(found, key=lambda e: (sum(step * step for step in e), e)))


DIRECTIONS: Mapping[int, tuple[Direction, ...]] = {2: _directions(2), 3: _directions(3)}
"""Every direction within the window up to its sign and length: 8 of an image, 13 of a volume."""

PAIRS = tuple(combinations(range(4), 2))
"""The pairs of a superbase of four vectors."""

MOST_FLIPS = 12
"""More than any tensor takes until it is done or leaves the window."""


def weights_of(tensor: list[Array], spacing: tuple[float, ...]) -> list[Array]:
    """The weight of each of ``DIRECTIONS`` at each pixel, in steps of the grid.

    Parameters
    ----------
    tensor : the upper triangle, row by row: (yy, yx, xx) or (zz, zy, zx, yy, yx, xx), of shape (*space) each
    spacing : size of a pixel along each spatial axis
    """
    dimensions = len(spacing)
    upper = [(i, j) for i in range(dimensions) for j in range(i, dimensions)]
    on_grid = [part / (spacing[i] * spacing[j]) for (i, j), part in zip(upper, tensor, strict=True)]
    trace = sum(part for (i, j), part in zip(upper, tensor, strict=True) if i == j) / dimensions
    isotropic = [trace / size**2 for size in spacing]
    return _of_image(on_grid, isotropic) if dimensions == 2 else _of_volume(on_grid, isotropic)


def _of_image(tensor: list[Array], isotropic: list[Array]) -> list[Array]:
    """In two dimensions: with the off-diagonal b and the diagonal m <= M, three cases and a mixture.

    |b| <= m: the axes and a diagonal. m < |b|: the long axis, a diagonal, and the direction between them, of two
    steps and one. That takes |b| <= 2 m and 3 |b| <= M + 2 m, which the part ``share`` of the tensor fulfils.
    """
    xp = array_namespace(tensor[0])
    yy, yx, xx = tensor
    off = xp.abs(yx)
    share = xp.ones_like(off)
    for minor, major, minor_start, major_start in (
        (yy, xx, isotropic[0], isotropic[1]),
        (xx, yy, isotropic[1], isotropic[0]),
    ):
        # Linear in the share: start + share * (now - start) >= 0 for both conditions; at the start they hold.
        for start, now in (
            (2 * minor_start, 2 * minor - off),
            (major_start + 2 * minor_start, major + 2 * minor - 3 * off),
        ):
            share = xp.where(now < 0, xp.minimum(share, start / xp.where(now < 0, start - now, start + 1)), share)
    yy, xx = (start + share * (now - start) for start, now in zip(isotropic, (yy, xx), strict=True))
    off = share * off
    minor, major = xp.minimum(yy, xx), xp.maximum(yy, xx)
    beyond = xp.clip(off - minor, min=0)
    diagonal, along_minor, along_major = off - 2 * beyond, minor - off + beyond, major - off - 2 * beyond
    falling, y_is_major, zero = yx > 0, yy > xx, xp.zeros_like(off)
    table: dict[Direction, Array] = {
        (0, 1): xp.where(y_is_major, along_minor, along_major),
        (1, 0): xp.where(y_is_major, along_major, along_minor),
        (1, 1): xp.where(falling, diagonal, zero),
        (1, -1): xp.where(falling, zero, diagonal),
        (1, 2): xp.where(falling & ~y_is_major, beyond, zero),
        (1, -2): xp.where(~falling & ~y_is_major, beyond, zero),
        (2, 1): xp.where(falling & y_is_major, beyond, zero),
        (2, -1): xp.where(~falling & y_is_major, beyond, zero),
    }
    return [xp.clip(table[direction], min=0) for direction in DIRECTIONS[2]]


def _of_volume(tensor: list[Array], isotropic: list[Array]) -> list[Array]:
    """In three dimensions: from the isotropic tensor on the straight way to D, through the cones of Selling.

    A superbase b_0 ... b_3 (integer vectors of sum 0) with b_i . D b_j <= 0 for all pairs gives D as the sum of
    -b_i . D b_j times v v^T, v the cross product of the other two. Where a product grows through 0 on the way, the
    superbase is exchanged for its neighbour; where a v of the neighbour is too long, the way ends.
    """
    xp = array_namespace(tensor[0])
    zero, one = xp.zeros_like(tensor[0]), xp.ones_like(tensor[0])
    base = [[zero + part for part in vector] for vector in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, -1, -1))]
    start = [isotropic[0], zero, zero, isotropic[1], zero, isotropic[2]]
    change = [now - before for now, before in zip(tensor, start, strict=True)]
    share, running = zero, xp.ones_like(zero, dtype=xp.bool)
    for _ in range(MOST_FLIPS):
        crossing, flipped = one, zero - 1
        for number, (i, j) in enumerate(PAIRS):
            slope = _product(base[i], change, base[j])
            value = _product(base[i], start, base[j])
            grows = slope > 0
            at = xp.where(grows, xp.maximum(-value / xp.where(grows, slope, one), share), one)
            earlier = at < crossing
            crossing = xp.where(earlier, at, crossing)
            flipped = xp.where(earlier, zero + number, flipped)
        share = xp.where(running, crossing, share)
        running = running & (flipped >= 0)
        if not bool(xp.any(running)):
            break
        other = base
        for number, pair in enumerate(PAIRS):
            chosen = flipped == number
            neighbour = _exchanged(base, pair)
            other = [
                [xp.where(chosen, b, a) for a, b in zip(old, new, strict=True)]
                for old, new in zip(other, neighbour, strict=True)
            ]
        longest = zero
        for pair in PAIRS:
            for part in _cross(*(other[k] for k in range(4) if k not in pair)):
                longest = xp.maximum(longest, xp.abs(part))
        running = running & (longest <= WINDOW[3])
        base = [
            [xp.where(running, b, a) for a, b in zip(*vectors, strict=True)]
            for vectors in zip(base, other, strict=True)
        ]
    mixed = [before + share * step for before, step in zip(start, change, strict=True)]
    weights = [zero] * len(DIRECTIONS[3])
    for pair in PAIRS:
        weight = xp.clip(-_product(base[pair[0]], mixed, base[pair[1]]), min=0)
        offset = _cross(*(base[k] for k in range(4) if k not in pair))
        for number, direction in enumerate(DIRECTIONS[3]):
            same = opposite = xp.ones_like(running)
            for part, step in zip(offset, direction, strict=True):
                same, opposite = same & (part == step), opposite & (part == -step)
            weights[number] = weights[number] + xp.where(same | opposite, weight, zero)
    return weights


def _product(a: list[Array], tensor: list[Array], b: list[Array]) -> Array:
    zz, zy, zx, yy, yx, xx = tensor
    rows = (zz * b[0] + zy * b[1] + zx * b[2], zy * b[0] + yy * b[1] + yx * b[2], zx * b[0] + yx * b[1] + xx * b[2])
    return a[0] * rows[0] + a[1] * rows[1] + a[2] * rows[2]


def _exchanged(base: list[list[Array]], pair: tuple[int, int]) -> list[list[Array]]:
    """The neighbour of a superbase: -b_i, b_j, and b_i added to the other two."""
    first = base[pair[0]]
    result: list[list[Any]] = []
    for k, vector in enumerate(base):
        if k == pair[0]:
            result.append([-part for part in vector])
        elif k == pair[1]:
            result.append(vector)
        else:
            result.append([part + step for part, step in zip(vector, first, strict=True)])
    return result


def _cross(a: list[Array], b: list[Array]) -> list[Array]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
