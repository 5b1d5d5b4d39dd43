"""How much memory a method takes for a megapixel, measured in a process that does nothing else."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

import noiseless
from noiseless.apps.cli.benchmark_methods import Pixels, contender

PIXELS = 2_000_000
"""Of the image, made of one of the set side by side: large beside what a process takes and gives back anyway."""

SMALL = 128
"""Side of the part that is denoised first, so that packages and models are loaded and code is compiled."""

MIB = 2**20

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_growth(method: str, model: str, clean: Pixels, sigma: float) -> float:
    """MiB a megapixel: the greatest resident size while an image is denoised, less that just before.

    The image before is in the resident size already, its result is not. The size is that of Linux, whose peak can be
    begun anew.

    Parameters
    ----------
    method, model : see :class:`.benchmark_run.Plan`
    clean : (Y, X) or (Y, X, 3), of 0 to 255
    sigma : of the noise, of 255

    Raises
    ------
    noiseless.InvalidParameter : this system does not tell a peak that can be begun anew.
    noiseless.NoiselessError : the process came to an end, most likely because memory did.
    """
    check_measurable()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_grown, method, model, clean, sigma).result()
        except BrokenProcessPool as error:
            what = f"the process that measured the memory of {method} came to an end, most likely for want of memory"
            raise noiseless.NoiselessError(f"{what}; leave --peak-memory or the method out") from error


def check_measurable() -> None:
    """Refuse before the work what could not be measured.

    Raises
    ------
    noiseless.InvalidParameter : see :func:`peak_growth`.
    """
    try:
        _begin_anew()
        _mebibytes("VmHWM")
    except (OSError, KeyError):
        raise noiseless.InvalidParameter(
            f"--peak-memory reads {_STATUS}, and this system has none that can be begun anew; leave it out"
        ) from None


def _grown(method: str, model: str, clean: Pixels, sigma: float) -> float:
    """In the new process. What it makes of large arrays is made in place: what it would free, the method could take."""
    denoise = contender(method, model)
    height, width = clean.shape[:2]
    times = max(1, round((PIXELS / (height * width)) ** 0.5))
    noisy = np.tile(clean, (times, times) + (1,) * (clean.ndim - 2))
    rng = np.random.default_rng(0)
    for row in noisy:
        row += sigma * rng.standard_normal(row.shape)
    denoise(noisy[:SMALL, :SMALL], sigma)
    before = _mebibytes("VmRSS")
    _begin_anew()
    denoise(noisy, sigma)
    grown = _mebibytes("VmHWM") - before
    height, width = noisy.shape[:2]
    return float(grown / (height * width) * 1e6)


def _begin_anew() -> None:
    _RESET.write_text("5", encoding="ascii")


def _mebibytes(name: str) -> float:
    lines = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines())
    return int(lines[name].split()[0]) * 1024 / MIB
