import threading

import pytest

import noiseless
from noiseless.streams.waiting import CAPACITY, FrameQueue


def taken(queue):
    items = []
    while (item := queue.take()) is not None:
        items.append(item)
    return items


@pytest.mark.parametrize(("drop", "left"), [("oldest", [3, 4]), ("newest", [0, 1])])
def test_only_two_frames_wait_and_the_policy_says_which(drop, left):
    queue = FrameQueue(drop)
    for item in range(5):
        assert queue.put(item)
        assert len(queue) <= CAPACITY
    queue.end()
    assert taken(queue) == left
    assert queue.dropped == 3


def test_without_dropping_the_source_waits_and_nothing_is_lost():
    queue = FrameQueue("none")
    longest = []

    def produce():
        for item in range(50):
            queue.put(item)
            longest.append(len(queue))
        queue.end()

    thread = threading.Thread(target=produce)
    thread.start()
    assert taken(queue) == list(range(50))
    thread.join()
    assert max(longest) <= CAPACITY
    assert queue.dropped == 0


def test_a_source_that_waits_is_let_go_when_nobody_takes_frames_any_more():
    queue = FrameQueue("none")
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(queue.put(item) for item in range(3)))
    thread.start()
    while len(queue) < CAPACITY:
        pass
    queue.end()
    thread.join(5.0)
    assert answers == [True, True, False]


def test_an_error_comes_after_the_frames_before_it():
    queue = FrameQueue("none")
    queue.put("frame")
    queue.end(noiseless.UnreadableFile("lost"))
    assert queue.take() == "frame"
    with pytest.raises(noiseless.UnreadableFile, match="lost"):
        queue.take()


def test_another_policy_is_refused():
    with pytest.raises(noiseless.InvalidParameter, match="'random'; use oldest, newest, none"):
        FrameQueue("random")
