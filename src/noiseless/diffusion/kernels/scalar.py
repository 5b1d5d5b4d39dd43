"""Explicit steps with a scalar conductivity, many a pass through memory; equals :mod:`noiseless.diffusion.scalar`.

Step s follows step s - 1 a few slabs behind (a slab is a row of an image, a plane of a volume), so that the slabs
between stay in the cache and an image is read and written once for many steps. Bands of slabs run in threads of
their own, and compute what they need of their neighbours a second time.

LLVM vectorises loops over plain one-dimensional arrays and nothing more complicated, so all arithmetic is in
functions of rows. A row has one more pixel at both ends, equal to its neighbour: no flux crosses the border.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Array
from noiseless.diffusion.kernels.compiling import bands_of, compiled, inner
from noiseless.diffusion.kernels.conduction import (
    KINDS,
    conduct,
    conduct_charbonnier,
    conduct_rational,
    squares,
    squares_more,
    update,
    update_more,
)
from noiseless.diffusion.kernels.memory import Numbers, Rings, numbers_of, rings_for
from noiseless.diffusion.kernels.rows import as_volume, copy, enter, inside_of, neighbours, spread
from noiseless.diffusion.kernels.views import MARGIN, line_of, row
from noiseless.diffusion.scalar import ScalarScheme
from noiseless.diffusion.stepping import Cycle

_CACHE_BYTES = 600_000  # of the second-level cache, for the slabs of all steps of a pass
_PLANES_BYTES = 16_000_000  # planes do not fit there; so much may lie in the cache behind it
_MOST_STEPS_A_PASS = 16
_RATIONAL, _CHARBONNIER = KINDS["rational"], KINDS["charbonnier"]


def diffuse(
    image: NDArray[Any], scheme: ScalarScheme, cycles: list[Cycle], mask: NDArray[Any] | None, threads: int
) -> NDArray[Any]:
    """The image after all explicit cycles; a new array of the same shape and dtype."""
    volume = as_volume(image)
    inside = inside_of(mask, volume)
    factors = np.array([cycle.contrast_factor for cycle in cycles for _ in cycle.steps])
    steps = np.array([step for cycle in cycles for step in cycle.steps])
    numbers = numbers_of(volume, scheme, steps, factors)
    with bands_of(volume.shape[1], threads, image.size * len(steps)) as bands:
        if all(len(cycle.steps) == 1 for cycle in cycles):
            volume = _stepped(volume, None, numbers, inside, bands)
        else:
            first = 0
            for cycle in cycles:
                part = slice(first, first + len(cycle.steps))
                of_cycle = numbers._replace(rates=numbers.rates[part], sharpness=numbers.sharpness[part])
                held = conductivity_of(volume, of_cycle, inside, bands)
                volume = _stepped(volume, held, of_cycle, inside, bands)
                first = part.stop
    return volume.reshape(image.shape)


def held_conductivity(
    image: NDArray[Any], scheme: ScalarScheme, factor: float, mask: NDArray[Any] | None, threads: int
) -> NDArray[Any]:
    """The conductivity of each pixel, (*space), when the contrast is ``factor`` of its first value."""
    volume = as_volume(image)
    inside = inside_of(mask, volume)
    numbers = numbers_of(volume, scheme, np.ones(1), np.array([factor]))
    with bands_of(volume.shape[1], threads, image.size) as bands:
        return conductivity_of(volume, numbers, inside, bands).reshape(image.shape[1:])


def _stepped(volume: NDArray[Any], held: NDArray[Any] | None, numbers: Numbers, inside: Any, bands: Any) -> Any:
    """All steps, as many a pass as the cache has room for."""
    lag = 1 if held is not None or numbers.kind == KINDS["homogeneous"] else numbers.passes + 2
    channels, _, rows, columns = volume.shape
    slab = rows * (columns + 2 * MARGIN) * volume.itemsize
    of_step = slab * channels * (lag + 2)
    if lag > 1:
        of_step += slab * 3 * (channels * numbers.passes + 1)
    room = _CACHE_BYTES // of_step or _PLANES_BYTES // of_step
    at_once = max(1, min(room, _MOST_STEPS_A_PASS))
    total = len(numbers.rates)
    passes = -(-total // at_once)
    source, target = volume, np.empty_like(volume)
    given = np.zeros((0, 0, 0), volume.dtype) if held is None else held
    deep = True if rows > 1 else None
    for done in range(passes):
        part = slice(total * done // passes, total * (done + 1) // passes)
        of_pass = numbers._replace(rates=numbers.rates[part], sharpness=numbers.sharpness[part])

        def run(first: int, last: int, source: Any = source, target: Any = target, of_pass: Any = of_pass) -> None:
            rings = rings_for(source, len(of_pass.rates), lag, of_pass)
            _advance(source, target, first, last, given, of_pass, inside, deep, rings)

        bands(run)
        source, target = target, (np.empty_like(volume) if source is volume else source)
    return source


def conductivity_of(volume: NDArray[Any], numbers: Numbers, inside: Any, bands: Any) -> NDArray[Any]:
    """The conductivity of each pixel, (slabs, rows, columns), with the contrast of the first step."""
    if numbers.kind == KINDS["homogeneous"]:
        return np.ones(volume.shape[1:], volume.dtype)
    held = np.empty(volume.shape[1:], volume.dtype)
    lag, deep = numbers.passes + 2, True if volume.shape[2] > 1 else None
    bands(
        lambda first, last: _conduct(
            volume, held, first, last, numbers, inside, deep, rings_for(volume, 1, lag, numbers)
        )
    )
    return held


@compiled
def _advance(
    source: Array,
    target: Array,
    first: int,
    last: int,
    held: Array,
    numbers: Numbers,
    inside: Array | None,
    deep: bool | None,
    rings: Rings,
) -> None:
    """All steps of ``numbers`` on the slabs from ``first`` to ``last``, from ``source`` to ``target``."""
    channels, slabs, rows, columns = source.shape
    u, v, g, work, slots = rings
    steps, kind = len(numbers.rates), numbers.kind
    own = kind != 0 and held.size == 0  # whether each step finds its own conductivity
    lag = numbers.passes + 2 if own else 1
    start, stop = max(first - steps * lag, 0), min(last + steps * lag, slabs)
    for front in range(start, stop + steps * lag):
        if front < stop:
            for c in range(channels):
                for y in range(rows):
                    enter(line_of(u[0, c], slots[front], y, columns), source[c, front, y])
        for step in range(steps):
            z = front - (step + 1) * lag
            if z < start or z >= stop:
                continue
            if own:
                for virtual in range(z - lag if z == start else z, z + 1):
                    _prepare(
                        u[step],
                        v[step],
                        g[step],
                        virtual,
                        start,
                        stop,
                        columns,
                        step,
                        numbers,
                        inside,
                        work,
                        slots,
                        deep,
                    )
            elif kind != 0:
                for ahead in range(z if z == start else z + 1, min(z + 2, stop)):
                    for y in range(rows):
                        enter(line_of(g[step], ahead & 3, y, columns), held[ahead, y])
            before, here, after = slots[max(z - 1, start)], slots[z], slots[min(z + 1, stop - 1)]
            g_before, g_here, g_after = max(z - 1, start) & 3, z & 3, min(z + 1, stop - 1) & 3
            for c in range(channels):
                for y in range(rows):
                    if step + 1 < steps:
                        line = line_of(u[step + 1, c], here, y, columns)
                    else:
                        line = row(work, (0,), 0, columns + 2)
                    out = row(line, (), 1, columns)
                    if step + 1 == steps and first <= z < last:
                        out = row(target, (c, z, y), 0, columns)
                    if kind == 0:
                        spread(out, u[step, c], before, here, after, y, z, numbers.rates[step], inside, work, deep)
                    else:
                        _flow(
                            out, u[step, c], before, here, after, y, z, numbers.rates[step], inside, work, deep,
                            g[step], g_before, g_here, g_after,
                        )  # fmt: skip
                    line[0], line[columns + 1] = line[1], line[columns]


@compiled
def _conduct(
    source: Array,
    held: Array,
    first: int,
    last: int,
    numbers: Numbers,
    inside: Array | None,
    deep: bool | None,
    rings: Rings,
) -> None:
    """Only the conductivity, of the slabs from ``first`` to ``last``."""
    channels, slabs, rows, columns = source.shape
    u, v, g, work, slots = rings
    lag = numbers.passes + 2
    start, stop = max(first - lag, 0), min(last + lag, slabs)
    for front in range(start, stop + lag):
        if front < stop:
            for c in range(channels):
                for y in range(rows):
                    enter(line_of(u[0, c], slots[front], y, columns), source[c, front, y])
        # The conductivity of the slab after z is found at z.
        z = front - lag
        _prepare(u[0], v[0], g[0], z, start, stop, columns, 0, numbers, inside, work, slots, deep)
        if first <= z + 1 < last:
            for y in range(rows):
                copy(held[z + 1, y], row(g[0], ((z + 1) & 3, y), MARGIN, columns))


@inner
def _prepare(
    u: Array,
    v: Array,
    g: Array,
    z: int,
    start: int,
    stop: int,
    columns: int,
    step: int,
    numbers: Numbers,
    inside: Array | None,
    work: Array,
    slots: Array,
    deep: bool | None,
) -> None:
    """The conductivity of slab z + 1, and the smoothed slabs it needs; from those of u up to z + passes + 2."""
    channels, _, rows, _ = u.shape
    passes = numbers.passes
    # After the last pass, from whose slabs the gradient is measured.
    for done in range(passes + 1):
        at = z + 1 + passes - done
        if not start <= at < stop:
            continue
        before, here, after = max(at - 1, start), at, min(at + 1, stop - 1)
        if done == 0:
            before, here, after = slots[before], slots[here], slots[after]
        else:
            before, here, after = before & 3, here & 3, after & 3
        for y in range(rows):
            if done == passes and inside is None and deep is None and channels == 1:
                line = line_of(g, at & 3, y, columns)
                slabs = u[0] if done == 0 else v[done - 1, 0]
                of_step = numbers.sharpness[step]
                across, along = of_step[0, 0], of_step[2, 0]
                _conduct_at_once(row(line, (), 1, columns), slabs, before, here, after, across, along, numbers.kind)
                line[0], line[columns + 1] = line[1], line[columns]
                continue
            for c in range(channels):
                slabs = u[c] if done == 0 else v[done - 1, c]
                if done < passes:
                    line = line_of(v[done, c], at & 3, y, columns)
                    out = row(line, (), 1, columns)
                    spread(out, slabs, before, here, after, y, at, numbers.weights, inside, work, deep)
                    line[0], line[columns + 1] = line[1], line[columns]
                else:
                    out, of_step = row(g, (at & 3, y), MARGIN, columns), numbers.sharpness[step]
                    _square(out, slabs, before, here, after, y, at, of_step, c, inside, work, deep)
            if done == passes:
                line = line_of(g, at & 3, y, columns)
                conduct(row(line, (), 1, columns), numbers.kind)
                line[0], line[columns + 1] = line[1], line[columns]


@inner
def _conduct_at_once(
    out: Array, slabs: Array, before: int, here: int, after: int, across: Array, along: Array, kind: int
) -> None:
    """The conductivity of a row of a gray image, without a pass over its squared gradient."""
    columns = out.size
    line = line_of(slabs, here, 0, columns)
    a, b = line_of(slabs, before, 0, columns), line_of(slabs, after, 0, columns)
    if kind == _RATIONAL:
        conduct_rational(out, line, a, b, across, along)
    elif kind == _CHARBONNIER:
        conduct_charbonnier(out, line, a, b, across, along)
    else:
        squares(out, line, a, b, across, along)
        conduct(out, kind)


@inner
def _square(
    out: Array,
    slabs: Array,
    before: int,
    here: int,
    after: int,
    y: int,
    z: int,
    sharpness: Array,
    channel: int,
    inside: Array | None,
    work: Array,
    deep: bool | None,
) -> None:
    """Add the squared gradient of one channel, or start with it: along each axis the mean of both sides of a pixel."""
    columns, rows = out.size, slabs.shape[1]
    line, middle = line_of(slabs, here, y, columns), row(slabs, (here, y), MARGIN, columns)
    if inside is not None:
        if channel == 0:
            for j in range(columns):
                out[j] = 0
        neighbours(slabs, before, here, after, y, z, columns, inside, work)
        for axis in range(3):
            one, other = row(work, (2 * axis + 1,), 0, columns), row(work, (2 * axis + 2,), 0, columns)
            squares_more(out, middle, one, other, sharpness[axis, channel])
        return
    across, down, along = sharpness[0, channel], sharpness[1, channel], sharpness[2, channel]
    if channel > 0:
        a, b = row(slabs, (before, y), MARGIN, columns), row(slabs, (after, y), MARGIN, columns)
        squares_more(out, middle, a, b, across)
        squares_more(out, middle, row(line, (), 0, columns), row(line, (), 2, columns), along)
    else:
        a, b = line_of(slabs, before, y, columns), line_of(slabs, after, y, columns)
        squares(out, line, a, b, across, along)
    if deep is not None:
        above = row(slabs, (here, max(y - 1, 0)), MARGIN, columns)
        below = row(slabs, (here, min(y + 1, rows - 1)), MARGIN, columns)
        squares_more(out, middle, above, below, down)


@inner
def _flow(
    out: Array,
    u: Array,
    before: int,
    here: int,
    after: int,
    y: int,
    z: int,
    rates: Array,
    inside: Array | None,
    work: Array,
    deep: bool | None,
    g: Array,
    g_before: int,
    g_here: int,
    g_after: int,
) -> None:
    """One row after the step. A flux is found from both of its sides, with the same bits and the opposite sign."""
    columns, rows = out.size, u.shape[1]
    line, conducting = line_of(u, here, y, columns), line_of(g, g_here, y, columns)
    up, down = max(y - 1, 0), min(y + 1, rows - 1)
    if inside is not None:
        neighbours(u, before, here, after, y, z, columns, inside, work)
        middle, of_pixel = row(line, (), 1, columns), row(conducting, (), 1, columns)
        copy(out, middle)
        for axis in range(3):
            one, other = row(work, (2 * axis + 1,), 0, columns), row(work, (2 * axis + 2,), 0, columns)
            if axis == 0:
                g_one, g_other = row(g, (g_before, y), MARGIN, columns), row(g, (g_after, y), MARGIN, columns)
            elif axis == 1:
                g_one, g_other = row(g, (g_here, up), MARGIN, columns), row(g, (g_here, down), MARGIN, columns)
            else:
                g_one, g_other = row(conducting, (), 0, columns), row(conducting, (), 2, columns)
            update_more(out, middle, one, other, of_pixel, g_one, g_other, rates[axis])
        return
    a, b = line_of(g, g_before, y, columns), line_of(g, g_after, y, columns)
    update(
        out, line, line_of(u, before, y, columns), line_of(u, after, y, columns), conducting, a, b, rates[0], rates[2]
    )  # fmt: skip
    if deep is not None:
        update_more(
            out, row(line, (), 1, columns), row(u, (here, up), MARGIN, columns), row(u, (here, down), MARGIN, columns),
            row(conducting, (), 1, columns), row(g, (g_here, up), MARGIN, columns),
            row(g, (g_here, down), MARGIN, columns), rates[1],
        )  # fmt: skip
