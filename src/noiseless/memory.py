"""What memory a process may use: what the machine has, within the bound of its container."""

import os
from pathlib import Path

_CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Its bound, of cgroups of version 2 and 1: bytes, or "max"."""

_FREE = Path("/proc/meminfo")


def usable_memory() -> int | None:
    """Bytes; None where the system does not tell."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # where the system has no such calls
        return None
    return min([whole, *(int(said) for said in map(_text, _CONTAINER) if said.isdecimal())])


def free_memory() -> int | None:
    """Bytes that nobody uses, at most those that this process may use; None where the system does not tell."""
    usable = usable_memory()
    for line in _text(_FREE).splitlines():
        if usable is not None and line.startswith("MemAvailable:"):
            return min(usable, int(line.split()[1]) * 1024)
    return usable


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
