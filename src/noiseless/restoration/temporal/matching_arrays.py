"""Block matching in its plain form, for arrays of any library on any device: all blocks at once."""

from typing import Any

import array_api_compat

from noiseless.denoiser import Array

HALF = 6
FAR, STILL, ROUNDS = 2.0, 3.0, 3
# Of the cost, see ``block_matching``; and how often a displacement is improved by a pixel.

ITERATIONS, FURTHEST = 2, 0.7
# Of Gauss-Newton, and the most that one of them may move a block. In all they move it by at most a pixel.

SURE = 15.0
# A step from rest explains a chi-square of two degrees of freedom by chance, and up to 7 times as much of smoothed
# noise, which is that strong in the coarse features that slopes pick out. Of 15 and 40 the smaller is 0.1 dB better on
# a hand-held clip and 0.05 dB worse on that of a fixed camera.

AT_REST, FIRM = 1, 2
# A block at rest differs by no more than noise does on the average, and no step explains more than noise would: nobody
# asks where it went. A firm one differs by more, but if no whole displacement is better, then no part of a pixel is.

OFFSETS = [(j, i) for j in (-1, 0, 1) for i in (-1, 0, 1)]


def rest_bounds(variance: float) -> tuple[float, float, float, float]:
    """Of a block at rest: the most energy, damping, the most a step explains, and a guard against 0 / 0."""
    pixels = 4 * HALF * HALF
    return variance * pixels, pixels / 2 * variance, SURE * variance, 1e-12


def searched(frame: Array, reference: Array, coarse: Array, stride: int, variance: float) -> Array:
    """As the compiled one."""
    blocks = _Blocks(frame, reference, stride)
    xp = blocks.xp
    far, still = variance * FAR, variance * STILL * 2 * HALF
    rows, columns = xp.arange(blocks.rows, device=blocks.device), xp.arange(blocks.columns, device=blocks.device)
    last_row, last_column = coarse.shape[1] - 1, coarse.shape[2] - 1

    def inherited(below: int, beside: int) -> Array:
        row = xp.clip(xp.clip(rows // 2, 0, last_row) + below * (2 * (rows % 2) - 1), 0, last_row)
        column = xp.clip(xp.clip(columns // 2, 0, last_column) + beside * (2 * (columns % 2) - 1), 0, last_column)
        return 2 * xp.take(xp.take(coarse[:2, ...], row, axis=1), column, axis=2)

    expected = inherited(0, 0)

    def tried(best: Array, at: Array, candidate: Array) -> tuple[Array, Array]:
        moves = xp.any(candidate != 0, axis=0)
        distance = xp.sum(xp.abs(candidate - expected), axis=0)
        cost = blocks.unlike(candidate) + far * xp.astype(distance, xp.float32)
        better = moves & (cost < best)
        return xp.where(better, cost, best), xp.where(better, candidate, at)

    at = xp.zeros_like(expected)
    best = blocks.unlike(at) + far * xp.astype(xp.sum(xp.abs(expected), axis=0), xp.float32) - still
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        best, at = tried(best, at, inherited(*corner))
    for _ in range(ROUNDS):
        centre = at
        for down, right in OFFSETS:
            if (down, right) != (0, 0):
                best, at = tried(best, at, _moved(centre, down, right))
    above = xp.take(
        xp.take(coarse[2, ...], xp.clip(rows // 2, 0, last_row), axis=0), xp.clip(columns // 2, 0, last_column), axis=1
    )
    # What rests on a coarser scale, where its noise is weaker, rests here.
    rest = xp.where(above == AT_REST, AT_REST, blocks.rest(variance))
    at = xp.where(rest == AT_REST, xp.zeros_like(at), at)
    agreed = xp.where(rest == AT_REST, at, _agreed(blocks, at, far, still))
    return xp.concat([agreed, xp.astype(rest, agreed.dtype)[None, ...]], axis=0)


def refined(frame: Array, reference: Array, whole: Array, stride: int, variance: float) -> Array:
    """As the compiled one."""
    blocks = _Blocks(frame, reference, stride)
    xp = blocks.xp
    start = xp.astype(whole[:2, ...], xp.float32)
    if min(frame.shape) < 4:
        return start
    damping, at = 2 * HALF * HALF * variance, start
    moves = (whole[2, ...] == 0) | xp.any(whole[:2, ...] != 0, axis=0)
    for _ in range(ITERATIONS):
        value, slope_y, slope_x = blocks.sampled(at)
        error = blocks.own - value
        yy, xx = (xp.sum(slope**2, axis=(-2, -1)) + damping for slope in (slope_y, slope_x))
        yx = xp.sum(slope_y * slope_x, axis=(-2, -1))
        along_y, along_x = (xp.sum(slope * error, axis=(-2, -1)) for slope in (slope_y, slope_x))
        scale = 1.0 / (yy * xx - yx * yx + 1e-12)
        step = xp.stack([(xx * along_y - yx * along_x) * scale, (yy * along_x - yx * along_y) * scale])
        at = start + xp.clip(at + xp.clip(step, -FURTHEST, FURTHEST) - start, -1.0, 1.0)
    return xp.where(moves, at, start)


def _agreed(blocks: "_Blocks", found: Array, far: float, still: float) -> Array:
    xp = blocks.xp
    neighbours = [_neighbour(found, down, right, xp) for down, right in OFFSETS]
    best, at = None, found
    for candidate in neighbours:
        apart = sum(xp.clip(xp.sum(xp.abs(other - candidate), axis=0), 0, 4) for other in neighbours)
        stands = ~xp.any(candidate != 0, axis=0)
        cost = blocks.unlike(candidate) + far * 0.5 * xp.astype(apart, xp.float32)
        cost = cost - still * xp.astype(stands, xp.float32)
        if best is None:
            best, at = cost, candidate
        else:
            better = cost < best
            best, at = xp.where(better, cost, best), xp.where(better, candidate, at)
    return at


def _neighbour(field: Array, down: int, right: int, xp: Any) -> Array:
    device = array_api_compat.device(field)
    row = xp.clip(xp.arange(field.shape[1], device=device) + down, 0, field.shape[1] - 1)
    column = xp.clip(xp.arange(field.shape[2], device=device) + right, 0, field.shape[2] - 1)
    return xp.take(xp.take(field, row, axis=1), column, axis=2)


def _moved(field: Array, down: int, right: int) -> Array:
    xp = array_api_compat.array_namespace(field)
    step = xp.asarray([down, right], dtype=field.dtype, device=array_api_compat.device(field))
    return field + xp.reshape(step, (2, 1, 1))


class _Blocks:
    """The blocks of a frame, (rows, columns, 12, 12), and how to find others in the reference."""

    def __init__(self, frame: Array, reference: Array, stride: int) -> None:
        self.xp = xp = array_api_compat.array_namespace(frame)
        self.device = array_api_compat.device(frame)
        self.frame, self.reference = frame, reference
        self.height, self.width = frame.shape
        self.rows, self.columns = -(-self.height // stride), -(-self.width // stride)
        within = xp.arange(-HALF, HALF, device=self.device)
        row = xp.arange(self.rows, device=self.device) * stride + stride // 2
        column = xp.arange(self.columns, device=self.device) * stride + stride // 2
        self.y = xp.reshape(row, (-1, 1, 1, 1)) + xp.reshape(within, (1, 1, -1, 1))
        self.x = xp.reshape(column, (1, -1, 1, 1)) + xp.reshape(within, (1, 1, 1, -1))
        self.own = self._at(frame, self.y, self.x)

    def unlike(self, displacement: Array) -> Array:
        """The sums of squared differences of all blocks, each displaced by its own."""
        down, right = (component[..., None, None] for component in (displacement[0, ...], displacement[1, ...]))
        return self.xp.sum((self.own - self._at(self.reference, self.y + down, self.x + right)) ** 2, axis=(-2, -1))

    def rest(self, variance: float) -> Array:
        """AT_REST, FIRM or 0 for each block."""
        most, damping, sure, least = rest_bounds(variance)
        xp = self.xp
        y, x = xp.clip(self.y, 1, self.height - 2), xp.clip(self.x, 1, self.width - 2)
        slope_y = 0.5 * (self._at(self.reference, y + 1, x) - self._at(self.reference, y - 1, x))
        slope_x = 0.5 * (self._at(self.reference, y, x + 1) - self._at(self.reference, y, x - 1))
        error = self._at(self.frame, y, x) - self._at(self.reference, y, x)
        yy, xx = (xp.sum(slope**2, axis=(-2, -1)) + damping for slope in (slope_y, slope_x))
        yx = xp.sum(slope_y * slope_x, axis=(-2, -1))
        along_y, along_x = (xp.sum(slope * error, axis=(-2, -1)) for slope in (slope_y, slope_x))
        explained = xx * along_y**2 - 2.0 * yx * along_y * along_x + yy * along_x**2
        firm = explained <= sure * (yy * xx - yx * yx + least)
        calm = self.xp.sum(error**2, axis=(-2, -1)) <= most
        return xp.where(firm, xp.where(calm, AT_REST, FIRM), 0)

    def sampled(self, displacement: Array) -> tuple[Array, Array, Array]:
        """The reference between its pixels, and its slopes downwards and to the right."""
        xp = self.xp
        below, beside = xp.floor(displacement[0, ...]), xp.floor(displacement[1, ...])
        v, u = (displacement[0, ...] - below)[..., None, None], (displacement[1, ...] - beside)[..., None, None]
        y = xp.clip(self.y + xp.astype(below, self.y.dtype)[..., None, None], 1, self.height - 3)
        x = xp.clip(self.x + xp.astype(beside, self.x.dtype)[..., None, None], 1, self.width - 3)

        def between(down: int, right: int) -> Array:
            corners = [self._at(self.reference, y + down + j, x + right + i) for j in (0, 1) for i in (0, 1)]
            upper, lower = (1 - u) * corners[0] + u * corners[1], (1 - u) * corners[2] + u * corners[3]
            return (1 - v) * upper + v * lower

        slope_y, slope_x = 0.5 * (between(1, 0) - between(-1, 0)), 0.5 * (between(0, 1) - between(0, -1))
        return between(0, 0), slope_y, slope_x

    def _at(self, plane: Array, y: Array, x: Array) -> Array:
        xp = self.xp
        place = xp.clip(y, 0, self.height - 1) * self.width + xp.clip(x, 0, self.width - 1)
        return xp.reshape(xp.take(xp.reshape(plane, (-1,)), xp.reshape(place, (-1,))), tuple(place.shape))
