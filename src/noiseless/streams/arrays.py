"""Sources that are at hand already: arrays, raw frames on a pipe."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from noiseless.errors import UnreadableFile
from noiseless.image import as_values

from .frame import Picture
from .raw_layout import RawLayout

STANDARD_INPUT = "standard input"


class ArraySource:
    """Any iterable of arrays; it is drawn in the reading thread, and never lost a frame of."""

    live = False
    corrupt = 0
    rate: float | None = None

    def __init__(self, arrays: Iterable[Any]) -> None:
        self.name = type(arrays).__name__
        self.closed = False
        self._arrays = arrays

    def pictures(self, within_s: float) -> Iterator[Picture]:
        del within_s  # nothing is opened
        for array in self._arrays:
            if self.closed:
                return
            yield Picture(np.array(as_values(array)))  # a copy: many loops fill the same buffer again

    def close(self) -> None:
        self.closed = True


class RawPipe:
    """Raw frames from a file descriptor, by default standard input; a frame cut short at the end counts as corrupt."""

    live = False

    def __init__(self, layout: RawLayout, *, descriptor: int | None = None) -> None:
        self.name = STANDARD_INPUT
        self.rate = layout.rate
        self.corrupt = 0
        self.closed = False
        self._layout = layout
        # The descriptor itself: a thread that waits in sys.stdin holds a lock without which Python cannot exit.
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor

    def pictures(self, within_s: float) -> Iterator[Picture]:
        del within_s  # a pipe may pause
        number = 0
        while not self.closed:
            data = self._exactly(self._layout.frame_bytes)
            if len(data) < self._layout.frame_bytes:
                self.corrupt += bool(data)
                break
            yield Picture(self._layout.decode(data), None if self.rate is None else number / self.rate)
            number += 1
        if number == 0 and not self.closed:
            raise UnreadableFile(
                f"no whole frame on {self.name}: {len(data)} of {self._layout.frame_bytes} bytes came; check --raw"
            )

    def close(self) -> None:
        self.closed = True

    def _exactly(self, count: int) -> bytearray:
        """So many bytes, or fewer at the end of the pipe."""
        data = bytearray()
        while len(data) < count:
            try:
                part = os.read(self._descriptor, count - len(data))
            except OSError as error:
                raise UnreadableFile(f"cannot read {self.name}: {error.strerror}") from error
            if not part:
                break
            data += part
        return data
