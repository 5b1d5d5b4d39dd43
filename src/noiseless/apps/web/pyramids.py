"""Pictures in files, so that any part of one at any size can be had without the rest.

A pyramid is a folder of arrays (slices, C, Y, X): ``0.npy`` as it is, and ``k.npy`` with means over squares of 2**k
pixels, down to where one tile holds all. They are written by workers and mapped by the server.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.apps.viewer.pictures import reduced

TILE = 512
"""Side of a tile, pixels."""


def levels_of(height: int, width: int) -> int:
    """How many there are: the last has one tile."""
    return 1 + max(0, math.ceil(math.log2(max(height, width) / TILE)))


def planes_of(channel_first: NDArray[Any]) -> NDArray[Any]:
    """(slices, C, Y, X) of (C, Y, X) or (C, Z, Y, X); a view."""
    return channel_first[np.newaxis] if channel_first.ndim == 3 else np.moveaxis(channel_first, 1, 0)


def write_pyramid(planes: NDArray[Any], folder: Path) -> None:
    """Write the pyramid of (slices, C, Y, X)."""
    folder.mkdir(mode=0o700)
    count, channels, height, width = planes.shape
    kind = np.result_type(planes.dtype, np.float32)
    for level in range(levels_of(height, width)):
        side = 2**level
        shape = (count, channels, math.ceil(height / side), math.ceil(width / side))
        dtype = planes.dtype if level == 0 else kind
        target = np.lib.format.open_memmap(_file(folder, level), mode="w+", dtype=dtype, shape=shape)
        for number in range(count):
            target[number] = planes[number] if level == 0 else reduced(planes[number], level)
        del target


def open_level(folder: Path, level: int) -> NDArray[Any]:
    """One array of a pyramid, mapped."""
    mapped: NDArray[Any] = np.load(_file(folder, level), mmap_mode="r", allow_pickle=False)
    return mapped


def bytes_of(values: int, itemsize: int) -> int:
    """That the pyramid of so many values takes, at most: level 0, and a third as many of four or eight bytes."""
    return values * itemsize + values * max(4, itemsize) * 4 // 9 + 4096


def _file(folder: Path, level: int) -> Path:
    return folder / f"{level}.npy"
