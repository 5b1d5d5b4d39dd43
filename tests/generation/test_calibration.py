import json

import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.generation import Calibration, fit_calibration, normal_error_bars, shipped_calibrations
from noiseless.score import is_blind, shipped

PIXELS = 200_000


def raw_and_error(rng, sigma, factor):
    """Errors with ``factor`` times the standard deviation that the raw measure says."""
    raw = sigma * rng.uniform(0.05, 0.5, PIXELS)
    return raw, factor * raw * rng.standard_normal(PIXELS)


@pytest.fixture(scope="module")
def calibration():
    rng = np.random.default_rng(0)
    pairs = [raw_and_error(rng, sigma, factor) for sigma, factor in ((0.05, 1.5), (0.2, 3.0))]
    return fit_calibration([0.05, 0.2], [pair[0] for pair in pairs], [pair[1] for pair in pairs])


@pytest.mark.parametrize(("sigma", "factor"), [(0.05, 1.5), (0.2, 3.0)])
def test_intervals_cover_what_they_say_on_fresh_pixels(calibration, sigma, factor):
    raw, error = raw_and_error(np.random.default_rng(1), sigma, factor)
    bars = calibration(raw, sigma)
    assert bars.calibrated
    for half, share in ((bars.half68, 0.68), (bars.half95, 0.95)):
        # four standard errors of a share, here and in the fit
        tolerance = 4 * (2 * share * (1 - share) / PIXELS) ** 0.5
        assert abs(np.mean(np.abs(error) <= half) - share) < tolerance + 0.002  # straight between 48 bins


def test_the_maps_never_fall_and_hold_beyond_their_ends(calibration):
    raw = np.linspace(0.0, 1.0, 500) * 0.2
    bars = calibration(raw, 0.2)
    assert np.all(np.diff(bars.half68) >= 0)
    assert np.all(bars.half95 >= bars.half68)
    assert bars.half68[-1] == bars.half68[-100]


def test_between_two_noise_levels_the_maps_are_mixed(calibration):
    ends = [calibration(np.array([0.3 * sigma]), sigma).half68 / sigma for sigma in (0.05, 0.2)]
    middle = calibration(np.array([0.3 * 0.1]), 0.1).half68 / 0.1  # 0.1 is halfway in log sigma
    np.testing.assert_allclose(middle, np.mean(ends, axis=0), rtol=1e-9)
    beyond = calibration(np.array([0.3 * 0.6]), 0.6).half68 / 0.6
    np.testing.assert_allclose(beyond, ends[1], rtol=1e-9)


def test_a_map_of_sigmas_has_intervals_of_its_own_and_none_where_there_is_no_noise(calibration):
    sigma = np.array([[[0.0, 0.05, 0.2]]])
    raw = np.array([[[0.0, 0.01, 0.04]]], dtype=np.float32)
    bars = calibration(raw, sigma)
    assert bars.half68.dtype == np.float32
    assert bars.half68[0, 0, 0] == 0.0
    np.testing.assert_allclose(bars.half68[0, 0, 1], calibration(raw[..., 1], 0.05).half68, rtol=1e-6)


def test_it_survives_json(calibration):
    lists = json.loads(json.dumps(calibration.as_json()))
    again = Calibration(**{key: np.asarray(value) for key, value in lists.items()})
    raw = np.linspace(0.01, 0.1, 50)
    np.testing.assert_allclose(again(raw, 0.2).half68, calibration(raw, 0.2).half68, rtol=2e-3)  # four figures


def test_every_shipped_network_has_its_calibration():
    found = shipped_calibrations()
    assert set(found) == {name for name in shipped() if not is_blind(name.rpartition("-")[0])}
    for calibration in found.values():
        assert (calibration.half95 > calibration.half68).all()


def test_without_calibration_the_law_is_taken_as_normal():
    bars = normal_error_bars(np.array([2.0]))
    assert not bars.calibrated
    np.testing.assert_allclose([bars.half68[0], bars.half95[0]], [2 * 0.9945, 2 * 1.96], rtol=1e-3)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InvalidParameter, match="needs at least"):
        fit_calibration([0.1], [np.ones(10)], [np.ones(10)])
    row = np.array([[1.0, 2.0]])
    with pytest.raises(InvalidParameter, match="must not fall"):
        Calibration(np.array([0.1]), row, row[:, ::-1], row)
    with pytest.raises(InvalidParameter, match="as many rows"):
        Calibration(np.array([0.1, 0.2]), row, row, row)


def test_a_map_has_48_bins_of_equal_count_their_medians_and_quantiles(rng):
    raw = np.arange(1.0, 961.0)
    error = raw * rng.choice([-1, 1], 960)  # the absolute error is the raw one
    shuffled = rng.permutation(960)
    found = fit_calibration([2.0], [raw[shuffled].reshape(1, 30, 32)], [error[shuffled].reshape(1, 30, 32)])
    firsts = 1 + 20 * np.arange(48)  # a bin holds 20 numbers in a row
    np.testing.assert_allclose(found.ratios, [(firsts + 9.5) / 2.0])
    np.testing.assert_allclose(found.half68, [(firsts + 0.68 * 19) / 2.0])
    np.testing.assert_allclose(found.half95, [(firsts + 0.95 * 19) / 2.0])
    with pytest.raises(InvalidParameter, match="959 pixels; a calibration needs at least 960"):
        fit_calibration([2.0], [raw[1:]], [error[1:]])


def test_below_the_lowest_level_its_map_holds(calibration):
    at, below = (calibration(np.array([0.3 * sigma]), sigma).half95 / sigma for sigma in (0.05, 0.001))
    np.testing.assert_allclose(below, at, rtol=1e-9)


def test_torch_tensors_get_tensors(calibration):
    torch = pytest.importorskip("torch")
    raw = np.linspace(0.01, 0.1, 6, dtype=np.float32).reshape(1, 2, 3)
    there = calibration(torch.from_numpy(raw), 0.2)
    assert there.half68.dtype == torch.float32
    np.testing.assert_array_equal(there.half68.numpy(), calibration(raw, 0.2).half68)
    np.testing.assert_array_equal(there.half95.numpy(), calibration(raw, 0.2).half95)
