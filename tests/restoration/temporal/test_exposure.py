"""Changes of light are told from things that move."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from noiseless.restoration.temporal.exposure import exposure_change

SIGMA = 0.05


@pytest.fixture
def clean(rng):
    image = gaussian_filter(rng.standard_normal((160, 192)), 12)
    return (0.5 + 0.15 * image / image.std()).astype(np.float32)


@pytest.mark.parametrize(("gain", "offset"), [(1.2, 0.0), (0.8, 0.05), (1.0, -0.08)])
def test_gain_and_offset_are_found_whatever_moved(gain, offset, clean, rng):
    frame = gain * clean + offset + SIGMA * rng.standard_normal(clean.shape)
    frame[20:90, 20:100] = 0.9  # a sixth of the picture is something else now
    found = exposure_change(frame.astype(np.float32), clean, SIGMA, 0.01)
    levels = np.percentile(clean, [10, 90])
    # 1500 squares of 16 pixels each: 0.05 / 4 / sqrt(1500) = 0.0003, and what the outliers leave.
    assert found[0] * levels + found[1] == pytest.approx(gain * levels + offset, abs=0.005)


def test_without_a_change_nothing_is_done(clean, rng):
    frame = (clean + SIGMA * rng.standard_normal(clean.shape)).astype(np.float32)
    assert exposure_change(frame, clean, SIGMA, 0.01) == (1.0, 0.0)


def test_a_small_picture_has_too_few_squares(rng):
    tiny = rng.random((8, 20), dtype=np.float32)
    assert exposure_change(2 * tiny, tiny, SIGMA, 0.01) == (1.0, 0.0)


def test_a_scene_of_one_level_has_no_gain_out_of_bounds(rng):
    flat = np.full((160, 160), 0.3, np.float32)
    frame = (flat + 0.1 + SIGMA * rng.standard_normal(flat.shape)).astype(np.float32)
    gain, offset = exposure_change(frame, flat, SIGMA, 0.01)
    assert gain * 0.3 + offset == pytest.approx(0.4, abs=0.005)
    assert 0.5 < gain < 2.0
