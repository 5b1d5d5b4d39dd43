"""Arrays in parts, and what restoring them by blocks is compared with."""

from dataclasses import dataclass

import numpy as np

from noiseless.image import Image, from_array
from noiseless.restoration import METHODS, removal_in_parts, restore_by_blocks, restore_image

EXACT = "score:precision=float32,model=tiny"
MEMORY = 2**27


@dataclass(frozen=True, eq=False)
class Chunked:
    """An array (items, C, *space) in parts."""

    values: np.ndarray
    together: bool = False

    @property
    def items(self):
        return self.values.shape[0]

    @property
    def channels(self):
        return self.values.shape[1]

    @property
    def space(self):
        return self.values.shape[2:]

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def chunk(self):
        return (1,) * len(self.space)

    def read(self, item, channels, window):
        return self.values[(item, channels, *window)].copy()


@dataclass(frozen=True, eq=False)
class Writer:
    """Keeps what is written, and how often; windows off the grid are refused."""

    values: np.ndarray
    grid: tuple
    times: np.ndarray

    @classmethod
    def of(cls, source, grid):
        return cls(np.zeros_like(source.values), grid, np.zeros(source.values.shape, int))

    def write(self, item, channels, window, values):
        for part, side, length in zip(window, self.grid, self.values.shape[2:], strict=True):
            assert part.start % side == 0
            assert part.stop % side == 0 or part.stop == length
        assert values.dtype == self.values.dtype
        self.values[(item, channels, *window)] = values
        self.times[(item, channels, *window)] += 1


def clean(shape):
    rows, columns = np.mgrid[0 : shape[-2], 0 : shape[-1]]
    picture = 0.5 + 0.3 * np.sin(columns / 9) * np.cos(rows / 7) + 0.1 * ((columns // 13 + rows // 11) % 2)
    return np.broadcast_to(picture, shape).astype(np.float32)


def noisy(shape, noise, *, scale=1.0):
    """(items, C, *space) float32."""
    values = (scale * clean(shape)).reshape(-1, *shape[2:])
    return noise.sample(values, np.random.default_rng(0)).reshape(shape).astype(np.float32)


def restored(source, recipe, grid, *, memory=MEMORY, **options):
    writer = Writer.of(source, grid)
    result = restore_by_blocks(source, writer, recipe, memory_bytes=memory, **options)
    assert (writer.times == 1).all()
    return writer.values, result


def of_whole(source, item, group, recipe, **options):
    """What restore_image makes of it in memory, with the range of values that all items have together."""
    pixels = np.moveaxis(source.values[:, group], 0, 1)
    sample = from_array(pixels.reshape(len(pixels), -1, *source.space[-2:]), channel_axis=0)
    nominal = (source.values[item, group] - np.float32(sample.offset)) / np.float32(sample.scale)
    image = Image(nominal, "CYX" if nominal.ndim == 3 else "CZYX", sample.scale, sample.offset)
    return restore_image(image, recipe, **options).image.in_stored_units(), sample.scale


LOCAL = [name for name in METHODS if removal_in_parts._is_local(name)]
