"""Is what was promised still so? Runs what shows it, and compares with what was asked and with what was measured last.

    python benchmarks/check_promises.py DATA [--only NAME...] [--issue N] [--quick] [--minutes M] [--tests]
                                             [--record FILE.json] [--list] [--file FILE.toml]

The promises are those of ``benchmarks/promises.toml``; DATA is a folder of image data. Each command runs once, however
many read its output. A value has *fallen* where it is worse than the one recorded by more than 0.03 dB, one point of a
percentage, 0.02 of a correlation, anything in a count, or 15 % of any other figure, unless its entry says otherwise.
Times are compared only on the processor that they were recorded on, and else just told. ``--quick`` takes the shorter
command of an entry where it has one, whose values have a record of their own and no bar; ``--minutes`` leaves out what
takes longer. ``--tests`` also runs the tests that hold a promise. ``--record`` keeps every value, all output, and what
the machine and the versions were; ``benchmarks/results_page.py`` makes a page of it.

Exits with 1 where something has fallen, misses a bar without that being known, or could not be read.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from promise_list import FILE, OF_A_RUN, TIMED, Promise, promises, words_of

from noiseless.atomic import replacing

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {"python": [sys.executable], "noiseless": [sys.executable, "-m", "noiseless"]}
BAD = ("failed", "fell", "missed")
LAST_LINES = 12


@dataclass(frozen=True)
class Run:
    """One command and what it said."""

    command: str
    seconds: float
    status: int | None
    output: str


@dataclass(frozen=True)
class Finding:
    """A promise, and how it stands: *held, fell, missed, known miss, failed, told, not run, not here*."""

    promise: Promise
    verdict: str
    values: dict[str, float] = field(default_factory=dict)
    why: str = ""
    quick: bool = False

    def record(self):
        bars = {name: self.promise.bar_of(name) for name in self.promise.recorded}
        kept = asdict(self.promise) | {"bars": {name: bar for name, bar in bars.items() if bar is not None}}
        return kept | {"verdict": self.verdict, "values": self.values, "why": self.why, "was_quick": self.quick}


def longest(minutes: float) -> float:
    """The seconds after which a command that should take so many minutes is ended."""
    return 60 * (2 + 8 * minutes)


def run_of(command: str, data: Path, minutes: float) -> Run:
    """Run a command in the root of the project; the paths of this machine are taken out of what it says."""
    with tempfile.TemporaryDirectory() as scratch:
        environment, words = words_of(command, {"data": str(data), "scratch": scratch})
        began = time.perf_counter()
        with subprocess.Popen(
            PROGRAMS.get(words[0], words[:1]) + words[1:], cwd=ROOT, env={**os.environ, **environment}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                said, _ = process.communicate(timeout=longest(minutes))
                status = process.returncode
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                said, status = process.communicate()[0], None
        seconds = time.perf_counter() - began
    for path, name in ((scratch, "{scratch}"), (str(data), "{data}"), (str(ROOT), ".")):
        said = said.replace(path, name)
    return Run(command, seconds, status, said)


def found(promise: Promise, run: Run, *, quick: bool, processor: str) -> Finding:
    """Compare what a command said with what is recorded and asked."""
    recorded = promise.quick_recorded if quick else promise.recorded
    of_run = {name: value for name, value in (("elapsed", run.seconds), ("status", run.status)) if name in recorded}
    values, trouble = values_of(promise, run, recorded.keys() - OF_A_RUN, may_be_good=quick)
    if trouble:
        tail = "\n".join(run.output.splitlines()[-LAST_LINES:])
        return Finding(promise, "failed", values, f"{trouble}\n{tail}", quick)
    values |= of_run
    if promise.unit in TIMED and promise.machine != processor:
        return Finding(promise, "told", values, f"times of {promise.machine or 'another machine'}", quick)
    fallen = [name for name, value in values.items() if promise.has_fallen(recorded[name], value)]
    if fallen:
        return Finding(promise, "fell", values, ", ".join(fallen), quick)
    missed = [name for name, value in values.items() if not quick and promise.misses(name, value)]
    if missed and promise.known_miss:
        return Finding(promise, "known miss", values, promise.known_miss)
    if missed:
        return Finding(promise, "missed", values, ", ".join(missed))
    return Finding(promise, "held", values, "no miss any more" if promise.known_miss and not quick else "", quick)


def values_of(promise: Promise, run: Run, names, *, may_be_good: bool) -> tuple[dict[str, float], str]:
    """The values of these names that a command said, and why they are not all there."""
    if run.status is None:
        return {}, f"it took more than {run.seconds:.0f} s"
    if run.status != promise.ends_with and not (may_be_good and run.status == 0):
        return {}, f"it ended with {run.status}"
    read = promise.read(run.output)
    if read is None:
        return {}, "the pattern is not in what it said"
    values = {name: value for name, value in read.items() if name in names}
    absent = sorted(names - values.keys())
    return values, absent and f"it says nothing of {', '.join(absent)}"


def not_run(promise: Promise, options: argparse.Namespace) -> Finding | None:
    """Why a promise is not looked at by a command, if it is not."""
    if promise.needs:
        return Finding(promise, "not here", why=f"needs {promise.needs}")
    if promise.test and not options.tests:
        return Finding(promise, "by a test", why=" ".join(promise.test))
    minutes = promise.quick_minutes if is_quick(promise, options) else promise.minutes
    if minutes > options.minutes:
        return Finding(promise, "not run", why=f"takes {minutes:g} minutes")
    return None


def is_quick(promise: Promise, options: argparse.Namespace) -> bool:
    return options.quick and bool(promise.quick)


def by_tests(held: list[Promise]) -> dict[str, Finding]:
    """Run the tests of promises at once: each must pass in some case and fail in none."""
    tests = sorted({test for promise in held for test in promise.test})
    if not tests:
        return {}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=line", "-p", "no:cacheprovider", *tests]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    outcomes = [tuple(each) for each in re.findall(r"^(PASSED|FAILED|ERROR) (\S+?)(?=\[|\s|$)", said, re.MULTILINE)]
    findings = {}
    for promise in held:
        ill = [test for test in promise.test if {("FAILED", test), ("ERROR", test)} & set(outcomes)]
        unseen = [test for test in promise.test if ("PASSED", test) not in outcomes and test not in ill]
        verdict = "failed" if ill else "not run" if unseen else "held"
        findings[promise.name] = Finding(promise, verdict, why=" ".join(ill or unseen))
    return findings


def line_of(finding: Finding) -> str:
    """One line of the table: verdict, name, and each value with the one recorded and what was asked."""
    recorded = finding.promise.quick_recorded if finding.quick else finding.promise.recorded
    cells = []
    for name, value in finding.values.items():
        bar = None if finding.quick else finding.promise.bar_of(name)
        asked = "" if bar is None else f"; {bar[0]:g} to {bar[1]:g}" if isinstance(bar, tuple) else f"; bar {bar:g}"
        cells.append(f"{name} {value:g} ({recorded[name]:g}{asked})")
    said = ", ".join(cells)
    why = finding.why.replace("\n", "\n      | ")
    return f"{finding.verdict:<10} {finding.promise.name:<34} {said}{' ' if said and why else ''}{why}"


def machine_of() -> dict:
    """What ``noiseless doctor`` knows of the machine and the versions."""
    command = [*PROGRAMS["noiseless"], "doctor", "--json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        return json.loads(said.stdout)
    except json.JSONDecodeError:
        return {"trouble": said.stderr[-500:]}


def processor_of() -> str:
    """The model of the processor."""
    try:
        return re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))[1].strip()
    except (OSError, TypeError):
        return platform.processor() or platform.machine()


def commit_of() -> str:
    """The commit, and whether files differ from it."""
    said = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
        for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return said[0] + (", with changes" if said[1] else "")


def write_record(file: Path, about: dict, findings: list[Finding], runs: list[Run]) -> None:
    content = about | {"promises": [each.record() for each in findings], "runs": [asdict(run) for run in runs]}
    with replacing(file, overwrite=True) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def checked(chosen: list[Promise], options: argparse.Namespace, processor: str, keep) -> list[Finding]:
    """Look at all that were chosen, printing a line for each; ``keep`` takes what is known so far."""
    findings, runs, done = [], [], {}
    tests = by_tests([promise for promise in chosen if promise.test]) if options.tests else {}
    for promise in chosen:
        finding = tests.get(promise.name) or not_run(promise, options)
        if finding is None:
            quick = is_quick(promise, options)
            command, minutes = (promise.quick if quick else promise.command), promise.minutes
            if command not in done:
                minutes = max(each.minutes for each in chosen if command in (each.command, each.quick))
                done[command] = run_of(command, options.data, minutes)
                runs.append(done[command])
            finding = found(promise, done[command], quick=quick, processor=processor)
        findings.append(finding)
        print(line_of(finding), flush=True)
        keep(findings, runs)
    return findings


def summed_up(findings: list[Finding]) -> int:
    """Print what stands out; the exit status."""
    counts = Counter(finding.verdict for finding in findings)
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    for verdict in (*BAD, "known miss", "told", "not run", "not here"):
        named = [finding for finding in findings if finding.verdict == verdict]
        if named:
            print(f"\n{verdict}:")
        for finding in named:
            print(f"  issue {finding.promise.issue}: {finding.promise.says}")
            print(f"    {line_of(finding).removeprefix(finding.verdict).strip()}")
    return int(any(counts[verdict] for verdict in BAD))


def listed(chosen: list[Promise]) -> None:
    for promise in chosen:
        how = promise.command or " ".join(promise.test) or f"needs {promise.needs}"
        print(f"{promise.issue:>2} {promise.name}: {promise.says} ({promise.minutes:g} min)\n      {how}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--issue", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--file", type=Path, default=FILE, help="promises of another file")
    options = parser.parse_args(arguments)
    every = promises(options.file)
    unknown = set(options.only or ()) - {promise.name for promise in every}
    if unknown:
        parser.error(f"no promise is named {', '.join(sorted(unknown))}; --list names them")
    chosen = [
        promise for promise in every
        if (not options.only or promise.name in options.only) and options.issue in (None, promise.issue)
    ]  # fmt: skip
    if options.list:
        listed(chosen)
        return 0
    options.data = options.data.resolve()
    if not options.data.is_dir():
        parser.error(f"no folder {options.data}")
    processor, about = processor_of(), {}
    if options.record:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"date": now, "commit": commit_of(), "processor": processor, "machine": machine_of()}

    def keep(findings, runs):
        if options.record:
            write_record(options.record, about, findings, runs)

    return summed_up(checked(chosen, options, processor, keep))


if __name__ == "__main__":
    sys.exit(main())
