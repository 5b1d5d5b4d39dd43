"""Memory is bounded whatever the size of the image; windows cover it once, and too large pieces are refused."""

import tracemalloc
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.restoration import Recipe, block_grid, restore_by_blocks
from noiseless.restoration.block_grid import Needs, grown, pieces_for, sides_that_fit, size_of, windows_in

from .chunked import EXACT, Chunked, clean, restored


def peak(space, dtype="uint16", memory=2**25):
    """The most bytes of arrays that are alive while an image of noise is denoised that nobody holds."""

    @dataclass(frozen=True)
    class Endless(Chunked):
        values: object = None
        items = 1
        channels = 1

        @property
        def space(self):
            return space

        @property
        def dtype(self):
            return np.dtype(dtype)

        def read(self, item, channels, window):
            rng = np.random.default_rng(window[-1].start + 7 * window[-2].start)
            return rng.integers(100, 160, (1, *size_of(window)), dtype=dtype)

    @dataclass(frozen=True)
    class Away:
        grid: tuple = (16, 16)
        written: list = field(default_factory=list)

        def write(self, item, channels, window, values):
            self.written.append(values.size)

    writer = Away()
    tracemalloc.start()
    try:
        restore_by_blocks(Endless(), writer, Recipe("box-mean", tile=512), sigma=10.0, memory_bytes=memory)
        return tracemalloc.get_traced_memory()[1], len(writer.written)
    finally:
        tracemalloc.stop()


def test_memory_is_bounded_whatever_the_size_of_the_image(box_mean, monkeypatch):
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 512)
    peak((512, 512))
    (one, one_block), (many, many_blocks) = peak((512, 1024)), peak((2560, 2048))
    assert (one_block, many_blocks) == (2, 20)
    assert one <= 2**25
    # The list of blocks grows, a few hundred bytes for each; the arrays do not.
    assert many <= one + 2**16


def test_less_memory_makes_smaller_blocks(box_mean):
    few, many = peak((2048, 2048), memory=2**27), peak((2048, 2048), memory=2**24)
    assert few[1] < many[1]
    assert many[0] <= 2**24


def test_windows_cover_a_region_once_and_grow_to_multiples_of_eight():
    space = (5, 37, 53)
    counted = np.zeros(space, int)
    for window in windows_in(tuple(slice(0, n) for n in space), (2, 16, 20)):
        counted[window] += 1
        larger = grown(window, (1, 9, 9), space)
        for part, around, margin, length in zip(window, larger, (1, 9, 9), space, strict=True):
            assert around.start <= max(0, part.start - margin)
            assert around.stop >= min(length, part.stop + margin)
        for around, length in zip(larger[1:], space[1:], strict=True):
            assert around.start % 8 == 0
            assert around.stop % 8 == 0 or around.stop == length
    assert (counted == 1).all()


def test_sides_are_multiples_of_the_least_ones():
    assert sides_that_fit((100, 70), (16, 16), lambda sides: sides[0] * sides[1] <= 4000) == (64, 48)
    assert sides_that_fit((100, 70), (16, 16), lambda sides: True) == (112, 80)
    assert sides_that_fit((100, 70), (16, 16), lambda sides: False) is None


def test_a_file_of_which_too_much_is_decoded_at_once_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(Chunked, "chunk", (2**12, 2**12))
    monkeypatch.setattr(Chunked, "read", None)
    with pytest.raises(InvalidParameter, match=r"pieces of 4096 x 4096 pixels.*need 0\.125 GiB.*0\.12"):
        restored(Chunked(clean((1, 1, 9, 9))), Recipe(EXACT), (1, 1), sigma=0.1, memory=2**27 - 1)


def test_pieces_of_a_file_that_are_too_large_are_refused_with_what_they_need():
    needs = Needs(
        space=(9000, 9000),
        grid=(8192, 8192),
        reach=59,
        deep=False,
        tile=512,
        value_bytes=2,
        pixel_bytes=184,
        memory_bytes=2**30,
    )
    # A quarter of the memory holds four copies of a block with its surroundings, rounded up to multiples of 8.
    needed = 4 * 4 * 2 * (8192 + 2 * 59 + 2 * 8) ** 2 / 2**30
    with pytest.raises(
        InvalidParameter, match=f"8192 x 8192 and 59 pixels around it, needs {needed:.3g} GiB"
    ) as caught:
        pieces_for(needs)
    assert "1 may be used" in str(caught.value)
    assert pieces_for(replace(needs, memory_bytes=2**32)).block == (8192, 8192)
