"""A million images on 1 to 1024 workers: hours, core-hours, and what the limit is.

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python benchmarks/cluster_plan.py [--photos FOLDER] [--figures FILE]
        [--disk 1000] [--network 1250] [--link 1250] [--cores 16] [--mtbf 168] [--spread 0.3] [--price 0.04]

First it measures what the plan is made of, on this machine and one thread: CPU seconds (of the process) and bytes of
4000x3000 colour images as JPEG, PNG and TIFF of 16 bits, and of a 512x512 PNG; the memory of the command; and CPU
seconds of a Dask scheduler and its client for a task, beside two workers of the same machine. The images are enlarged
twice from those in FOLDER, or made up of random waves, with noise of 8 grey levels. With ``--figures`` the measured is
kept in FILE, and read from there the next time: put in your own.

Then a sample is simulated (``simulated_cluster.py``), and a million is scaled from it. Before that: the simulation
against closed forms, one limit at a time; 3 % off, and it stops.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from large_images import denoised
from simulated_cluster import Plan, checked, simulated

import noiseless
from noiseless.score import NetworkDenoiser

SHAPE = 3000, 4000
MEGAPIXELS = 12
KINDS = {"jpeg": ".jpg", "png16": ".png", "tiff16": ".tif", "small": ".png"}
CASES = (
    ("JPEG, 12 megapixels, camera", "jpeg", "camera"),
    ("TIFF of 16 bits, 12 megapixels, base", "tiff16", "base"),
    ("TIFF of 16 bits, 12 megapixels, tiny", "tiff16", "tiny"),
    ("PNG of 8 bits, 512x512, tiny", "small", "tiny"),
)
MEGA = 1e6
MILLION = 1_000_000
WORKERS = ("--nworkers", "2", "--nthreads", "1")

OPTIONS = (
    ("disk", 1000.0, "MB/s of shared storage, reading and writing together"),
    ("latency", 5.0, "ms until a file begins to come"),
    ("network", 1250.0, "MB/s of shared storage, each way"),
    ("link", 1250.0, "MB/s of each machine, each way"),
    ("cores", 16.0, "workers a machine"),
    ("mtbf", 168.0, "hours until a worker dies, in the mean"),
    ("restart", 60.0, "seconds until it is back"),
    ("spread", 0.3, "of the logarithm of CPU time"),
)

# What is measured


@dataclass(frozen=True)
class Kind:
    """CPU seconds and megabytes of a file; ``rest`` is all of restoration but the network in tiles."""

    megapixels: float
    read: float
    rest: float
    write: float
    megabytes_in: float
    megabytes_out: float


@dataclass(frozen=True)
class Figures:
    """``network`` and ``tiled``: seconds a megapixel, of a small picture, and of 12 megapixels in tiles."""

    network: dict[str, float]
    tiled: dict[str, float]
    kinds: dict[str, Kind]
    tasks: float
    tasks_client: float
    report_bytes: int
    peak_gigabytes: float

    def seconds(self, kind: str, model: str) -> float:
        """CPU of an image."""
        one = self.kinds[kind]
        return one.read + one.rest + self.tiled[model] * one.megapixels + one.write


def cpu(function: Any, *arguments: Any, **options: Any) -> tuple[float, Any]:
    start = time.process_time()
    result = function(*arguments, **options)
    return time.process_time() - start, result


def photograph(folder: Path | None) -> np.ndarray:
    """(3000, 4000, 3), 0 to 255, with noise of 8."""
    rng = np.random.default_rng(0)
    if folder is None:
        frequency = np.hypot(np.fft.fftfreq(SHAPE[0])[:, None], np.fft.rfftfreq(SHAPE[1])) + 1 / SHAPE[1]
        waves = [np.fft.rfft2(rng.standard_normal(SHAPE)) / frequency**1.2 for _ in range(3)]
        planes = [np.fft.irfft2(wave, SHAPE) for wave in waves]
        clean = np.stack([128 + 45 * plane / plane.std() for plane in planes], -1)
    else:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))[:12]
        large = [np.asarray(PIL.Image.open(path).convert("RGB").resize((1000, 1000), 3)) for path in paths]
        clean = np.concatenate([np.concatenate(large[row : row + 4], 1) for row in (0, 4, 8)]).astype(np.float64)
    return np.clip(clean + 8 * rng.standard_normal(clean.shape), 0, 255)


def measured(folder: Path | None) -> Figures:
    if os.environ.get("OMP_NUM_THREADS") != "1" or os.environ.get("NUMBA_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1 and NUMBA_NUM_THREADS=1: seconds are those of one thread")
    values = photograph(folder)
    whole = np.moveaxis(values, -1, 0).astype(np.float32) / 255
    small = np.ascontiguousarray(whole[:, :1024, :1024])
    network, tiled = {}, {}
    for model in ("base", "tiny", "camera"):
        denoiser, in_tiles = NetworkDenoiser(model, threads=1), noiseless.Recipe(model=model).build_denoiser()
        denoiser(small, 8 / 255)  # compiles
        network[model] = min(cpu(denoiser, small, 8 / 255)[0] for _ in range(3)) / (small[0].size / MEGA)
        in_tiles(small, 8 / 255)
        tiled[model] = cpu(in_tiles, whole, 8 / 255)[0] / MEGAPIXELS
    noiseless.restore(values[:512, :512].astype(np.uint8), channel_axis=-1)  # compiles
    kinds, report = {}, ""
    with tempfile.TemporaryDirectory() as place:
        for name, suffix in KINDS.items():
            kinds[name], report = one_kind(name, Path(place) / f"noisy{suffix}", values, tiled)
        peak = peak_of(Path(place) / "noisy.jpg")
    return Figures(network, tiled, kinds, *scheduled(len(report)), len(report), peak)


def one_kind(name: str, path: Path, values: np.ndarray, tiled: dict[str, float]) -> tuple[Kind, str]:
    model = "tiny" if name == "small" else "base"
    if name == "jpeg":  # as cameras write them
        PIL.Image.fromarray(np.rint(values).astype(np.uint8)).save(path, quality=92)
    else:
        stored = np.rint(values * 257).astype(np.uint16) if name.endswith("16") else np.rint(values).astype(np.uint8)
        stored = stored[:512, :512] if name == "small" else stored
        noiseless.write(noiseless.from_array(stored, channel_axis=-1), path, overwrite=True)
    read, image = cpu(noiseless.read, path)
    whole, restored = cpu(noiseless.restore_image, image, noiseless.Recipe(model=model))
    result = path.with_stem("clean")
    write, _ = cpu(noiseless.write, restored.image, result, overwrite=True)
    chosen, size = restored.recipe.model, image.pixels[0].size / MEGA
    rest = whole - tiled[chosen] * size
    report = json.dumps({"input": str(path), "output": str(result), **restored.report})
    print(f"  {name}: {whole:.2f} s, model {chosen}, {type(restored.noise.model).__name__}", flush=True)
    bytes_in, bytes_out = path.stat().st_size / MEGA, result.stat().st_size / MEGA
    return Kind(size, read, rest, write, bytes_in, bytes_out), report


def peak_of(path: Path) -> float:
    """Gigabytes that the command takes for a file, at most."""
    return denoised(path, path.with_stem("peak"))[0] * 2**20 / 1e9


def nothing(number: int, size: int) -> tuple[int, str]:
    return number, "x" * size


def scheduled(size: int, count: int = 4000, window: int = 64) -> tuple[float, float]:
    """Tasks a second that a core of the scheduler, and one of the client, can do."""
    from dask.distributed import Client, as_completed

    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as running:
        meeting = ("--scheduler-file", f"{place}/scheduler.json")
        for command in (("dask_scheduler", "--host", "127.0.0.1", "--port", "0"), ("dask_worker", *WORKERS)):
            line = (sys.executable, "-m", f"distributed.cli.{command[0]}", *command[1:], *meeting, "--no-dashboard")
            process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(process.wait)
            running.callback(process.terminate)
        client = running.enter_context(Client(scheduler_file=meeting[1], timeout=60))
        client.wait_for_workers(2)
        client.gather(client.map(nothing, range(50), [size] * 50))
        own, other = time.process_time(), client.run_on_scheduler(time.process_time)
        going = as_completed([client.submit(nothing, number, size, pure=False) for number in range(window)])
        begun = window
        for future in going:
            future.result()
            if begun < count:
                going.add(client.submit(nothing, begun, size, pure=False))
                begun += 1
        own, other = time.process_time() - own, client.run_on_scheduler(time.process_time) - other
    return count / other, count / own


# What is printed


def told(figures: Figures) -> None:
    print("\n| seconds a megapixel, one thread | base | tiny | camera |\n| --- | --- | --- | --- |")
    for name, row in (("network", figures.network), ("network in tiles", figures.tiled)):
        print(f"| {name} | {' | '.join(f'{row[model]:.2f}' for model in ('base', 'tiny', 'camera'))} |")
    print("\n| file | MB in, out | read | noise, audit, rest | write | all of it |\n|" + " --- |" * 6)
    for name, kind in figures.kinds.items():
        # Tied noise of JPEG goes to the network of cameras; others need many calls of theirs.
        models = ("camera",) if name == "jpeg" else ("base", "tiny")
        whole = ", ".join(f"{figures.seconds(name, model):.2f} {model}" for model in models)
        size = f"{kind.megabytes_in:.1f}, {kind.megabytes_out:.1f}"
        print(f"| {name} | {size} | {kind.read:.2f} | {kind.rest:.2f} | {kind.write:.2f} | {whole} |")
    print(f"\nTasks/s of a core: scheduler {figures.tasks:.0f}, client {figures.tasks_client:.0f}")
    print(f"A report: {figures.report_bytes} bytes. Memory of a worker, at most: {figures.peak_gigabytes:.1f} GB")


def table(name: str, plan: Plan, options: argparse.Namespace) -> None:
    print(f"\n{name}: {plan.compute:.2f} s, {plan.megabytes_in:.1f} MB in, {plan.megabytes_out:.1f} MB out\n")
    cost = ["cost"] if options.price is not None else []
    columns = ["N", "hours", "images/s", "CPU", "disk", "network", "links", "scheduler", "limit", "core-hours", *cost]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for workers in options.workers:
        row(workers, plan, options)


def row(workers: int, plan: Plan, options: argparse.Namespace, label: str = "") -> None:
    result = simulated(plan, workers, options.sample)
    parts = ("CPU", "disk", "network", "link", "scheduler")
    limit = max(parts, key=lambda part: result[part])
    hours = (options.images / result["rate"] + plan.compute) / 3600  # the last one ends an image later
    cells = [label or f"{workers}", f"{hours:.3g}" if hours < 100 else f"{hours:.0f}", f"{result['rate']:.3g}"]
    cells += [*(f"{100 * result[part]:.0f} %" for part in parts), limit, f"{workers * hours:.0f}"]
    if options.price is not None and not label:
        cells.append(f"{workers * hours * options.price:.0f}")
    print(f"| {' | '.join(cells)} |", flush=True)


def moves(figures: Figures, options: argparse.Namespace) -> None:
    """The largest cluster, with one remedy after the other."""
    workers = max(options.workers)
    print(f"\nWhere the limit moves, {workers} workers: each row adds to the one before\n")
    print("| | hours | images/s | CPU | disk | network | links | scheduler | limit | core-hours |")
    print("|" + " --- |" * 10)
    name, kind, model = CASES[1]
    plan = plan_of(figures, kind, model, options)
    steps: tuple[tuple[str, dict[str, float]], ...] = (
        (name, {}),
        ("disk four times as fast", {"disk": 4 * plan.disk}),
        ("network four times as fast", {"network": 4 * plan.network}),
        ("both four times again", {"disk": 16 * plan.disk, "network": 16 * plan.network}),
        ("a worker dies every hour", {"mtbf": 3600.0}),
    )
    for label, change in steps:
        plan = replace(plan, **change)
        row(workers, plan, options, label)
    name, kind, model = CASES[3]
    plan = plan_of(figures, kind, model, options)
    row(workers, plan, options, name)
    row(workers, replace(plan, tasks=4 * plan.tasks), options, "four schedulers, a quarter each")


def plan_of(figures: Figures, kind: str, model: str, options: argparse.Namespace) -> Plan:
    one = figures.kinds[kind]
    return Plan(
        figures.seconds(kind, model),
        one.megabytes_in,
        one.megabytes_out,
        options.disk,
        options.latency / 1000,
        options.network,
        options.link,
        int(options.cores),
        min(figures.tasks, figures.tasks_client),
        3600 * options.mtbf,
        options.restart,
        options.spread,
    )


def figures_of(options: argparse.Namespace) -> Figures:
    if options.figures is None or not options.figures.exists():
        figures = measured(options.photos)
        if options.figures is not None:
            options.figures.write_text(json.dumps(asdict(figures), indent=1))
        return figures
    read = json.loads(options.figures.read_text())
    return Figures(**{**read, "kinds": {name: Kind(**kind) for name, kind in read["kinds"].items()}})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="a folder of at least twelve pictures")
    parser.add_argument("--figures", type=Path, help="JSON of what was measured; written where it is missing")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 16, 64, 128, 256, 512, 1024])
    parser.add_argument("--images", type=int, default=MILLION)
    parser.add_argument("--sample", type=int, default=20_000, help="images simulated; at least 40 a worker")
    for name, usual, words in OPTIONS:
        parser.add_argument(f"--{name}", type=float, default=usual, help=f"{words} [{usual:g}]")
    parser.add_argument("--price", type=float, help="of a core-hour")
    options = parser.parse_args()
    figures = figures_of(options)
    told(figures)
    checked(options.sample)
    for name, kind, model in CASES:
        table(name, plan_of(figures, kind, model, options), options)
    moves(figures, options)


if __name__ == "__main__":
    main()
