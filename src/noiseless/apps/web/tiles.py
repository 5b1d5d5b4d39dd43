"""Tiles of pictures as PNG: cut from mapped arrays, in threads of the server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.apps.viewer import pictures
from noiseless.apps.web.pyramids import TILE, open_level
from noiseless.apps.web.refusals import Refusal

BLOCK = 16
"""Side, in pixels, of the squares that are tested for structure."""


@dataclass(frozen=True)
class Place:
    """Which tile.

    Parameters
    ----------
    slice, level, row, column : each from 0
    """

    slice: int
    level: int
    row: int
    column: int

    def of(self, folder: Path, levels: int) -> NDArray[Any]:
        """(C, Y, X) of the pyramid in a folder.

        Raises
        ------
        Refusal : there is no such tile.
        """
        if self.level < levels and folder.is_dir():
            array = open_level(folder, self.level)
            rows, columns = (slice(at * TILE, (at + 1) * TILE) for at in (self.row, self.column))
            if self.slice < len(array):
                part = array[self.slice, :, rows, columns]
                if part.size:
                    return np.asarray(part)
        place = f"{self.slice}/{self.level}/{self.row}/{self.column}"
        raise Refusal("NotFound", f"there is no tile {place} of this picture")


def tile_of_picture(folder: Path, levels: int, place: Place, window: tuple[float, float]) -> bytes:
    """A tile of a noisy or denoised picture, by the window of values that is shown from black to white."""
    return pictures.png(pictures.shown(place.of(folder, levels), *window))


def tile_of_removed(noisy: Path, denoised: Path, levels: int, place: Place, limit: float) -> bytes:
    """A tile of noisy less denoised, mean over channels: blue below 0, red above."""
    before, after = place.of(noisy, levels), place.of(denoised, levels)
    removed = np.subtract(before, after, dtype=np.float32).mean(axis=0)
    return pictures.png(pictures.diverging(removed, limit))


def tile_of_error(folder: Path, levels: int, place: Place, limit: float) -> bytes:
    """A tile of how far each pixel may be wrong: dark is near."""
    return pictures.png(pictures.sequential(place.of(folder, levels)[0], limit))


def tile_of_structure(scores: Path, noisy: Path, levels: int, place: Place, limit: float) -> bytes:
    """A tile of the scores of squares of 16 by 16 pixels; light: more than noise is in what was removed there."""
    height, width = place.of(noisy, levels).shape[-2:]
    z = np.load(scores, mmap_mode="r", allow_pickle=False)
    rows, columns = (
        (at * TILE + np.arange(length)) * 2**place.level // BLOCK
        for at, length in ((place.row, height), (place.column, width))
    )
    # Beyond the last whole square nothing was looked at.
    padded = np.pad(np.asarray(z[place.slice]), ((0, 1), (0, 1)))
    part = padded[np.minimum(rows, z.shape[-2])[:, np.newaxis], np.minimum(columns, z.shape[-1])]
    return pictures.png(pictures.sequential(part, limit))


def tile_of_job(kind: str, noisy: Path, job: Path, known: Mapping[str, Any], place: Place) -> bytes:
    """A map of a job: "removed", "error" or "structure".

    Raises
    ------
    Refusal : the job has no such map, or that no such tile.
    """
    maps: Mapping[str, Callable[[float], bytes]] = {
        "removed": lambda limit: tile_of_removed(noisy, job / "denoised", known["levels"], place, limit),
        "error": lambda limit: tile_of_error(job / "error", known["levels"], place, limit),
        "structure": lambda limit: tile_of_structure(job / "structure.npy", noisy, known["levels"], place, limit),
    }
    limit = known["limits"].get(kind)
    if limit is None:
        raise Refusal("NotFound", f"this job has no map of {kind}: it was not asked for, or could not be made")
    return maps[kind](limit)
