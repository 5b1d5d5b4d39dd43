"""The queue between the thread that reads a source and the denoiser: never more than two frames."""

import threading
from collections import deque
from typing import Generic, TypeVar

from noiseless.errors import InvalidParameter

Item = TypeVar("Item")

CAPACITY = 2
DROPS = ("oldest", "newest", "none")
SLICE_S = 0.2
"""A wait is cut into slices, because on some systems a longer one cannot be interrupted from the keyboard."""


class FrameQueue(Generic[Item]):
    """First in, first out, for one thread on each side.

    Parameters
    ----------
    drop : what happens to a frame for which there is no room: oldest takes the place of the one that has waited
        longest, newest is lost itself, none waits for room and so holds up the source. May be set later.
    capacity : the most frames that wait

    Raises
    ------
    InvalidParameter : no such way of dropping.
    """

    def __init__(self, drop: str, *, capacity: int = CAPACITY) -> None:
        if drop not in DROPS:
            raise InvalidParameter(f"drop is {drop!r}; use {', '.join(DROPS)}")
        self.drop = drop
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> bool:
        """Queue a frame; false where nobody takes frames any more."""
        with self._changed:
            while self.drop == "none" and len(self._items) >= self._capacity and not self._ended:
                self._changed.wait(SLICE_S)
            if self._ended:
                return False
            if len(self._items) < self._capacity:
                self._items.append(item)
            else:
                self.dropped += 1
                if self.drop == "oldest":
                    self._items.popleft()
                    self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self) -> Item | None:
        """The frame that has waited longest; None once the source has ended and all are taken.

        Raises
        ------
        BaseException : whatever ended the source, after the frames before it.
        """
        with self._changed:
            while not self._items and not self._ended:
                self._changed.wait(SLICE_S)
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            if self._error is not None:
                raise self._error
            return None

    def end(self, error: BaseException | None = None) -> None:
        """Say that no frame follows, from either side; both are woken."""
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()
