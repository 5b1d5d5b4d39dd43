import numpy as np
import pytest

from noiseless.restoration.representative import representative_window


def test_the_window_is_as_lively_as_the_whole(rng):
    # Half flat, half texture: a window wholly in either is unlike the whole.
    image = rng.standard_normal((1, 256, 512)).astype(np.float32)
    image[..., :256] *= 0.05
    rows, columns = representative_window(image, 128)
    part = image[0, rows, columns]
    lively = np.mean(np.abs(np.diff(part, axis=1)) > 0.5)
    assert part.shape == (128, 128)
    # Seven in ten neighbours of white noise differ by more than 0.5, so half a window of it has a third.
    assert 0.2 < lively < 0.5


@pytest.mark.parametrize("shape", [(1, 40, 300), (3, 64, 64), (1, 7, 5), (2, 20, 90, 70), (1, 1, 200, 200)])
def test_windows_lie_within_the_image(rng, shape):
    image = rng.standard_normal(shape).astype(np.float32)
    window = representative_window(image, 64)
    assert len(window) == len(shape) - 1
    for part, length in zip(window, shape[1:], strict=True):
        assert 0 <= part.start < part.stop <= length
        assert part.stop - part.start == min(length, 64 if len(shape) == 3 else 16)


def test_a_flat_image_has_one_too():
    assert representative_window(np.zeros((1, 200, 200), np.float32), 64) == (slice(0, 64), slice(0, 64))
