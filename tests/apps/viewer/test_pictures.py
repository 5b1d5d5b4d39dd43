"""Pictures of arrays: windows, colours of maps, smaller copies, PNG."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from noiseless.apps.viewer import pictures


def test_the_window_of_bytes_is_all_of_them_and_of_other_values_leaves_out_what_is_rare():
    assert pictures.display_window(np.full((1, 4, 4), 7, np.uint8)) == (0.0, 255.0)
    values = np.linspace(0.0, 1000.0, 100_001).reshape(1, 1, -1)
    values[..., -10:] = 1e9
    assert pictures.display_window(values) == pytest.approx((1.0, 999.0), abs=0.01)


@pytest.mark.parametrize("constant", [0.0, -3.5, 1e20])
def test_a_window_is_never_empty(constant):
    low, high = pictures.display_window(np.full((1, 4, 4), constant))
    assert low <= constant < high


def test_a_window_widens_where_only_rare_values_differ():
    values = np.zeros((1, 100, 100), np.uint16)
    values[0, 0, 0] = 9
    assert pictures.display_window(values) == (0.0, 9.0)


def test_shown_maps_the_window_to_bytes_and_colours_to_the_last_axis():
    values = np.array([[[100, 150, 200, 90, 210]]], np.uint16)
    assert pictures.shown(values, 100, 200).tolist() == [[0, 128, 255, 0, 255]]
    colour = np.arange(24, dtype=np.uint8).reshape(3, 2, 4)
    assert np.array_equal(pictures.shown(colour, 0, 255), np.moveaxis(colour, 0, -1))
    assert np.array_equal(pictures.shown(np.stack([values[0]] * 2), 100, 200), pictures.shown(values, 100, 200))


def test_shown_keeps_what_float32_cannot_hold():
    values = np.array([[[2**31 - 3, 2**31 - 2, 2**31 - 1]]], np.int32)
    assert pictures.shown(values, 2.0**31 - 3, 2.0**31 - 1).tolist() == [[0, 128, 255]]


def test_diverging_is_white_at_nought_blue_below_and_red_above():
    low, middle, high, beyond = pictures.diverging(np.array([[-2.0, 0.0, 2.0, 50.0]]), 2.0)[0].astype(int)
    assert middle.tolist() == [255, 255, 255]
    assert low[2] > low[0] + 100
    assert high[0] > high[2] + 100
    assert beyond.tolist() == high.tolist()


def test_sequential_grows_evenly_in_lightness():
    colours = pictures.sequential(np.linspace(0.0, 1.0, 256)[np.newaxis], 1.0)[0] / 255.0
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116.0 * np.cbrt(luminance) - 16.0  # near zero it is not exact, and there it is dark anyway
    steps = np.diff(lightness[16:])
    assert (steps > 0.0).all()
    assert np.abs(lightness[16::48] - np.linspace(*lightness[[16, 208]], 5)).max() < 8.0
    assert lightness[-1] > 90.0


def test_reduced_is_the_mean_of_what_there_is(rng):
    values = rng.random((3, 37, 53))
    means = pictures.reduced(values, 3)
    assert means.shape == (3, 5, 7)
    assert means[1, 2, 3] == pytest.approx(values[1, 16:24, 24:32].mean())
    assert means[2, 4, 6] == pytest.approx(values[2, 32:, 48:].mean())
    assert np.array_equal(pictures.reduced(values, 0), values)
    assert pictures.reduced(np.full((9, 9), 255, np.uint8), 2).tolist() == [[255.0] * 3] * 3


def test_the_limit_of_a_map_leaves_out_what_is_rare_and_is_above_nought():
    values = np.linspace(-1.0, 1.0, 20_001)
    values[0] = -1e6
    assert pictures.limit_of(values) == pytest.approx(0.995, abs=1e-3)
    assert pictures.limit_of(np.zeros((4, 4))) == 1.0
    rare = np.zeros((100, 100))
    rare[0, 0] = -3.0
    assert pictures.limit_of(rare) == 3.0


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_holds_the_picture(rng, shape):
    picture = rng.integers(0, 256, shape, np.uint8)
    assert np.array_equal(np.asarray(Picture.open(io.BytesIO(pictures.png(picture)))), picture)
