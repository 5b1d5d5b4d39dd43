"""Explicit steps with a diffusion tensor; equals :mod:`noiseless.diffusion.tensor`.

Once a cycle the structure tensor, the diffusion tensor and the weights of the directions are found, each pass over
whole arrays of padded rows; then every step adds the exchange along each direction.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.diffusion.kernels.lattice import fit_image, weigh_image, weigh_volume
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
    sizes = np.array(_in_volume(scheme.spacing, 1.0))

    def padded(*parts: int) -> Any:
        array = rows_for((*parts, slabs, rows), columns, image.dtype)
        array[...] = 0
        return array

    u, other = padded(channels), padded(channels)
    structure, spare = padded(3 if dimensions == 2 else 6), padded(3 if dimensions == 2 else 6)
    weights = [padded() for _ in directions]
    free = padded() if scheme.conservative else _limit(inside, columns, padded())
    behind = weights if scheme.conservative else [padded() for _ in directions]
    presmoothing, smoothing = (
        (np.array(_in_volume(given, 0.0)).astype(number), passes)
        for given, passes in (scheme.presmoothing, scheme.smoothing)
    )
    most = number(steepest(np.finfo(number).eps))
    rounding = 2.0 * float(np.finfo(number).eps)
    work = slabs * rows * columns * channels * len(directions) * sum(len(cycle.steps) for cycle in cycles)
    window = WINDOW[dimensions]
    least = 2 * window * max(len(cycle.steps) for cycle in cycles)
    with bands_of(slabs, threads, work, least) as bands:
        bands(lambda first, last: _enter_all(u, volume, first, last))
        for cycle in cycles:
            smoothed = _smoothed(u, presmoothing, (padded(channels), padded(channels)), inside, columns, bands)
            per_contrast = 1.0 / (cycle.contrast_factor * np.array(scheme.contrasts))
            scales = np.multiply.outer(0.5 / sizes, per_contrast).astype(number)
            bands(lambda first, last: _measure(smoothed, structure, scales, most, inside, columns, first, last))  # noqa: B023
            found = _smoothed(structure, smoothing, (spare, structure), inside, columns, bands)
            kind = KINDS[scheme.kind]
            parameter = number(0.0 if scheme.kind == "edge-enhancing" else scheme.parameter)
            conduct, weigh = (_conduct_image, _weigh_image) if dimensions == 2 else (_conduct_volume, _weigh_volume)
            bands(lambda first, last: conduct(found, kind, parameter, rounding, columns, first, last))  # noqa: B023
            bands(lambda first, last: weigh(found, tuple(weights), sizes, inside, columns, first, last))  # noqa: B023
            for number_of, direction in enumerate(directions):
                weight = weights[number_of]
                if scheme.conservative:
                    # The lesser weight of both ends, in the memory of the direction before.
                    bands(lambda first, last: _join(weight, weight, free, direction, columns, first, last))  # noqa: B023
                    weights[number_of], free = free, weight
                else:
                    bands(lambda first, last: _join(weight, free, behind[number_of], -direction, columns, first, last))  # noqa: B023
                    bands(lambda first, last: _join(weight, free, weight, direction, columns, first, last))  # noqa: B023
            edges = tuple(weights), tuple(behind), directions
            # What is fixed is put back after every step.
            marches = [cycle.steps] if fixed is None else [(step,) for step in cycle.steps]
            for steps in marches:
                _march_all(u, other, edges, np.array(steps, number), columns, bands, window)
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
    smoothing: tuple[NDArray[Any], int],
    targets: tuple[NDArray[Any], NDArray[Any]],
    inside: NDArray[Any] | None,
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


def _march_all(
    u: NDArray[Any],
    other: NDArray[Any],
    edges: Any,
    steps: NDArray[Any],
    columns: int,
    bands: Any,
    window: int,
) -> None:
    """All steps of a cycle, from ``u`` to ``other`` and back.

    Each band takes as many slabs at each step as it can without its neighbours; then what is missing about each border
    between two bands is made up.
    """
    slabs, shrink = u.shape[1], window * np.arange(len(steps))
    borders: list[int] = []

    def march(first: int, last: int) -> None:
        start = first + shrink if first > 0 else 0 * shrink
        stop = last - shrink if last < slabs else 0 * shrink + slabs
        if first > 0:
            borders.append(first)
        _march(u, other, edges[0], edges[1], edges[2], steps, columns, window, start, stop)

    bands(march)
    for border in borders:
        _march(u, other, edges[0], edges[1], edges[2], steps, columns, window, border - shrink, border + shrink)


@compiled
def _enter_all(u: Array, volume: Array, first: int, last: int) -> None:
    channels, _, rows, columns = volume.shape
    for c in range(channels):
        for z in range(first, last):
            for y in range(rows):
                enter(line_of(u[c], z, y, columns), volume[c, z, y])


@compiled
def _smooth(
    field: Array, target: Array, weights: Array, inside: Array | None, columns: int, first: int, last: int
) -> None:
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
    v: Array, structure: Array, scales: Array, most: Any, inside: Array | None, columns: int, first: int, last: int
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
                if inside is not None:
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
def _conduct_image(
    tensor: Array,
    kind: int,
    parameter: Any,
    rounding: float,  # noqa: ARG001  of volumes alone
    columns: int,
    first: int,
    last: int,
) -> None:
    """From the structure tensor to the diffusion tensor, in place."""
    for z in range(first, last):
        a, b, c = (
            line_of(tensor[0], z, 0, columns),
            line_of(tensor[1], z, 0, columns),
            line_of(tensor[2], z, 0, columns),
        )
        if kind == _COHERENCE:
            coherence_image(a, b, c, parameter)
        else:
            edges_image(a, b, c, parameter)


@compiled
def _conduct_volume(
    tensor: Array, kind: int, parameter: Any, rounding: float, columns: int, first: int, last: int
) -> None:
    for z in range(first, last):
        for y in range(tensor.shape[2]):
            tensor_volume(tensor[:, z, y, MARGIN : MARGIN + columns], kind, parameter, rounding)


@compiled
def _weigh_image(
    tensor: Array, weights: Any, sizes: Array, inside: Array | None, columns: int, first: int, last: int
) -> None:
    """The weight of each direction, 0 outside the mask."""
    number = tensor.dtype.type
    within = slice(MARGIN, MARGIN + columns)
    for z in range(first, last):
        yy, yx, xx = tensor[0, z, 0, within], tensor[1, z, 0, within], tensor[2, z, 0, within]
        fit_image(yy, yx, xx, number(1 / sizes[0]), number(1 / sizes[2]))
        for pair in range(4):
            weigh_image(weights[2 * pair][z, 0, within], weights[2 * pair + 1][z, 0, within], yy, yx, xx, pair)
        if inside is not None:
            for direction in range(len(weights)):
                _close(weights[direction][z, 0, within], inside[z, 0, within])


@compiled
def _weigh_volume(
    tensor: Array, weights: Any, sizes: Array, inside: Array | None, columns: int, first: int, last: int
) -> None:
    within = slice(MARGIN, MARGIN + columns)
    found = np.empty((len(weights), columns), tensor.dtype)
    for z in range(first, last):
        for y in range(tensor.shape[2]):
            weigh_volume(tensor[:, z, y, within], found, sizes)
            for direction in range(len(weights)):
                copy(weights[direction][z, y, within], found[direction])
                if inside is not None:
                    _close(weights[direction][z, y, within], inside[z, y, within])


@compiled
def _join(weight: Array, far: Array, edge: Array, direction: Array, columns: int, first: int, last: int) -> None:
    """The weight of the edge from each pixel along a direction: no more than what its far end has to say."""
    slabs, rows, _ = weight.shape
    dz, dy, dx = direction
    within = slice(MARGIN, MARGIN + columns)
    for z in range(first, last):
        for y in range(rows):
            p, q = z + dz, y + dy
            if 0 <= p < slabs and 0 <= q < rows:
                _lesser(edge[z, y, within], weight[z, y, within], far[p, q, MARGIN + dx : MARGIN + dx + columns])
            else:
                _clear(edge[z, y, within])


@compiled
def _march(
    u: Array,
    other: Array,
    ahead: Any,
    behind: Any,
    directions: Array,
    steps: Array,
    columns: int,
    window: int,
    start: Array,
    stop: Array,
) -> None:
    """Explicit steps, each a few slabs behind the one before, so that weights stay in the cache for all of them.

    A step writes where the one before does not read any more: ``window`` slabs further back than it reaches.
    """
    channels, _, rows, _ = u.shape
    lag = window + 1
    for front in range(start.min(), stop.max() + lag * (len(steps) - 1)):
        for step in range(len(steps)):
            z = front - step * lag
            if start[step] <= z < stop[step]:
                for c in range(channels):
                    before, after = (u[c], other[c]) if step % 2 == 0 else (other[c], u[c])
                    for y in range(rows):
                        _step_row(before, after, ahead, behind, directions, steps[step], columns, z, y)


@inner
def _step_row(
    u: Array, out: Array, ahead: Any, behind: Any, directions: Array, step: Any, columns: int, z: int, y: int
) -> None:
    """One row after a step; an edge has one weight, or, where pixels decide for themselves, one from each end."""
    slabs, rows, _ = u.shape
    within = slice(MARGIN, MARGIN + columns)
    shared = ahead[0].ctypes.data == behind[0].ctypes.data
    here, line = u[z, y, within], out[z, y, within]
    copy(line, here)
    for d in range(len(ahead)):
        dz, dy, dx = directions[d]
        weight, weight_back = ahead[d][z, y, within], behind[d][z, y, within]
        there, back = here, here
        if 0 <= z + dz < slabs and 0 <= y + dy < rows:
            there = u[z + dz, y + dy, MARGIN + dx : MARGIN + dx + columns]
        if 0 <= z - dz < slabs and 0 <= y - dy < rows:
            back = u[z - dz, y - dy, MARGIN - dx : MARGIN - dx + columns]
            if shared:
                weight_back = ahead[d][z - dz, y - dy, MARGIN - dx : MARGIN - dx + columns]
        _exchange(line, here, there, back, weight, weight_back, step)
    out[z, y, MARGIN - 1], out[z, y, MARGIN + columns] = line[0], line[-1]


@inner
def _exchange(
    out: Array, here: Array, there: Array, back: Array, weight: Array, weight_back: Array, step: Array
) -> None:
    for j in range(out.size):
        a = here[j]
        out[j] += step * (weight[j] * (there[j] - a) + weight_back[j] * (back[j] - a))


@inner
def _lesser(out: Array, a: Array, b: Array) -> None:
    for j in range(out.size):
        out[j] = min(a[j], b[j])


@inner
def _clear(out: Array) -> None:
    for j in range(out.size):
        out[j] = 0


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
