"""What a server knows of its files and jobs, and how watchers hear of changes."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WAITING, READING, READY, RUNNING = "waiting", "reading", "ready", "running"

DONE, FAILED, CANCELLED = "done", "failed", "cancelled"


@dataclass(eq=False)
class Watched:
    """Something that changes, until it is over, and is forgotten some time after its last use.

    Parameters
    ----------
    key : by which clients know it, and the name of its folder
    folder : where its files lie
    state : see the constants of this module
    error : name and message where it failed
    known : what there is to tell besides, in plain values
    """

    key: str
    folder: Path
    state: str = WAITING
    error: tuple[str, str] | None = None
    known: dict[str, Any] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)
    watchers: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in (READY, DONE, FAILED, CANCELLED)

    def touch(self) -> None:
        """It is in use now."""
        self.used = time.monotonic()

    def change(self, state: str | None = None, *, error: tuple[str, str] | None = None, **known: Any) -> None:
        """Note what changed, and wake those who watch."""
        self.state = state or self.state
        self.error = error or self.error
        self.known.update(known)
        self.touch()
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, seconds: float) -> bool:
        """Wait for the next change; False where there was none in so many seconds."""
        event = self._changed
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass(eq=False)
class StoredFile(Watched):
    """An upload. ``known`` has kind, description, picture and noise once it is read.

    Parameters
    ----------
    name : as it was given, made safe to show
    suffix : by which it is stored, lower case, or ""
    size : bytes
    jobs : on it, by their keys
    clean_known : whether it was made of a clean image here
    """

    name: str = ""
    suffix: str = ""
    size: int = 0
    jobs: dict[str, "Job"] = field(default_factory=dict)
    clean_known: bool = False

    @property
    def upload(self) -> Path:
        """The file itself."""
        return self.folder / f"upload{self.suffix}"

    def told(self) -> dict[str, Any]:
        """For clients."""
        told = {"id": self.key, "name": self.name, "bytes": self.size, "state": self.state, **self.known}
        return told | _error(self) | ({"clean_known": True} if self.clean_known else {})


@dataclass(eq=False)
class Job(Watched):
    """A restoration of a stored file. ``known`` has report, headline, findings and pictures once it is done.

    Parameters
    ----------
    file : what it denoises
    settings : as the client said them
    share, text : how far it is
    place : in the queue, from 1
    maps : the pictures of it that tiles are made of: where their colours end, and how many levels they have
    result : the suffix of the result
    """

    file: StoredFile = None  # type: ignore[assignment]  # always given; the fields before it have defaults
    settings: dict[str, Any] = field(default_factory=dict)
    share: float = 0.0
    text: str = ""
    place: int = 0
    maps: dict[str, Any] = field(default_factory=dict)
    result: str = ""

    def told(self) -> dict[str, Any]:
        """For clients."""
        told: dict[str, Any] = {"id": self.key, "file": self.file.key, "state": self.state}
        if self.state == WAITING:
            told["place"] = self.place
        told["progress"] = {"share": self.share, "text": self.text}
        told["settings"] = self.settings
        return told | self.known | _error(self)


def _error(record: Watched) -> dict[str, Any]:
    return {} if record.error is None else {"error": {"name": record.error[0], "message": record.error[1]}}
