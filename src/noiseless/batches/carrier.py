"""How a function comes to the workers of a Dask cluster: once to each, and to those that join later."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin

from .parcel import Parcel


class Carrier(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Holds a parcel on a worker, and opens it when its function is first called.

    A plug-in, and not scattered data: that could not be had again once all workers that hold it have died, and tasks
    would go to those workers only.
    """

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel

    def setup(self, worker: Worker) -> None:
        """Of a worker, before its first task."""
        self._folder = Path(worker.local_directory)
        self._lock = threading.Lock()
        self._function: Callable[[Any], Any] | None = None

    @property
    def function(self) -> Callable[[Any], Any]:
        """Of the parcel."""
        with self._lock:
            if self._function is None:
                self._function = self.parcel.opened(self._folder)
            return self._function
