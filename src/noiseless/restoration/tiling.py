"""Large images by tiles, equal to the whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import array_api_compat

from noiseless.argument_checks import whole
from noiseless.denoiser import Array, LocalDenoiser, Sigma
from noiseless.errors import InvalidParameter

# Tiles start at multiples of this, so that networks which fold 2x2, 4x4 or 8x8 pixels see the same folds as in the
# whole image.
ALIGNMENT = 8

USUAL_TILE = 1536
"""Pixels of the side of a square as large as a tile. A picture of 1920 x 1080 is one tile; 12 megapixels are six, and a
tenth of them is computed twice. At 512, with a third of the memory, it is a half."""


LEAST_AREA = 64**2
"""Where memory is short tiles are made smaller, a quarter each time, down to so many pixels."""


@dataclass(frozen=True)
class Tiled:
    """A local denoiser run on overlapping tiles, whose seams cannot be seen because there are none.

    Every tile carries a halo of at least ``reach(sigma)`` pixels, which is computed and thrown away, so the result
    is that of the whole image, while memory is bounded by the tile. Tiles have the shape for which the least is
    thrown away. Where the memory of a device is too small for a tile, smaller ones are taken.

    Parameters
    ----------
    denoiser : local, see :class:`noiseless.denoiser.LocalDenoiser`
    tile : a tile, without its halo, has at most as many pixels along the last two axes as a square of this side; a
        multiple of 8

    Raises
    ------
    InvalidParameter : ``tile`` is not a positive multiple of 8.
    MemoryError : not even tiles of 64 x 64 pixels fit.
    """

    denoiser: LocalDenoiser
    tile: int = USUAL_TILE

    def __post_init__(self) -> None:
        if whole("tile", self.tile, 1, f"use a multiple of {ALIGNMENT}, such as {USUAL_TILE}") % ALIGNMENT:
            raise InvalidParameter(f"tile is {self.tile}; use a multiple of {ALIGNMENT}, such as {USUAL_TILE}")

    def reach(self, sigma: float, /) -> int:
        return self.denoiser.reach(sigma)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        area = self.tile**2
        while True:
            try:
                return self._in_tiles(noisy, sigma, area)
            except MemoryError:  # of a GPU mostly, which others use too
                largest = min(area, noisy.shape[-2] * noisy.shape[-1])
                if largest <= LEAST_AREA:
                    raise
                area = largest // 4

    def _in_tiles(self, noisy: Array, sigma: Sigma, area: int) -> Array:
        height, width = noisy.shape[-2:]
        if height * width <= area:
            return self.denoiser(noisy, sigma)
        xp = array_api_compat.array_namespace(noisy)
        largest = sigma if isinstance(sigma, int | float) else float(xp.max(xp.asarray(sigma)))
        halo = -(-self.reach(largest) // ALIGNMENT) * ALIGNMENT
        output = xp.empty_like(noisy)
        for rows, columns in _cores((height, width), sides_of_tiles((height, width), area, halo)):
            top, left = max(rows.start - halo, 0), max(columns.start - halo, 0)
            window = slice(top, min(rows.stop + halo, height)), slice(left, min(columns.stop + halo, width))
            denoised = self.denoiser(noisy[..., window[0], window[1]], _window(sigma, window))
            core = (
                slice(rows.start - top, rows.stop - top),
                slice(columns.start - left, columns.stop - left),
            )
            output[..., rows, columns] = denoised[..., core[0], core[1]]
        return output


def sides_of_tiles(space: tuple[int, int], area: int, halo: int) -> tuple[int, int]:
    """Height and width of tiles of at most ``area`` pixels, multiples of 8, for which least is computed twice."""
    height, width = space
    units = -(-height // ALIGNMENT), -(-width // ALIGNMENT)
    tallest = min(units[0], area // ALIGNMENT**2)
    found = []
    for rows in {-(-units[0] // count) for count in range(-(-units[0] // tallest), units[0] + 1)}:
        across = -(-units[1] // min(units[1], area // (rows * ALIGNMENT**2)))
        columns = -(-units[1] // across)
        down = -(-units[0] // rows)
        computed = (height + 2 * halo * (down - 1)) * (width + 2 * halo * (across - 1))
        found.append((computed, abs(rows - columns), rows * ALIGNMENT, columns * ALIGNMENT))
    return min(found)[2:]


def _cores(space: tuple[int, int], sides: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    ranges = (range(0, length, side) for length, side in zip(space, sides, strict=True))
    for corner in product(*ranges):
        rows, columns = (
            slice(first, min(first + side, length)) for first, side, length in zip(corner, sides, space, strict=True)
        )
        yield rows, columns


def _window(sigma: Sigma, window: tuple[slice, slice]) -> Sigma:
    """The part of a sigma map that belongs to a window; numbers and axes of length one stay as they are."""
    shape = getattr(sigma, "shape", ())
    for axis, part in zip((-2, -1), window, strict=True):
        if len(shape) >= -axis and shape[axis] > 1:
            sigma = sigma[..., part, :] if axis == -2 else sigma[..., part]
    return sigma
