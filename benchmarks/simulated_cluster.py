"""Workers that denoise files of a shared disk, simulated: what rate they reach, and what is used how much.

Each worker asks the scheduler for an image, reads, denoises and writes it, and does so again (simpy). Disk, network of
the disk, and link of each machine serve one file after the other; the two directions of a network do not hinder each
other. CPU time is log-normal. A worker dies at random, loses the image at hand, and is back after ``Plan.restart``
seconds. The rate is that between a fifth of the images done and the last one begun.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import simpy

AGREEMENT = 0.03


@dataclass(frozen=True)
class Plan:
    """Seconds, megabytes, megabytes a second; ``mtbf`` and ``restart`` in seconds."""

    compute: float
    megabytes_in: float
    megabytes_out: float
    disk: float = math.inf
    latency: float = 0.0
    network: float = math.inf
    link: float = math.inf
    cores: int = 16
    tasks: float = math.inf
    mtbf: float = math.inf
    restart: float = 0.0
    spread: float = 0.0


@dataclass
class Line:
    """Serves one after the other; what is asked for waits for what came before."""

    free: float = 0.0
    asked: float = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """How long until it is done."""
        self.free = max(now, self.free) + seconds
        self.asked += seconds
        return self.free - now

    def busy(self, now: float) -> float:
        """Seconds of work until now: what was asked for, less what still waits."""
        return self.asked - max(0.0, self.free - now)


@dataclass
class Cluster:
    """One run: ``waiting`` images are left to begin."""

    plan: Plan
    workers: int
    waiting: int
    seed: int = 0
    env: simpy.Environment = field(default_factory=simpy.Environment)
    done: int = 0
    computing: int = 0
    computed: float = 0.0
    since: float = 0.0
    starts: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        machines = math.ceil(self.workers / self.plan.cores)
        self.rng = np.random.default_rng(self.seed)
        self.lines = {name: Line() for name in ("disk", "network in", "network out", "scheduler")}
        self.links = [{"in": Line(), "out": Line()} for _ in range(machines)]
        self.begin_at = self.waiting // 5

    def run(self) -> dict[str, float]:
        """Images a second and the use of each part, while all are at work."""
        for number in range(self.workers):
            self.env.process(self.worker(number))
        self.env.run()
        first, last = self.starts
        span = last["time"] - first["time"]
        used = {name: (last[name] - first[name]) / span for name in first if name not in ("time", "done")}
        return {
            "rate": (last["done"] - first["done"]) / span,
            "CPU": used["CPU"] / self.workers,
            "disk": used["disk"],
            "network": max(used["network in"], used["network out"]),
            "link": used["link"] / len(self.links),
            "scheduler": used["scheduler"],
        }

    def look(self) -> None:
        """Note the counters."""
        now = self.env.now
        self.count(0)
        of_links = (max(line.busy(now) for line in link.values()) for link in self.links)
        used = {name: line.busy(now) for name, line in self.lines.items()} | {"link": sum(of_links)}
        self.starts.append({"time": now, "done": self.done, "CPU": self.computed, **used})

    def count(self, change: int) -> None:
        self.computed += self.computing * (self.env.now - self.since)
        self.computing, self.since = self.computing + change, self.env.now

    def worker(self, number: int) -> Iterator[simpy.Event]:
        plan, env = self.plan, self.env
        link = self.links[number // plan.cores]
        inwards = (self.lines["disk"], plan.disk), (self.lines["network in"], plan.network), (link["in"], plan.link)
        outwards = (link["out"], plan.link), (self.lines["network out"], plan.network), (self.lines["disk"], plan.disk)
        dies = self.rng.exponential(plan.mtbf) if plan.mtbf < math.inf else math.inf
        yield env.timeout(self.rng.uniform(0, plan.compute))  # else all read at the same time
        while self.waiting:
            self.waiting -= 1
            if not self.waiting and len(self.starts) == 1:
                self.look()
            yield env.timeout(self.lines["scheduler"].serve(env.now, 1 / plan.tasks))
            yield from self.moved(plan.megabytes_in, inwards)
            seconds = plan.compute * math.exp(plan.spread * self.rng.standard_normal() - plan.spread**2 / 2)
            self.count(1)
            yield env.timeout(min(seconds, max(0.0, dies - env.now)))
            self.count(-1)
            if env.now < dies:
                yield from self.moved(plan.megabytes_out, outwards)
            if env.now >= dies:
                self.waiting += 1
                yield env.timeout(plan.restart)
                dies = env.now + self.rng.exponential(plan.mtbf)
                continue
            self.done += 1
            if self.done == self.begin_at:
                self.look()

    def moved(self, megabytes: float, road: tuple[tuple[Line, float], ...]) -> Iterator[simpy.Event]:
        """A file over each part of the road, whole."""
        if self.plan.latency:
            yield self.env.timeout(self.plan.latency)
        for line, rate in road:
            if rate < math.inf:
                yield self.env.timeout(line.serve(self.env.now, megabytes / rate))


def simulated(plan: Plan, workers: int, sample: int) -> dict[str, float]:
    return Cluster(plan, workers, max(sample, 40 * workers)).run()


def checked(sample: int) -> None:
    """One limit at a time, and what the rate then must be."""
    alone = Plan(compute=10.0, megabytes_in=10.0, megabytes_out=6.0)
    mtbf, restart = 100.0, 5.0
    cases = (
        ("CPU: N / c", alone, 64, 6.4),
        ("CPU, log-normal 0.5: N / mean", replace(alone, spread=0.5), 64, 6.4),
        ("CPU and latency l: N / (c + 2 l)", replace(alone, latency=1.0), 64, 64 / 12),
        ("disk: B / (in + out)", replace(alone, disk=32.0), 64, 2.0),
        ("network: B / max(in, out)", replace(alone, network=20.0), 64, 2.0),
        ("links of 4 machines: 4 B / max(in, out)", replace(alone, link=5.0), 64, 2.0),
        ("scheduler: its rate", replace(alone, tasks=3.0), 64, 3.0),
        (
            "deaths: N / ((T + r) (exp(c / T) - 1))",
            replace(alone, mtbf=mtbf, restart=restart),
            64,
            64 / ((mtbf + restart) * math.expm1(alone.compute / mtbf)),
        ),
    )
    print("\nThe simulation against closed forms, one limit at a time\n")
    print("| limit | closed form, images/s | simulated | difference |\n| --- | --- | --- | --- |")
    worst = 0.0
    for name, plan, workers, expected in cases:
        rate = simulated(plan, workers, sample)["rate"]
        worst = max(worst, abs(rate / expected - 1))
        print(f"| {name} | {expected:.3f} | {rate:.3f} | {100 * (rate / expected - 1):+.2f} % |", flush=True)
    if worst > AGREEMENT:
        sys.exit(f"the simulation is off by {100 * worst:.1f} %: believe none of it")
