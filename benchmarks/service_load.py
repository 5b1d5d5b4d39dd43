"""Whether the service loses anything when many ask at once.

    python benchmarks/service_load.py [--clients 100] [--seconds 60] [--workers 1] [--side 64]

Starts ``noiseless serve`` on this machine. Each client uploads small pictures of its own, waits until they are read,
has them denoised, fetches the result and deletes them, over and over; where it is told that a queue is full it waits
as long as it is told to. At the end of the time no client begins anew, and all finish what was accepted.

Every result is compared to the noisy picture that it came of, some with what ``noiseless.denoise`` makes of it here.
Prints what happened, how long it took, the memory of server and workers, and what lies on the disk when the server has
ended. The exit code is 1 where something that was accepted was lost, a result was wrong, or something was left.
"""

import argparse
import asyncio
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

import noiseless

SIGMA = 15.0

COMPARED = 20
"""Results that are compared with those of the library, bit by bit."""

PATIENCE = 600.0

DONE = 'noiseless_jobs_total{state="done"}'


@dataclass
class Tally:
    """What happened."""

    counts: Counter = field(default_factory=Counter)
    seconds: dict = field(default_factory=lambda: {"upload to result": [], "one request": []})
    wrong: list = field(default_factory=list)
    kept: list = field(default_factory=list)


def picture(side, seed):
    """(noisy, bytes of a PNG)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side] / 64.0
    clean = 127.5 + 60 * np.sin(5 * rows + seed % 7) * np.cos(4 * columns)
    noisy = np.clip(np.rint(clean + SIGMA * rng.standard_normal(clean.shape)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "png")
    return noisy, stream.getvalue()


class Client:
    """One of many."""

    def __init__(self, http, number, tally, until, side):
        self.http, self.number, self.tally, self.until, self.side = http, number, tally, until, side

    async def ask(self, method, path, **what):
        """Ask until the queue is not full; None where time is over before that."""
        while True:
            began = time.perf_counter()
            answer = await self.http.request(method, path, **what)
            self.tally.seconds["one request"].append(time.perf_counter() - began)
            if answer.status_code != 429:
                return answer
            self.tally.counts["told to wait"] += 1
            if time.monotonic() > self.until:
                return None
            await asyncio.sleep(int(answer.headers["retry-after"]) * random.uniform(0.5, 1.5))

    async def follow(self, path, states):
        while True:
            told = (await self.ask("GET", path)).json()
            if told["state"] in states:
                return told
            await asyncio.sleep(0.25)

    async def run(self):
        round_number = 0
        while time.monotonic() < self.until:
            round_number += 1
            await self.one(1000 * self.number + round_number)

    async def one(self, seed):
        noisy, content = picture(self.side, seed)
        began = time.perf_counter()
        answer = await self.ask("POST", "/api/files", files={"file": (f"{seed}.png", content)})
        if answer is None:
            return
        if answer.status_code != 202:
            self.tally.wrong.append(f"upload: {answer.status_code} {answer.text[:100]}")
            return
        self.tally.counts["files accepted"] += 1
        key = answer.json()["id"]
        file = await self.follow(f"/api/files/{key}", ("ready", "failed"))
        if file["state"] != "ready":
            self.tally.wrong.append(f"file: {file}")
            return
        self.tally.counts["files read"] += 1
        answer = await self.ask("POST", "/api/jobs", json={"file": key, "settings": {"sigma": SIGMA}})
        if answer is not None and answer.status_code == 202:
            self.tally.counts["jobs accepted"] += 1
            job = await self.follow(f"/api/jobs/{answer.json()['id']}", ("done", "failed", "cancelled"))
            if job["state"] == "done":
                await self.look_at(job["id"], noisy)
                self.tally.seconds["upload to result"].append(time.perf_counter() - began)
            else:
                self.tally.wrong.append(f"job: {job}")
        elif answer is not None:
            self.tally.wrong.append(f"job: {answer.status_code} {answer.text[:100]}")
        deleted = await self.ask("DELETE", f"/api/files/{key}")
        if deleted.status_code != 204:
            self.tally.wrong.append(f"delete: {deleted.status_code}")

    async def look_at(self, job, noisy):
        answer = await self.ask("GET", f"/api/jobs/{job}/result")
        clean = np.asarray(Image.open(io.BytesIO(answer.content)))
        self.tally.counts["jobs done"] += 1
        # Of its own picture: what was removed has the strength of the noise, that of another's much more.
        removed = float(np.std(noisy.astype(float) - clean))
        if clean.shape != noisy.shape or not 0.7 * SIGMA < removed < 1.1 * SIGMA:
            self.tally.wrong.append(f"result of another picture: {removed:.1f}")
        if len(self.tally.kept) < COMPARED:
            self.tally.kept.append((noisy, clean))


async def load(url, tally, clients, seconds, side):
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=PATIENCE) as http:
        while (await http.get("/healthz")).json()["ready"] == 0:
            await asyncio.sleep(0.1)
        until = time.monotonic() + seconds
        await asyncio.gather(*(Client(http, number, tally, until, side).run() for number in range(1, clients + 1)))
        figures = (await http.get("/metrics")).text
        return {line.split()[0]: float(line.split()[1]) for line in figures.splitlines() if not line.startswith("#")}


def memory(pid):
    """MB that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def workers_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--side", type=int, default=64)
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        command = "import typer, noiseless.apps.cli.serving as s; a = typer.Typer(); a.command()(s.serve); a()"
        began = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-c", command, "--port", "0", "--workers", str(arguments.workers)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": folder},
        )  # fmt: skip
        url = server.stdout.readline().strip()
        started = time.perf_counter() - began
        try:
            before = memory(server.pid)
            began = time.perf_counter()
            figures = asyncio.run(load(url, tally, arguments.clients, arguments.seconds, arguments.side))
            lasted = time.perf_counter() - began
            after, workers = memory(server.pid), [memory(pid) for pid in workers_of(server.pid)]
            left = [path for path in Path(folder).glob("noiseless-serve-*/*") if path.is_dir()]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        remains = list(Path(folder).iterdir())
    equal = sum(np.array_equal(noiseless.denoise(noisy, sigma=SIGMA), clean) for noisy, clean in tally.kept)
    counts = tally.counts
    lost = counts["files accepted"] - counts["files read"] + counts["jobs accepted"] - counts["jobs done"]
    print(
        f"{arguments.clients} clients, {arguments.seconds:g} s, {arguments.workers} worker(s), {os.cpu_count()} cores"
    )
    print(f"  started in {started:.2f} s; all was done {lasted:.1f} s after the first request")
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")
    print(f"  jobs a second: {counts['jobs done'] / lasted:.2f}")
    for name, values in tally.seconds.items():
        shown = ", ".join(f"{share} %: {np.percentile(values, share):.3f} s" for share in (50, 95, 99, 100))
        print(f"  {name} ({len(values)}): {shown}")
    print(f"  lost: {lost}; wrong: {len(tally.wrong)}; equal to noiseless.denoise: {equal} of {len(tally.kept)}")
    done, disk = figures[DONE], figures["noiseless_disk_bytes"]
    busy = sum(figures[f'noiseless_task_seconds_sum{{task="{task}"}}'] for task in ("read", "denoise"))
    print(f"  by the server: {done:g} done, {disk:g} bytes on disk; workers busy {busy / arguments.workers:.1f} s")
    print(f"  memory of the server: {before:.0f} MB, then {after:.0f} MB; of workers {workers[0]:.0f} MB")
    print(f"  folders on disk after the last request: {len(left)}; after the end of the server: {len(remains)}")
    for text in tally.wrong[:5]:
        print(f"  {text}")
    good = not lost and not tally.wrong and equal == len(tally.kept) and not left and not remains
    print("nothing was lost" if good else "FAILED")
    return 0 if good and server.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
