"""What the messages of a bag hold. The modules of tests import rosbags, or are skipped; this one does not."""

import numpy as np
import pytest


@pytest.fixture
def random(rng):
    """``random(shape, dtype=np.uint8)``: every level is as likely."""
    return lambda shape, dtype=np.uint8: rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.fixture
def contents(random):
    """Pictures of two topics among texts."""
    from .recordings import raw

    pairs = []
    for number in range(6):
        pairs += [("/left", raw(random((17, 23)), padding=3)), ("/talk", f"say {number}")]
        pairs += [("/right", raw(random((9, 12, 3)), "bgr8"))]
    return pairs
