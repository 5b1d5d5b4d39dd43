"""A real server with real workers: how it starts, what ends it, and what it leaves."""

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes by /proc")

LONG = {"settings": '{"method": "ensemble", "sigma": 15}'}
"""Takes some seconds, also for a small picture."""

FORM = "Content-Type: multipart/form-data; boundary=x"


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def begin(server, content):
    """A long job of a file, which runs."""
    key = server.client.post("/api/files", files={"file": ("a.png", content)}).raise_for_status().json()["id"]
    return key


def test_it_starts_fast_prints_one_line_and_ends_without_a_trace(process, until, png):
    server = process()
    assert server.seconds < 5.0
    assert server.client.get("/healthz").status_code == 200  # though the workers load still
    server.wait_ready()
    answer = server.client.post("/api/denoise", files={"file": ("a.png", png())}, timeout=60.0)
    assert answer.status_code == 200
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text()  # the server itself has no engine and no reader
    assert not [name for name in ("openvino", "torch", "numba", "llvmlite", "tifffile", "_png") if name in mapped]
    workers = server.workers()
    assert len(workers) == 1
    assert len(server.left()) == 1
    (root,) = [server.folder / name for name in server.left()]
    assert root.stat().st_mode & 0o777 == 0o700
    code, out, err = server.end(signal.SIGTERM)
    assert (code, out, err) == (0, "", "")
    assert server.left() == []
    until(lambda: not any(map(alive, workers)))


def test_a_job_that_runs_is_ended_by_ctrl_c(process, until, png):
    server = process("--workers", "2", "--token", "0123456789abcdef")
    assert server.line.endswith("#token=0123456789abcdef")
    server.client.headers["Authorization"] = "Bearer 0123456789abcdef"
    server.wait_ready()
    heard = []

    def ask():
        answer = httpx.post(
            f"{server.url}/api/denoise", files={"file": ("a.png", png(256, 256))}, data=LONG, timeout=60.0,
            headers=dict(server.client.headers),
        )  # fmt: skip
        heard.append((answer.status_code, answer.json()["error"]["name"]))

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: "noiseless_busy_workers 1.0" in server.client.get("/metrics").text)
    workers = server.workers()
    assert len(workers) == 2
    code, out, err = server.end(signal.SIGINT)
    thread.join()
    assert code in (0, 130)
    assert (out, err) == ("", "")
    assert heard == [(409, "Cancelled")]
    assert server.left() == []
    assert not any(map(alive, workers))


def test_a_second_ctrl_c_waits_for_nobody(process, until):
    server = process()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as slow:
        head = f"POST /api/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n{FORM}\r\n\r\n"
        slow.sendall(head.encode() + b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc')
        until(lambda: list(server.folder.glob("noiseless-serve-*/*/arriving")))
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        began = time.monotonic()
        code, _, _ = server.end(signal.SIGINT)
        assert time.monotonic() - began < 2.5  # the first alone waits for 3 s
    assert code in (0, 130)
    assert server.left() == []


def test_a_worker_that_is_killed_takes_only_its_job_along(process, until, png):
    server = process()
    server.wait_ready()
    key = begin(server, png(256, 256))
    until(lambda: server.client.get(f"/api/files/{key}").json()["state"] == "ready")
    body = {"file": key, "settings": {"method": "ensemble", "sigma": 15}}
    job = server.client.post("/api/jobs", json=body).json()["id"]
    until(lambda: server.client.get(f"/api/jobs/{job}").json()["state"] == "running")
    waiting = server.client.post("/api/jobs", json={"file": key, "settings": {"sigma": 15}}).json()["id"]
    (victim,) = server.workers()
    os.kill(victim, signal.SIGKILL)
    until(lambda: server.client.get(f"/api/jobs/{job}").json()["state"] == "failed")
    assert server.client.get(f"/api/jobs/{job}").json()["error"]["name"] == "WorkerDied"
    until(lambda: server.client.get(f"/api/jobs/{waiting}").json()["state"] == "done")
    assert victim not in server.workers()
    # Cancelling a job that runs ends its process as well.
    job = server.client.post("/api/jobs", json=body).json()["id"]
    until(lambda: server.client.get(f"/api/jobs/{job}").json()["progress"]["share"] > 0.0)
    (victim,) = server.workers()
    assert server.client.delete(f"/api/jobs/{job}").status_code == 204
    until(lambda: not alive(victim))
    assert server.end()[0] == 0


def test_a_server_that_is_killed_leaves_nothing_on_disk(process, until, png):
    server = process()
    begin(server, png())
    until(server.workers)
    workers = server.workers()
    server.end(signal.SIGKILL)
    until(lambda: not any(map(alive, workers)))  # they notice, and clear up
    assert server.left() == []


def test_what_a_killed_server_and_its_workers_left_is_cleared_by_the_next(process, until, png):
    first = process()
    begin(first, png())
    until(first.workers)
    os.kill(first.process.pid, signal.SIGSTOP)
    for pid in first.workers():  # first, so that none can clear up
        os.kill(pid, signal.SIGKILL)
    first.end(signal.SIGKILL)
    left = first.left()
    assert len(left) == 1
    another = process()
    until(lambda: left[0] not in another.left())
    third = process()  # of two that live, neither clears the other's away
    assert len(third.left()) == 2
    assert another.client.get("/healthz").status_code == 200
    assert third.end()[0] == another.end()[0] == 0
    assert another.left() == []


def test_a_device_that_is_not_there_ends_it_with_a_line(process):
    server = process("--device", "banana")
    server.client.close()
    _, err = server.process.communicate(timeout=30)
    assert server.process.returncode == 1
    assert "the workers cannot begin" in err
    assert "banana" in err
    assert server.left() == []
