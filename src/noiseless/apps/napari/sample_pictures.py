"""Sample data: pictures made by code, with noise of known strength."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import noiseless

SIDE, SLICES = 512, 8

SIGMA = 25.0
"""Grey levels."""

PHOTONS = noiseless.noise.PoissonGaussian(gain=12.0, sigma=40.0)


def noisy_picture() -> list[tuple[Any, dict[str, Any], str]]:
    """Discs, lines and waves of 8 bits, with Gaussian noise of sigma 25."""
    clean = scene(SIDE, 0.0) * 255.0
    noisy = noiseless.noise.Gaussian(SIGMA).sample(clean, np.random.default_rng(0))
    pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return [(pixels, {"name": f"noisy picture, sigma {SIGMA:g}"}, "image")]


def noisy_stack() -> list[tuple[Any, dict[str, Any], str]]:
    """Slices of 16 bits through a slowly changing scene, with the noise of photons and of read-out."""
    clean = np.stack([scene(SIDE // 2, slice_ / SLICES) for slice_ in range(SLICES)]) * 4000.0 + 200.0
    noisy = PHOTONS.sample(clean, np.random.default_rng(0))
    pixels = np.clip(np.rint(noisy), 0, 65535).astype(np.uint16)
    more = {"name": "noisy stack", "scale": (2.0, 1.0, 1.0), "axis_labels": ("z", "y", "x")}
    return [(pixels, more, "image")]


def scene(side: int, depth: float) -> NDArray[np.float64]:
    """(Y, X) of 0 to 1 at a depth of 0 to 1: light from one side, discs, thin lines, and waves that get narrower."""
    row, column = np.mgrid[0:side, 0:side] / side
    picture = 0.25 + 0.3 * column
    for number, (y, x) in enumerate(((0.25, 0.25), (0.3, 0.7), (0.68, 0.3))):
        radius = 0.08 + 0.04 * number + 0.03 * np.sin(2 * np.pi * (depth + number / 3))
        distance = np.hypot(row - y, column - x)
        picture = np.where(distance < radius, 0.35 + 0.15 * number, picture)
        picture = np.where(np.abs(distance - radius) < 1.5 / side, 0.85, picture)
    waves = 0.5 + 0.3 * np.sin(2 * np.pi * (4.0 + 16.0 * (column - 0.5)) * row)
    picture = np.where((row > 0.55) & (column > 0.55), waves, picture)
    lines = np.sin(2 * np.pi * 10 * (row + 0.5 * column)) > 0.96
    return np.where(lines & (row < 0.5), 0.15, picture)
