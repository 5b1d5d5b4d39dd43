"""Explicit steps with a diffusion tensor; equals :mod:`noiseless.diffusion.tensor`.

Once a cycle the structure tensor and the diffusion tensor are found, in passes over whole arrays of padded rows; the
steps and their weights are in :mod:`noiseless.diffusion.kernels.march`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, in_bands, inner
from noiseless.diffusion.kernels.lattice import fit_image
from noiseless.diffusion.kernels.march import March
from noiseless.diffusion.kernels.rows import (
    as_volume,
    enter,
    inside_of,
    neighbours,
    rows_for,
    spread,
)
from noiseless.diffusion.kernels.tensors import KINDS, coherence_image, edges_image, tensor_volume
from noiseless.diffusion.kernels.views import MARGIN, line_of, row
from noiseless.diffusion.stencil import DIRECTIONS, WINDOW
from noiseless.diffusion.stepping import Cycle
from noiseless.diffusion.tensor import TensorScheme, steepest

_UNLIMITED = 1e30
_COHERENCE = KINDS["coherence-enhancing"]


def diffuse(
    image: NDArray[Any],
    scheme: TensorScheme,
    cycles: list[Cycle],
    mask: NDArray[Any] | None,
    threads: int,
    fixed: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The image after all explicit cycles; a new array of the same shape and dtype."""
    number = image.dtype.type
    dimensions = len(scheme.spacing)
    volume = as_volume(image)
    inside = inside_of(mask, volume)
    channels, slabs, rows, columns = volume.shape
    directions = np.array([_in_volume(direction) for direction in DIRECTIONS[dimensions]])
    # Two directions are stepped at once; one that leads nowhere makes their number even.
    directions = np.concatenate([directions, np.zeros((len(directions) % 2, 3), directions.dtype)])
    sizes = np.array(_in_volume(scheme.spacing, 1.0))

    def padded(*parts: int) -> Any:
        array = rows_for((*parts, slabs, rows), columns, image.dtype)
        array[...] = 0
        return array

    u, other, copied, more = (padded(channels) for _ in range(4))
    structure, spare = padded(3 if dimensions == 2 else 6), padded(3 if dimensions == 2 else 6)
    limit = None if scheme.conservative else _limit(inside, columns, padded())
    presmoothing, smoothing = (
        (np.array(_in_volume(given, 0.0)).astype(number), passes)
        for given, passes in (scheme.presmoothing, scheme.smoothing)
    )
    most = number(steepest(np.finfo(number).eps))
    rounding = 2.0 * float(np.finfo(number).eps)
    work = slabs * rows * columns * channels * len(directions) * sum(len(cycle.steps) for cycle in cycles)
    window = WINDOW[dimensions]
    least = 2 * max(window * max(len(cycle.steps) for cycle in cycles), presmoothing[1], smoothing[1])
    with bands_of(slabs, threads, work, least) as bands:
        bands(lambda first, last: _enter_all(u, volume, first, last))
        for cycle in cycles:
            copied[...] = u  # smoothing uses its field up
            smoothed = _smoothed(copied, more, presmoothing, inside, columns, bands)
            per_contrast = 1.0 / (cycle.contrast_factor * np.array(scheme.contrasts))
            scales = np.multiply.outer(0.5 / sizes, per_contrast).astype(number)

            def measure(first: int, last: int, smoothed: Any = smoothed, scales: Any = scales) -> None:
                work = rows_for((10,), columns, image.dtype)
                _measure(smoothed, structure, scales, most, inside, work, columns, first, last)

            bands(measure)
            found = _smoothed(structure, spare, smoothing, inside, columns, bands)
            kind = KINDS[scheme.kind]
            parameter = number(0.0 if scheme.kind == "edge-enhancing" else scheme.parameter)
            conduct = _conduct_image if dimensions == 2 else _conduct_volume
            bands(lambda first, last: conduct(found, kind, parameter, rounding, sizes, columns, first, last))  # noqa: B023
            # What is fixed is put back after every step.
            for steps in [cycle.steps] if fixed is None else [(step,) for step in cycle.steps]:
                march = March(found, inside, limit, directions, sizes, np.array(steps, number), columns, window)
                march.run(u, other, bands)
                u, other = (u, other) if len(steps) % 2 == 0 else (other, u)
                if fixed is not None:
                    np.copyto(u[..., MARGIN : MARGIN + columns], volume, where=as_volume(fixed))
    return np.ascontiguousarray(u[..., MARGIN : MARGIN + columns]).reshape(image.shape)


def _in_volume(of_axes: tuple[Any, ...], missing: Any = 0) -> tuple[Any, ...]:
    """One entry for each axis of a volume; an image is slabs of one row."""
    return of_axes if len(of_axes) == 3 else (of_axes[0], missing, of_axes[1])


def _limit(inside: NDArray[Any] | None, columns: int, limit: NDArray[Any]) -> NDArray[Any]:
    """How much may pass to a pixel: nothing beyond the image or outside the mask."""
    within = slice(MARGIN, MARGIN + columns)
    limit[:, :, within] = inside[:, :, within] * _UNLIMITED if inside is not None else _UNLIMITED
    return limit


def _smoothed(
    field: NDArray[Any],
    spare: NDArray[Any],
    smoothing: tuple[NDArray[Any], int],
    inside: NDArray[Any] | None,
    columns: int,
    bands: Any,
) -> NDArray[Any]:
    """The field after all passes, in its own memory or in ``spare``."""
    weights, passes = smoothing
    if passes > 0:
        deep = True if field.shape[2] > 1 else None

        def smooth(start: NDArray[np.int64], stop: NDArray[np.int64]) -> None:
            work = rows_for((7,), columns, field.dtype)
            _smooth(field, spare, weights, inside, deep, work, columns, start, stop)

        in_bands(bands, field.shape[1], np.arange(passes), smooth)
    return spare if passes % 2 else field


@compiled
def _enter_all(u: Array, volume: Array, first: int, last: int) -> None:
    channels, _, rows, columns = volume.shape
    for c in range(channels):
        for z in range(first, last):
            for y in range(rows):
                enter(line_of(u[c], z, y, columns), volume[c, z, y])


@compiled
def _smooth(
    field: Array,
    spare: Array,
    weights: Array,
    inside: Array | None,
    deep: bool | None,
    work: Array,
    columns: int,
    start: Array,
    stop: Array,
) -> None:
    """Passes from one array to the other and back, each two slabs behind the one before."""
    parts, slabs, rows, _ = field.shape
    for part in range(parts):
        for front in range(min(start[0], start[-1]), max(stop[0], stop[-1]) + 2 * (len(start) - 1)):
            for done in range(len(start)):
                z = front - 2 * done
                if start[done] <= z < stop[done]:
                    before, after = (field[part], spare[part]) if done % 2 == 0 else (spare[part], field[part])
                    for y in range(rows):
                        line = line_of(after, z, y, columns)
                        out, above, below = row(line, (), 1, columns), max(z - 1, 0), min(z + 1, slabs - 1)
                        spread(out, before, above, z, below, y, z, weights, inside, work, deep)
                        line[0], line[columns + 1] = line[1], line[columns]


@compiled
def _measure(
    v: Array,
    structure: Array,
    scales: Array,
    most: Any,
    inside: Array | None,
    work: Array,
    columns: int,
    first: int,
    last: int,
) -> None:
    """The upper triangle of the structure tensor: the mean over the channels of the products of the slopes."""
    channels, slabs, rows, _ = v.shape
    share = v.dtype.type(1.0 / channels)
    for z in range(first, last):
        for y in range(rows):
            for c in range(channels):
                before, after = max(z - 1, 0), min(z + 1, slabs - 1)
                up, down = max(y - 1, 0), min(y + 1, rows - 1)
                if inside is not None:
                    neighbours(v[c], before, z, after, y, z, columns, inside, work)
                for axis in range(3):
                    if inside is not None:
                        one, other = row(work, (2 * axis + 1,), 0, columns), row(work, (2 * axis + 2,), 0, columns)
                    elif axis == 0:
                        one, other = row(v, (c, before, y), MARGIN, columns), row(v, (c, after, y), MARGIN, columns)
                    elif axis == 1:
                        one, other = row(v, (c, z, up), MARGIN, columns), row(v, (c, z, down), MARGIN, columns)
                    else:
                        one, other = row(v, (c, z, y), MARGIN - 1, columns), row(v, (c, z, y), MARGIN + 1, columns)
                    # The slopes lie in the rows of work that neighbours leaves free.
                    _slope(row(work, (7 + axis,), 0, columns), one, other, scales[axis, c], most)
                part = 0
                for i in range(3):
                    for j in range(i, 3):
                        # An image has no second axis here.
                        if structure.shape[0] == 6 or (i != 1 and j != 1):
                            line = line_of(structure[part], z, y, columns)
                            a, b = row(work, (7 + i,), 0, columns), row(work, (7 + j,), 0, columns)
                            _product(row(line, (), 1, columns), a, b, share, c > 0)
                            line[0], line[columns + 1] = line[1], line[columns]
                            part += 1


@compiled
def _conduct_image(
    tensor: Array,
    kind: int,
    parameter: Any,
    rounding: float,  # noqa: ARG001  of volumes alone
    sizes: Array,
    columns: int,
    first: int,
    last: int,
) -> None:
    """From the structure tensor to the diffusion tensor, in place, mixed until the directions suffice."""
    number = tensor.dtype.type
    for z in range(first, last):
        a, b, c = (
            row(tensor, (0, z, 0), MARGIN, columns),
            row(tensor, (1, z, 0), MARGIN, columns),
            row(tensor, (2, z, 0), MARGIN, columns),
        )
        if kind == _COHERENCE:
            coherence_image(a, b, c, parameter)
        else:
            edges_image(a, b, c, parameter)
        fit_image(a, b, c, number(1 / sizes[0]), number(1 / sizes[2]))


@compiled
def _conduct_volume(
    tensor: Array,
    kind: int,
    parameter: Any,
    rounding: float,
    sizes: Array,  # noqa: ARG001  of images alone
    columns: int,
    first: int,
    last: int,
) -> None:
    for z in range(first, last):
        for y in range(tensor.shape[2]):
            tensor_volume(
                row(tensor, (0, z, y), MARGIN, columns), row(tensor, (1, z, y), MARGIN, columns),
                row(tensor, (2, z, y), MARGIN, columns), row(tensor, (3, z, y), MARGIN, columns),
                row(tensor, (4, z, y), MARGIN, columns), row(tensor, (5, z, y), MARGIN, columns),
                kind, parameter, rounding,
            )  # fmt: skip


@inner
def _slope(out: Array, before: Array, after: Array, scale: Array, most: Array) -> None:
    for j in range(out.size):
        out[j] = max(-most, min(most, scale * (after[j] - before[j])))


@inner
def _product(out: Array, a: Array, b: Array, share: Array, more: bool) -> None:
    if more:
        for j in range(out.size):
            out[j] += share * (a[j] * b[j])
    else:
        for j in range(out.size):
            out[j] = share * (a[j] * b[j])
