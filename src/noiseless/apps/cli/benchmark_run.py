"""The protocol of ``noiseless bench``: the same noise on the same images for every method, side by side in one run."""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import noiseless
from noiseless.apps.cli.benchmark_memory import peak_growth
from noiseless.apps.cli.benchmark_methods import Contender, Pixels, channel_last, contender

YARDSTICK = "score"
"""The method whose time the times of the others are told in."""

PRODUCT = 1024
"""Rows and columns of the two float32 matrices whose product by NumPy is the reference work. A convolution is such a
product, so its time goes with the machine's cores, clock and other work as that of a network does, and nothing that is
changed in noiseless changes it."""

LONG_S, MOST_RUNS = 0.25, 7
"""A method is run on an image until that takes so long together, at most so often, and its least time counts. A
scheduler gives a core away for up to 4 ms or so, which is 1.6 % of a quarter of a second, and much of a shorter run.
Where half of all short runs are disturbed, by one other process on two cores say, the least of 7 is undisturbed in 99 %
of cases: 1 - 0.5^7."""


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Parameters
    ----------
    sets : names of folders of clean images
    sigmas : noise levels, of 255
    methods : in words of ``noiseless.METHODS``, or names of ``noiseless.classical.INSTALLED``
    model : of the learned methods that name none
    every : use every n-th image
    only_quality : no times, so each image is denoised once
    peak_memory : measure that too, in a process of its own for each method
    """

    sets: tuple[str, ...]
    sigmas: tuple[float, ...]
    methods: tuple[str, ...]
    model: str = "base"
    every: int = 1
    only_quality: bool = False
    peak_memory: bool = False

    @property
    def middle(self) -> float:
        """The level at which costs are told."""
        return self.sigmas[len(self.sigmas) // 2]


@dataclass(frozen=True)
class Row:
    """What was measured of a method on a set at one noise level.

    Parameters
    ----------
    psnr, ssim : means over the images
    seconds : for a megapixel, over all images; None where times were not asked for
    ratio : of the time to that of ``score`` in the same run; None where it did not run
    products : of the time to that of the reference work in the same run, see :data:`PRODUCT`
    memory : MiB a megapixel, see :func:`.benchmark_memory.peak_growth`; at the middle level only
    """

    set: str
    method: str
    sigma: float
    psnr: float
    ssim: float
    seconds: float | None = None
    ratio: float | None = None
    products: float | None = None
    memory: float | None = None


def measured(
    plan: Plan, loaded: Mapping[str, Sequence[Pixels]], told: Callable[[float, str], None]
) -> Iterator[list[Row]]:
    """The rows of each set, in the order of methods and levels.

    Parameters
    ----------
    loaded : the images of each set
    told : is told what share is done, and what is being done
    """
    whole, done = len(plan.sigmas) * sum(map(len, loaded.values())), itertools.count()
    for name, images in loaded.items():
        contenders = {method: contender(method, plan.model) for method in plan.methods}
        _prepare(contenders, images, plan)
        grown = _memory(plan, images[0]) if plan.peak_memory else {}
        rows: list[Row] = []
        for sigma in plan.sigmas:
            tallies = {method: _Tally() for method in plan.methods}
            products = []
            for clean in images:
                told(next(done) / whole, f"{name}, sigma {sigma:g}")
                if not plan.only_quality:
                    products.append(_least(_reference_work)[1])
                _compare(contenders, tallies, clean, sigma, timed=not plan.only_quality)
            pixels = sum(math.prod(clean.shape[:2]) for clean in images)
            rows += _rows(name, sigma, tallies, pixels, min(products, default=math.nan), timed=not plan.only_quality)
            if sigma == plan.middle:
                rows = [replace(row, memory=grown.get(row.method)) if row.sigma == sigma else row for row in rows]
        yield sorted(rows, key=lambda row: (plan.methods.index(row.method), plan.sigmas.index(row.sigma)))


@dataclass
class _Tally:
    """What the images of a set gave so far."""

    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    seconds: float = 0.0


def _prepare(contenders: dict[str, Contender], images: Sequence[Pixels], plan: Plan) -> None:
    """Load and compile, which is no part of the time: each of ours on every shape, the others on a small part."""
    shapes = {clean.shape: clean for clean in images}
    for method, denoise in contenders.items():
        if method in noiseless.classical.INSTALLED:
            denoise(images[0][:64, :64], plan.middle)
            continue
        for clean in list(shapes.values())[: 1 if plan.only_quality else None]:
            denoise(clean, plan.middle)


def _compare(
    contenders: dict[str, Contender], tallies: dict[str, _Tally], clean: Pixels, sigma: float, *, timed: bool
) -> None:
    """One image by all methods, one after the other, so that what else the machine does falls on all of them."""
    noisy = clean + sigma * np.random.default_rng(0).standard_normal(clean.shape)
    for method, denoise in contenders.items():
        call = partial(denoise, noisy, sigma)
        denoised, seconds = _least(call) if timed else (call(), 0.0)
        denoised = np.clip(denoised, 0, 255)
        tally = tallies[method]
        tally.psnr.append(noiseless.psnr(denoised, clean))
        tally.ssim.append(noiseless.ssim(denoised, clean, channel_axis=-1 if clean.ndim == 3 else None))
        tally.seconds += seconds


def _least(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and its least time, see :data:`LONG_S`."""
    result, times = None, list[float]()
    while len(times) < MOST_RUNS and sum(times) < LONG_S:
        started = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - started)
    return result, min(times)


def _reference_work() -> None:
    matrix = np.ones((PRODUCT, PRODUCT), np.float32)
    np.matmul(matrix, matrix)


def _rows(
    name: str, sigma: float, tallies: dict[str, _Tally], pixels: int, product: float, *, timed: bool
) -> Iterator[Row]:
    yardstick = tallies[YARDSTICK].seconds if timed and YARDSTICK in tallies else None
    for method, tally in tallies.items():
        row = Row(name, method, sigma, float(np.mean(tally.psnr)), float(np.mean(tally.ssim)))
        if timed:
            seconds = tally.seconds / pixels * 1e6
            ratio = tally.seconds / yardstick if yardstick else None
            row = replace(row, seconds=seconds, ratio=ratio, products=seconds / product)
        yield row


def _memory(plan: Plan, clean: Pixels) -> dict[str, float]:
    return {method: peak_growth(method, plan.model, clean, plan.middle) for method in plan.methods}


def images_of(folder: Path, *, every: int = 1) -> list[Pixels]:
    """The images of a set, or every n-th of them, as float64.

    Raises
    ------
    noiseless.UnreadableFile : there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise noiseless.UnreadableFile(f"no folder {str(folder)!r}; name the folder that holds the test sets")
    suffixes = noiseless.files.readable_suffixes()
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in suffixes]
    if not paths:
        raise noiseless.UnreadableFile(f"no image in {str(folder)!r}")
    return [channel_last(noiseless.read(path).stored().astype(np.float64)) for path in paths[::every]]
