"""A run of many inputs, and the child process that does it within limits."""

import json
import logging
import os
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzzing.judging import INPUT, SCRATCH, Ears, Finding, Trial
from fuzzing.mutation import Case, mutated
from fuzzing.readers import READERS, Reader

MOST_SEEDS = 600
SMALL = 100_000
MORE_BYTES = 2 * 2**30
"""Of addresses, that an input may take."""


@dataclass
class Tally:
    """What a run has met.

    Parameters
    ----------
    read : inputs that gave a picture
    seconds : of a core
    places : how often inputs came to each place
    findings : by what they are, how often
    noise : lines that libraries printed or logged
    """

    inputs: int = 0
    read: int = 0
    seeds: int = 0
    seconds: float = 0.0
    places: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    noise: Counter[str] = field(default_factory=Counter)


def explore(
    reader: Reader,
    folder: Path,
    *,
    seed: int,
    numbers: range,
    also: Path | None = None,
    found: Callable[[Finding, Case], None],
    before: Callable[[int, Tally], bool] = lambda number, tally: True,
) -> Tally:
    """Try mutated inputs; the same for the same seed and numbers.

    Parameters
    ----------
    also : a folder of further seeds
    found : called with each finding and its input
    before : called before each input; when it says False, the run ends.
    """
    seeds = list(reader.seeds()) + small_files(reader, also)
    given = len(seeds)
    trial = Trial(reader.read, folder, reader.errors, reader.named, reader.strict, reader.steady)
    tally = Tally(seeds=given)
    for number in numbers:
        if not before(number, tally):
            break
        chance = random.Random(f"{reader.name}:{seed}:{number}")
        if number < given:
            case = seeds[number]
        else:
            at_first = chance.random() < 0.5
            case = mutated(seeds[chance.randrange(given if at_first else len(seeds))], seeds, reader.structures, chance)
        tally.inputs += 1
        tally.seconds = round(time.process_time(), 1)
        try:
            place = trial(case)
        except Finding as finding:
            tally.findings[f"{finding.kind} | {finding.place or finding.detail[:80]}"] += 1
            found(finding, case)
            continue
        tally.read += "@" not in place
        tally.places[place] += 1
        if tally.places[place] == 1 and number >= given:
            if len(seeds) < MOST_SEEDS:
                seeds.append(case)
            else:
                seeds[chance.randrange(given, MOST_SEEDS)] = case
    return tally


def small_files(reader: Reader, folder: Path | None) -> list[Case]:
    """The files of a folder that a reader is for, by their names, and that are small enough to be tried often."""
    found = sorted(folder.rglob("*")) if folder else []
    ends = tuple(end for end in reader.structures if end)
    small = [path for path in found if path.name.endswith(ends) and path.is_file()] if ends else []
    return [{path.name: path.read_bytes()} for path in small if path.stat().st_size <= SMALL]


def child(
    name: str, folder: Path, findings: Path, *, seed: int, first: int, until: float, also: Path | None = None
) -> None:
    """A run in a process of its own: limited, silent, and with a heart that the parent feels."""
    reader = READERS[name]
    scratch = folder / SCRATCH
    scratch.mkdir(exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
    noise = os.open(folder / "noise", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(noise, 1)
    os.dup2(noise, 2)
    ears = Ears()
    logging.getLogger().addHandler(ears)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warm = Trial(reader.read, folder, reader.errors, reader.named, reader.strict, reader.steady)
    for case in reader.seeds():  # so that what is loaded is loaded
        try:
            warm(case)
        except Finding:
            continue
    limit = _addresses() + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    beat, tally_path = folder / "beat", folder / "tally"
    told = time.monotonic()

    def before(number: int, tally: Tally) -> bool:
        nonlocal told
        size = os.fstat(noise).st_size
        if size:
            text = os.pread(noise, 300, 0).decode("utf-8", "replace")
            tally.noise[f"printed: {_alike(text)}"] += 1
            os.ftruncate(noise, 0)
        for line in ears.heard[:1]:
            tally.noise[f"logged: {_alike(line)}"] += 1
        ears.heard.clear()
        now = time.monotonic()
        if now - told > 1.0 or number == first:
            told = now
            _put(tally_path, json.dumps(vars(tally)).encode())
        _put(beat, f"{number} {now}".encode())
        return time.time() < until

    current = [first]

    def noting(number: int, tally: Tally) -> bool:
        current[0] = number
        return before(number, tally)

    tally = explore(
        reader, folder, seed=seed, numbers=range(first, sys.maxsize), also=also,
        found=lambda finding, case: keep(findings, finding, case, current[0]), before=noting,
    )  # fmt: skip
    _put(tally_path, json.dumps(vars(tally)).encode())


def keep(folder: Path, finding: Finding, case: Case, number: int) -> None:
    """Put the first inputs of a finding where they are looked at later."""
    text = f"{finding.kind} {finding.place}"
    place = folder / "".join(letter if letter.isalnum() else "-" for letter in text)[:120]
    if place.is_dir() and len(list(place.iterdir())) >= 3:
        return
    target = place / str(number)
    for name, content in case.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    target.mkdir(parents=True, exist_ok=True)
    (target / "finding.txt").write_text(f"{finding.kind}\n{finding.place}\n{finding.detail}\n", encoding="utf-8")


def dict_of(folder: Path) -> dict[str, bytes]:
    """The input that lies in a folder."""
    root = folder / INPUT
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _alike(text: str) -> str:
    """The beginning of a line without the numbers that make each one different."""
    return re.sub(r"[0-9]+", "#", " ".join(text.split()))[:60]


def _put(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def _addresses() -> int:
    pages: Any = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()
