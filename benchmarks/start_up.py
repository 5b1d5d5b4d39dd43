"""What it costs to begin: imports and commands, each against ``import numpy`` in the same run.

    python benchmarks/start_up.py [--rounds 7] [--wheel]

Each is a fresh interpreter, and of all rounds the least counts; in a round each has its turn, so that what else the
machine does falls on all alike. The seconds are those of a core, of the process and its children. ``--wheel`` builds
one, and tells its size.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import noiseless

ROOT = Path(__file__).resolve().parents[1]
COUNT = "import sys; {}; print(len(sys.modules))"
NUMPY = "import numpy"


def commands(picture: Path) -> dict[str, list[str]]:
    """What is measured, by its name; the first is what the others are compared with."""
    python, cli = [sys.executable, "-c"], [sys.executable, "-m", "noiseless"]
    clean = str(picture.with_name("clean.png"))
    imports = (NUMPY, "import noiseless", "import noiseless.apps.cli", "import noiseless.restoration")
    return {
        **{line: [*python, line] for line in imports},
        "noiseless --version": [*cli, "--version"],
        "noiseless --help": [*cli, "--help"],
        "noiseless info": [*cli, "info", str(picture)],
        "noiseless denoise, 128 x 96": [*cli, "denoise", str(picture), "-o", clean, "--force"],
    }


def seconds(words: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, cwd=folder, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def modules(line: str) -> int:
    done = subprocess.run([sys.executable, "-c", COUNT.format(line)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def noisy_picture(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:96, 0:128]
    noisy = 128 + 60 * np.sin(columns / 9) * np.cos(rows / 12) + 20 * rng.standard_normal((96, 128))
    path = folder / "noisy.png"
    noiseless.write(noiseless.from_array(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)), path)
    return path


def wheel_bytes(folder: Path) -> int:
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(words, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--wheel", action="store_true", help="build a wheel, for its size")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = commands(noisy_picture(folder))
        least = dict.fromkeys(told, float("inf"))
        for _ in range(options.rounds):
            for what, words in told.items():
                least[what] = min(least[what], seconds(words, folder))
        print(f"| of {options.rounds} rounds, the least | seconds of a core | to `{NUMPY}` | modules |")
        print("| --- | --- | --- | --- |")
        for what, taken in least.items():
            count = modules(what) if what.startswith("import ") else ""
            print(f"| `{what}` | {taken:.3f} | {taken / least[NUMPY]:.2f} | {count} |")
        print(f"| `python -c pass` has {modules('pass')} modules | | | |")
        if options.wheel:
            print(f"\nwheel: {wheel_bytes(folder) / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
