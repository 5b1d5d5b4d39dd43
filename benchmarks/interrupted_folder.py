"""Does a folder run survive being killed? SIGKILL at moments spread over a run, which then goes on; nothing may break.

    python benchmarks/interrupted_folder.py [--images 40] [--side 192] [--kills 10] [--jobs 1 2]
        [--method heat]

A folder of noise is denoised once undisturbed. Then the same is asked for again and again into another folder, and each
time killed when it has come a part further, until it is let go to the end. After each kill are counted, in a line of
the table: outputs that are there, those among them whose bytes are not those of the undisturbed run ("broken"), lines
of the manifest that say done of such or of missing ones ("wrong"), and worker processes that still run after five
seconds ("orphans"). Exits with 1 if any of these three is not 0, or if at the end an output is missing or wrong, an
input has not exactly one line that says done, or a temporary is left. Linux, for its /proc.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import noiseless

ORPHANS_S, LONGEST_S = 5.0, 120.0
KEPT = {"manifest.jsonl", ".noiseless/lock"}


def make_images(folder, count, side):
    """Pictures of noise, every third in a subfolder; their names relative to the folder."""
    rng = np.random.default_rng(0)
    names = [f"{'sub/' if number % 3 == 0 else ''}{number:03}.png" for number in range(count)]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        noiseless.write(noiseless.from_array(rng.integers(0, 256, (side, side), dtype=np.uint8)), folder / name)
    return names


def started(images, results, jobs, method):
    command = [sys.executable, "-m", "noiseless", "denoise", str(images), "-o", str(results), "--jobs", str(jobs)]
    command += ["--sigma", "20", "--model", "tiny", "--method", method]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def contents(folder):
    """Of the pictures in a folder, by name; what is hidden is no picture."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.png")}
    return {name: path.read_bytes() for name, path in found.items() if not path.name.startswith(".")}


def lines_of(folder):
    """The whole lines of a manifest."""
    path = folder / "manifest.jsonl"
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def children(process):
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in path.read_text(encoding="ascii").split()]


def is_running(number):
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def killed_when(process, results, least, delay):
    """Kill a run some time after its manifest has so many lines; how many of its processes outlive it for long."""
    end = time.monotonic() + LONGEST_S
    while len(lines_of(results)) < least and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(delay)
    workers = children(process) if process.poll() is None else []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    end = time.monotonic() + ORPHANS_S
    while (left := [number for number in workers if is_running(number)]) and time.monotonic() < end:
        time.sleep(0.02)
    return len(left)


def state_of(results, undisturbed):
    """(outputs that are there, broken ones, wrong lines)."""
    found = contents(results)
    broken = {name for name, content in found.items() if undisturbed.get(name) != content}
    done = [name for line in lines_of(results) if line["state"] == "done" for name in line["output"]]
    return len(found), len(broken), sum(name not in found or name in broken for name in done)


def faults_at_end(process, results, undisturbed, names):
    """What is wrong with a run that was let go to its end, in words."""
    _, said = process.communicate(timeout=LONGEST_S)
    faults = [] if process.returncode == 0 else [f"exit code {process.returncode}: {said}"]
    found = contents(results)
    faults += [f"{name} is missing or wrong" for name in names if found.get(name) != undisturbed[name]]
    done = [name for line in lines_of(results) if line["state"] == "done" for name in line["output"]]
    faults += [f"{name} has {done.count(name)} lines" for name in names if done.count(name) != 1]
    files = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    return faults + [f"{name} is left" for name in sorted(files - set(names) - KEPT)]


def interrupted(folder, *, images, side, kills, jobs, method="heat", seed=0):
    """A row for each kill, (lines waited for, outputs, broken, wrong, orphans), and the faults at the end."""
    source, whole, results = folder / "in", folder / "whole", folder / f"killed-{jobs}"
    names = make_images(source, images, side)
    began = time.monotonic()
    _, said = started(source, whole, 1, method).communicate(timeout=LONGEST_S)
    undisturbed = contents(whole)
    assert sorted(undisturbed) == sorted(names), said
    each = (time.monotonic() - began) / images
    draw, rows = random.Random(seed), []
    for number in range(kills):
        least = number * images // kills
        process = started(source, results, jobs, method)
        orphans = killed_when(process, results, least, draw.uniform(0.0, each))
        rows.append((least, *state_of(results, undisturbed), orphans))
    return rows, faults_at_end(started(source, results, jobs, method), results, undisturbed, names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--method", default="heat")
    arguments = parser.parse_args()
    bad = False
    for jobs in arguments.jobs:
        with tempfile.TemporaryDirectory() as folder:
            size = {"images": arguments.images, "side": arguments.side, "kills": arguments.kills}
            rows, faults = interrupted(Path(folder), jobs=jobs, method=arguments.method, **size)
        print(
            f"jobs {jobs}\n| killed after lines | outputs | broken | wrong | orphans |\n| --- | --- | --- | --- | --- |"
        )
        for row in rows:
            print(f"| {' | '.join(map(str, row))} |")
        print(f"at the end: {'; '.join(faults) or 'all is right'}")
        broken, wrong, orphans = (sum(row[column] for row in rows) for column in (2, 3, 4))
        print(
            f"jobs {jobs} in all: {broken} broken, {wrong} wrong, {orphans} orphans, {len(faults)} faults at the end\n"
        )
        bad = bad or bool(faults) or any(any(row[2:]) for row in rows)
    sys.exit(bad)


if __name__ == "__main__":
    main()
