"""The stream itself: a source, a denoiser that keeps up with it, and an account of how it went."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, positive, shown
from noiseless.errors import InvalidParameter
from noiseless.names import Lazy, load

from .effort import Controller, Effort, efforts_for
from .frame import Arrival, Frame, Picture
from .latency import LatencyRecord, SourceRate, SourceTimes
from .pixels import FULL_SCALE, full_scale, nominal, stored_like
from .reconnection import reconnecting
from .source import Source
from .sources import TIMEOUT_S, open_source
from .waiting import DROPS, FrameQueue

DENOISER = Lazy("noiseless.restoration:TemporalDenoiser")

LONGEST_JOIN_S = 1.0
"""A reading thread that hangs in a device is left behind after that; it holds up neither the caller nor the exit."""


class Stream:
    """Denoises frames as they come, each with the help of those before it.

    With a source, iterate: ``for frame in Stream("camera:0", budget_ms=40)``. Without one, ``push`` frames of your own.

    Parameters
    ----------
    source : what :func:`noiseless.streams.open_source` takes, or gives; None: frames are pushed
    sigma : standard deviation of the noise in the units of the frames (25 = 25 grey levels of uint8); a larger one
        removes more. None: it is estimated, and followed as it changes.
    model : base, tiny, none (earlier frames alone), another that :class:`noiseless.TemporalDenoiser` takes, or auto:
        the best that the budget allows
    motion : flow, none, or auto
    strength : of the denoising; 1 is the most likely image, less leaves some noise
    budget_ms : from the arrival of a frame to its denoised pixels; the effort follows it. None: as long as it takes,
        always at the best effort.
    drop : what happens to frames that come too fast. oldest: the freshest frames win; newest: those that wait keep
        their place; none: the source waits. auto: oldest where the source is live, none where it is not.
    timeout_s : how long the source may be silent or lost
    reconnect : whether a live source that was lost is opened again
    clock, sleep : in seconds; for tests
    denoiser : instead of the usual one; it brings its own sigma and strength

    Raises
    ------
    InvalidParameter : a choice is out of range.
    UnreadableFile : the source does not exist; while iterating: it gave nothing in time, or was lost for good.
    """

    def __init__(  # noqa: PLR0913  the one place where everything about a stream is said
        self,
        source: Any = None,
        *,
        sigma: float | None = None,
        model: str = "auto",
        motion: str = "auto",
        strength: float = 1.0,
        budget_ms: float | None = None,
        drop: str = "auto",
        timeout_s: float = TIMEOUT_S,
        reconnect: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        denoiser: Any = None,
    ) -> None:
        if not isinstance(drop, str) or drop not in (*DROPS, "auto"):
            raise InvalidParameter(f"drop is {shown(drop)}; use auto, {', '.join(DROPS)}")
        if sigma is not None and denoiser is not None:
            raise InvalidParameter(f"sigma {shown(sigma)} is for the usual denoiser; give it to the one that you bring")
        if sigma is not None:
            try:
                not_negative("sigma", sigma, "")
            except InvalidParameter:
                raise InvalidParameter(
                    f"sigma is {shown(sigma)}; give the noise in the units of the frames, or None"
                ) from None
        positive("timeout_s", timeout_s, "give some seconds, usually 10")
        not_negative("strength", strength, "it is a factor on sigma, usually 1")
        self._closing = threading.Event()
        self._source: Source | None = None if source is None else open_source(source, timeout_s=timeout_s)
        self._sigma, self._strength = sigma, strength
        self._drop, self._timeout_s, self._reconnect = drop, timeout_s, reconnect
        self._clock = clock
        self._sleep = self._closing.wait if sleep is None else sleep
        self._denoiser, self._owns_denoiser = denoiser, denoiser is None
        # A denoiser that was brought keeps its own settings, unless there is something to choose.
        self._keeps_settings = denoiser is not None and (model, motion, budget_ms) == ("auto", "auto", None)
        efforts = efforts_for(model, motion, budget_ms=budget_ms)
        self._controller = Controller(efforts, None if budget_ms is None else budget_ms / 1000.0)
        self._effort: Effort | None = None
        self._efforts: dict[str, int] = {}
        self._latencies = LatencyRecord()
        self._rate = SourceRate()
        self._form: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self._connection = self._stale = self._changes = 0
        self._queue: FrameQueue[Arrival] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        if self._source is None:
            raise InvalidParameter("this stream has no source to iterate over; give it one, or push frames")
        if self._thread is not None or self._closing.is_set():
            raise InvalidParameter("a stream is read once; make a new one")
        self._queue = FrameQueue("none")
        arguments = (self._source, self._queue)
        self._thread = threading.Thread(target=self._read, args=arguments, name="noiseless-stream", daemon=True)
        self._thread.start()
        return self._frames(*arguments)

    def push(self, frame: NDArray[Any]) -> NDArray[Any]:
        """One frame of the caller's own loop, denoised; in its dtype and shape.

        Parameters
        ----------
        frame : (Y, X) gray or (Y, X, 3) RGB; uint8, uint16, or float32 in [0, 1]

        Raises
        ------
        InvalidParameter : the stream has a source, or is closed.
        InvalidImage : another dtype or shape, or values that are not finite.
        """
        if self._source is not None or self._closing.is_set():
            raise InvalidParameter("frames are pushed to an open stream without a source; this one is none")
        arrived = self._clock()
        self._controller.choose(0.0)
        return self._denoised(np.asarray(frame), arrived)

    @property
    def rate(self) -> float | None:
        """Frames a second as the source says, once it has given one; None where it does not."""
        return None if self._source is None else self._source.rate

    def report(self) -> dict[str, Any]:
        """How the stream has gone so far, in plain values.

        Returns
        -------
        frames, dropped, corrupt (skipped by the source), reconnects, size_changes : counts
        fps : denoised frames a second since the first one arrived
        latency_ms : p50, p95 and p99 of the latest 10 000 frames
        effort : the present one, model/motion; efforts : frames that were denoised at each
        sigma : of the noise, in the units of the frames
        """
        source, queue = self._source, self._queue
        return {
            "frames": self._latencies.frames,
            "dropped": self._stale + (0 if queue is None else queue.dropped),
            "corrupt": 0 if source is None else source.corrupt,
            "reconnects": self._connection,
            "size_changes": self._changes,
            "fps": self._latencies.fps,
            "latency_ms": self._latencies.percentiles_ms(),
            "effort": None if self._effort is None else str(self._effort),
            "efforts": dict(self._efforts),
            "sigma": self._present_sigma(),
        }

    def close(self) -> None:
        """Stop reading and let go of the source; safe to call twice, and from another thread."""
        self._closing.set()
        if self._source is not None:
            self._source.close()
        if self._queue is not None:
            self._queue.end()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(LONGEST_JOIN_S)

    def _read(self, source: Source, queue: FrameQueue[Arrival]) -> None:
        """In a thread of its own: fill the queue, and tell the other side how the source ended."""
        try:
            with contextlib.closing(self._pictures(source)) as pictures:
                times = SourceTimes(live=source.live)
                for index, (connection, picture) in enumerate(pictures):
                    now = self._clock()
                    if index == 0:
                        # Only an open source knows whether it is live.
                        times.live = source.live
                        queue.drop = ("oldest" if source.live else "none") if self._drop == "auto" else self._drop
                    moment = times.moment(picture.time, connection, now)
                    if not queue.put(Arrival(picture, moment, index, connection, now)):
                        break
            queue.end()
        except BaseException as error:
            queue.end(error)  # which raises it where frames are taken

    def _pictures(self, source: Source) -> Generator[tuple[int, Picture]]:
        if self._reconnect:
            yield from reconnecting(source, timeout_s=self._timeout_s, clock=self._clock, sleep=self._sleep)
        else:
            for picture in source.pictures(self._timeout_s):
                yield 0, picture

    def _frames(self, source: Source, queue: FrameQueue[Arrival]) -> Iterator[Frame]:
        try:
            while (arrival := self._next(queue)) is not None and not self._closing.is_set():
                # A source that waits for us has its frames ready early, and their waiting is no delay.
                arrived = arrival.at if source.live else self._clock()
                if arrival.connection != self._connection:
                    self._connection = arrival.connection
                    self._rate = SourceRate()
                    self._forget_the_past()
                self._rate.add(arrival.time, arrival.index)
                can_lose = source.live and queue.drop != "none"
                interval = self._rate.interval_s if can_lose else math.inf
                self._controller.choose(self._clock() - arrived, interval_s=interval)
                pixels = self._denoised(arrival.picture.pixels, arrived)
                yield Frame(pixels, arrival.time, arrival.index, self._latencies.latest_ms)
        finally:
            self.close()

    def _next(self, queue: FrameQueue[Arrival]) -> Arrival | None:
        """The next frame, past those that have waited too long while fresher ones came."""
        arrival = queue.take()
        while arrival is not None and queue.drop == "oldest" and len(queue) > 0:
            if not self._controller.is_stale(self._clock() - arrival.at):
                break
            self._stale += 1
            arrival = queue.take()
        return arrival

    def _denoised(self, frame: NDArray[Any], arrived: float) -> NDArray[Any]:
        began = self._clock()
        planes = nominal(frame)
        self._notice_form(frame)
        clean = stored_like(self._prepared(frame).push(planes), frame)
        finished = self._clock()
        self._controller.observe(finished - began)
        self._latencies.add(arrived, finished)
        self._efforts[str(self._effort)] = self._efforts.get(str(self._effort), 0) + 1
        return clean

    def _prepared(self, frame: NDArray[Any]) -> Any:
        """The denoiser, at the effort that was chosen."""
        effort = self._controller.effort
        if self._denoiser is None:
            sigma = None if self._sigma is None else self._sigma / full_scale(frame)
            self._denoiser = load(DENOISER)(
                sigma=sigma, model=effort.model, motion=effort.motion, strength=self._strength
            )
        if self._keeps_settings:
            self._effort = Effort(str(self._denoiser.model), str(self._denoiser.motion))
        elif effort != self._effort:
            self._denoiser.model, self._denoiser.motion = effort.model, effort.motion
            self._effort = effort
        return self._denoiser

    def _notice_form(self, frame: NDArray[Any]) -> None:
        form = (frame.shape, frame.dtype)
        if self._form is not None and self._form != form:
            self._changes += 1
            self._forget_the_past()
            if self._owns_denoiser and (len(self._form[0]), self._form[1]) != (frame.ndim, frame.dtype):
                self._denoiser = None  # its noise is that of other channels, or of another range
        self._form = form

    def _forget_the_past(self) -> None:
        """Frames before a loss, or of another size, say nothing of those after it."""
        if self._denoiser is not None:
            self._denoiser.reset()

    def _present_sigma(self) -> Any:
        """A number, or one a channel; in the units of the frames."""
        found = [] if self._denoiser is None else self._denoiser.report()["noise"]["sigma"]
        if self._form is None or not found:
            return self._sigma
        levels = [FULL_SCALE[self._form[1]] * level for level in found]
        return levels[0] if len(set(levels)) == 1 else levels
