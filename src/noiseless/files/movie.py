"""Short movies of what a method does: a GIF through Pillow, or H.264 in MP4 through PyAV."""

import os
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.atomic import replacing
from noiseless.errors import MissingExtra, UnsupportedFormat

Frames = Sequence[NDArray[np.uint8]]


def write_movie(frames: Frames, path: str | os.PathLike[str], *, rate: int = 10, overwrite: bool = False) -> None:
    """Write frames one after the other; the suffix says in which format. The file appears whole or not at all.

    Parameters
    ----------
    frames : (Y, X) gray or (Y, X, 3) colour, all of one shape; at least one.
    path : ends in .gif or .mp4
    rate : frames a second; the last one stays for two seconds.

    Raises
    ------
    UnsupportedFormat : another suffix.
    UnwritableFile : the file exists, or its folder is missing or cannot be written.
    MissingExtra : MP4 without PyAV.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise UnsupportedFormat(f"no movie is written to {str(path)!r}; end its name in {' or '.join(WRITERS)}")
    with replacing(path, overwrite=overwrite) as temporary:
        writer([*frames, *[frames[-1]] * (2 * rate - 1)], temporary, rate)


def _write_gif(frames: Frames, path: Path, rate: int) -> None:
    from PIL import Image as Pillow

    first, *rest = (Pillow.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=rest, duration=round(1000 / rate), loop=0)


def _write_mp4(frames: Frames, path: Path, rate: int) -> None:
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingExtra("writing MP4 needs 'av': pip install 'noiseless[video]', or write a .gif") from error
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(rate), options={"crf": "18"})
        # Players want colour at half resolution, and so even sides: an odd last line is repeated.
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        for frame in frames:
            colour = frame if frame.ndim == 3 else np.repeat(frame[:, :, np.newaxis], 3, axis=2)
            even = np.pad(colour, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())


WRITERS: Mapping[str, Callable[[Frames, Path, int], None]] = {".gif": _write_gif, ".mp4": _write_mp4}
