"""Small denoisings with a known answer: whether each engine works, and how fast it is here."""

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.cli.troubles import Finding, Trouble

SIDE, SIGMA = 256, 25.0

LEAST_GAIN = 8.0
"""dB. A soft pattern in noise of sigma 25 has a known answer: healthy networks and filters gain over 15 dB on it."""

LONG_ENOUGH_S, MOST_RUNS = 0.25, 3


def speed() -> Finding:
    """Megapixels a second and dB gained by each engine, for the tiny and the base network, gray and colour."""
    runs: list[tuple[str, str, str, dict[str, Any]]] = [
        (engine, model, "network", {"model": model, "device": device})
        for engine, device in _engines()
        for model in ("tiny", "base")
    ]
    runs.append(("numba", "perona-malik", "filter", {"method": "perona-malik", "device": ""}))
    facts, troubles = [], []
    for engine, model, kind, options in runs:
        for colour in (False, True) if kind == "network" else (False,):
            name = f"{engine}, {model}{' colour' if colour else ' gray' if kind == 'network' else ''}"
            try:
                rate, gain = _measured(colour=colour, **options)
            except Exception as error:  # an engine that does not fit the machine fails in its own way
                what = " ".join(f"{name} cannot denoise, {type(error).__name__}: {error}".split())
                troubles.append(Trouble(what, _remedy(engine)))
                continue
            facts.append(
                {
                    "engine": engine,
                    "model": model,
                    "channels": 3 if colour else 1,
                    "megapixels_per_second": float(f"{rate:.3g}"),
                    "gain_db": round(gain, 2),
                }
            )
            if not gain > LEAST_GAIN:
                what = f"{name} gains {gain:.1f} dB where {LEAST_GAIN:g} are the least: its results are wrong"
                troubles.append(Trouble(what, _remedy(engine)))
    return facts, troubles


def _engines() -> list[tuple[str, str]]:
    """Engines of networks, and the device that an image lies on; "" for a NumPy array."""
    found = [("OpenVINO", "")]
    if importlib.util.find_spec("torch") is not None:
        found.append(("torch on CPU", "cpu"))
        if importlib.import_module("torch").cuda.is_available():
            found.append(("torch on GPU", "cuda"))
    return found


def _remedy(engine: str) -> str:
    if engine == "numba":
        return "set NUMBA_CACHE_DIR to a folder that can be written; else pip install --force-reinstall numba"
    return f"pip install --force-reinstall {engine.split()[0].lower()}"


def _measured(*, colour: bool, device: str, **choices: Any) -> tuple[float, float]:
    """Megapixels a second and dB gained."""
    clean, noisy = _pattern(colour=colour)
    given: Any = noisy
    if device:
        given = importlib.import_module("torch").from_numpy(noisy).to(device)

    def denoise() -> NDArray[Any]:
        return _as_array(noiseless.denoise(given, sigma=SIGMA, channel_axis=-1 if colour else None, **choices))

    denoised = denoise()  # compiles
    gain = noiseless.psnr(denoised, clean, data_range=255.0) - noiseless.psnr(noisy, clean, data_range=255.0)
    return SIDE * SIDE / 1e6 / _seconds(denoise), gain


def _seconds(work: Callable[[], object]) -> float:
    """Least of a few runs."""
    began, least = time.perf_counter(), float("inf")
    for _ in range(MOST_RUNS):
        started = time.perf_counter()
        work()
        ended = time.perf_counter()
        least = min(least, ended - started)
        if ended - began > LONG_ENOUGH_S:
            break
    return least


def _as_array(image: Any) -> NDArray[Any]:
    return np.asarray(image.cpu() if hasattr(image, "cpu") else image)  # from a GPU too, which has to finish for it


def _pattern(*, colour: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A soft pattern, clean and noisy: (Y, X), or (Y, X, 3)."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / 128.0
    phases = (0.0, 1.0, 2.0) if colour else (0.0,)
    channels = [127.5 + 90 * np.sin(9 * rows + phase) * np.cos(7 * columns) for phase in phases]
    clean = np.stack(channels, axis=-1).astype(np.float32) if colour else channels[0].astype(np.float32)
    return clean, clean + np.float32(SIGMA) * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
