"""How strong white noise is in each part of one channel, and whether one number would do.

Lenses that shade, gain that rises towards the corners, parallel MRI, dodged or stitched photographs: the noise is white
and Gaussian, but stronger here than there. Each window of 64 pixels gets the estimate of ``flat_patches``, with an
error of its own that grows with texture. A plane is fitted to the logarithms of these estimates, then what it leaves
is smoothed and added, scale by scale, from half the image down to 24 pixels. Every window counts by its precision, so
where a neighbourhood is all texture the map leans on the larger scales, and in the end on the plane.

Relative error of the map, root mean square over 31 images of BSD400: 2 to 3 % at constant sigma from 15, 5 % at 10 and
11 % at 5 (median 4.5 %: a few images have texture everywhere); ramps from 5 to 25 across the width 7 %, the height 9 %.

What the map cannot do: follow a change within less than about a window (a step is spread over 64 pixels), or tell
white texture stronger than the noise from noise, where nothing calmer is around. Of noise that depends on the signal
(Poisson, Rician) it shows the mean over each window, dark and bright together: right for smooth shading, but it does
not follow the edges of objects. Clipped patches are left out, not corrected.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clipping import bounds_of
from .flat_patches import SIDE, band_powers, difference_sigma, squared_transform, white_variance

STRIDE = 4
# Patches overlap by half: all of the image is seen, in a sixteenth of the time that all patches would take.

WINDOW, STEP = 15, 4
# Windows of 15x15 patches, 64x64 pixels, every 4 patches, 16 pixels; (15 / 4)^2 = 14 of them share a pixel.

LEAST = 22
# A tenth of the patches of a window: fewer calm ones know sigma no better than to 10 %.

FINEST = 24.0
# Standard deviation of the smoothing at the finest scale, in pixels: 32 blurs vignettes, 16 would follow chance.

STEEPNESS, WANDERING = 0.2, 0.15
# What log sigma is expected to change over 32 pixels, and to stray from the next coarser scale: where windows know
# it worse than this, the map falls back on the coarser scale. From 0.1 to 0.2 the errors above change by a tenth.

TELLING = 0.05
# Windows with a greater relative error do not help to tell whether noise is uniform: their texture is uneven itself.

TELLING_SHARE, TELLING_LEAST = 0.06, 4
# With fewer windows than this share, or this number, nothing speaks against uniform noise.

UNIFORM = 0.05
# Constant noise is called uneven in at most 2 of 100 images of BSD400, at any sigma from 2 to 75 (0.7 % of all); ramps
# from 10 to 15 (spread 0.10) are in 93 of 100, from 20 to 25 (0.055) in 70.


@dataclass(frozen=True)
class LocalLevel:
    """The noise of one channel, place by place.

    ``sigma`` is the map, in the shape and the units of the channel; ``unevenness`` the spread of log sigma over the
    image beyond what chance and texture explain, about the relative standard deviation of sigma, and 0 where too
    little of the image is flat to tell.
    """

    sigma: NDArray[np.float32]
    unevenness: float

    @property
    def uniform(self) -> bool:
        """Whether one number describes the noise: nothing speaks for a spread of more than 5 %."""
        return self.unevenness <= UNIFORM


def measure_locally(channel: NDArray[np.float32]) -> LocalLevel:
    """The noise level in each part of a channel (Y, X) or (Z, Y, X), in its units; volumes plane by plane.

    Where no 8x8 patch fits into a plane, the map is constant and rough: see ``difference_sigma``.
    """
    volume = channel.reshape((-1, *channel.shape[-2:]))
    if min(volume.shape[1:]) < SIDE:
        return LocalLevel(np.full(channel.shape, difference_sigma(channel), np.float32), 0.0)
    windows = [_windows(plane) for plane in volume]
    sigma = np.stack([_map(log_sigma, error, volume.shape[1:]) for log_sigma, error in windows])
    log_sigmas, errors = (np.concatenate([plane[i].ravel() for plane in windows]) for i in (0, 1))
    return LocalLevel(sigma.reshape(channel.shape).astype(np.float32), _unevenness(log_sigmas, errors))


def sigma_map(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The standard deviation of the noise at each pixel of (Y, X) or (Z, Y, X), in the units of the channel."""
    return measure_locally(channel).sigma


def is_uniform(channel: NDArray[np.float32]) -> bool:
    """Whether one sigma describes the noise of the whole channel; see :class:`LocalLevel`."""
    return measure_locally(channel).uniform


def _windows(plane: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log sigma of each window and its standard error, inf where a window is constant or clipped."""
    bands = _band_grid(plane)
    height, width = (min(WINDOW, length) for length in bands.shape[:2])
    views = np.lib.stride_tricks.sliding_window_view(bands, (height, width), axis=(0, 1))
    first_rows, first_columns = _starts(bands.shape[0]), _starts(bands.shape[1])
    shape = len(first_rows), len(first_columns)
    patches = views[np.ix_(first_rows, first_columns)].reshape(*shape, 3, height * width).swapaxes(-1, -2)
    variance, error = white_variance(patches, (STRIDE / SIDE) ** 2, LEAST)
    known = variance > 0.0
    log_sigma = 0.5 * np.log(variance, out=np.zeros(shape), where=known)
    return log_sigma, np.where(known, error, np.inf)


def _band_grid(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """The band powers (rows, columns, 3) of the patches of a plane; the first is inf where two pixels are clipped."""
    patches = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))[::STRIDE, ::STRIDE]
    bounds = bounds_of(plane)
    bands = np.empty((*patches.shape[:2], 3), np.float32)
    for powers, row in zip(bands, patches, strict=True):  # row by row, as all patches would be 4 times the image
        flat = row.reshape(-1, SIDE * SIDE)
        powers[:] = band_powers(squared_transform(flat))
        if bounds.share:
            touched = np.count_nonzero((flat <= bounds.lower) | (flat >= bounds.upper), axis=1)
            powers[touched > 1] = np.inf, 0.0, 0.0
    return bands


def _starts(patches: int) -> NDArray[np.int64]:
    """The first patch of each window along an axis with so many patches; the last window ends with the last patch."""
    last = max(0, patches - WINDOW)
    return np.union1d(np.arange(0, last + 1, STEP), [last])


def _centres(pixels: int) -> NDArray[np.float64]:
    """The pixel in the middle of each window along an axis."""
    patches = (pixels - SIDE) // STRIDE + 1
    middle = _starts(patches) + (min(WINDOW, patches) - 1) / 2
    return np.asarray(STRIDE * middle + (SIDE - 1) / 2, dtype=np.float64)


def _map(log_sigma: NDArray[np.float64], error: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The windows' estimates made into a map of this shape: a plane, and residuals smoothed from coarse to fine.

    The map is computed at the centres of the windows and on the border of the image, and is linear in between.
    """
    weight = (STEP / WINDOW) ** 2 / np.square(error)
    if not weight.any():
        return np.zeros(shape)
    centres = [_centres(length) for length in shape]
    nodes = [np.append(np.insert(places, 0, 0.0), length - 1.0) for places, length in zip(centres, shape, strict=True)]
    terms = _plane_terms(centres, shape).reshape(-1, 3)
    weighted = terms * weight.reshape(-1, 1)
    normal = terms.T @ weighted + np.diag([0.0, 1.0, 1.0]) / STEEPNESS**2
    found = _plane_terms(nodes, shape) @ np.linalg.solve(normal, weighted.T @ log_sigma.ravel())
    octaves = max(0, int(np.log2(max(shape) / 2 / FINEST)))
    for scale in FINEST * 2.0 ** np.arange(octaves, -1, -1):
        down, across = (
            np.exp(-0.5 * np.square(np.subtract.outer(to, of) / scale)) for to, of in zip(nodes, centres, strict=True)
        )
        left = weight * (log_sigma - found[1:-1, 1:-1])
        found = found + (down @ left @ across.T) / (down @ weight @ across.T + 1.0 / WANDERING**2)
    for axis in (0, 1):
        found = _interpolated(found, nodes[axis], shape[axis], axis)
    return np.asarray(np.exp(found), dtype=np.float64)


def _plane_terms(places: list[NDArray[np.float64]], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1, y and x, from the middle of the image and in units of 32 pixels, at each of the places: (rows, columns, 3)."""
    y, x = ((place - length / 2) / 32 for place, length in zip(places, shape, strict=True))
    return np.stack([np.ones((len(y), len(x))), *np.meshgrid(y, x, indexing="ij")], axis=-1)


def _interpolated(
    values: NDArray[np.float64], nodes: NDArray[np.float64], length: int, axis: int
) -> NDArray[np.float64]:
    """Values at the nodes of an axis, made into one for each of its pixels."""
    position = np.interp(np.arange(length), nodes, np.arange(len(nodes)))
    before = np.minimum(position.astype(np.int64), len(nodes) - 2)
    part = np.expand_dims(position - before, 1 - axis)
    between: NDArray[np.float64] = np.take(values, before, axis) * (1 - part) + np.take(values, before + 1, axis) * part
    return between


def _unevenness(log_sigma: NDArray[np.float64], error: NDArray[np.float64]) -> float:
    """The standard deviation of log sigma over the windows that know it, less that of their errors."""
    telling = error < TELLING
    if np.count_nonzero(telling) < max(TELLING_LEAST, TELLING_SHARE * error.size):
        return 0.0
    weight = 1.0 / np.square(error[telling])
    mean = np.average(log_sigma[telling], weights=weight)
    spread = np.average(np.square(log_sigma[telling] - mean), weights=weight)
    by_chance = len(weight) / weight.sum()
    return float(np.sqrt(max(0.0, spread - by_chance)))
