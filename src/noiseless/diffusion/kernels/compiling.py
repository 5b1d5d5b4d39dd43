"""How the functions of this package are compiled, and how their work is shared among threads."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from noiseless.threads import usual_threads

_Function = TypeVar("_Function", bound=Callable[..., Any])

_LEAST_WORK = 1 << 18  # pixel updates worth a thread: below, starting one takes longer than it saves


def compiled(function: _Function) -> _Function:
    """A function that Python calls, without the GIL; the machine code is kept on disk.

    Compiled functions allocate nothing, so nothing counts the owners of arrays; see :mod:`.views`.
    """
    return cast(_Function, numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False)(function))


def inner(function: _Function) -> _Function:
    """A function that only compiled code calls; without the wrappers it compiles faster.

    There is no fast-math: a pixel gets the same bits wherever it lies in an array, so tiles equal the whole, and
    one thread equals many.
    """
    njit = numba.njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
    return cast(_Function, njit(function))


Bands = Callable[[Callable[[int, int], object]], object]


@contextmanager
def bands_of(slabs: int, threads: int, work: int, least: int = 1) -> Iterator[Bands]:
    """Share the slabs of an image among threads.

    Parameters
    ----------
    slabs : how many rows or planes there are
    threads : at most so many; 0 means as many as usual, see :mod:`noiseless.threads`
    work : how many pixel updates there are in all
    least : how many slabs a band has at least

    Yields
    ------
    A function that calls a function of (first slab, slab after the last) once a band and waits for all of them.
    """
    count = max(1, min(threads or usual_threads(), slabs // least, work // _LEAST_WORK))
    edges = [slabs * band // count for band in range(count + 1)]
    if count == 1:
        yield lambda function: function(0, slabs)
        return
    pool = _pool(count)
    yield lambda function: list(pool.map(function, edges[:-1], edges[1:]))


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    """Threads that stay: starting them anew for each pass over a small image takes as long as the pass."""
    return ThreadPoolExecutor(count, thread_name_prefix="noiseless")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork


def in_bands(
    bands: Bands,
    slabs: int,
    shrink: NDArray[np.int64],
    march: Callable[[NDArray[np.int64], NDArray[np.int64]], None],
) -> None:
    """Let steps follow each other in each band of slabs, between start and stop, one entry a step.

    A band takes as many slabs at each step as it can without its neighbours; then what is missing about each border
    between two bands is made up. ``shrink`` is how many slabs less that is on each side.
    """
    borders: list[int] = []

    def advance(first: int, last: int) -> None:
        if first > 0:
            borders.append(first)
        march(first + shrink if first > 0 else 0 * shrink, last - shrink if last < slabs else 0 * shrink + slabs)

    bands(advance)
    for border in borders:
        march(border - shrink, border + shrink)
