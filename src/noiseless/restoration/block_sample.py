"""Windows from all over an image that is larger than memory, by which its noise is known."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from noiseless.image import Image, from_array
from noiseless.restoration.block_grid import Window
from noiseless.restoration.chunked import Chunked, Values, read_finite
from noiseless.restoration.tiling import ALIGNMENT

SIDE, DEPTH = 256, 8
"""Of a window, pixels; slices only where the denoiser looks at several."""

WINDOWS = 64
"""4 million pixels. Noise is estimated from some 20 000 patches, so more would hardly tell more."""

TRIALS = 4
"""So many windows are looked at for each that is taken: constant ones, as beside the tissue, tell nothing."""

ESTIMATING_BYTES = 128
"""That a value takes while noise is estimated: 65 as measured, twice as many where there are impulses."""

PLASTIC = 1.1673039782614187
"""The root of x^5 = x + 1, whose powers spread points over four axes (Roberts 2018, extremelearning.com.au)."""


@dataclass(frozen=True)
class SamplePlan:
    """Where the windows of a sample lie.

    Parameters
    ----------
    places : item and window, (Z, Y, X), in the order in which they are looked at
    number : of windows that are taken: of the first ones that are not constant. 0: all, for they are all of the image.
    """

    places: tuple[tuple[int, Window], ...]
    number: int = 0

    def sample(self, windows: Iterable[Values]) -> Image:
        """The image of them, one behind another along Z, ``volumes`` of them.

        Parameters
        ----------
        windows : (C, Z, Y, X) stored values at the places; no more are asked for than are needed
        """
        if self.number:
            windows = _varied(windows, self.number)
        taken = list(windows)
        image = from_array(np.concatenate(taken, axis=1), channel_axis=0)
        return Image(image.pixels, "CZYX", image.scale, image.offset, image.stored_dtype, volumes=len(taken))


def plan_for(items: int, channels: int, space: tuple[int, ...], *, memory_bytes: int, deep: bool) -> SamplePlan:
    """Windows from all over the items of an image; all of it where it is small.

    Parameters
    ----------
    channels : that are looked at together
    space : (Y, X) or (Z, Y, X)
    memory_bytes : for the estimate
    deep : whether a window of a volume has several slices
    """
    space = (1, *space)[-3:]
    sides = [min(side, length) for side, length in zip((DEPTH if deep else 1, SIDE, SIDE), space, strict=True)]
    values = math.prod(sides) * channels
    number = max(1, min(WINDOWS, memory_bytes // (ESTIMATING_BYTES * values)))
    if items * math.prod(space) <= number * math.prod(sides):
        return SamplePlan(tuple((item, tuple(slice(0, length) for length in space)) for item in range(items)))
    return SamplePlan(tuple(spread_places(items, space, sides, TRIALS * number)), number)


def sample_of(source: Chunked, channels: slice, *, memory_bytes: int, deep: bool) -> Image:
    """Windows of an image one behind another along Z, ``volumes`` of them; all of the image where it is small.

    Parameters
    ----------
    channels : of the image
    memory_bytes : for the estimate
    deep : whether a window of a volume has several slices

    Raises
    ------
    InvalidImage : a value is NaN or infinite.
    """
    count = channels.stop - channels.start
    plan = plan_for(source.items, count, source.space, memory_bytes=memory_bytes, deep=deep)
    return plan.sample(_window(source, item, channels, window) for item, window in plan.places)


def _varied(windows: Iterable[Values], number: int) -> Iterator[Values]:
    """So many windows that are not constant; one that is where there is no other."""
    taken, constant = 0, None
    for values in windows:
        if values.min() < values.max():
            taken += 1
            yield values
        else:
            constant = values
        if taken == number:
            return
    if not taken and constant is not None:
        yield constant


def spread_places(items: int, space: tuple[int, ...], sides: Sequence[int], count: int) -> Iterator[tuple[int, Window]]:
    """Windows (Z, Y, X) that are spread evenly over items and space; at multiples of 8, where blocks of JPEG begin."""
    steps = [PLASTIC ** -(axis + 1) for axis in range(4)]
    for number in range(count):
        item, *corner = ((0.5 + number * step) % 1.0 for step in steps)
        starts = [
            round(share * (length - side)) // unit * unit
            for share, length, side, unit in zip(corner, space, sides, (1, ALIGNMENT, ALIGNMENT), strict=True)
        ]
        yield int(item * items), tuple(slice(start, start + side) for start, side in zip(starts, sides, strict=True))


def _window(source: Chunked, item: int, channels: slice, window: Window) -> Values:
    """(C, Z, Y, X) stored values."""
    values = read_finite(source, item, channels, window[-len(source.space) :])
    return values.reshape(len(values), -1, *values.shape[-2:])
