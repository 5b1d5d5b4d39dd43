"""Videos, frame by frame: in and out, with their times, colours, sound and everything else that is not a pixel.

    with open_video("noisy.mp4") as video, create_video("clean.mp4", video) as writer:
        for frame in video:
            writer.write(denoised(frame.pixels), frame.time)

Kept are the times of the frames (of a variable rate too), 10 bits as 10 bits, the tags of colours, the rotation, the
aspect of the pixels, sound and subtitles packet by packet, chapters and metadata. Left behind, with a warning, is what
the container does not hold, the channel of transparency, and streams of data. What libraries do the work is PyAV,
which is FFmpeg; it is imported when a video is opened.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from noiseless.errors import MissingExtra

if TYPE_CHECKING:
    from .parts import State
    from .reading import Video
    from .writing import VideoWriter

__all__ = ["VIDEO_SUFFIXES", "create_video", "is_video", "open_video", "suffix_of_video_result"]

WRITTEN = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")

VIDEO_SUFFIXES = (
    *WRITTEN, ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".3gp", ".ogv", ".mxf", ".y4m", ".vob",
    ".nut",
)  # fmt: skip
"""Of files that are taken for videos. Results of those that are only read are Matroska."""


def is_video(path: Path) -> bool:
    """Whether a file is a video, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def suffix_of_video_result(path: Path) -> str:
    """The suffix of what is made of a video: its own, or .mkv where that is only read."""
    return path.suffix if path.suffix.lower() in WRITTEN else ".mkv"


def open_video(path: str | os.PathLike[str]) -> "Video":
    """A video, of which the first frame was decoded to see what it holds; see :class:`.reading.Video`.

    Raises
    ------
    UnreadableFile : missing, a folder, empty, damaged, or without a video.
    MissingExtra : PyAV is not installed.
    """
    try:
        from .reading import open_video as opened
    except ModuleNotFoundError as error:
        raise _missing("reading", error) from error
    return opened(path)


def create_video(
    path: str | os.PathLike[str],
    like: "Video",
    *,
    codec: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    settings: str | None = None,
    state: "Callable[[], State] | None" = None,
) -> "VideoWriter":
    """A writer of a video like another; see :func:`.writing.create_video`.

    Raises
    ------
    UnwritableFile : the file exists, its folder cannot be written, or another run is writing it.
    UnsupportedFormat : the container does not hold the codec.
    UnknownName : there is no such codec.
    InvalidParameter : quality is out of its range.
    MissingExtra : PyAV is not installed.
    """
    try:
        from .writing import create_video as created
    except ModuleNotFoundError as error:
        raise _missing("writing", error) from error
    return created(path, like, codec=codec, quality=quality, overwrite=overwrite, settings=settings, state=state)


def _missing(doing: str, error: ModuleNotFoundError) -> Exception:
    if (error.name or "").split(".")[0] == "noiseless":
        return error  # our own mistake
    return MissingExtra(f"{doing} video needs 'av': pip install 'noiseless[video]'")
