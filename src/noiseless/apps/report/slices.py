"""One slice of a restoration: what a page can show of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import noiseless


@dataclass(frozen=True, eq=False)
class Plane:
    """One slice of a restoration, (C, Y, X) in stored units, or (Y, X) for maps.

    Parameters
    ----------
    before, after : in the stored dtype
    removed : the mean of their difference over the channels
    error, structure : how far it may be wrong; z of blocks; None where that is not known
    """

    before: NDArray[Any]
    after: NDArray[Any]
    removed: NDArray[np.float32]
    error: NDArray[Any] | None
    structure: NDArray[Any] | None


def unit_of(image: noiseless.Image) -> str:
    """Of the values: HU of computed tomography, grey levels of photographs, else nothing."""
    kind = image.header.get("format")
    if kind == "dicom":
        return "HU" if noiseless.files.described(image)["stored"].get("modality") == "CT" else ""
    return "grey levels" if np.dtype(image.stored_dtype).kind == "u" and kind != "nifti" else ""


def picture_of(image: noiseless.Image, number: int) -> noiseless.Image:
    """A slice of a volume, or the picture itself, in its own units."""
    pixels = image.pixels if len(image.space) == 2 else image.pixels[:, number]
    return noiseless.Image(pixels, scale=image.scale, offset=image.offset, stored_dtype=image.stored_dtype)


def plane_of(noisy: noiseless.Image, restored: Any, number: int) -> Plane:
    before, after = (picture_of(each, number) for each in (noisy, restored.image))
    removed = (before.pixels - after.pixels).mean(axis=0) * np.float32(noisy.scale)
    error = None
    if restored.error is not None:
        half = restored.error.half68
        error = np.asarray(half if half.ndim == 3 else half[:, number], np.float32).mean(axis=0)
    found = restored.audit.structure
    z = None if found is None else (found.z if found.z.ndim == 2 else found.z[number])
    return Plane(before.stored(), after.stored(), removed, error, z)


def most_doubtful(plane: Plane, side: int) -> tuple[int, int]:
    """The square with the greatest mean error or, where that is not known, the most that was removed."""
    doubt = np.square(plane.removed) if plane.error is None else plane.error
    step = max(1, side // 8)
    rows, columns = (length // step for length in doubt.shape)
    blocks = doubt[: rows * step, : columns * step].reshape(rows, step, columns, step)
    means = blocks.mean(axis=(1, 3), dtype=np.float64)
    sums = np.pad(means, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    wide = side // step
    squares = sums[wide:, wide:] - sums[:-wide, wide:] - sums[wide:, :-wide] + sums[:-wide, :-wide]
    row, column = np.unravel_index(np.argmax(squares), squares.shape)
    return int(row) * step, int(column) * step
