"""Work in a thread beside the window: progress for the window, and a way to end it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari.qt.threading import create_worker
from napari.utils import progress
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QTimer

import noiseless
from noiseless.apps.napari.denoising import Progress

PARTS = 1000
"""Of a progress bar."""

EVERY_MS = 100
"""Milliseconds between two looks at the progress."""


class Cancelled(Exception):
    """Ends the work in the thread."""


@dataclass
class Watch:
    """How far the work is: written by its thread, read by the window.

    Parameters
    ----------
    is_over : whether someone asked for the end
    """

    is_over: Callable[[], bool]
    share: float = 0.0
    text: str = ""

    def told(self, share: float, text: str) -> None:
        """Note the progress.

        Raises
        ------
        Cancelled : someone asked for the end.
        """
        if self.is_over():
            raise Cancelled
        self.share, self.text = share, text


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of some work; nothing when it was cancelled.

    Parameters
    ----------
    result : of it
    refusal : why there is none, in one line
    mistake : ours; told to whoever runs napari, with its traceback
    """

    result: Any = None
    refusal: str = ""
    mistake: Exception | None = None

    def tell_mistake(self) -> None:
        """Have napari show it."""
        if self.mistake is not None:
            notification_manager.receive_error(type(self.mistake), self.mistake, self.mistake.__traceback__)


def outcome_of(work: Callable[[Progress], Any], watch: Watch) -> Outcome:
    """Do the work, and say how it ended."""
    try:
        return Outcome(work(watch.told))
    except Cancelled:
        return Outcome()
    except noiseless.NoiselessError as error:
        return Outcome(refusal=str(error))
    except MemoryError:
        return Outcome(refusal="there is not enough memory for it; take images one by one, or a part of the layer")
    except Exception as mistake:
        return Outcome(mistake=mistake)


class Task:
    """Work that has begun in a thread.

    Parameters
    ----------
    work : done in the thread; it tells its progress
    shown : told the progress, in the thread of the window
    ended : told the outcome there, once
    title : for the progress bar of napari
    """

    def __init__(
        self,
        work: Callable[[Progress], Any],
        *,
        shown: Callable[[float, str], None],
        ended: Callable[[Outcome], None],
        title: str,
    ) -> None:
        # napari asks a worker to quit too, when its window is closed.
        self._watch = Watch(lambda: bool(self._worker.abort_requested))
        self._shown, self._ended = shown, ended
        self._outcome = Outcome()
        self._bar = progress(total=PARTS, desc=title)
        self._timer = QTimer()
        self._timer.timeout.connect(self._look)
        self._worker = create_worker(outcome_of, work, self._watch, _start_thread=False)
        self._worker.returned.connect(self._keep)
        self._worker.finished.connect(self._end)
        self._timer.start(EVERY_MS)
        self._worker.start()

    def cancel(self) -> None:
        """Ask for the end; it comes within one tile of an image, with no result."""
        self._worker.quit()

    def _look(self) -> None:
        share, text = self._watch.share, self._watch.text
        self._bar.update(max(0, round(share * PARTS) - int(self._bar.n)))
        self._shown(share, text)

    def _keep(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def _end(self) -> None:
        self._timer.stop()
        self._bar.close()
        self._outcome.tell_mistake()
        self._ended(self._outcome)
