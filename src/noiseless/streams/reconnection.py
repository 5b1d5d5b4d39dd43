"""A live source that comes back: after a loss it is opened again, ever more rarely, until patience ends."""

from collections.abc import Callable, Iterator

from noiseless.errors import UnreadableFile

from .frame import Picture
from .source import Source

FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0


def reconnecting(
    source: Source, *, timeout_s: float, clock: Callable[[], float], sleep: Callable[[float], object]
) -> Iterator[tuple[int, Picture]]:
    """The pictures of a source with the number of their connection, 0 for the first.

    A live source that fails, or ends, after its first picture is opened again after 0.5, 1, 2, 4 ... at most 30
    seconds. One that never gave a picture fails at once: its address is more likely wrong than its network down.

    Parameters
    ----------
    timeout_s : from the beginning of a loss to giving up
    clock, sleep : of the caller; ``sleep`` may return early

    Raises
    ------
    UnreadableFile : the source could not be opened, or did not come back.
    """
    connection = 0
    for picture in _until_loss(source, timeout_s):
        yield connection, picture
    while source.live and not source.closed:
        lost, attempts, delay = clock(), 0, FIRST_DELAY_S
        came_back = False
        while not came_back and not source.closed:
            remaining = timeout_s - (clock() - lost)
            if remaining <= 0.0:
                raise UnreadableFile(
                    f"{source.name!r} was lost and did not come back within {timeout_s:g} s ({attempts} attempts); "
                    "check the sender, or wait longer with timeout_s (--timeout)"
                )
            sleep(min(delay, remaining))
            delay = min(2.0 * delay, LONGEST_DELAY_S)
            attempts += 1
            for picture in _until_loss(source, max(timeout_s - (clock() - lost), FIRST_DELAY_S), opened_before=True):
                if not came_back:
                    came_back, connection = True, connection + 1
                yield connection, picture


def _until_loss(source: Source, within_s: float, *, opened_before: bool = False) -> Iterator[Picture]:
    """The pictures of one connection; the failure of a live source that has been seen before only ends them."""
    seen = opened_before
    pictures = source.pictures(within_s)
    try:
        for picture in pictures:
            seen = True
            yield picture
    except UnreadableFile:
        if not (seen and source.live):
            raise
    finally:
        close = getattr(pictures, "close", None)
        if close is not None:
            close()
