"""Stripes: found where they are, of the right strength, and not where there is only image and white noise."""

import numpy as np
import pytest
from PIL import Image

from noiseless.noise.estimation.line_noise import measure_lines


def shading(shape):
    y, x = np.indices(shape)
    return 100 + 0.2 * y + 30 * np.sin(x / 40) * np.cos(y / 50)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("share", [0.5, 2.0])
def test_the_strength_is_found_on_the_right_axis(rng, axis, share):
    # The covariance of n = 400 lines by median absolute deviations: relative error of the root sqrt(1 / (2 * 0.37 n))
    # = 6 %, somewhat more as second differences are not independent; the mean of eight has 3 %.
    shape = (400, 320) if axis == 0 else (320, 400)
    lines = (400, 1) if axis == 0 else (1, 400)
    found = []
    for _ in range(8):
        noisy = shading(shape) + 10 * rng.standard_normal(shape) + 10 * share * rng.standard_normal(lines)
        measured = measure_lines(noisy)
        assert measured.found
        assert (measured.columns, measured.rows)[axis] == 0
        found.append((measured.rows, measured.columns)[axis])
    assert np.mean(found) == pytest.approx(10 * share, rel=0.12)


def test_both_kinds_at_once(rng):
    stripes = 8 * rng.standard_normal((400, 1)) + 4 * rng.standard_normal((1, 400))
    measured = measure_lines(shading((400, 400)) + 5 * rng.standard_normal((400, 400)) + stripes)
    # Three standard errors of 7 %; the other stripes are noise of the same line and cancel in the differences.
    assert measured.rows == pytest.approx(8, rel=0.21)
    assert measured.columns == pytest.approx(4, rel=0.25)


def test_white_noise_and_edges_show_no_stripes(rng):
    # The threshold is at five standard errors of the correlation: one false alarm in a million axes.
    for sigma in (0.0, 1.0, 20.0):
        image = shading((256, 256)) + sigma * rng.standard_normal((256, 256))
        image[100:] += 60  # an edge along whole lines
        assert not measure_lines(image).found


def test_constant_small_and_volumetric_channels(rng):
    assert not measure_lines(np.zeros((100, 100))).found
    assert not measure_lines(5 * rng.standard_normal((23, 1)) + np.zeros((23, 40))).found
    volume = rng.standard_normal((3, 128, 128)) + 4 * rng.standard_normal((3, 128, 1))
    # 384 lines: 6 to 8 %, three times.
    assert measure_lines(volume).rows == pytest.approx(4, rel=0.24)
    assert measure_lines(volume).columns == 0


def test_stripes_alone_on_a_constant_image_are_found(rng):
    measured = measure_lines(50.0 + np.zeros((300, 300)) + 3 * rng.standard_normal((300, 1)))
    assert measured.rows == pytest.approx(3, rel=0.24)
    assert measured.columns == 0


@pytest.mark.shared
def test_photographs_have_no_stripes_until_they_are_added(shared_data, rng):
    for path in sorted((shared_data / "eval" / "CID22val").glob("*.png"))[::6]:
        noisy = np.asarray(Image.open(path).convert("L")) + 20 * rng.standard_normal((512, 512))
        assert not measure_lines(noisy).found
        # Four standard errors of 6 %.
        assert measure_lines(noisy + 10 * rng.standard_normal((512, 1))).rows == pytest.approx(10, rel=0.24)
