"""The limit against decompression bombs."""

import pytest

from noiseless.errors import UnreadableFile
from noiseless.files import limits


def test_the_limit_itself_is_allowed():
    limits.check_pixel_count(limits.MAX_PIXELS // 1000, 1000)


def test_one_more_is_refused_with_the_numbers_and_the_remedy():
    with pytest.raises(UnreadableFile, match=r"500001 x 1000 pixels.*limits\.MAX_PIXELS"):
        limits.check_pixel_count(limits.MAX_PIXELS // 1000 + 1, 1000)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_no_pixels_are_no_picture(size):
    with pytest.raises(UnreadableFile, match="damaged"):
        limits.check_pixel_count(*size)
