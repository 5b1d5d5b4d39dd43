"""What the modules of bags say to each other."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from numpy.typing import NDArray

Frame: TypeAlias = "NDArray[Any]"
"""(Y, X), or (Y, X, 3) RGB, of uint8 or uint16 in the byte order of the machine."""

Clean: TypeAlias = Callable[[str, Frame], Frame]
"""From (stream, frame) to the new frame, of the same shape and dtype."""

Progress: TypeAlias = Callable[[float], None]
"""Takes the share that is done."""

Change: TypeAlias = Callable[[str, int, bytes], bytes]
"""From (topic, nanoseconds, serialised message) to the new message."""

Topics: TypeAlias = Mapping[int, str]
"""The topics whose messages are to be changed, by the number that the file gives to their connection."""

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES: Collection[str] = (IMAGE, COMPRESSED)


class Rewriter(Protocol):
    """Writes one file of a bag to a place that is empty, or an empty file."""

    def __call__(self, source: Path, target: Path, topics: Topics, change: Change) -> None: ...
