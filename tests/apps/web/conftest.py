"""A server in this process, with workers that do what a test says; and a real one in a process of its own."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import noiseless

httpx, uvicorn, _, _, _ = map(
    pytest.importorskip, ("httpx", "uvicorn", "fastapi", "python_multipart", "prometheus_client")
)

from noiseless.apps.web.application import application_of  # noqa: E402  what it needs may be absent
from noiseless.apps.web.limits import Limits  # noqa: E402
from noiseless.apps.web.pyramids import write_pyramid  # noqa: E402
from noiseless.apps.web.service import Service  # noqa: E402

PATIENCE = 30.0

PICTURE = {
    "width": 40, "height": 30, "slices": 1, "channels": 1, "tile": 512, "levels": 1, "window": [0.0, 255.0],
    "range": [3.0, 250.0], "dtype": "uint8", "unit": "grey levels",
}  # fmt: skip

READ = {"kind": "image", "description": {"format": "PNG"}, "picture": PICTURE, "noise": {"noise": "gaussian"}}

DENOISED = {
    "report": {"method": "score"}, "headline": "Noise was removed.", "findings": [], "suffix": ".png", "bytes": 4,
    "limits": {"removed": 1.0, "error": None, "structure": None}, "levels": 1,
}  # fmt: skip


class Worker:
    """What stands for a worker process: it is asked, and answers when the test says so, or at once."""

    def __init__(self, crew, heard, *, prompt):
        self.ready, self.alive, self.pid, self.prompt = False, True, None, prompt
        self.asked = []
        self._heard, self._loop = heard, asyncio.get_running_loop()
        crew.append(self)
        self._loop.call_soon(self._heard, self, {"ready": True})

    def ask(self, message):
        self.asked.append(message)
        if self.prompt:
            self.leave()
            self.says(done=dict(DENOISED if message["task"] == "denoise" else READ))

    def leave(self):
        """What a worker leaves on disk for a task: an empty picture, and something for each other file."""
        message = self.asked[-1]
        folder, is_job = Path(message["folder"]), message["task"] == "denoise"
        write_pyramid(np.zeros((1, 1, 30, 40), np.uint8), folder / ("denoised" if is_job else "noisy"))
        for name in ("result.png", "report.json", "report.html") if is_job else ():
            (folder / name).write_bytes(b"{}")

    def kill(self):
        self.alive = False

    def join(self, seconds):
        pass

    def says(self, **message):
        """In the loop of the server, from the thread of the test."""
        self._loop.call_soon_threadsafe(self._heard, self, message)


class Served:
    """A server that runs."""

    def __init__(self, service, crew, base):
        self.service, self.crew, self.url = service, crew, base
        headers = {"Authorization": f"Bearer {service.token}"} if service.token else {}
        self.client = httpx.Client(base_url=base, headers=headers, timeout=PATIENCE)

    @property
    def root(self):
        return self.service.store.root

    def left(self):
        """The folders that hold something."""
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def upload(self, content, name="x.png"):
        return self.client.post("/api/files", files={"file": (name, content)})

    def ready_file(self, content):
        """An upload that a stand-in for a worker has read."""
        key = self.upload(content).raise_for_status().json()["id"]
        if not self.crew[-1].prompt:
            self.doing(key).says(done=dict(READ))
        self.wait(f"/api/files/{key}", "ready")
        return key

    def doing(self, key):
        """The worker that was last asked to do something for a file or a job."""
        found = []

        def asked():
            found[:] = [w for w in self.crew if w.alive and w.asked and w.asked[-1]["folder"].endswith(key)]
            return found

        wait_until(asked)
        return found[0]

    def job(self, key, **settings):
        return self.client.post("/api/jobs", json={"file": key, "settings": settings})

    def wait(self, path, *states):
        """Until what is at ``path`` is in one of these states."""
        found = {}

        def there():
            found.update(self.client.get(path).raise_for_status().json())
            return found["state"] in states

        wait_until(there)
        return self.client.get(path).json()


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@contextlib.contextmanager
def run_here(service, crew):
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application_of(service), log_config=None, lifespan="on", timeout_graceful_shutdown=2, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    served = Served(service, crew, f"http://127.0.0.1:{listening.getsockname()[1]}")
    root = served.root
    try:
        yield served
    finally:
        served.client.close()
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert not root.exists()


@contextlib.contextmanager
def run_with_stand_ins(*, token=None, names=(), prompt=False, **limits):
    crew = []
    service = Service(Limits(**limits), token, "cpu", names, lambda start, heard: Worker(crew, heard, prompt=prompt))
    with run_here(service, crew) as served:
        yield served


@pytest.fixture
def serving():
    """``serving(token=None, names=(), prompt=False, **limits)``: a server here, with stand-ins for workers."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(run_with_stand_ins(**options))


@pytest.fixture(scope="module")
def prompt():
    """One for all tests of a module, whose stand-ins answer at once."""
    with run_with_stand_ins(prompt=True, bytes=300_000) as served:
        yield served


@pytest.fixture(scope="module")
def working():
    """A server in this process with a real worker."""
    with run_here(Service(Limits(max(1, 2**24), 4_000_000)), []) as served:
        wait_until(lambda: served.client.get("/healthz").json()["ready"])
        yield served


@pytest.fixture(scope="module")
def locked():
    """The same, with a token."""
    with run_with_stand_ins(prompt=True, token="0123456789abcdefT") as served:
        yield served


class Process:
    """``noiseless serve`` in a process of its own."""

    def __init__(self, folder, *options):
        environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "noiseless", "serve", "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.line = self.process.stdout.readline().strip()
        self.seconds = time.monotonic() - began
        self.folder = Path(folder)
        self.url = self.line.partition("#")[0].rstrip("/")
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)

    def workers(self):
        """Process ids of what it has started, but the one that minds shared memory."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def wait_ready(self):
        wait_until(lambda: self.client.get("/healthz").json()["ready"])

    def end(self, number=signal.SIGTERM):
        self.client.close()
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def left(self):
        return sorted(path.name for path in self.folder.iterdir() if path.name.startswith("noiseless-"))


@pytest.fixture
def process(tmp_path):
    """``process(*options)``: ``noiseless serve``; ended when the test ends."""
    started = []

    def start(*options):
        started.append(Process(tmp_path, *options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()
        each.client.close()


@pytest.fixture(scope="session")
def png():
    """``png(height, width, seed=0)``: the bytes of a noisy gray picture."""

    def made(height=48, width=64, seed=0):
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[0:height, 0:width] / 64.0
        clean = 127.5 + 60 * np.sin(5 * rows) * np.cos(4 * columns)
        noisy = np.clip(np.rint(clean + 15 * rng.standard_normal(clean.shape)), 0, 255).astype(np.uint8)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.png"
            noiseless.write(noiseless.from_array(noisy), path)
            return path.read_bytes()

    return made


@pytest.fixture
def until():
    """``until(condition, seconds=30.0)``: wait for it."""
    return wait_until


@pytest.fixture
def read():
    """What a worker says of a file that it has read."""
    return dict(READ)


@pytest.fixture
def denoised():
    """What a worker says of a job that it has done."""
    return dict(DENOISED)


@pytest.fixture
def told():
    """The problem that an answer tells: name and message; it is one line, and names no folder of the server."""

    def of(answer):
        problem = answer.json()["error"]
        assert set(answer.json()) == {"error"}
        assert set(problem) == {"name", "message"}
        assert "\n" not in problem["message"]
        assert not re.search(r"noiseless-serve-|/tmp/", problem["message"])
        return problem["name"], problem["message"]

    return of
