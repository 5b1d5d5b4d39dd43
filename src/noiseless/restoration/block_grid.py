"""Windows of images: blocks and tiles that fit into memory, and what lies around them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from noiseless.errors import InvalidParameter
from noiseless.restoration.tiling import ALIGNMENT, sides_of_tiles

Window: TypeAlias = tuple[slice, ...]
"""A slice for each axis of space, with a start and a stop within it."""

USUAL_MEMORY = 2**31
"""Bytes of arrays; the engine of a network needs some more for a tile."""

LARGEST_SIDE, LARGEST_DEPTH = 2048, 64
"""Of a block, pixels; larger ones would hardly save anything of what is read twice."""

LEAST_TILE = 64

OF_HALO = 4
"""A tile is at least so many times as wide as what lies around it."""

COPIES = 4
"""Of the stored values of a block: read, denoised, and coded for the file."""

OF_TILE = 0.75
"""The part of the memory that a tile may take while it is denoised; the rest is for its block."""


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
    tile : of the side of a square as large as a tile usually is
    value_bytes : of the stored values of a pixel, all its channels
    pixel_bytes : that a pixel of a tile takes while it is denoised
    memory_bytes : for a block and a tile of it
    """

    space: tuple[int, ...]
    grid: tuple[int, ...]
    reach: int
    deep: bool
    tile: int
    value_bytes: int
    pixel_bytes: int
    memory_bytes: int

    @property
    def halo(self) -> tuple[int, ...]:
        return (self.reach if self.deep else 0, self.reach, self.reach)[-len(self.space) :]

    @property
    def width(self) -> int:
        """Of a tile."""
        return -(-max(self.tile, OF_HALO * self.reach) // ALIGNMENT) * ALIGNMENT

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
    side = needs.width * max(1, round(LARGEST_SIDE / needs.width))
    memory = (1.0 - OF_TILE) * needs.memory_bytes
    block = _largest(needs, side, needs.grid, COPIES * needs.value_bytes, memory, "block of the file")
    block = tuple(min(part, length) for part, length in zip(block, needs.space, strict=True))
    return Pieces(needs.space, block, tile_for(needs, block), needs.halo)


def tile_for(needs: Needs, region: Sequence[int]) -> tuple[int, ...]:
    """Sides of the tiles of a region: the largest that are of use, and fit, and all of about one size.

    Raises
    ------
    InvalidParameter : the least ones need more memory.
    """
    memory = OF_TILE * needs.memory_bytes
    least = [1] * (len(region) - 2) + [LEAST_TILE] * 2
    largest = _largest(needs, needs.width, least, needs.pixel_bytes, memory, "tile")
    if not needs.deep:
        # The same pixels in the shape for which the least is computed twice.
        area = max(largest[-2] * largest[-1], ALIGNMENT**2)
        plane = sides_of_tiles((region[-2], region[-1]), area, needs.reach)
        if needs.bytes_of((*largest[:-2], *plane), needs.pixel_bytes) <= memory:
            return (*largest[:-2], *plane)
    units = (1, ALIGNMENT, ALIGNMENT)[-len(region) :]
    return tuple(
        -(-length // -(-length // side) // unit) * unit
        for length, side, unit in zip(region, largest, units, strict=True)
    )


def _largest(needs: Needs, side: int, least: Sequence[int], of_pixel: int, memory: float, name: str) -> tuple[int, ...]:
    """Sides of about ``side``, at least ``least`` and multiples of it; small planes are taken many at once."""
    plane = [min(side, length) for length in needs.space[-2:]]
    depth = LARGEST_DEPTH if needs.deep else max(1, side**2 // math.prod(plane))
    wanted = [min(a, b) for a, b in zip((depth, *plane)[-len(needs.space) :], needs.space, strict=True)]
    least = [min(a, b) for a, b in zip(least, needs.space, strict=True)]
    found = sides_that_fit(wanted, least, lambda sides: needs.bytes_of(sides, of_pixel) <= memory)
    if found is None:
        needed = needs.bytes_of(least, of_pixel) * needs.memory_bytes / memory / 2**30
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
