"""What all nonlinear filters share: time, contrast, steppings, masks, states, and the time of least risk."""

import math

import numpy as np
import pytest

from noiseless.diffusion import FILTERS, EdgeEnhancing, Heat, PeronaMalik
from noiseless.errors import InvalidParameter, UnknownName

SIGMA = 0.1
NONLINEAR = sorted(set(FILTERS) - {"heat"})


def with_stepping(name, stepping, **fields):
    kind = FILTERS[name]
    if stepping not in kind.steppings:
        pytest.skip(f"{name} has no {stepping} steps")
    return kind(stepping=stepping, **fields)


@pytest.fixture(params=NONLINEAR)
def name(request):
    return request.param


@pytest.fixture(params=["explicit", "fast-explicit", "semi-implicit"])
def stepping(request):
    return request.param


def smooth_image(size=24):
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    return (0.5 + 0.3 * np.cos(np.pi * y) * np.cos(2 * np.pi * x) + 0.1 * np.cos(3 * np.pi * x))[np.newaxis]


def test_every_stepping_is_of_first_order_in_time(name, stepping):
    """On a smooth solution, half the step leaves half the error; against steps 16 times finer."""
    image, kept = smooth_image(), {"contrast": 0.02, "presmoothing": 0.5}
    longest = 0.25 if stepping == "explicit" else 1.0
    extra = {"steps_per_tensor": 1} if issubclass(FILTERS[name], EdgeEnhancing) else {}
    results = [
        with_stepping(name, stepping, time=4.0, step_size=longest / parts, **kept, **extra)(image, SIGMA)
        for parts in (1, 2, 4, 64)
    ]
    errors = [np.abs(result - results[-1]).max() for result in results[:-1]]
    orders = [math.log2(errors[0] / errors[1]), math.log2(errors[1] / errors[2])]
    # Errors e h against the finest h / 64 give ratios of 2.02 and 2.05 for order 1; 4 and more for order 2.
    assert min(orders) > 0.8
    assert orders[1] == pytest.approx(1.0, abs=0.25)


def test_every_stepping_tends_to_the_same_solution(name):
    image = smooth_image()
    fields = {"time": 2.0, "contrast": 0.02}
    explicit = FILTERS[name](step_size=0.01, **fields)(image, SIGMA)
    change = np.abs(explicit - image).max()
    for stepping in set(FILTERS[name].steppings) - {"explicit"}:
        other = FILTERS[name](stepping=stepping, step_size=0.02, **fields)(image, SIGMA)
        # Both are of first order with steps of a hundredth of the time.
        assert np.abs(other - explicit).max() < 0.02 * change


def test_every_stepping_keeps_the_mean(name, stepping, rng):
    if name == "mean-curvature":
        pytest.skip("an equation that is no divergence")
    for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 1e-6)):
        noisy = (1.0 + rng.random((2, 31, 40))).astype(dtype)
        smoothed = with_stepping(name, stepping)(noisy, SIGMA)
        before, after = (image.mean((1, 2), dtype=np.float64) for image in (noisy, smoothed))
        assert after == pytest.approx(before, rel=tolerance)


def test_explicit_and_semi_implicit_steps_never_leave_the_range(name, rng):
    noisy = rng.integers(0, 2, (1, 30, 30)).astype(np.float64)  # as rough as can be
    for stepping in set(FILTERS[name].steppings) - {"fast-explicit"}:
        smoothed = FILTERS[name](stepping=stepping, contrast=0.5)(noisy, SIGMA)
        assert 0.0 <= smoothed.min() < smoothed.max() <= 1.0


def test_fast_explicit_steps_leave_the_range_by_little_and_stay_stable(name, rng):
    noisy = rng.integers(0, 2, (1, 30, 30)).astype(np.float64)
    smoothed = FILTERS[name](stepping="fast-explicit", contrast=0.5, time=100.0, step_size=20.0)(noisy, SIGMA)
    assert -0.1 < smoothed.min() < smoothed.max() < 1.1


def test_a_tensor_does_not_split_into_axes():
    with pytest.raises(InvalidParameter, match=r"cannot be stepped 'semi-implicit'.* take 'explicit' or 'fast-ex"):
        EdgeEnhancing(stepping="semi-implicit")
    with pytest.raises(UnknownName, match="did you mean 'explicit'"):
        EdgeEnhancing(stepping="explicid")


def test_states_end_in_what_calling_gives(name, stepping, rng):
    noisy = rng.random((2, 20, 21), dtype=np.float32)
    smooth = with_stepping(name, stepping, time=3.0)
    whole = smooth(noisy, SIGMA)
    for most in (None, 4, 1):
        states = list(smooth.states(noisy, SIGMA, most=most))
        assert most is None or len(states) <= most + 1
        assert np.array_equal(states[0].image, noisy)
        assert not np.shares_memory(states[0].image, noisy)
        assert np.array_equal(states[-1].image, whole)
        times = [state.time for state in states]
        assert times == sorted(set(times))
        assert (times[0], times[-1]) == (0.0, pytest.approx(3.0))
    assert len(states) == 2


def test_states_come_one_by_one(rng):
    states = PeronaMalik(time=1e4).states(rng.random((1, 8, 8)), SIGMA)
    assert [next(states).time for _ in range(3)] == pytest.approx([0.0, 0.2, 0.4])  # without running to the end
    with pytest.raises(InvalidParameter, match="most is 0"):
        PeronaMalik().states(rng.random((1, 8, 8)), SIGMA, most=0)


def test_channels_without_noise_stay_in_every_state(rng):
    noisy = rng.random((3, 12, 12))
    sigma = np.array([0.1, 0.0, 0.1]).reshape(3, 1, 1)
    for state in PeronaMalik().states(noisy, sigma, most=5):
        assert np.array_equal(state.image[1], noisy[1])
    for state in PeronaMalik().states(noisy, 0.0, most=5):
        assert np.array_equal(state.image, noisy)


def test_a_mask_separates(name, stepping, rng):
    """What lies on the other side of a gap, or in it, has no effect; and what is outside is returned as it is."""
    noisy = rng.random((2, 20, 31))
    mask = np.ones((20, 31), bool)
    mask[:, 14:17] = False
    other = noisy.copy()
    other[:, :, 14:] += rng.random((2, 20, 17))
    smooth = with_stepping(name, stepping)
    masked = smooth(noisy, SIGMA, mask=mask)
    assert smooth(other, SIGMA, mask=mask)[:, :, :14] == pytest.approx(masked[:, :, :14], abs=1e-13)
    assert masked[:, :, 14:17] == pytest.approx(noisy[:, :, 14:17], abs=1e-13)
    assert masked[:, :, :14] != pytest.approx(smooth(noisy, SIGMA)[:, :, :14], abs=1e-3)
    everywhere = smooth(noisy, SIGMA, mask=np.ones((20, 31), bool))
    assert everywhere == pytest.approx(smooth(noisy, SIGMA), abs=1e-12)
    if name != "mean-curvature":
        assert masked[:, mask].sum() == pytest.approx(noisy[:, mask].sum())
    assert np.array_equal(smooth(noisy, SIGMA, mask=np.zeros((20, 31), bool)), noisy)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((8, 8)), "mask is of type float64; give a bool array"),
        ([[True] * 8] * 8, "mask is of type list"),
        (np.ones((8, 9), bool), r"mask has shape \(8, 9\), the image \(8, 8\) after its channels"),
        (np.ones((1, 8, 8), bool), r"mask has shape \(1, 8, 8\)"),
    ],
)
def test_what_is_no_mask_is_refused(mask, words):
    with pytest.raises(InvalidParameter, match=words):
        PeronaMalik()(np.ones((1, 8, 8)), SIGMA, mask=mask)


def test_only_ratios_of_the_spacing_matter_by_default(name, rng):
    noisy = rng.random((1, 8, 12, 10))
    smooth = FILTERS[name](spacing=(3.0, 1.0, 1.0))(noisy, SIGMA)
    assert FILTERS[name](spacing=(1.5, 0.5, 0.5))(noisy, SIGMA) == pytest.approx(smooth, abs=1e-12)
    assert FILTERS[name]()(noisy, SIGMA) != pytest.approx(smooth, abs=1e-3)


def test_reach_counts_cycles():
    assert PeronaMalik(time=2.0, presmoothing=0.0, spacing=(1.0, 1.0)).reach(SIGMA) == 10 * 2
    assert PeronaMalik(time=2.0, presmoothing=0.6, spacing=(1.0, 1.0)).reach(SIGMA) == 10 * 3
    # A smoothing of 1.2 takes 4 passes, the gradient 1 pixel, 4 steps 2 each, and the far end of an edge 2.
    edges = EdgeEnhancing(time=1.6, presmoothing=0.0, integration=1.2, spacing=(1.0, 1.0))
    assert edges.reach(SIGMA) == 2 * (4 + 1 + 8 + 2)
    assert PeronaMalik().reach(0.0) == 0


@pytest.mark.parametrize("smooth", [PeronaMalik(stepping="semi-implicit"), PeronaMalik(least_risk=True)], ids=str)
def test_what_sees_the_whole_image_has_no_reach(smooth):
    assert not hasattr(smooth, "reach")


def texture(rng, size=160):
    """Stripes that get finer, and noise."""
    x = np.arange(size)
    return np.broadcast_to(0.5 + 0.25 * np.sin(2 * np.pi * (x / 24 + (x / 60) ** 2)), (1, size, size))


def test_the_time_of_least_risk_is_nearly_the_best(name, rng):
    """Stein's estimate finds the best state to 0.1 of sigma^2 / 10, without the clean image."""
    clean = texture(rng)
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    kind = FILTERS[name]
    errors = [np.mean((state.image - clean) ** 2) for state in kind(time=2 * kind.usual_time).states(noisy, SIGMA)]
    found = np.mean((kind(least_risk=True)(noisy, SIGMA) - clean) ** 2)
    # The estimate of a mean over 25 600 pixels is within a few percent of sigma^2 / root(25 600) ~ 1 % of sigma^2.
    assert found <= min(errors) + 0.03 * SIGMA**2


def test_least_risk_beats_a_time_that_is_far_off(rng):
    clean = texture(rng)
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    fields = {"contrast": 5 * SIGMA, "time": 8.0}  # blurs the stripes
    usual, found = (
        np.mean((PeronaMalik(least_risk=least, **fields)(noisy, SIGMA) - clean) ** 2) for least in (False, True)
    )
    assert found < 0.7 * usual


def test_least_risk_keeps_dtype_and_quiet_channels(rng):
    noisy = rng.random((2, 16, 16), dtype=np.float32)
    result = PeronaMalik(least_risk=True)(noisy, np.array([0.1, 0.0]).reshape(2, 1, 1))
    assert result.dtype == np.float32
    assert np.array_equal(result[1], noisy[1])
    assert np.array_equal(PeronaMalik(least_risk=True)(noisy, 0.0), noisy)


@pytest.mark.parametrize("smooth", [Heat(), Heat(time=2.0), Heat(time=(0.0, 3.0))], ids=str)
def test_heat_has_states_too(smooth, rng):
    noisy = rng.random((2, 20, 21))
    states = list(smooth.states(noisy, SIGMA, most=5))
    assert len(states) == 6
    assert np.array_equal(states[0].image, noisy)
    assert np.array_equal(states[-1].image, smooth(noisy, SIGMA))
    assert [state.time for state in states] == pytest.approx(np.linspace(0.0, states[-1].time, 6))
    with pytest.raises(InvalidParameter, match="most is 0"):
        smooth.states(noisy, SIGMA, most=0)
