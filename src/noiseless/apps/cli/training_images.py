"""What ``noiseless train`` learns from: pictures, stacks and zarr stores, as planes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.cli.sources import sources_of

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601, as in the gray test sets of the field."""


def images_of(
    data: list[str], objective: str, *, channels: int, sigma: float | None
) -> tuple[list[NDArray[np.float32]] | list[NDArray[np.uint8]], list[float] | None]:
    """All images with the channels that are wanted, and the noise of each, in nominal units, where it was given.

    Parameters
    ----------
    data : files, folders, patterns and zarr stores
    objective : whose frames of a scene go together
    channels : 1 or 3
    sigma : of the noise of all, in stored units; None: not told

    Raises
    ------
    noiseless.InvalidImage : an image stands alone where frames of a scene are needed.
    noiseless.UnreadableFile, noiseless.UnsupportedFormat : as of reading.
    """
    frames = noiseless.score.OBJECTIVES[objective].frames
    paths = [path for text in data for path in sources_of(text)]
    images: list[NDArray[np.float32]] = []
    levels: list[float] = []
    bytes_only = True
    for path, image in ((source, image) for source in paths for image in _images_in(source)):
        pixels, share = _with_channels(image.pixels, channels)
        planes = [pixels] if image.axes == "CYX" else list(np.moveaxis(pixels, 1, 0))
        if len(planes) < frames:
            raise noiseless.InvalidImage(
                f"{objective!r} takes stacks of frames of one scene, such as a TIFF of several pages; {str(path)!r} "
                "holds one image"
            )
        images += [np.concatenate(planes[first : first + frames]) for first in range(len(planes) - frames + 1)]
        levels += [share * (sigma or 0.0) / image.scale] * (len(images) - len(levels))
        bytes_only = bytes_only and image.stored_dtype == "uint8"
    given = None if sigma is None else levels
    if bytes_only and not noiseless.score.OBJECTIVES[objective].from_noisy:  # a quarter of the memory
        return [np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8) for image in images], given
    return images, given


def _images_in(path: Path) -> Iterator[noiseless.Image]:
    """That of a file; of a store each of its pictures or volumes, and of their channels unless they are colours."""
    if not noiseless.files.is_store(path):
        yield noiseless.read(path)
        return
    store = noiseless.files.open_chunked(path)
    everywhere = tuple(slice(0, length) for length in store.space)
    step = store.channels if store.together else 1
    for item in range(store.items):
        for first in range(0, store.channels, step):
            values = store.read(item, slice(first, first + step), everywhere)
            yield noiseless.from_array(values, channel_axis=0)


def _with_channels(pixels: NDArray[np.float32], channels: int) -> tuple[NDArray[np.float32], float]:
    """Gray images serve a colour network too, and the other way round; and by how much that changes white noise."""
    if pixels.shape[0] == 3 and channels == 1:
        return np.tensordot(LUMA, pixels, axes=1)[np.newaxis], float(np.linalg.norm(LUMA))
    if pixels.shape[0] != channels:
        return np.repeat(pixels[:1], channels, axis=0), 1.0
    return pixels, 1.0
