import itertools
import math

import numpy as np
import pytest

import noiseless
from noiseless.streams.effort import EFFORTS, PATIENCE, Controller, Effort, efforts_for

COSTS = dict(zip(EFFORTS, (0.020, 0.010, 0.006, 0.002), strict=True))


def run(controller, frames, cost, *, interval_s=math.inf, waited_s=0.0):
    """The effort of each frame, where ``cost(effort, number)`` is the time that its work takes."""
    chosen = []
    for number in range(frames):
        effort = controller.choose(waited_s, interval_s=interval_s)
        controller.observe(cost(effort, number))
        chosen.append(effort)
    return chosen


def changes(chosen):
    return sum(one != other for one, other in itertools.pairwise(chosen))


def usual(effort, number):
    return COSTS[effort]


def test_without_a_budget_the_effort_is_the_best_however_slow():
    controller = Controller(efforts_for("auto", "auto", budget_ms=None), None)
    assert set(run(controller, 100, lambda effort, number: 10.0, interval_s=0.03)) == {EFFORTS[0]}


def test_a_budget_that_fits_changes_nothing():
    assert set(run(Controller(EFFORTS, 0.040), 200, usual)) == {EFFORTS[0]}


@pytest.mark.parametrize(("budget", "expected"), [(0.015, 1), (0.008, 2), (0.003, 3), (0.001, 3)])
def test_the_effort_goes_down_to_the_first_that_fits_and_stays(budget, expected):
    chosen = run(Controller(EFFORTS, budget), 500, usual)
    assert chosen[-1] == EFFORTS[expected]
    assert changes(chosen) == expected


def test_what_was_slow_long_ago_is_tried_again():
    """The machine was busy with something else while the stream began."""
    chosen = run(Controller(EFFORTS, 0.040), 2000, lambda effort, number: COSTS[effort] * (10 if number < 12 else 1))
    assert chosen[12] != EFFORTS[0]
    assert chosen[-1] == EFFORTS[0]


def test_what_stays_slow_is_tried_again_ever_less_often():
    slow = {**COSTS, EFFORTS[0]: 0.1}
    chosen = run(Controller(EFFORTS, 0.040), 20_000, lambda effort, number: slow[effort])
    tries = np.flatnonzero([effort == EFFORTS[0] for effort in chosen[100:]])
    # After 300 frames, 600, 1200 and so on up to 9600: six in 20 000, of two frames each.
    assert 0 < len(tries) <= 2 * 6
    assert chosen[-1] == EFFORTS[1]


def test_the_first_frame_loads_the_network_and_judges_nothing():
    chosen = run(Controller(EFFORTS, 0.040), 50, lambda effort, number: 2.0 if number == 0 else COSTS[effort])
    assert set(chosen) == {EFFORTS[0]}


def test_a_late_frame_that_waited_while_the_network_loaded_does_not_lower_the_effort():
    controller = Controller(EFFORTS, 0.040)
    controller.choose(0.0)
    controller.observe(2.0)
    assert controller.choose(1.9) == EFFORTS[0]


def test_the_step_down_is_taken_at_the_next_frame():
    chosen = run(Controller(EFFORTS, 0.040), 52, lambda effort, number: 0.2 if number == 50 else COSTS[effort])
    assert chosen[50:] == [EFFORTS[0], EFFORTS[1]]


def test_time_in_the_queue_counts():
    controller = Controller(EFFORTS, 0.040)
    run(controller, 20, usual)
    assert controller.choose(0.015) == EFFORTS[0]
    assert controller.choose(0.025) == EFFORTS[1]


def test_after_a_hiccup_the_effort_returns_when_it_has_fitted_for_long_enough():
    chosen = run(Controller(EFFORTS, 0.040), 200, lambda effort, number: 0.2 if number == 50 else COSTS[effort])
    assert chosen.count(EFFORTS[1]) == PATIENCE
    assert chosen[-1] == EFFORTS[0]
    assert changes(chosen) == 2


def test_without_a_fifth_to_spare_the_effort_does_not_return():
    budget = COSTS[EFFORTS[0]] / 0.85
    chosen = run(Controller(EFFORTS, budget), 1000, lambda effort, number: 0.2 if number == 50 else COSTS[effort])
    assert set(chosen[51:]) == {EFFORTS[1]}


def test_work_that_is_slower_than_the_source_lowers_the_effort_though_it_fits_the_budget():
    # At 15 ms a frame the queue would always be full, and every fourth frame lost.
    chosen = run(Controller(EFFORTS, 0.100), 1000, usual, interval_s=0.015)
    assert chosen[-1] == EFFORTS[1]
    assert changes(chosen) == 1


@pytest.mark.parametrize("budget", [0.018, 0.020, 0.022, 0.025, 0.028])
def test_times_that_scatter_around_the_budget_do_not_make_the_effort_oscillate(budget, rng):
    noise = rng.uniform(0.85, 1.15, 3000)
    chosen = run(Controller(EFFORTS, budget), 3000, lambda effort, number: COSTS[effort] * noise[number])
    assert changes(chosen) <= 6  # in 100 seconds of a camera


def test_an_effort_that_fits_only_while_it_is_not_used_is_tried_ever_more_rarely():
    # Its recent times say 20 ms, and whenever it is taken up again it takes 60 for two frames.
    taken = itertools.count()
    state = {"last": None}

    def cost(effort, number):
        fresh = effort == EFFORTS[0] and state["last"] not in (None, EFFORTS[0])
        state["last"] = effort
        if effort != EFFORTS[0] or number < 10:
            return COSTS[effort]
        next(taken)
        return 0.060 if fresh or number == 10 else 0.020

    chosen = run(Controller(EFFORTS, 0.040), 3000, cost)
    ups = [n for n in range(1, 3000) if chosen[n] == EFFORTS[0] and chosen[n - 1] == EFFORTS[1]]
    gaps = np.diff(ups)
    assert len(ups) <= 8
    assert all(later >= earlier for earlier, later in itertools.pairwise(gaps))


def test_when_a_load_is_gone_the_effort_returns():
    def cost(effort, number):
        return COSTS[effort] * (4.0 if 100 <= number < 700 else 1.0)

    chosen = run(Controller(EFFORTS, 0.030), 2500, cost)
    assert EFFORTS[0] not in chosen[600:700]
    assert chosen[-1] == EFFORTS[0]


def test_a_frame_is_stale_where_waiting_and_not_work_breaks_the_budget():
    controller = Controller(EFFORTS, 0.040)
    run(controller, 20, usual)
    assert not controller.is_stale(0.010)
    assert controller.is_stale(0.030)
    slow = Controller(EFFORTS, 0.010)
    run(slow, 2, usual)
    assert not slow.is_stale(0.030)  # a cheaper effort is the remedy
    hopeless = Controller(EFFORTS[-1:], 0.001)
    run(hopeless, 20, usual)
    assert hopeless.is_stale(0.0)


@pytest.mark.parametrize(
    ("model", "motion", "expected"),
    [
        ("auto", "auto", EFFORTS),
        ("tiny", "auto", (Effort("tiny", "flow"), Effort("tiny", "none"))),
        ("auto", "none", (Effort("base", "none"), Effort("tiny", "none"), Effort("none", "none"))),
        ("base", "none", (Effort("base", "none"),)),
        ("own.safetensors", "flow", (Effort("own.safetensors", "flow"),)),
    ],
)
def test_what_is_asked_for_is_kept_and_the_rest_follows_the_budget(model, motion, expected):
    assert efforts_for(model, motion, budget_ms=40.0) == expected
    assert efforts_for(model, motion, budget_ms=None) == expected[:1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"motion": "fast"}, "motion is 'fast'; use flow, none or auto"),
        ({"budget_ms": 0.0}, "budget_ms is 0"),
        ({"budget_ms": math.nan}, "budget_ms is nan"),
    ],
)
def test_what_there_is_not_is_refused(options, said):
    with pytest.raises(noiseless.InvalidParameter, match=said):
        efforts_for(**{"model": "auto", "motion": "auto", "budget_ms": None, **options})
