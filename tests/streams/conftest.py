"""Stand-ins whose time passes only when a test says so."""

import numpy as np
import pytest

from noiseless.streams import Picture


class Clock:
    """Seconds that pass by ``sleep`` alone."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Denoiser:
    """Gives each frame back and takes as long as ``cost`` says; it notes what was asked of it."""

    def __init__(self, clock=None, cost=lambda effort: 0.0):
        self.model, self.motion = "base", "flow"
        self.clock, self.cost = clock, cost
        self.shapes, self.efforts, self.resets = [], [], 0

    def push(self, frame):
        assert frame.dtype == np.float32
        self.shapes.append(frame.shape)
        self.efforts.append(f"{self.model}/{self.motion}")
        if self.clock is not None:
            self.clock.sleep(self.cost(self.efforts[-1]))
        return frame.copy()

    def reset(self):
        self.resets += 1

    def report(self):
        return {"noise": {"sigma": [0.1]}}


class Connections:
    """A live source: each entry is one connection, a list of what it gives; an exception in it is raised."""

    live, corrupt, rate, name = True, 0, None, "fake://camera"

    def __init__(self, *connections):
        self.connections = list(connections)
        self.closed = False
        self.opened = 0

    def pictures(self, within_s):
        self.opened += 1
        given = self.connections.pop(0) if self.connections else []
        for thing in given:
            if isinstance(thing, Exception):
                raise thing
            yield thing if isinstance(thing, Picture) else Picture(thing)

    def close(self):
        self.closed = True


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_denoiser():
    return Denoiser


@pytest.fixture
def make_source():
    return Connections


@pytest.fixture
def frames(rng):
    """Five different gray frames."""
    return [rng.integers(0, 256, (16, 24), dtype=np.uint8) for _ in range(5)]


@pytest.fixture
def clip(tmp_path):
    """A function that writes a short video file with smooth content; it gives the path."""
    from noiseless.streams import Frame, open_sink

    def write(name, *, count=12, size=(48, 64), rate=25.0):
        sink = open_sink(tmp_path / name, rate=rate)
        rows, columns = np.mgrid[: size[0], : size[1]]
        for number in range(count):
            picture = np.stack([rows * 4, columns * 3, np.full_like(rows, 10 * number)], axis=-1).astype(np.uint8)
            sink.write(Frame(picture, number / rate, number, 0.0))
        sink.close()
        return tmp_path / name

    return write
