"""What a stream measures of itself, in bounded memory however long it runs."""

import math
from collections import deque

import numpy as np

RECENT = 10_000
"""Frames whose latency is remembered: five minutes at 30 frames a second."""

LARGEST_JUMP_S = 5.0
"""The clock of a live source may be so far from ours before it is set by ours."""

PERCENTILES = (50, 95, 99)
SPAN = 30
LEAST_SPAN = 4


class LatencyRecord:
    """Latencies of the frames so far, and their rate."""

    def __init__(self) -> None:
        self._latencies: deque[float] = deque(maxlen=RECENT)
        self._began: float | None = None
        self._ended = 0.0
        self.frames = 0

    def add(self, arrived: float, finished: float) -> None:
        """Count one frame, by the times of its arrival and of its denoised pixels."""
        self._began = arrived if self._began is None else self._began
        self._ended = finished
        self._latencies.append(1000.0 * (finished - arrived))
        self.frames += 1

    @property
    def latest_ms(self) -> float:
        return self._latencies[-1] if self._latencies else math.nan

    @property
    def fps(self) -> float | None:
        """Frames a second since the first one arrived; None before there is one."""
        elapsed = 0.0 if self._began is None else self._ended - self._began
        return self.frames / elapsed if elapsed > 0.0 else None

    def percentiles_ms(self) -> dict[str, float | None]:
        """Of the latest 10 000 frames: p50, p95, p99."""
        if not self._latencies:
            return {f"p{share}": None for share in PERCENTILES}
        values = np.percentile(np.fromiter(self._latencies, dtype=np.float64), PERCENTILES)
        return {f"p{share}": float(value) for share, value in zip(PERCENTILES, values, strict=True)}


class SourceRate:
    """The interval between the frames of a source, from their own times, so that bursts on a network do not count."""

    def __init__(self) -> None:
        self._moments: deque[tuple[float, int]] = deque(maxlen=SPAN)

    def add(self, time: float, index: int) -> None:
        """Note a frame that was not dropped; its number tells of those that were."""
        self._moments.append((time, index))

    @property
    def interval_s(self) -> float:
        """Mean over the last second or so; infinite while too little is known."""
        if len(self._moments) < LEAST_SPAN:
            return math.inf
        (first, low), (last, high) = self._moments[0], self._moments[-1]
        return (last - first) / (high - low) if last > first else math.inf


class SourceTimes:
    """When frames were taken, in seconds since the first: by the source's clock, which may begin anew.

    Each connection has a clock of its own, and a sender of datagrams that was started again is no new connection. Where
    the clock of a live source goes back, or is far from ours, it is set by ours.

    Parameters
    ----------
    live : a source that is not live may give its frames faster than its clock runs
    """

    def __init__(self, *, live: bool) -> None:
        self.live = live
        self._started: float | None = None
        self._offset = 0.0
        self._connection = 0
        self._last = -math.inf

    def moment(self, told: float | None, connection: int, now: float) -> float:
        """Of a frame that arrives now; ``told`` is what the source says, or None."""
        if self._started is None:
            self._started = now
        elapsed = now - self._started
        if told is None:
            return elapsed
        if connection != self._connection:
            self._connection, self._offset = connection, elapsed
        moment = self._offset + told
        if self.live and (moment <= self._last or abs(moment - elapsed) > LARGEST_JUMP_S):
            moment = max(elapsed, math.nextafter(self._last, math.inf))
            self._offset = moment - told
        self._last = moment
        return moment
