"""Long work tells how far it is, to whoever listens; what does the work need not know who that is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[float], None] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Callable[[float], None]) -> Iterator[None]:
    """Within it, ``listener`` is told of every part of an image that was denoised: how many values it has.

    An exception that it raises ends the work.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def counting_once(times: int) -> Iterator[None]:
    """Within it, what is gone through so many times counts as if it were once."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    with listening(lambda values: listener(values / times)):
        yield


def tell(values: float) -> None:
    """So many values were denoised; called by denoisers that take long, after every part."""
    listener = _listener.get()
    if listener is not None:
        listener(values)
