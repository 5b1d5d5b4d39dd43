"""Images as all their overlapping square patches, and back as the mean of what is said of each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from noiseless.denoiser import Array

_PATCHES_AT_ONCE = 1 << 15
"""Their values are the memory that this takes: 8 MiB of float32 for patches of 8x8."""

Estimate = Callable[..., tuple[Array, Array | None]]
"""From patches (side^2, patches), one argument an image, to denoised ones and weights (patches,), None if all equal."""


def mean_of_patches(images: Sequence[Array], side: int, estimate: Estimate, xp: Any) -> Array:
    """The weighted mean, at every pixel, of what is said of all patches over it.

    Parameters
    ----------
    images : (Y, X) arrays of one shape; where no patch fits, their last row or column is repeated
    side : of a patch, in pixels
    estimate : called with the patches of each image, some thousands at a time
    xp : the namespace of the arrays

    Returns
    -------
    (Y, X) array
    """
    height, width = images[0].shape
    padded = [_at_least(image, side, xp) for image in images]
    total, count = xp.zeros_like(padded[0]), xp.zeros_like(padded[0])
    across = total.shape[1] - side + 1
    first = 0
    for patches in zip(*[bands_of_patches(image, side, xp) for image in padded], strict=True):
        estimates, weights = estimate(*patches)
        down = estimates.shape[1] // across
        if weights is not None:
            estimates, weights = estimates * weights, xp.reshape(weights, (down, across))
        for i in range(side**2):
            y, x = first + i // side, i % side
            total[y : y + down, x : x + across] += xp.reshape(estimates[i, :], (down, across))
            count[y : y + down, x : x + across] += 1.0 if weights is None else weights
        first += down
    return (total / count)[:height, :width]


def bands_of_patches(image: Array, side: int, xp: Any) -> Iterator[Array]:
    """All patches of a (Y, X) array as columns, (side^2, patches), in order, as many at a time as there is room for."""
    last, across = image.shape[0] - side + 1, image.shape[1] - side + 1
    down = max(1, _PATCHES_AT_ONCE // image.shape[1])
    for first in range(0, last, down):
        rows = min(down, last - first)
        lines = [image[first + y : first + y + rows, x : x + across] for y in range(side) for x in range(side)]
        yield xp.reshape(xp.stack(lines), (side**2, rows * across))


def _at_least(image: Array, side: int, xp: Any) -> Array:
    for axis in (0, 1):
        missing = side - image.shape[axis]
        if missing > 0:
            last = image[-1:, :] if axis == 0 else image[:, -1:]
            image = xp.concat([image, *[last] * missing], axis=axis)
    return image
