"""The contract of sources."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from .frame import Picture


@runtime_checkable
class Source(Protocol):
    """Where pictures come from. Its pictures are drawn in one thread; ``close`` may come from another.

    Parameters
    ----------
    name : for people; holds no password
    live : pictures arrive whether or not anybody takes them (cameras, networks), and so may be lost, and the source
        may come back; known for certain once it has been opened
    corrupt : packets and files skipped so far because they were damaged
    closed : whether ``close`` was called
    rate : pictures a second where the source says so, once it has been opened; else None
    """

    @property
    def name(self) -> str: ...
    @property
    def live(self) -> bool: ...
    @property
    def corrupt(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def rate(self) -> float | None: ...

    def pictures(self, within_s: float) -> Iterator[Picture]:
        """Open the source, anew each time, and give its pictures until it ends.

        Parameters
        ----------
        within_s : how long opening may take

        Raises
        ------
        UnreadableFile : it cannot be opened, or fails.
        """
        ...

    def close(self) -> None:
        """Ask the reading thread to stop at the next picture; safe to call twice."""
        ...
