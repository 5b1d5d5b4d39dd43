"""Command line: fuzz one reader for some minutes, in child processes that are watched."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)
sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != Path(__file__).resolve().parent]

from fuzzing.campaign import child, dict_of, keep  # noqa: E402
from fuzzing.judging import Finding  # noqa: E402
from fuzzing.readers import READERS  # noqa: E402

SECONDS, WALL_SECONDS = 10.0, 40.0
"""Of a core, and of a clock (the machine may have other work), that an input may take."""


def watched(name: str, seed: int, minutes: float, findings: Path, also: Path | None) -> dict[str, object]:
    """Run children until the time is over; a new one where one had to be ended or ended itself."""
    until, first = time.time() + 60 * minutes, 0
    total: dict[str, Counter[str]] = {key: Counter() for key in ("places", "findings", "noise")}
    inputs = read = seeds = 0
    seconds = 0.0
    while time.time() < until:
        folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        words = ["--child", str(folder), "--first", str(first), "--until", str(until)]
        words += ["--also", str(also)] if also else []
        command = [sys.executable, __file__, name, "--seed", str(seed), "--findings", str(findings), *words]
        process = subprocess.Popen(command, env={**os.environ, **ALONE})
        ended = _watch(process, folder)
        tally = json.loads((folder / "tally").read_bytes()) if (folder / "tally").is_file() else {}
        number = _number(folder)
        if ended:
            said = (folder / "noise").read_text("utf-8", "replace")[-3000:] if (folder / "noise").is_file() else ""
            finding = Finding("ended", f"{ended}\n{said}", ended)
            keep(findings, finding, dict_of(folder), max(number, 0))
            total["findings"][f"ended | {ended}"] += 1
        inputs += tally.get("inputs", 0)
        read += tally.get("read", 0)
        seeds = tally.get("seeds", seeds)
        seconds += tally.get("seconds", 0.0)
        for key, counter in total.items():
            counter.update(tally.get(key, {}))
        shutil.rmtree(folder, ignore_errors=True)
        if number < 0 and ended:
            break
        first = number + 1
    about = {"reader": name, "seed": seed, "minutes": minutes, "seconds": round(seconds), "seeds": seeds}
    return {**about, "inputs": inputs, "read": read, **total}


ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "PYTHONHASHSEED": "0"}


def _watch(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    """Wait for a child; how it ended if it did not end well."""
    number, since, used = -1, time.monotonic(), 0.0
    while process.poll() is None:
        time.sleep(0.2)
        now = _number(folder)
        if now != number:
            number, since, used = now, time.monotonic(), _seconds(process.pid)
        elif now >= 0 and (_seconds(process.pid) - used > SECONDS or time.monotonic() - since > WALL_SECONDS):
            process.send_signal(signal.SIGKILL)
            process.wait()
            return f"took {_seconds_text(used)} or more"
    code = process.returncode
    return "" if code == 0 else (signal.Signals(-code).name if code < 0 else f"exit status {code}")


def _seconds_text(_: float) -> str:
    return f"{SECONDS:g} s of a core, or {WALL_SECONDS:g} s"


def _number(folder: Path) -> int:
    try:
        return int((folder / "beat").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return -1


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """0 where nothing was found, 1 where something was."""
    parser = argparse.ArgumentParser(prog="python tests/fuzzing", description=__doc__)
    parser.add_argument("reader", nargs="?", choices=sorted(READERS))
    parser.add_argument("--list", action="store_true", help="names of the readers")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="folder for inputs that were wrong")
    parser.add_argument("--also", type=Path, help="folder of files that are seeds too, where they are small")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, default=0.0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.list or given.reader is None:
        sys.stdout.write("\n".join(sorted(READERS)) + "\n")
        return 0
    findings = given.findings if given.child else given.findings / given.reader
    if given.child:
        child(
            given.reader, given.child, findings, seed=given.seed, first=given.first, until=given.until, also=given.also
        )
        return 0
    result = watched(given.reader, given.seed, given.minutes, findings, given.also)
    sys.stdout.write(json.dumps({**result, "places": len(result["places"])}, indent=1) + "\n")  # type: ignore[arg-type]
    return 1 if result["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
