import os

import pytest

from noiseless import threads

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say it")


@pytest.mark.parametrize(("said", "bound"), [("", 0), ("3", 3), ("4,2", 4), (" 2 ", 2), ("many", 0), ("-1", 0)])
def test_the_environment_bounds_the_threads(monkeypatch, said, bound):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads.threads_of_environment() == bound
    assert threads.usual_threads() == (bound or threads.cores())


def test_without_a_bound_there_is_a_thread_a_core(monkeypatch, tmp_path):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "no such file")
    assert threads.usual_threads() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("said", "cores"), [("50000 100000\n", 1), ("150000 100000\n", 2), ("max 100000\n", 2**30)])
def test_a_container_pays_for_so_many_cores(monkeypatch, tmp_path, said, cores):
    (tmp_path / "cpu.max").write_text(said)
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "cpu.max")
    assert threads.quota() == cores
    assert threads.cores() == max(1, min(cores, len(os.sched_getaffinity(0))))
