"""Signals that end a program, as exceptions: what is half done is taken back, as after Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDING = ("SIGTERM", "SIGHUP")
"""kill, a scheduler, a container that stops; a terminal that is closed. Where the system has them."""


class Ended(BaseException):
    """A signal asked for the end; no error, so that nothing takes it for one of the work.

    Parameters
    ----------
    number : of the signal
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.code = 128 + number


@contextmanager
def signals_raised() -> Iterator[None]:
    """Raise :class:`Ended` where such a signal comes; a second one ends the program at once.

    One that is ignored, as by nohup, or handled by others, is left so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # which alone hears signals
        return
    known = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    ours = [number for number in known if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: Any) -> None:  # noqa: ARG001  as signals are handled
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        raise Ended(number)

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is end:
                signal.signal(number, signal.SIG_DFL)
