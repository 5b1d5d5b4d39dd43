"""Workers: lazily fed, in order of completion, with their share of the cores, and none of them needed."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from noiseless import InvalidParameter
from noiseless.batches import InProcess, Lost, Processes
from noiseless.threads import usual_threads

WORK = """
import os, signal, time
from pathlib import Path

def square(number):
    return number * number

def slow_if_odd(number):
    time.sleep(0.5 * (number % 2))
    return number

def threads(number):
    return os.environ["OMP_NUM_THREADS"]

def who(number):
    return os.getpid()

def says_who_and_sleeps(number):
    os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(60)

def dies_of_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def dies_once(path):
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"

def refuses_three(number):
    if number == 3:
        raise ValueError("three")
    return number

def no_pickle(number):
    return lambda: number

def sleeps(path):
    try:
        Path(path).touch()
        time.sleep(60)
    finally:
        Path(path).unlink()
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A module that the processes can import too."""
    (tmp_path / "work_of_batches.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("work_of_batches", None)
    import work_of_batches  # what the fixture has just written

    yield work_of_batches
    sys.modules.pop("work_of_batches", None)


def is_running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("workers", [InProcess, lambda: Processes(2)], ids=["here", "processes"])
def test_each_item_comes_back_with_its_result(work, workers):
    with workers() as crew:
        assert sorted(crew.map(work.square, range(9))) == [(number, number * number) for number in range(9)]
        assert list(crew.map(work.square, ())) == []


def test_results_come_in_the_order_in_which_they_are_finished(work):
    with Processes(2) as crew:
        assert [item for item, _ in crew.map(work.slow_if_odd, [1, 2, 4])] == [2, 4, 1]


@pytest.mark.parametrize("jobs", [1, 3])
def test_items_are_drawn_as_workers_get_free(work, jobs):
    drawn = []

    def items():
        for number in range(30):
            drawn.append(number)
            yield number

    with Processes(jobs) as crew:
        for finished, _ in enumerate(crew.map(work.square, items()), 1):
            assert len(drawn) <= finished + jobs


def test_the_cores_are_shared(work, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "6,2")
    with Processes(2) as crew:
        assert {result for _, result in crew.map(work.threads, range(4))} == {"3"}
    assert os.environ["OMP_NUM_THREADS"] == "6,2"
    with Processes(9) as crew:
        assert {result for _, result in crew.map(work.threads, [0])} == {"1"}
    monkeypatch.delenv("OMP_NUM_THREADS")
    with Processes(1) as crew:
        assert next(crew.map(work.threads, [0])) == (0, str(usual_threads()))
    assert "OMP_NUM_THREADS" not in os.environ


def test_a_worker_that_is_killed_loses_its_item_and_no_other(work):
    with Processes(2) as crew:
        results = dict(crew.map(work.dies_of_three, range(8)))
    lost = results.pop(3)
    assert isinstance(lost, Lost)
    assert "--jobs" in lost.why
    assert results == {number: number for number in range(8) if number != 3}


def test_what_killed_its_worker_once_is_tried_once_more(work, tmp_path):
    with Processes(1) as crew:
        assert list(crew.map(work.dies_once, [str(tmp_path / "tried")])) == [(str(tmp_path / "tried"), "survived")]


def test_an_error_of_the_function_is_raised_and_nobody_is_left(work):
    with Processes(2) as crew:
        numbers = {result for _, result in crew.map(work.who, range(6))}
        with pytest.raises(ValueError, match="three"):
            list(crew.map(work.refuses_three, range(9)))
        with pytest.raises((AttributeError, pickle.PicklingError), match="no_pickle"):
            list(crew.map(work.no_pickle, [0]))
        assert dict(crew.map(work.square, [5])) == {5: 25}, "and may go on"
    assert not any(map(is_running, numbers))


def test_who_is_at_work_when_it_ends_may_tidy_up(work, tmp_path):
    path = tmp_path / "begun"

    def items():
        yield str(path)
        end = time.monotonic() + 20
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.01)
        raise KeyboardInterrupt

    with Processes(2) as crew, pytest.raises(KeyboardInterrupt):
        list(crew.map(work.sleeps, items()))
    assert not path.exists()


def test_no_process_outlives_the_one_that_gives_the_work(work, tmp_path):
    program = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from noiseless.batches import Processes
        import work_of_batches
        if __name__ == "__main__":
            with Processes(2) as crew:
                list(crew.map(work_of_batches.says_who_and_sleeps, range(9)))
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(program))
    process = subprocess.Popen([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True)
    numbers = {int(process.stdout.readline()) for _ in range(2)}
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    end = time.monotonic() + 5
    while any(map(is_running, numbers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert len(numbers) == 2
    assert not any(map(is_running, numbers))


def test_a_program_without_its_guard_is_told_so(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("from noiseless.batches import Processes\nlist(Processes(1).map(abs, [1]))\n")
    finished = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60)
    assert "InvalidParameter: jobs is 1, and 3 processes ended as they began" in finished.stderr


def test_no_workers_are_refused():
    with pytest.raises(InvalidParameter, match="jobs is 0"):
        Processes(0)
