"""Windows of images: blocks and tiles that fit into memory, and what lies around them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from noiseless.errors import InvalidParameter
from noiseless.restoration.tiling import ALIGNMENT

Window: TypeAlias = tuple[slice, ...]
"""A slice for each axis of space, with a start and a stop within it."""

LARGEST_SIDE, LARGEST_DEPTH = 2048, 64
"""Of a block, pixels; larger ones would hardly save anything of what is read twice."""

LEAST_TILE = 64

OF_HALO = 4
"""A tile is at least so many times as wide as what lies around it."""

COPIES = 4
"""Of the stored values of a block: read, denoised, and coded for the file."""

TILE_BYTES = 160
"""That a value of a tile takes while it is denoised, at most: 24 by networks, 36 where noise is made white, 88 where
it is correlated, 146 under impulses, 167 in tensor diffusion of volumes. Methods of patches take 90 MB besides."""


@dataclass(frozen=True)
class Pieces:
    """What an image is cut into.

    Parameters
    ----------
    space : of the image
    block : sides of what is read and written at once
    tile : sides of what is denoised at once, within a block
    halo : pixels around both, along each axis
    """

    space: tuple[int, ...]
    block: tuple[int, ...]
    tile: tuple[int, ...]
    halo: tuple[int, ...]

    @property
    def blocks(self) -> Iterator[Window]:
        """All blocks of the image."""
        return windows_in(tuple(slice(0, length) for length in self.space), self.block)

    def around(self, window: Window) -> Window:
        """A window with what lies around it, up to the border of the image."""
        return grown(window, self.halo, self.space)


@dataclass(frozen=True)
class Needs:
    """What pieces have to be like.

    Parameters
    ----------
    space : of the image
    grid : sides of the pieces that the file is written in; blocks are of multiples of them
    reach : pixels along each axis that the denoiser looks at
    deep : whether also along Z
    tile : usual side of a tile
    value_bytes : of the stored values of a pixel, all its channels
    channels : of a pixel
    memory_bytes : half of it for a block, half for a tile
    """

    space: tuple[int, ...]
    grid: tuple[int, ...]
    reach: int
    deep: bool
    tile: int
    value_bytes: int
    channels: int
    memory_bytes: int

    @property
    def halo(self) -> tuple[int, ...]:
        return (self.reach if self.deep else 0, self.reach, self.reach)[-len(self.space) :]

    def bytes_of(self, sides: Sequence[int], of_pixel: int) -> int:
        """That a window of these sides takes, with all around it."""
        around = (
            min(side + 2 * margin + 2 * ALIGNMENT, length)
            for side, margin, length in zip(sides, self.halo, self.space, strict=True)
        )
        return math.prod(around) * of_pixel


def pieces_for(needs: Needs) -> Pieces:
    """Blocks and tiles as large as is of use, and fits.

    Raises
    ------
    InvalidParameter : the least ones need more memory.
    """
    space = needs.space
    width = -(-max(needs.tile, OF_HALO * needs.reach) // ALIGNMENT) * ALIGNMENT
    tile = _largest(needs, width, [1] * (len(space) - 2) + [LEAST_TILE] * 2, needs.channels * TILE_BYTES, "tile")
    block = _largest(needs, max(width, LARGEST_SIDE), needs.grid, COPIES * needs.value_bytes, "block of the file")
    return Pieces(space, block, tile, needs.halo)


def _largest(needs: Needs, side: int, least: Sequence[int], of_pixel: int, name: str) -> tuple[int, ...]:
    """Sides of about ``side``, at least ``least`` and multiples of it; small planes are taken many at once."""
    plane = [min(side, length) for length in needs.space[-2:]]
    depth = LARGEST_DEPTH if needs.deep else max(1, side**2 // math.prod(plane))
    wanted = [min(a, b) for a, b in zip((depth, *plane)[-len(needs.space) :], needs.space, strict=True)]
    least = [min(a, b) for a, b in zip(least, needs.space, strict=True)]
    found = sides_that_fit(wanted, least, lambda sides: needs.bytes_of(sides, of_pixel) <= needs.memory_bytes // 2)
    if found is None:
        needed = 2 * needs.bytes_of(least, of_pixel) / 2**30
        raise InvalidParameter(
            f"the least {name}, {' x '.join(map(str, least))} and {needs.reach} pixels around it, needs {needed:.3g} "
            f"GiB of memory, and {needs.memory_bytes / 2**30:.3g} may be used; allow more"
        )
    return found


def windows_in(region: Window, sides: Sequence[int]) -> Iterator[Window]:
    """A region in windows of these sides, the last ones smaller; they begin where the region does."""
    starts = (range(part.start, part.stop, side) for part, side in zip(region, sides, strict=True))
    for corner in product(*starts):
        yield tuple(
            slice(first, min(first + side, part.stop)) for first, side, part in zip(corner, sides, region, strict=True)
        )


def grown(window: Window, halo: Sequence[int], space: Sequence[int]) -> Window:
    """A window with so many pixels around it, or up to the border of the image.

    Along the last two axes it begins and ends at multiples of 8, so that networks that fold pixels see the same folds
    as in the whole image (see ``tiling``).
    """
    parts = []
    for axis, (part, margin, length) in enumerate(zip(window, halo, space, strict=True), start=-len(space)):
        unit = ALIGNMENT if axis >= -2 else 1
        start, stop = (part.start - margin) // unit * unit, -(-(part.stop + margin) // unit) * unit
        parts.append(slice(max(start, 0), min(stop, length)))
    return tuple(parts)


def inside(window: Window, outer: Window) -> Window:
    """A window as its place in another one that holds it."""
    return tuple(
        slice(part.start - whole.start, part.stop - whole.start) for part, whole in zip(window, outer, strict=True)
    )


def size_of(window: Window) -> tuple[int, ...]:
    """Its sides."""
    return tuple(part.stop - part.start for part in window)


def sides_that_fit(
    wanted: Sequence[int], least: Sequence[int], fits: Callable[[tuple[int, ...]], bool]
) -> tuple[int, ...] | None:
    """Sides of about those wanted, each a multiple of the least one; None where not even the least ones fit.

    The longest side that can be made shorter is halved until they fit.
    """
    sides = [-(-side // unit) * unit for side, unit in zip(wanted, least, strict=True)]
    while not fits(tuple(sides)):
        longer = [axis for axis, unit in enumerate(least) if sides[axis] > unit]
        if not longer:
            return None
        axis = max(longer, key=lambda n: sides[n])
        sides[axis] = -(-(sides[axis] // least[axis]) // 2) * least[axis]
    return tuple(sides)
