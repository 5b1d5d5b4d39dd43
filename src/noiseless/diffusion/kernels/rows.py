"""Rows of pixels, which all arithmetic of this package is made of.

LLVM vectorises loops over plain one-dimensional arrays and nothing more complicated. A row has a margin at both ends;
the pixel next to it there equals the last one, so that no flux crosses the border.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import inner
from noiseless.diffusion.kernels.views import MARGIN, line_of, row


def rows_for(shape: tuple[int, ...], columns: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Memory for rows of ``columns`` pixels with a margin on both sides, the first pixel on a cache line.

    A load of a vector register that crosses cache lines takes twice as long: 15 % of the whole time here.
    """
    whole = -(-columns // MARGIN) * MARGIN + 2 * MARGIN
    size = int(np.prod(shape)) * whole * dtype.itemsize
    raw = np.empty(size + 64, np.uint8)
    first = -raw.ctypes.data % 64
    return raw[first : first + size].view(dtype).reshape(*shape, whole)


def as_volume(image: NDArray[Any]) -> NDArray[Any]:
    """(C, slabs, rows, columns): a volume as it is, an image as slabs of one row."""
    flat = image if image.ndim == 4 else image[:, :, np.newaxis, :]
    return np.ascontiguousarray(flat)


def inside_of(mask: NDArray[Any] | None, volume: NDArray[Any]) -> NDArray[Any] | None:
    """The mask as (slabs, rows, padded columns) of 0 and 1; None where there is none, which compiles to less."""
    if mask is None:
        return None
    _, slabs, rows, columns = volume.shape
    inside = np.zeros((slabs, rows, columns + 2 * MARGIN), np.uint8)
    inside[:, :, MARGIN:-MARGIN] = mask.reshape(slabs, rows, columns)
    return inside


@inner
def enter(line: Array, pixels: Array) -> None:
    """Pixels into a row, and one more at both ends."""
    copy(row(line, (), 1, pixels.size), pixels)
    line[0], line[-1] = line[1], line[-2]


@inner
def copy(out: Array, pixels: Array) -> None:
    for j in range(out.size):
        out[j] = pixels[j]


@inner
def neighbours(
    slabs: Array, before: int, here: int, after: int, y: int, z: int, columns: int, inside: Array, work: Array
) -> None:
    """The six rows of neighbours, without ends, into the rows of ``work`` from the second on.

    A neighbour outside the mask, or seen from there, is the pixel itself.
    """
    rows = slabs.shape[1]
    up, down = max(y - 1, 0), min(y + 1, rows - 1)
    line = line_of(slabs, here, y, columns)
    m, mine = line_of(inside, z, y, columns), row(inside, (z, y), MARGIN, columns)
    last = inside.shape[0] - 1
    left, right = row(work, (5,), 0, columns), row(work, (6,), 0, columns)
    _choose(
        row(work, (1,), 0, columns),
        line_of(slabs, before, y, columns),
        line,
        line_of(inside, max(z - 1, 0), y, columns),
        mine,
    )
    _choose(
        row(work, (2,), 0, columns),
        line_of(slabs, after, y, columns),
        line,
        line_of(inside, min(z + 1, last), y, columns),
        mine,
    )
    _choose(row(work, (3,), 0, columns), line_of(slabs, here, up, columns), line, line_of(inside, z, up, columns), mine)
    _choose(
        row(work, (4,), 0, columns), line_of(slabs, here, down, columns), line, line_of(inside, z, down, columns), mine
    )
    for j in range(columns):
        left[j] = line[j] if m[j] & mine[j] else line[j + 1]
        right[j] = line[j + 2] if m[j + 2] & mine[j] else line[j + 1]


@inner
def _choose(out: Array, neighbour: Array, here: Array, within: Array, mine: Array) -> None:
    """Of rows with ends; ``out`` and ``mine`` have none."""
    for j in range(out.size):
        out[j] = neighbour[j + 1] if within[j + 1] & mine[j] else here[j + 1]


@inner
def spread(
    out: Array,
    slabs: Array,
    before: int,
    here: int,
    after: int,
    y: int,
    z: int,
    rates: Array,
    inside: Array | None,
    work: Array,
    deep: bool | None,
) -> None:
    """One row after a step with conductivity 1; the slabs are in the slots ``before``, ``here`` and ``after``.

    ``deep`` is None where a slab is one row: then nothing is compiled for the others.
    """
    columns, rows = out.size, slabs.shape[1]
    line = line_of(slabs, here, y, columns)
    if inside is not None:
        neighbours(slabs, before, here, after, y, z, columns, inside, work)
        middle = row(line, (), 1, columns)
        copy(out, middle)
        for axis in range(3):
            one, other = row(work, (2 * axis + 1,), 0, columns), row(work, (2 * axis + 2,), 0, columns)
            average_more(out, middle, one, other, rates[axis])
        return
    _average(out, line, line_of(slabs, before, y, columns), line_of(slabs, after, y, columns), rates[0], rates[2])
    if deep is not None:
        up = row(slabs, (here, max(y - 1, 0)), MARGIN, columns)
        down = row(slabs, (here, min(y + 1, rows - 1)), MARGIN, columns)
        average_more(out, row(line, (), 1, columns), up, down, rates[1])


@inner
def _average(out: Array, here: Array, before: Array, after: Array, across: Array, along: Array) -> None:
    for j in range(out.size):
        a = here[j + 1]
        x, z = (here[j] - a) + (here[j + 2] - a), (before[j + 1] - a) + (after[j + 1] - a)
        out[j] = a + (along * x + across * z)


@inner
def average_more(out: Array, here: Array, before: Array, after: Array, weight: Array) -> None:
    for j in range(out.size):
        out[j] += weight * ((before[j] - here[j]) + (after[j] - here[j]))
