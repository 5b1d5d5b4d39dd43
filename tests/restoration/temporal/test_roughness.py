"""The noise of a frame against that of another."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from noiseless.restoration.temporal.roughness import roughness_of


@pytest.mark.parametrize("channels", [1, 3])
def test_of_white_noise_it_is_close_below_sigma(channels, rng):
    level = roughness_of((0.1 * rng.standard_normal((channels, 240, 320))).astype(np.float32))
    # A square has 64 differences that share pixels; the calmest tenth of them is 10 to 30 % below the mean energy.
    assert 0.8 < level / 0.1 < 1.0


def test_its_ratio_is_that_of_the_noise_whatever_the_texture(rng):
    scene = gaussian_filter(rng.standard_normal((1, 240, 320)), (0, 4, 4))
    scene[:, :120] += 0.5 * rng.random((1, 120, 320))  # half of the picture is fine texture
    noise = rng.standard_normal(scene.shape)
    weak, strong = (roughness_of((scene + sigma * noise).astype(np.float32)) for sigma in (0.05, 0.1))
    assert strong / weak == pytest.approx(2.0, rel=0.1)


def test_a_small_frame_has_none():
    assert roughness_of(np.zeros((1, 8, 30), np.float32)) == 0.0
