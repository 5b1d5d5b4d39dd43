"""Would the tests notice? Small mistakes are made in a room, one at a time, and its tests run until one fails.

    python benchmarks/mutants.py noise --sample 200 --seed 0 [--jobs 1] [--scratch FOLDER] [--numbers 17 305]
        [--longest 20]

ROOM is a package or a module below src/noiseless (``noise``, ``restoration/risk``); its tests are those of the folder
tests/ROOM, or of the files test_*MODULE*.py. The mistakes are those of mutations.py, and a sample of them is drawn with
the seed, or those of ``--numbers`` are taken. Each runs in a process forked from one that has all imported. Nothing is
written into the checkout: source and tests are copied into the scratch folder first, which also keeps, for the next
time, what lines each test runs. A mutant meets the tests that run its line, the quick ones first; it is killed if one
fails or takes more than five times as long as otherwise ("timed out"), and lives if all pass, or if ``--longest``
seconds of the processor are over. Prints each that lives, and the share killed with its 95 % interval (Wilson). Those
of equivalent_mutants.toml, which no test can tell from the source, are not counted. Linux or macOS.

A changed function replaces the code of the one that was imported, before numba compiles it where it does, and a changed
constant its value. What else is run at import is imported anew. The lines of constants and of compiled code are unseen
by Python, so their tests are those that run a function which names them, or names what names them.
"""

import argparse
import importlib
import importlib.util
import math
import os
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

from mutant_rooms import Coverage, Room
from mutant_runs import BROKEN, KILLED, NO_COVER, SURVIVED, TIMED_OUT, Judge, look_up_lines, say

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")


def wilson(part, whole, z=1.96):
    """The 95 % interval of a share."""
    share = part / whole
    middle = (share + z**2 / (2 * whole)) / (1 + z**2 / whole)
    half = z / (1 + z**2 / whole) * math.sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    return middle - half, middle + half


def equivalents():
    """Why a mutant is none, by its file, the line of source and the change."""
    listed = tomllib.loads(EQUIVALENT.read_text())["mutant"] if EQUIVALENT.exists() else []
    return {(one["file"], one["line"], one["column"], one["change"]): one["why"] for one in listed}


def number_of(mutant):
    return mutant.number


def preload(room):
    """Import what takes long to, once."""
    parts = ("fft", "integrate", "linalg", "ndimage", "optimize", "signal", "special", "stats")
    names = ["numpy.testing", "numba", "PIL.Image", *(f"scipy.{part}" for part in parts)]
    if any("torch" in path.read_text() for path in room.tests):
        names.append("torch")
    for name in names:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("room")
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--numbers", type=int, nargs="+", help="these mutants, and no sample")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds of the processor for a mutant")
    parser.add_argument("--scratch", type=Path, help="a folder to work in that stays")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        scratch = (told.scratch or Path(made)).resolve() / told.room.replace("/", "-")
        scratch.mkdir(parents=True, exist_ok=True)
        os.environ |= {"NUMBA_CACHE_DIR": str(scratch / "numba"), "OMP_NUM_THREADS": "1"}
        room = Room(told.room, scratch)
        sys.path.insert(0, str(room.tree / "src"))
        mutants = room.mutants()
        if told.numbers:
            chosen = [mutants[number] for number in told.numbers]
        else:
            drawn = random.Random(told.seed).sample(range(len(mutants)), min(told.sample, len(mutants)))
            chosen = [mutants[number] for number in drawn]  # in this order, so that an end before time is a sample too
        same = equivalents()
        equal = [mutant for mutant in chosen if mutant.key in same]
        chosen = [mutant for mutant in chosen if mutant not in equal]
        preload(room)
        coverage = look_up_lines(room, Coverage(room, scratch))
        start = time.monotonic()
        results = Judge(chosen, room, coverage, told.jobs, told.longest).judged()
    for kind in (BROKEN, NO_COVER, SURVIVED):
        lines = [mutant.shown for mutant in sorted(chosen, key=number_of) if results[mutant.number] == kind]
        if lines:
            say("\n".join(["", f"{kind}:", *lines]))
    count = Counter(results.values())
    judged = len(chosen) - count[BROKEN]
    dead = count[KILLED] + count[TIMED_OUT]
    low, high = wilson(dead, judged)
    say(
        f"\n{told.room}, seed {told.seed}: {judged} of {len(mutants)} mutants in {time.monotonic() - start:.0f} s, and "
        f"{len(equal)} equivalent.\n{count[KILLED]} killed, {count[TIMED_OUT]} timed out, {count[SURVIVED]} survived, "
        f"{count[NO_COVER]} without cover: {dead / judged:.1%} killed ({low:.1%} to {high:.1%})"
    )


if __name__ == "__main__":
    main()
