"""The explicit steps of :mod:`noiseless.diffusion.stepping` for NumPy arrays, compiled by numba.

Imported only when a NumPy image is first diffused (numba takes 0.4 s to import; compiled code is cached on disk).
One thread, without the GIL: tiles of an image may run side by side, and do not compete with threads of our own.

LLVM vectorises loops over plain one-dimensional arrays and nothing more complicated, so all arithmetic is in row
functions. There is no fast-math: a pixel gets the same bits wherever it lies in the array, so tiles equal the whole.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.stepping import ExplicitScheme

_KINDS = {"rational": 0, "exponential": 1, "charbonnier": 2, "homogeneous": 3}

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function) -> _Function:
    """A function that Python calls; the machine code is kept on disk."""
    return cast(_Function, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


def _inner(function: _Function) -> _Function:
    """A function that only compiled code calls; without the wrappers it compiles faster."""
    njit = numba.njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
    return cast(_Function, njit(function))


class _Numbers(NamedTuple):
    """The scheme in the image's own dtype; axes in the order z, y, x."""

    rates: NDArray[Any]  # step_size / h^2 of each axis
    sharpness: NDArray[Any]  # 1 / (h * contrast) of each axis and channel
    kind: int
    weights: NDArray[Any]  # of the smoothing, for each axis
    passes: int


class _Lines(NamedTuple):
    """Memory for rows in the making."""

    work: NDArray[Any]
    y_flux: NDArray[Any]  # what the row before left for this one, for each channel
    z_flux: NDArray[Any]  # what the plane before left, for each channel and row


def explicit_diffusion(image: NDArray[Any], scheme: ExplicitScheme) -> NDArray[Any]:
    """The image after all steps of ``scheme``; a new array of the same shape and dtype."""
    # An image is a volume of one plane: its first spatial axis has length 1, and nothing flows along it.
    flat_axes = 4 - image.ndim
    volume = image.reshape(image.shape[:1] + (1,) * flat_axes + image.shape[1:]).copy()
    number = image.dtype.type
    inverse_spacing = np.array([0.0] * flat_axes + [1.0 / size for size in scheme.spacing])
    sharpness = np.array([1.0 / contrast for contrast in scheme.contrasts]) / len(scheme.contrasts) ** 0.5
    numbers = _Numbers(
        rates=(scheme.step_size * inverse_spacing**2).astype(number),
        sharpness=np.multiply.outer(inverse_spacing, sharpness).astype(number),
        kind=_KINDS[scheme.conductivity],
        weights=np.array([0.0] * flat_axes + list(scheme.smoothing_weights)).astype(number),
        passes=scheme.smoothing_passes,
    )
    _diffuse(volume, scheme.steps, numbers)
    return volume.reshape(image.shape)


@_compiled
def _diffuse(u: Array, steps: int, numbers: _Numbers) -> None:
    """All steps, in place.

    The last smoothing pass is made just before its rows are used, into a ring of two rows (two planes in a volume)
    that stays in the cache; the passes before it, if any, fill whole arrays.
    """
    channels, planes, rows, columns = u.shape
    ring = np.empty((channels, min(planes, 2), rows if planes > 1 else 2, columns), u.dtype)
    smoothed = np.empty_like(u) if numbers.passes > 1 else u
    spare = np.empty_like(u) if numbers.passes > 2 else smoothed
    work = np.zeros((6, columns + 1), u.dtype)
    y_flux = np.zeros((channels, columns), u.dtype)
    z_flux = np.zeros((channels, rows if planes > 1 else 1, columns), u.dtype)
    lines = _Lines(work, y_flux, z_flux)
    for _ in range(steps):
        for done in range(numbers.passes - 1):
            for z in range(planes):
                for y in range(rows):
                    _smooth(u if done == 0 else smoothed, spare, z, y, numbers.weights, work)
            smoothed, spare = spare, smoothed
        _step(u, smoothed, ring if numbers.passes > 0 else u, numbers, lines)


@_inner
def _step(u: Array, source: Array, v: Array, numbers: _Numbers, lines: _Lines) -> None:
    """One step of u, in place, with the conductivity of v: the ring that ``source`` is smoothed into, or u itself.

    A row gives its fluxes to the next row and the next plane before it changes, and each flux is kept until the
    pixel on its other side takes it; so every flux is computed once, from values of the old time.
    """
    channels, planes, rows, columns = u.shape
    rates, sharpness, kind, _, _ = numbers
    work, y_flux, z_flux = lines
    gx, gy, gz = work[0, : columns - 1], work[1, :columns], work[2, :columns]
    # The flux along a row has zeros at both ends: the border lets nothing through.
    x_in, fx, x_out = work[3, :columns], work[3, 1:columns], work[3, 1:]
    fy, fz = work[4, :columns], work[5, :columns]
    for z in range(planes):
        here, behind = z % v.shape[1], (z + 1) % v.shape[1]
        for y in range(rows):
            row, below = y % v.shape[2], (y + 1) % v.shape[2]
            _advance(source, v, z, y, numbers, work)
            for c in range(channels):
                line = v[c, here, row]
                _add_squared(gx, line[:-1], line[1:], sharpness[2, c], c)
                if y + 1 < rows:
                    _add_squared(gy, line, v[c, here, below], sharpness[1, c], c)
                if z + 1 < planes:
                    _add_squared(gz, line, v[c, behind, row], sharpness[0, c], c)
            for c in range(channels):
                line = u[c, z, y]
                _flow(fx, gx, line[:-1], line[1:], rates[2], kind)
                if y + 1 < rows:
                    _flow(fy, gy, line, u[c, z, y + 1], rates[1], kind)
                else:
                    fy[:] = 0
                if z + 1 < planes:
                    _flow(fz, gz, line, u[c, z + 1, y], rates[0], kind)
                else:
                    fz[:] = 0
                _update(line, x_in, x_out, fy, y_flux[c])
                if planes > 1:
                    _exchange(line, fz, z_flux[c, y])


@_inner
def _advance(source: Array, ring: Array, z: int, y: int, numbers: _Numbers, work: Array) -> None:
    """Smooth the rows that the step of row y in plane z is the first to look at, before it changes that row."""
    _, planes, rows, _ = source.shape
    if numbers.passes == 0:
        return
    if planes == 1:
        for ahead in range(y + 1 if y > 0 else y, min(y + 2, rows)):
            _smooth(source, ring, z, ahead, numbers.weights, work)
    elif y == 0:
        for plane in range(z + 1 if z > 0 else z, min(z + 2, planes)):
            for ahead in range(rows):
                _smooth(source, ring, plane, ahead, numbers.weights, work)


@_inner
def _smooth(source: Array, target: Array, z: int, y: int, weights: Array, work: Array) -> None:
    """One row of the three-point mean along every axis; clamping an index is half-sample symmetry here."""
    channels, planes, rows, columns = source.shape
    mixed, before, after = work[0, :columns], work[1, :columns], work[2, :columns]
    up, down = max(y - 1, 0), min(y + 1, rows - 1)
    front, back = max(z - 1, 0), min(z + 1, planes - 1)
    for c in range(channels):
        _mean(mixed, source[c, z, up], source[c, z, y], source[c, z, down], weights[1])
        if planes > 1:
            _mean(before, source[c, front, up], source[c, front, y], source[c, front, down], weights[1])
            _mean(after, source[c, back, up], source[c, back, y], source[c, back, down], weights[1])
            _mean(mixed, before, mixed, after, weights[0])
        line = target[c, z % target.shape[1], y % target.shape[2]]
        line[0], line[-1] = mixed[0], mixed[-1]
        if columns > 1:
            line[0] += weights[2] * (mixed[1] - mixed[0])
            line[-1] += weights[2] * (mixed[-2] - mixed[-1])
            _mean(line[1:-1], mixed[:-2], mixed[1:-1], mixed[2:], weights[2])


@_inner
def _mean(out: Array, before: Array, here: Array, after: Array, weight: Array) -> None:
    for j in range(out.size):
        out[j] = here[j] + weight * ((before[j] - here[j]) + (after[j] - here[j]))


@_inner
def _add_squared(total: Array, a: Array, b: Array, sharpness: Array, channel: int) -> None:
    """Start the sum over the channels, or add to it."""
    if channel == 0:
        for j in range(total.size):
            ratio = (b[j] - a[j]) * sharpness
            total[j] = ratio * ratio
    else:
        for j in range(total.size):
            ratio = (b[j] - a[j]) * sharpness
            total[j] += ratio * ratio


@_inner
def _flow(flux: Array, squared: Array, a: Array, b: Array, rate: Array, kind: int) -> None:
    """Conductivity times difference; a division is cheaper here than one more pass over the row."""
    one = flux.dtype.type(1)
    if kind == 0:
        for j in range(flux.size):
            flux[j] = rate * (b[j] - a[j]) / (one + squared[j])
    elif kind == 1:
        for j in range(flux.size):
            flux[j] = rate * (b[j] - a[j]) * _exponential(squared[j])
    elif kind == 2:
        for j in range(flux.size):
            flux[j] = rate * (b[j] - a[j]) / np.sqrt(one + squared[j])
    else:
        for j in range(flux.size):
            flux[j] = rate * (b[j] - a[j])


@_inner
def _exponential(s: Array) -> Array:
    """exp(-s) for s >= 0, vectorisable as the library function is not.

    exp(-s) = p(s / 16)^16 with the Taylor polynomial of order 10; from s = 16 on it stays at exp(-16) = 1e-7. The
    error is below 2e-7 plus 16 roundings.
    """
    number = type(s)
    one = number(1)
    x = -min(s, number(16)) * number(1 / 16)
    p = one + x * number(1 / 10)
    p = one + x * number(1 / 9) * p
    p = one + x * number(1 / 8) * p
    p = one + x * number(1 / 7) * p
    p = one + x * number(1 / 6) * p
    p = one + x * number(1 / 5) * p
    p = one + x * number(1 / 4) * p
    p = one + x * number(1 / 3) * p
    p = one + x * number(1 / 2) * p
    p = one + x * p
    p *= p
    p *= p
    p *= p
    return p * p


@_inner
def _exchange(row: Array, outgoing: Array, pending: Array) -> None:
    """Take the flux that the neighbour before left, give one to the neighbour after and leave it for him."""
    for j in range(row.size):
        row[j] += outgoing[j] - pending[j]
        pending[j] = outgoing[j]


@_inner
def _update(row: Array, x_in: Array, x_out: Array, outgoing: Array, pending: Array) -> None:
    """The fluxes along the row, and those across it as in :func:`_exchange`."""
    for j in range(row.size):
        row[j] += (x_out[j] - x_in[j]) + (outgoing[j] - pending[j])
        pending[j] = outgoing[j]
