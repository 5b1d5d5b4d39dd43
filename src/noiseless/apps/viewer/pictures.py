"""Pictures of arrays: values to eight bits by a window, maps to colours, means for smaller pictures, and PNG."""

import functools
import importlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]

SAMPLE = 1_000_000
"""Percentiles need no more values than this."""

USUAL = 0.1, 99.9
"""The percentiles between which a window lies: a few hot pixels leave the rest of a picture in sight."""

LARGE = 99.5
"""The percentile of magnitudes at which the colours of a map end."""

LEAST = 1e-30
"""A narrower window than this is a step."""

BLUE, WHITE, RED = (33, 102, 172), (255, 255, 255), (178, 24, 43)


def display_window(values: NDArray[Any]) -> tuple[float, float]:
    """What is shown black and what white: 0 and 255 of uint8, else the 0.1 and 99.9 percentile; never empty."""
    if values.dtype == np.uint8:
        return 0.0, 255.0
    low, high = (float(end) for end in np.percentile(_sample(values), USUAL))
    if high > low:
        return low, high
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + max(abs(low), 1.0))


def shown(values: NDArray[Any], low: float, high: float) -> Bytes:
    """Eight bits of values, ``low`` black and ``high`` white.

    Parameters
    ----------
    values : (C, Y, X). Three channels are red, green and blue; of any other number the first is shown.
    low, high : see :func:`display_window`

    Returns
    -------
    (Y, X, 3) for three channels, else (Y, X).
    """
    picked = values if values.shape[0] == 3 else values[:1]
    if values.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        levels = picked
    else:
        wide = np.result_type(values.dtype, np.float32)  # float64 for integers of 32 bits on
        scaled = np.subtract(picked, low, dtype=wide)
        scaled *= 255.0 / max(high - low, LEAST)
        levels = np.rint(np.clip(scaled, 0.0, 255.0, out=scaled), out=scaled).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(levels, 0, -1) if len(picked) == 3 else levels[0])


def diverging(values: NDArray[Any], limit: float) -> Bytes:
    """(Y, X, 3) of (Y, X): blue at ``-limit``, white at 0, red at ``limit``."""
    colours = _diverging()
    scaled = np.clip(values.astype(np.float32) / np.float32(limit), -1.0, 1.0)
    middle = len(colours) // 2
    return np.ascontiguousarray(colours[np.rint(scaled * middle).astype(np.intp) + middle])


def sequential(values: NDArray[Any], limit: float) -> Bytes:
    """(Y, X, 3) of (Y, X): dark at 0 and below, light at ``limit``, in equal steps of lightness."""
    colours = _sequential()
    scaled = np.clip(values.astype(np.float32) / np.float32(limit), 0.0, 1.0)
    return np.ascontiguousarray(colours[np.rint(scaled * (len(colours) - 1)).astype(np.intp)])


def limit_of(values: NDArray[Any]) -> float:
    """Where the colours of a map end: the 99.5 percentile of the magnitudes; above 0."""
    limit = float(np.percentile(np.abs(_sample(values).astype(np.float64)), LARGE))
    if limit > 0.0:
        return limit
    return max(abs(float(values.min())), abs(float(values.max()))) or 1.0


def reduced(values: NDArray[Any], level: int) -> NDArray[Any]:
    """Means over squares of ``2**level`` pixels; at the far edges, of those that there are.

    Parameters
    ----------
    values : (..., Y, X)
    level : 0 gives the values themselves

    Returns
    -------
    (..., ceil(Y / 2**level), ceil(X / 2**level)), floating.
    """
    kind = np.result_type(values.dtype, np.float32)
    if level == 0:
        return values.astype(kind, copy=False)
    side = 2**level
    means = values
    for axis in (-2, -1):
        starts = np.arange(0, values.shape[axis], side)
        counts = np.diff(np.append(starts, values.shape[axis])).astype(kind)
        sums = np.add.reduceat(means, starts, axis=axis, dtype=kind)
        means = sums / (counts[:, np.newaxis] if axis == -2 else counts)
    return means


def png(picture: Bytes) -> bytes:
    """A PNG file of (Y, X) or (Y, X, 3) uint8."""
    # Level 4 makes files of noise as small as the highest level does, in a fraction of its time.
    return bytes(importlib.import_module("imagecodecs").png_encode(np.ascontiguousarray(picture), level=4))


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(-1)[:: max(1, values.size // SAMPLE)]


@functools.cache
def _diverging() -> Bytes:
    """511 colours, so that the middle one is white."""
    places = np.linspace(-1.0, 1.0, 511)
    ends = np.where(places[:, np.newaxis] < 0.0, np.asarray(BLUE, float), np.asarray(RED, float))
    # Small values a little stronger, as most of a residual is small.
    far = np.abs(places)[:, np.newaxis] ** 0.85
    mixed: Bytes = np.rint((1.0 - far) * np.asarray(WHITE, float) + far * ends).astype(np.uint8)
    return mixed


@functools.cache
def _sequential() -> Bytes:
    """256 colours whose OKLab lightness grows in equal steps, from violet-black over red to pale yellow."""
    share = np.linspace(0.0, 1.0, 256)
    lightness = 0.16 + 0.81 * share
    hue = np.radians(290.0 + 175.0 * share)
    chroma = 0.17 * np.sin(np.pi * (0.08 + 0.84 * share)) ** 0.8
    return _srgb_of_oklab(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)]))


def _srgb_of_oklab(oklab: NDArray[np.float64]) -> Bytes:
    """(N, 3) of (3, N). Ottosson 2020, a perceptual colour space for image processing."""
    to_cones = np.array([[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728],
                         [1.0, -0.0894841775, -1.2914855480]])  # fmt: skip
    to_linear = np.array([[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
                          [-0.0041960863, -0.7034186147, 1.7076147010]])  # fmt: skip
    linear = np.clip(to_linear @ (to_cones @ oklab) ** 3, 0.0, 1.0)
    gamma = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    levels: Bytes = np.rint(255.0 * gamma).astype(np.uint8).T
    return levels
