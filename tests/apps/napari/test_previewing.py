"""The preview: a window of the picture, with the noise of the whole."""

import numpy as np
import pytest

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
import noiseless
from noiseless.apps.napari import previewing
from noiseless.apps.napari.layer_data import Stack
from noiseless.apps.napari.wishes import Wishes

from .given import FAST, noisy_of, unheard


@pytest.mark.parametrize(
    ("shape", "sight", "rows", "columns"),
    [
        ((600, 300), None, (44, 556), (0, 300)),
        ((600, 300), (slice(-50, 100), slice(250, 900)), (0, 100), (250, 300)),
        ((2000, 2000), (slice(0, 1000), slice(500, 700)), (244, 756), (500, 700)),
        ((600, 300), (slice(700, 800), slice(0, 300)), (44, 556), (0, 300)),
    ],
)
def test_the_window_is_the_middle_of_what_is_in_sight(shape, sight, rows, columns):
    window = previewing.window_in(shape, sight)
    assert [(part.start, part.stop) for part in window] == [rows, columns]


def test_a_preview_has_the_noise_of_the_whole_picture(rng):
    data = noisy_of(rng, (3, 160, 160)).astype(np.float32)
    window = slice(100, 132), slice(96, 136)
    asked = Wishes(method="perona-malik", error=True, predict=True)
    shown = previewing.preview(Stack(data, volumes=True), (1,), window, asked, unheard)
    whole = noiseless.noise.estimate_image_noise(noiseless.from_array(data[1]))
    assert (shown.data.shape, shown.data.dtype, shown.offset) == ((1, 32, 40), np.float32, (1, 100, 96))
    assert shown.report["confidence"] == whole.confidence
    assert shown.report["parameters"] == whole.summary()["parameters"]
    # Where the whole has a map of sigma, a filter has one number a channel of it.
    level = float(np.sqrt(np.mean(np.square(whole.model.sigma))))
    wanted = noiseless.denoise(data[1][window], method="perona-malik", sigma=level)
    # The levels that are black and white are those of the whole, which moves sums of float32 by some of 2^-24.
    np.testing.assert_allclose(shown.data[0], wanted, atol=255 * 1e-5)


def test_a_map_of_sigma_is_cut_to_the_window(rng):
    sigma = 5.0 + 20.0 * rng.random((1, 64, 64))
    estimate = noiseless.noise.NoiseEstimate(noiseless.noise.Gaussian(sigma), 0.8, "a test")
    window = slice(8, 24), slice(16, 48)
    cut = previewing._law_of(estimate, window, None, filtered=False)
    np.testing.assert_array_equal(cut.sigma, sigma[:, 8:24, 16:48])
    filtered = previewing._law_of(estimate, window, None, filtered=True)
    assert np.asarray(filtered.sigma).reshape(-1) == pytest.approx([np.sqrt(np.mean(sigma**2))])


def test_a_preview_without_any_noise_to_find_is_refused():
    flat = Stack(np.full((64, 64), 7, np.uint8))
    with pytest.raises(noiseless.InvalidParameter, match=r"the noise cannot be estimated: .*; give sigma"):
        previewing.preview(flat, (), (slice(0, 32), slice(0, 32)), Wishes(), unheard)


def test_alpha_of_a_preview_is_that_of_its_window(rng):
    data = np.moveaxis(noisy_of(rng, (4, 64, 64)), 0, -1)
    window = slice(10, 30), slice(20, 50)
    shown = previewing.preview(Stack(data, rgb=True), (), window, FAST, unheard)
    assert shown.data.shape == (20, 30, 4)
    np.testing.assert_array_equal(shown.data[..., 3], data[10:30, 20:50, 3])


def test_noise_is_sought_around_the_window_of_a_wide_picture():
    around = previewing._around((10_000, 3000), (slice(9000, 9500), slice(0, 512)))
    assert [(part.start, part.stop) for part in around] == [(10_000 - previewing.WIDEST, 10_000), (0, 3000)]
