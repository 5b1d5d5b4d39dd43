"""Workers on other machines: those of a Dask cluster that is there already."""

import asyncio
import contextlib
import itertools
import logging
import math
import queue
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from noiseless.errors import InvalidParameter, NoiselessError
from noiseless.names import Lazy, load

from .workers import Item, Lost, Result

logger = logging.getLogger(__name__)

_CLIENT = Lazy("distributed:Client", extra="scale")
_CONNECT = Lazy("distributed.comm:connect", extra="scale")
_SECURITY = Lazy("distributed:Security", extra="scale")
_GET_WORKER = Lazy("distributed:get_worker", extra="scale")
_KILLED = Lazy("distributed:KilledWorker", extra="scale")
_CARRIER = Lazy("noiseless.batches.carrier:Carrier", extra="scale")
_PACKED = Lazy("noiseless.batches.parcel:packed", extra="scale")

ANSWER_S = 10.0
"""In which a scheduler answers, or is none."""

LOOK_S = 2.0
"""How often the cluster is looked at, which grows and shrinks."""

SPARE = 2
"""Tasks in flight besides one a thread, and one more for every eight threads: no thread waits for the next."""

NOTATION = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")

KILLED = (
    "every worker that tried to denoise it died, alone too; perhaps memory was short: take workers with more of it, "
    "fewer on a machine, or less --memory"
)


class Cluster:
    """The workers of a Dask cluster; they come and go as they like.

    Parameters
    ----------
    address : of its scheduler: tcp://HOST:PORT, or tls:// with the certificates that Dask is configured with

    The same noiseless must be installed there. Results are written by the workers: inputs and outputs need a file
    system that all share, and paths that hold on all, so absolute ones. The function is sent once to each worker, and
    with it the weights whose paths are in it (``.safetensors``), which need not be shared. Start workers of one thread
    each, ``dask worker ADDRESS --nworkers N --nthreads 1``: their nanny sets OMP_NUM_THREADS=1, by which the engine
    takes one thread, and starts another where one dies.

    While there is no worker at all it is waited for one, which is logged. An item whose worker dies is given to others,
    as often as the scheduler's ``allowed-failures`` says (3); the rest of what that worker had waiting is blamed with
    it, so all these are tried once more at the end, one at a time, before they are lost. A worker that is cut off and
    goes on may do an item that another is given too; outputs are put into place whole, so one of the two counts.

    Raises
    ------
    InvalidParameter : the address is none; on entering, nothing answers there in 10 seconds.
    MissingExtra : distributed is not installed.
    """

    def __init__(self, address: str) -> None:
        match = NOTATION.fullmatch(address)
        if match is None or not 0 < int(match[3]) < 2**16:
            raise InvalidParameter(f"scheduler is {address!r}; write tcp://HOST:PORT, such as tcp://10.0.0.1:8786")
        self.address = address
        self._client: Any = None
        self._threads: int | None = None
        self._looked = -math.inf

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Lost]]:
        """See :meth:`.Workers.map`.

        Raises
        ------
        NoiselessError : the scheduler has gone.
        """
        name = f"noiseless-{uuid.uuid4().hex}"
        self._carry(function, name)
        suspects: list[Item] = []
        try:
            for item, result in self._go(name, iter(items), alone=False):
                if isinstance(result, Lost):
                    suspects.append(item)
                else:
                    yield item, result
            yield from self._go(name, iter(suspects), alone=True)
        finally:
            with contextlib.suppress(Exception):  # the scheduler has gone, or workers are dying
                self._client.unregister_worker_plugin(name)

    def __enter__(self) -> "Cluster":
        client = load(_CLIENT)
        try:
            # The client by itself would wait without an end for the first word of whoever listens there.
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(asyncio.run, _greeted(self.address)).result()
            self._client = client(self.address, timeout=ANSWER_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InvalidParameter(
                f"no scheduler answers at {self.address!r} within {ANSWER_S:g} s; start one with: dask scheduler"
            ) from error
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def _carry(self, function: Callable[[Any], Any], name: str) -> None:
        """Send the function to every worker, and to those that will be there."""
        parcel = load(_PACKED)(function)
        try:
            self._client.register_plugin(load(_CARRIER)(parcel), name=name)
        except ImportError as error:
            raise InvalidParameter(
                f"the workers of {self.address!r} cannot begin: {error}; install the same noiseless there"
            ) from error

    def _go(self, name: str, items: Iterator[Any], *, alone: bool) -> Iterator[tuple[Any, Any]]:
        finished: queue.SimpleQueue[str] = queue.SimpleQueue()
        pending: dict[str, tuple[Any, Any]] = {}
        try:
            while True:
                room = 1 if alone else self._room()
                for item in itertools.islice(items, max(0, room - len(pending))):
                    key = f"{name}-{uuid.uuid4().hex}"
                    future = self._client.submit(_done, name, item, key=key, pure=False)
                    pending[key] = item, future
                    future.add_done_callback(lambda done: finished.put(done.key))
                if not pending:
                    return
                try:
                    item, future = pending.pop(finished.get(timeout=LOOK_S))
                except queue.Empty:
                    self._check()
                    continue
                yield item, self._result(future)
                del future
        finally:
            for _, future in pending.values():
                with contextlib.suppress(Exception):  # the scheduler has gone
                    future.cancel()

    def _room(self) -> int:
        """How many tasks may be in flight."""
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            threads = sum(self._asked(self._client.nthreads).values())
            if not threads and self._threads != 0:
                logger.warning("no worker at %s: waiting for one; start some with: dask worker", self.address)
            self._threads, self._looked = threads, now
        threads = self._threads or 0
        return threads + SPARE + threads // 8

    def _check(self) -> None:
        if self._client.status != "running":
            raise self._gone()

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (OSError, RuntimeError) as error:
            raise self._gone() from error

    def _gone(self) -> NoiselessError:
        return NoiselessError(f"the scheduler at {self.address!r} has gone; start it, and do the same again")

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except load(_KILLED):
            return Lost(KILLED)
        except Exception as error:
            if future.status in ("cancelled", "lost"):
                raise self._gone() from error
            raise


async def _greeted(address: str) -> None:
    """Connect, and exchange what a scheduler says first."""
    options = load(_SECURITY)().get_connection_args("client")
    comm = await asyncio.wait_for(load(_CONNECT)(address, timeout=ANSWER_S, **options), ANSWER_S)
    await comm.close()


def _done(name: str, item: Any) -> Any:
    """On a worker: the function that was sent under a name, of an item."""
    return load(_GET_WORKER)().plugins[name].function(item)
