"""A folder into which somebody else is writing images."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.errors import InvalidImage, UnreadableFile, UnsupportedFormat
from noiseless.files import read, readable_suffixes
from noiseless.image import Image

from .frame import Picture
from .pixels import FULL_SCALE

POLL_S = 0.1
STUCK_S = 1.0
"""A file that cannot be read and has not grown for so long is damaged; until then it is being written."""

STOP = "STOP"


class FillingFolder:
    """The images of a folder in the order of their names, and those that come later as they are finished.

    A file is finished when its size stays the same from one look to the next; until then, later names wait for it.
    Names that begin with a dot or end in no suffix of an image are left alone, so a file may also be written under
    such a name and renamed. The folder ends ``timeout_s`` after the last new file, or when a file ``STOP`` appears.

    Parameters
    ----------
    follow : whether to wait for more than there is now
    clock, sleep : for tests
    """

    live = False
    rate: float | None = None

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float,
        follow: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.name = str(path)
        self.corrupt = 0
        self._path, self._timeout_s, self._follow, self._clock = path, timeout_s, follow, clock
        self._closing = Event()
        self._sleep = self._closing.wait if sleep is None else sleep
        self._done: set[str] = set()
        self._sizes: dict[str, tuple[int, float]] = {}  # size, and since when it is that

    @property
    def closed(self) -> bool:
        return self._closing.is_set()

    def close(self) -> None:
        self._closing.set()

    def pictures(self, within_s: float) -> Iterator[Picture]:
        del within_s  # the time between two files is what is limited here
        given, last = 0, self._clock()
        while not self.closed:
            # Whether there will be more is asked before the look, so that nothing falls between the two.
            ends = not self._follow or (self._path / STOP).exists()
            for image in self._finished(at_once=ends):
                yield Picture(image)
                given, last = given + 1, self._clock()
            if ends or self._clock() - last >= self._timeout_s:
                break
            self._sleep(POLL_S)
        if not given and not self.closed:
            raise UnreadableFile(f"no image came into {self.name!r} within {self._timeout_s:g} s; check the folder")

    def _finished(self, *, at_once: bool) -> Iterator[NDArray[Any]]:
        """Images that have become whole since the last look, in the order of their names up to one that is not."""
        for name in self._new_names():
            if self.closed:
                return
            path = self._path / name
            try:
                size = path.stat().st_size
            except OSError:
                continue  # gone again
            before, since = self._sizes.get(name, (-1, 0.0))
            if size != before:
                since = self._clock()
                self._sizes[name] = (size, since)
                if not at_once:
                    return
            try:
                pixels = pixels_of(read(path))
            except (UnreadableFile, UnsupportedFormat, InvalidImage):
                if not at_once and self._clock() - since < STUCK_S:
                    return
                self.corrupt += 1
                self._forget(name)
                continue
            self._forget(name)
            yield pixels

    def _new_names(self) -> list[str]:
        try:
            with os.scandir(self._path) as entries:
                names = [entry.name for entry in entries]
        except OSError as error:
            raise UnreadableFile(f"cannot read the folder {self.name!r}: {error.strerror}") from error
        suffixes = readable_suffixes()
        return sorted(
            name
            for name in names
            if name not in self._done and not name.startswith(".") and name.lower().endswith(suffixes)
        )

    def _forget(self, name: str) -> None:
        self._done.add(name)
        self._sizes.pop(name, None)


def pixels_of(image: Image) -> NDArray[Any]:
    """The pixels of a picture as a frame; in their stored dtype where a frame can have it, else nominal float32.

    Raises
    ------
    InvalidImage : a volume, or neither gray nor RGB.
    """
    if image.axes != "CYX" or image.channels not in (1, 3):
        raise InvalidImage(
            f"an image with axes {image.axes} and {image.channels} channels is no frame; give gray or RGB"
        )
    stored = image.stored() if np.dtype(image.stored_dtype) in FULL_SCALE else image.pixels
    return np.ascontiguousarray(stored[0] if image.channels == 1 else stored.transpose(1, 2, 0))
