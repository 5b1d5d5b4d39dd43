"""The limit against decompression bombs."""

import numpy as np
import pytest

from noiseless.errors import InvalidParameter, UnreadableFile
from noiseless.files import limits, read, write
from noiseless.image import from_array


def test_the_limit_itself_is_allowed():
    limits.check_pixel_count(limits.MAX_PIXELS // 1000, 1000)


def test_one_more_is_refused_with_the_numbers_and_the_remedy():
    with pytest.raises(UnreadableFile, match=r"500001 x 1000 pixels.*--max-pixels"):
        limits.check_pixel_count(limits.MAX_PIXELS // 1000 + 1, 1000)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_no_pixels_are_no_picture(size):
    with pytest.raises(UnreadableFile, match="damaged"):
        limits.check_pixel_count(*size)


def test_a_file_that_is_trusted_may_be_allowed_more_or_less(tmp_path):
    write(from_array(np.zeros((40, 50), np.uint8)), tmp_path / "a.png")
    with pytest.raises(UnreadableFile, match="bombs is 1999"):
        read(tmp_path / "a.png", max_pixels=1999)
    assert read(tmp_path / "a.png", max_pixels=2000).space == (40, 50)
    with limits.allowing(2 * limits.MAX_PIXELS):
        limits.check_pixel_count(limits.MAX_PIXELS, 2)
        with limits.allowing(None), pytest.raises(UnreadableFile):
            limits.check_pixel_count(limits.MAX_PIXELS, 3)
    with pytest.raises(UnreadableFile):
        limits.check_pixel_count(limits.MAX_PIXELS, 2)
    with pytest.raises(InvalidParameter, match="max_pixels is 0"):
        read(tmp_path / "a.png", max_pixels=0)
