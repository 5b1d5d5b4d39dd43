import math

import pytest

from noiseless.diffusion.stepping import (
    STEPPINGS,
    check_step_size,
    cycles_for,
    fast_explicit_steps,
    stability_bound,
)
from noiseless.errors import InvalidParameter


@pytest.mark.parametrize(
    ("spacing", "bound"),
    [((1.0, 1.0), 1 / 4), ((1.0, 1.0, 1.0), 1 / 6), ((0.5, 0.5), 1 / 16), ((1.0, 2.0), 0.4), ((3.0, 1.0, 1.0), 9 / 38)],
)
def test_the_bound_is_that_of_the_spacing(spacing, bound):
    assert stability_bound(spacing) == pytest.approx(bound)
    check_step_size(bound, spacing)
    with pytest.raises(InvalidParameter, match=f"stable only up to .* = {bound:g}"):
        check_step_size(1.02 * bound, spacing)
    for stepping in set(STEPPINGS) - {"explicit"}:
        check_step_size(100.0 * bound, spacing, stepping)


@pytest.mark.parametrize("stepping", sorted(STEPPINGS))
@pytest.mark.parametrize("step_size", [0.0, -0.1, float("nan"), float("inf")])
def test_a_step_goes_forward(step_size, stepping):
    with pytest.raises(InvalidParameter, match=f"step_size is {step_size:g}"):
        check_step_size(step_size, (1.0, 1.0), stepping)


@pytest.mark.parametrize("stepping", sorted(STEPPINGS))
@pytest.mark.parametrize("step_size", [None, 0.1, 0.07])
@pytest.mark.parametrize("time", [0.01, 0.2, 1.0, 7.3])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.8, 2.0)])
def test_cycles_cover_the_time_in_equal_parts(time, step_size, stepping, spacing):
    cycles = cycles_for(time, stepping, step_size, spacing, cooling=0.3, steps_a_cycle=3)
    lengths = [math.fsum(cycle.steps) for cycle in cycles]
    assert math.fsum(lengths) == pytest.approx(time)
    assert lengths == pytest.approx([lengths[0]] * len(lengths))
    assert [cycle.contrast_factor for cycle in cycles] == pytest.approx(
        [math.exp(-0.3 * lengths[0] * done) for done in range(len(cycles))]
    )
    longest = STEPPINGS[stepping] * stability_bound(spacing) if step_size is None else step_size
    if stepping == "explicit":
        assert max(step for cycle in cycles for step in cycle.steps) <= longest * (1 + 1e-9)
        assert all(len(cycle.steps) <= 3 for cycle in cycles)
    else:
        assert max(lengths) <= longest * (1 + 1e-9)
    if stepping == "semi-implicit":
        assert all(len(cycle.steps) == 1 for cycle in cycles)


def test_a_time_of_too_many_steps_is_refused():
    with pytest.raises(InvalidParameter, match=r"takes 5000000 cycles of 0\.2, more than 100000"):
        cycles_for(1e6, "explicit", None, (1.0, 1.0), 0.0)


@pytest.mark.parametrize("bound", [0.25, 1 / 6, 3.0])
@pytest.mark.parametrize("time", [0.1, 0.25, 1.0, 5.0, 40.0])
def test_a_fast_explicit_cycle_is_long_and_stable(time, bound):
    """All modes with an eigenvalue from 0 to 2 / bound fade, and fewer steps are taken than at the bound."""
    steps = fast_explicit_steps(time, bound)
    number = len(steps)
    assert math.fsum(steps) == pytest.approx(time)
    assert (number**2 - number) / 3 * bound < time <= (number**2 + number) / 3 * bound * (1 + 1e-9)
    for part in range(1001):
        eigenvalue = part / 1000 * 2 / bound
        assert abs(math.prod(1 - step * eigenvalue for step in steps)) <= 1 + 1e-9
    # In the order given a rounding grows 100 times at most, 1e-5 in float32.
    assert growth(steps, bound) < 100


def test_the_order_of_the_steps_matters():
    assert growth(sorted(fast_explicit_steps(40.0, 0.25), reverse=True), 0.25) > 1e6


def growth(steps, bound):
    """The most that a mode grows during a cycle."""
    return max(
        abs(math.prod(1 - step * part / 50 / bound for step in steps[:done]))
        for part in range(101)
        for done in range(len(steps))
    )
