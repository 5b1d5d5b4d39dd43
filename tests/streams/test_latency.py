"""The times of frames, whatever the clock of their source does."""

import pytest

from noiseless.streams.latency import SourceTimes


def test_the_clock_of_the_source_is_believed_while_it_runs():
    times = SourceTimes(live=True)
    assert [times.moment(k / 10, 0, 100.0 + k / 10 + 0.03) for k in range(5)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize("told", [0.0, 0.4, 90_000.0])
def test_a_clock_that_jumps_is_set_by_ours(told):
    times = SourceTimes(live=True)
    before = [times.moment(k / 10, 0, 50.0 + k / 10) for k in range(10)]
    after = [times.moment(told + k / 10, 0, 56.0 + k / 10) for k in range(3)]
    assert before[-1] == pytest.approx(0.9)
    assert after == pytest.approx([6.0, 6.1, 6.2])


def test_two_frames_of_one_moment_come_one_after_the_other():
    times = SourceTimes(live=True)
    first, second = times.moment(1.0, 0, 7.0), times.moment(1.0, 0, 7.0)
    assert first < second == pytest.approx(first, abs=1e-9)


def test_files_may_be_read_faster_than_their_clock_runs():
    times = SourceTimes(live=False)
    assert [times.moment(60.0 * k, 0, 5.0) for k in range(3)] == [0.0, 60.0, 120.0]


def test_without_times_of_their_own_frames_have_those_of_their_arrival():
    times = SourceTimes(live=True)
    assert [times.moment(None, 0, now) for now in (9.0, 9.5)] == [0.0, 0.5]
