import math
import time

import pytest

from noiseless.errors import InvalidParameter
from noiseless.restoration.searching import PRECISION, Range, search


def tried(function, parameters, start=None, deadline=math.inf):
    trials = []

    def measure(values):
        trials.append((function(**values), values))
        return trials[-1][0]

    return search(measure, parameters, start or {}, deadline), trials


def best(trials):
    return min(trials, key=lambda trial: trial[0])[1]


def test_one_range_is_searched_by_ratios():
    finished, trials = tried(lambda time: (math.log(time) - math.log(3.0)) ** 2, {"time": Range(0.1, 100.0)})
    assert finished
    # Brent's method ends within its precision, of the range of logarithms.
    assert abs(math.log(best(trials)["time"] / 3.0)) < PRECISION * math.log(1000.0)
    assert len(trials) < 20


def test_a_range_with_zero_in_it_is_searched_by_differences():
    _, trials = tried(lambda x: (x - 0.3) ** 2, {"x": Range(-1.0, 1.0)})
    assert abs(best(trials)["x"] - 0.3) < 2 * PRECISION


def test_a_simplex_finds_the_least_of_a_valley():
    def valley(a, b):
        return (math.log(a * b)) ** 2 + 0.1 * math.log(a / 2.0) ** 2

    _, trials = tried(valley, {"a": Range(0.1, 10.0), "b": Range(0.1, 10.0)}, {"a": 1.0, "b": 5.0})
    assert valley(**best(trials)) < 0.05 * valley(1.0, 5.0)


def test_choices_are_all_gone_through_and_ranges_for_each():
    parameters = {"side": (4, 8), "kind": ("x", "y"), "time": Range(1.0, 4.0)}
    _, trials = tried(lambda side, kind, time: side * (1 + (kind == "y")) + (time - 2.0) ** 2, parameters)
    assert {(values["side"], values["kind"]) for _, values in trials} == {(4, "x"), (4, "y"), (8, "x"), (8, "y")}
    found = best(trials)
    assert (found["side"], found["kind"]) == (4, "x")
    assert abs(found["time"] - 2.0) < 0.1


def test_nothing_is_tried_after_the_deadline_and_every_choice_gets_its_time():
    def slow(side, time_):
        time.sleep(0.02)
        return time_

    parameters = {"side": (1, 2), "time_": Range(1.0, 2.0)}
    began = time.perf_counter()
    finished, trials = tried(slow, parameters, deadline=began + 0.1)
    assert not finished
    assert {values["side"] for _, values in trials} == {1, 2}
    assert len(trials) <= 8


@pytest.mark.parametrize(("low", "high"), [(2.0, 1.0), (1.0, 1.0), (1.0, math.inf), (math.nan, 1.0)])
def test_what_is_no_range_is_refused(low, high):
    with pytest.raises(InvalidParameter, match="is no range"):
        Range(low, high)
