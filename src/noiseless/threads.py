"""What of a machine a process may use, so that cores and GPUs are busy and none has to serve two."""

import math
import os
from pathlib import Path

THREADS = "OMP_NUM_THREADS"
"""Schedulers of clusters set it for their workers, and ``--jobs`` for its processes."""

SEAT = "NOISELESS_SEAT"
"""Which of several processes of one run a process is, from 0."""

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of the container, where there is one: microseconds of CPU in a period, and the period; or "max"."""


def usual_threads() -> int:
    """As many as the environment allows (OMP_NUM_THREADS), else one a core that this process may use; at least 1."""
    return threads_of_environment() or cores()


def threads_of_environment() -> int:
    """The bound that the environment sets, 0 without one; of nested bounds ("4,2") the outermost."""
    outermost = os.environ.get(THREADS, "").partition(",")[0].strip()
    return int(outermost) if outermost.isdecimal() else 0


def seat() -> int:
    """Of this process; 0 where it is alone."""
    said = os.environ.get(SEAT, "")
    return int(said) if said.isdecimal() else 0


def cores() -> int:
    """Cores that this process may use: those it may run on, and no more than its container pays for."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else (os.cpu_count() or 1)
    return max(1, min(count, quota()))


def quota() -> int:
    """Cores' worth of time that the container may take, rounded up; a large number without a limit."""
    try:
        allowed, period = _QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 2**30
    return 2**30 if allowed == "max" else math.ceil(int(allowed) / int(period))
