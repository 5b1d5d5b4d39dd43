"""What ``noiseless bench`` found as a file, with all that it depends on; and what has moved since such a file."""

import importlib.metadata
import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import noiseless
from noiseless.apps.cli import installation, machine
from noiseless.apps.cli.benchmark_run import YARDSTICK, Plan, Row

LARGEST_FALL = 0.03
"""dB. Changed rounding (another precision, another order of sums) moves a mean by up to 0.01 dB."""

LARGEST_GROWTH = 1.15
"""Of a time. Beside other work single runs differ by more, the least of several by less."""

ROUNDING = 0.005
"""dB: half of what is printed. Less has not moved."""

VERSION = 1
"""Of the form of the file."""


@dataclass(frozen=True)
class Change:
    """A figure that moved.

    Parameters
    ----------
    set, method, sigma : where
    figure : "PSNR" in dB, or "time" in products of matrices a megapixel
    before, after : of it
    worse : by more than is allowed
    """

    set: str
    method: str
    sigma: float
    figure: str
    before: float
    after: float
    worse: bool


def record_of(plan: Plan, rows: Sequence[Row]) -> dict[str, Any]:
    """Rows, and what they depend on: options, machine, versions, commit, date."""
    return {
        "form": VERSION,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "noiseless": noiseless.__version__,
        "commit": commit(),
        "machine": machine_facts(),
        "versions": versions_of(plan.methods),
        "options": asdict(plan),
        "rows": [asdict(row) for row in rows],
    }


def machine_facts() -> dict[str, Any]:
    """Processor, cores, threads and memory, as ``noiseless doctor`` knows them."""
    (processor, _), (cores, _), (memory, _) = machine.processor(), machine.cores(), machine.memory()
    return {
        "processor": processor["engine"].partition(" on ")[2] or processor["engine"],
        "instructions": processor["instructions"],
        "cores": cores["usable"],
        "threads": cores["threads"],
        "memory_gib": memory["gib"],
        "platform": platform.platform(),
    }


def versions_of(methods: Sequence[str]) -> dict[str, str]:
    """Of Python, of what noiseless stands on, and of the packages of the peers among the methods."""
    found = {"python": platform.python_version()}
    packages = ["numpy", "scipy", "numba", "openvino"]
    modules = [
        module
        for method in methods
        if method in noiseless.classical.INSTALLED
        for module in noiseless.classical.INSTALLED[method].modules
    ]
    if modules:
        names = importlib.metadata.packages_distributions()
        packages += [name for module in modules for name in names.get(module, ())]
    return found | {name: version for name in packages if (version := installation.version_of(name))}


def commit() -> str:
    """Of the checkout that the package runs from, with "-dirty" where files of it were changed; else "unknown"."""
    folder, git = Path(noiseless.__file__).parent, shutil.which("git")

    def said(*words: str) -> str | None:
        asked = subprocess.run([str(git), "-C", str(folder), *words], capture_output=True, text=True, check=False)
        return asked.stdout.strip() if asked.returncode == 0 else None

    # A package that was installed may lie within a checkout of something else, which does not know its files.
    if git is None or said("ls-files", "--error-unmatch", "__init__.py") is None:
        return "unknown"
    return said("describe", "--always", "--abbrev=12", "--dirty", "--exclude", "*") or "unknown"


def write_record(record: Mapping[str, Any], path: Path, *, overwrite: bool) -> None:
    """Write it; the file appears whole or not at all.

    Raises
    ------
    noiseless.UnwritableFile : it exists and ``overwrite`` is false, or its folder cannot be written.
    """
    with noiseless.files.replacing(path, overwrite=overwrite) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def read_record(path: Path) -> tuple[dict[str, Any], Plan, list[Row]]:
    """The record, what was measured, and the rows.

    Raises
    ------
    noiseless.UnreadableFile : it cannot be read, or is no record of this form.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        form = record["form"]
        options: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in record["options"].items()
        }
        plan, rows = Plan(**options), [Row(**row) for row in record["rows"]]
    except OSError as error:
        raise noiseless.UnreadableFile(f"cannot read {str(path)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{str(path)!r} is no record of noiseless bench"
        raise noiseless.UnreadableFile(f"{what}; write one by --record") from error
    if form != VERSION:
        raise noiseless.UnreadableFile(f"{str(path)!r} is a record of form {form}, not {VERSION}; write a new one")
    return record, plan, rows


def same_machine(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether times can be compared: one kind of processor, and as many threads."""
    return all(before.get(key) == after.get(key) for key in ("processor", "threads"))


def changes(before: Sequence[Row], after: Sequence[Row], *, timed: bool) -> list[Change]:
    """What moved between two runs of one plan: a fall of PSNR, a growth of time, and the opposite of both.

    Time is that in products of matrices, see :data:`.benchmark_run.PRODUCT`. A method other than ``score`` is slower
    only where its time over that of ``score`` grew too: then neither a product that something else disturbed nor a
    faster ``score`` is taken for a slower method.

    Parameters
    ----------
    timed : whether times are compared at all; they tell something on one kind of machine only
    """
    now = {(row.set, row.method, row.sigma): row for row in after}
    found = []
    for row in before:
        other = now[row.set, row.method, row.sigma]
        where = (row.set, row.method, row.sigma)
        if abs(other.psnr - row.psnr) >= ROUNDING:
            found.append(Change(*where, "PSNR", row.psnr, other.psnr, row.psnr - other.psnr > LARGEST_FALL))
        if timed and row.products and other.products:
            growths = [other.products / row.products]
            if row.method != YARDSTICK and row.ratio and other.ratio:
                growths.append(other.ratio / row.ratio)
            if min(growths) > LARGEST_GROWTH or max(growths) < 1.0 / LARGEST_GROWTH:
                worse = min(growths) > LARGEST_GROWTH
                found.append(Change(*where, "time", row.products, other.products, worse))
    return found
