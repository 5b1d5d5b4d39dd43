import numpy as np
import pytest

import noiseless
from noiseless.streams.reconnection import reconnecting

PICTURE = np.zeros((4, 4), np.uint8)
LOST = noiseless.UnreadableFile("lost")


def drawn(source, clock, *, timeout_s=100.0, most=100):
    connections = []
    for connection, _ in reconnecting(source, timeout_s=timeout_s, clock=clock, sleep=clock.sleep):
        connections.append(connection)
        if len(connections) == most:
            break
    return connections


def test_the_waits_double_until_the_source_is_back(make_source, clock):
    source = make_source([PICTURE, LOST], [LOST], [LOST], [LOST], [PICTURE] * 3)
    assert drawn(source, clock, most=4) == [0, 1, 1, 1]
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]


def test_the_waits_begin_anew_with_each_loss(make_source, clock):
    source = make_source([PICTURE, LOST], [LOST], [PICTURE, LOST], [PICTURE])
    assert drawn(source, clock, most=3) == [0, 1, 2]
    assert clock.slept == [0.5, 1.0, 0.5]


def test_a_live_source_that_merely_ends_was_lost_too(make_source, clock):
    assert drawn(make_source([PICTURE], [PICTURE]), clock, most=2) == [0, 1]


def test_no_wait_is_longer_than_half_a_minute_and_patience_ends(make_source, clock):
    source = make_source([PICTURE, LOST], *[[LOST]] * 50)
    with pytest.raises(noiseless.UnreadableFile, match=r"'fake://camera' .* within 100 s \(9 attempts\)"):
        drawn(source, clock)
    assert clock.slept[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert sum(clock.slept) == pytest.approx(100.0)
    assert source.opened == 1 + len(clock.slept)


def test_a_source_that_never_answered_fails_at_once(make_source, clock):
    with pytest.raises(noiseless.UnreadableFile, match="lost"):
        drawn(make_source([LOST]), clock)
    assert clock.slept == []


def test_a_file_is_not_read_twice(make_source, clock):
    source = make_source([PICTURE, PICTURE], [PICTURE])
    source.live = False
    assert drawn(source, clock) == [0, 0]


def test_a_damaged_file_fails_where_it_is_damaged(make_source, clock):
    source = make_source([PICTURE, LOST], [PICTURE])
    source.live = False
    with pytest.raises(noiseless.UnreadableFile, match="lost"):
        drawn(source, clock)


def test_closing_ends_the_attempts(make_source, clock):
    source = make_source([PICTURE, LOST], *[[LOST]] * 50)

    def sleep(seconds):
        clock.sleep(seconds)
        source.close()

    assert [n for n, _ in reconnecting(source, timeout_s=100.0, clock=clock, sleep=sleep)] == [0]
    assert source.opened == 2
