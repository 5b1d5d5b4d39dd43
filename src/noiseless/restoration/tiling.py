"""Large images by tiles, equal to the whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import array_api_compat

from noiseless.denoiser import Array, LocalDenoiser, Sigma
from noiseless.errors import InvalidParameter

# Tiles start at multiples of this, so that networks which fold 2x2, 4x4 or 8x8 pixels see the same folds as in the
# whole image.
ALIGNMENT = 8


@dataclass(frozen=True)
class Tiled:
    """A local denoiser run on overlapping tiles, whose seams cannot be seen because there are none.

    Every tile carries a halo of at least ``reach(sigma)`` pixels, which is computed and thrown away, so the result
    is that of the whole image, while memory is bounded by the tile.

    Parameters
    ----------
    denoiser : local, see :class:`noiseless.denoiser.LocalDenoiser`
    tile : side of a tile in pixels along the last two axes, without its halo; a multiple of 8.

    Raises
    ------
    InvalidParameter : ``tile`` is not a positive multiple of 8.
    """

    denoiser: LocalDenoiser
    tile: int = 512

    def __post_init__(self) -> None:
        if self.tile < ALIGNMENT or self.tile % ALIGNMENT:
            raise InvalidParameter(f"tile is {self.tile}; use a multiple of {ALIGNMENT}, such as 512")

    def reach(self, sigma: float, /) -> int:
        return self.denoiser.reach(sigma)

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array:
        height, width = noisy.shape[-2:]
        if max(height, width) <= self.tile:
            return self.denoiser(noisy, sigma)
        xp = array_api_compat.array_namespace(noisy)
        largest = sigma if isinstance(sigma, int | float) else float(xp.max(xp.asarray(sigma)))
        halo = -(-self.reach(largest) // ALIGNMENT) * ALIGNMENT
        output = xp.empty_like(noisy)
        for rows, columns in self._cores(height, width):
            top, left = max(rows.start - halo, 0), max(columns.start - halo, 0)
            window = slice(top, min(rows.stop + halo, height)), slice(left, min(columns.stop + halo, width))
            denoised = self.denoiser(noisy[..., window[0], window[1]], _window(sigma, window))
            core = (
                slice(rows.start - top, rows.stop - top),
                slice(columns.start - left, columns.stop - left),
            )
            output[..., rows, columns] = denoised[..., core[0], core[1]]
        return output

    def _cores(self, height: int, width: int) -> Iterator[tuple[slice, slice]]:
        for top, left in product(range(0, height, self.tile), range(0, width, self.tile)):
            yield slice(top, min(top + self.tile, height)), slice(left, min(left + self.tile, width))


def _window(sigma: Sigma, window: tuple[slice, slice]) -> Sigma:
    """The part of a sigma map that belongs to a window; numbers and axes of length one stay as they are."""
    shape = getattr(sigma, "shape", ())
    for axis, part in zip((-2, -1), window, strict=True):
        if len(shape) >= -axis and shape[axis] > 1:
            sigma = sigma[..., part, :] if axis == -2 else sigma[..., part]
    return sigma
