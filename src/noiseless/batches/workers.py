"""Who does the work of a batch: what they promise, and the simplest of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Lost:
    """Stands for the result of an item whose worker died of it.

    Parameters
    ----------
    why : in a sentence, for people, with what may help
    """

    why: str


class Workers(Protocol):
    """Call one function for many items. A context manager: at its end no worker is left."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """Each item with its result, in the order in which they are finished.

        Items are drawn as workers get free, a few more than there are of them, so that memory stays flat however many
        there are. An exception of the function is raised on, and ends the others; a worker that dies ends nothing: its
        item is tried once more, and has :class:`Lost` for a result where that was in vain.

        Parameters
        ----------
        function, items : with results such as can be pickled, for workers elsewhere
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class InProcess:
    """This process, one item after the other."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """See :meth:`Workers.map`; here the order is that of the items."""
        for item in items:
            yield item, function(item)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nobody to end."""
