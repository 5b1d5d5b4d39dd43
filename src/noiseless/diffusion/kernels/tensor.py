"""Explicit steps with a diffusion tensor; equals :mod:`noiseless.diffusion.tensor`.

Once a cycle the structure tensor, the diffusion tensor and the weights of the directions are found, each pass over
whole arrays of padded rows; then every step adds the exchange along each direction.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.diffusion.kernels.lattice import fit_image, weigh_volume, weight_image
from noiseless.diffusion.kernels.rows import (
    MARGIN,
    as_volume,
    copy,
    enter,
    inside_of,
    line_of,
    neighbours,
    rows_for,
    spread,
)
from noiseless.diffusion.kernels.tensors import KINDS, coherence_image, edges_image, tensor_volume
from noiseless.diffusion.stencil import DIRECTIONS
from noiseless.diffusion.stepping import Cycle
from noiseless.diffusion.tensor import TensorScheme, steepest

_UNLIMITED = 1e30


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
    sizes = np.array(_in_volume(scheme.spacing, 1.0))

    def padded(count: int) -> Any:
        array = rows_for((count, slabs, rows), columns, image.dtype)
        array[...] = 0
        return array

    u, other = padded(channels), padded(channels)
    structure, spare = padded(3 if dimensions == 2 else 6), padded(3 if dimensions == 2 else 6)
    weights = padded(len(directions))
    limit = weights if scheme.conservative else _limit(inside, columns, padded(1))
    presmoothing, smoothing = (
        (np.array(_in_volume(given, 0.0)).astype(number), passes)
        for given, passes in (scheme.presmoothing, scheme.smoothing)
    )
    most = number(steepest(np.finfo(number).eps))
    rounding = 2.0 * float(np.finfo(number).eps)
    work = slabs * rows * columns * channels * len(directions) * sum(len(cycle.steps) for cycle in cycles)
    with bands_of(slabs, threads, work) as bands:
        bands(lambda first, last: _enter_all(u, volume, first, last))
        for cycle in cycles:
            smoothed = _smoothed(u, presmoothing, (padded(channels), padded(channels)), inside, columns, bands)
            per_contrast = 1.0 / (cycle.contrast_factor * np.array(scheme.contrasts))
            scales = np.multiply.outer(0.5 / sizes, per_contrast).astype(number)
            bands(lambda first, last: _measure(smoothed, structure, scales, most, inside, columns, first, last))  # noqa: B023
            found = _smoothed(structure, smoothing, (spare, structure), inside, columns, bands)
            kind, parameter = KINDS[scheme.kind], number(scheme.parameter)
            bands(lambda first, last: _conduct(found, kind, parameter, rounding, columns, first, last))  # noqa: B023
            bands(lambda first, last: _weigh(found, weights, sizes, inside, columns, first, last))  # noqa: B023
            for step in cycle.steps:
                bands(
                    lambda first, last: _step(u, other, weights, limit, directions, number(step), columns, first, last)  # noqa: B023
                )
                u, other = other, u
                if fixed is not None:
                    np.copyto(u[..., MARGIN : MARGIN + columns], volume, where=as_volume(fixed))
    return np.ascontiguousarray(u[..., MARGIN : MARGIN + columns]).reshape(image.shape)


def _in_volume(of_axes: tuple[Any, ...], missing: Any = 0) -> tuple[Any, ...]:
    """One entry for each axis of a volume; an image is slabs of one row."""
    return of_axes if len(of_axes) == 3 else (of_axes[0], missing, of_axes[1])


def _limit(inside: NDArray[Any], columns: int, limit: NDArray[Any]) -> NDArray[Any]:
    """How much may pass to a pixel: nothing beyond the image or outside the mask."""
    within = slice(MARGIN, MARGIN + columns)
    limit[0, :, :, within] = inside[:, :, within] * _UNLIMITED if inside.size else _UNLIMITED
    return limit


def _smoothed(
    field: NDArray[Any],
    smoothing: tuple[NDArray[Any], int],
    targets: tuple[NDArray[Any], NDArray[Any]],
    inside: NDArray[Any],
    columns: int,
    bands: Any,
) -> NDArray[Any]:
    """The field after all passes, in one of the two targets; the field itself if there is none."""
    weights, passes = smoothing
    for done in range(passes):
        target = targets[done % 2]
        bands(lambda first, last: _smooth(field, target, weights, inside, columns, first, last))  # noqa: B023
        field = target
    return field


@compiled
def _enter_all(u: Array, volume: Array, first: int, last: int) -> None:
    channels, _, rows, columns = volume.shape
    for c in range(channels):
        for z in range(first, last):
            for y in range(rows):
                enter(line_of(u[c], z, y, columns), volume[c, z, y])


@compiled
def _smooth(field: Array, target: Array, weights: Array, inside: Array, columns: int, first: int, last: int) -> None:
    parts, slabs, rows, _ = field.shape
    work = np.empty((7, columns + 2), field.dtype)
    for part in range(parts):
        for z in range(first, last):
            for y in range(rows):
                line = line_of(target[part], z, y, columns)
                spread(line[1:-1], field[part], max(z - 1, 0), z, min(z + 1, slabs - 1), y, z, weights, inside, work)
                line[0], line[-1] = line[1], line[-2]


@compiled
def _measure(
    v: Array, structure: Array, scales: Array, most: Any, inside: Array, columns: int, first: int, last: int
) -> None:
    """The upper triangle of the structure tensor: the mean over the channels of the products of the slopes."""
    channels, slabs, rows, _ = v.shape
    work = np.empty((7, columns + 2), v.dtype)
    slopes = np.empty((3, columns), v.dtype)
    share = v.dtype.type(1.0 / channels)
    for z in range(first, last):
        for y in range(rows):
            for c in range(channels):
                before, after = max(z - 1, 0), min(z + 1, slabs - 1)
                if inside.size > 0:
                    beside = neighbours(v[c], before, z, after, y, z, columns, inside, work)
                    for axis in range(3):
                        _slope(slopes[axis], beside[2 * axis], beside[2 * axis + 1], scales[axis, c], most)
                else:
                    up, down = max(y - 1, 0), min(y + 1, rows - 1)
                    line = line_of(v[c], z, y, columns)
                    a, b = line_of(v[c], before, y, columns), line_of(v[c], after, y, columns)
                    _slope(slopes[0], a[1:-1], b[1:-1], scales[0, c], most)
                    a, b = line_of(v[c], z, up, columns), line_of(v[c], z, down, columns)
                    _slope(slopes[1], a[1:-1], b[1:-1], scales[1, c], most)
                    _slope(slopes[2], line[:-2], line[2:], scales[2, c], most)
                part = 0
                for i in range(3):
                    for j in range(i, 3):
                        # An image has no second axis here.
                        if structure.shape[0] == 6 or (i != 1 and j != 1):
                            line = line_of(structure[part], z, y, columns)
                            _product(line[1:-1], slopes[i], slopes[j], share, c > 0)
                            line[0], line[-1] = line[1], line[-2]
                            part += 1


@compiled
def _conduct(tensor: Array, kind: int, parameter: Any, rounding: float, columns: int, first: int, last: int) -> None:
    """From the structure tensor to the diffusion tensor, in place."""
    parts, _, rows, _ = tensor.shape
    for z in range(first, last):
        for y in range(rows):
            if parts == 3:
                a, b, c = (
                    line_of(tensor[0], z, y, columns),
                    line_of(tensor[1], z, y, columns),
                    line_of(tensor[2], z, y, columns),
                )
                if kind == 1:
                    coherence_image(a, b, c, parameter)
                else:
                    edges_image(a, b, c, parameter if kind == 2 else parameter * 0)
            else:
                tensor_volume(tensor[:, z, y, MARGIN : MARGIN + columns], kind, parameter, rounding)


@compiled
def _weigh(tensor: Array, weights: Array, sizes: Array, inside: Array, columns: int, first: int, last: int) -> None:
    """The weight of each direction, 0 outside the mask."""
    parts, _, rows, _ = tensor.shape
    number = tensor.dtype.type
    for z in range(first, last):
        for y in range(rows):
            within = slice(MARGIN, MARGIN + columns)
            if parts == 3:
                yy, yx, xx = tensor[0, z, y, within], tensor[1, z, y, within], tensor[2, z, y, within]
                fit_image(yy, yx, xx, number(1 / sizes[0]), number(1 / sizes[2]))
                for direction in range(8):
                    weight_image(weights[direction, z, y, within], yy, yx, xx, direction)
            else:
                weigh_volume(tensor[:, z, y, within], weights[:, z, y, within], sizes)
            if inside.size > 0:
                for direction in range(weights.shape[0]):
                    _close(weights[direction, z, y, within], inside[z, y, within])


@compiled
def _step(
    u: Array,
    out: Array,
    weights: Array,
    limit: Array,
    directions: Array,
    step: Any,
    columns: int,
    first: int,
    last: int,
) -> None:
    """One explicit step. What passes along an edge is limited by its far end, so that both sides agree on it."""
    channels, slabs, rows, _ = u.shape
    within = slice(MARGIN, MARGIN + columns)
    shared = limit.shape[0] == 1  # then by the mask alone, and each pixel decides for itself
    for c in range(channels):
        for z in range(first, last):
            for y in range(rows):
                here, line = u[c, z, y, within], out[c, z, y, within]
                copy(line, here)
                for d in range(directions.shape[0]):
                    dz, dy, dx = directions[d]
                    weight, far = weights[d, z, y, within], limit[0 if shared else d]
                    for sign in (1, -1):
                        p, q, shift = z + sign * dz, y + sign * dy, MARGIN + sign * dx
                        if 0 <= p < slabs and 0 <= q < rows:
                            _exchange(
                                line, here, u[c, p, q, shift : shift + columns], weight,
                                far[p, q, shift : shift + columns], step,
                            )  # fmt: skip
                out[c, z, y, MARGIN - 1], out[c, z, y, MARGIN + columns] = line[0], line[-1]


@inner
def _exchange(out: Array, here: Array, there: Array, weight: Array, limit: Array, step: Array) -> None:
    for j in range(out.size):
        out[j] += step * min(weight[j], limit[j]) * (there[j] - here[j])


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


@inner
def _close(weights: Array, inside: Array) -> None:
    for j in range(weights.size):
        if inside[j] == 0:
            weights[j] = 0
