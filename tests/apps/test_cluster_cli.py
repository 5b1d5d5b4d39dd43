"""Folders by the workers of a Dask cluster, from the command line."""

import json
import logging
import os
import signal
import time
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from noiseless.apps.cli import main

distributed = pytest.importorskip("distributed")

OPTIONS = ("-s", "20", "--model", "tiny", "--json")
COUNT = 8


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder, which is not that of the workers, with eight pictures in ``in`` and below."""
    for number in range(COUNT):
        path = tmp_path / "in" / ("" if number % 2 else "deeper") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(number).normal(120, 20, (400, 300))
        Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)).save(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main(list(arguments))
    out, err = capfd.readouterr()
    return code, out, err


def results_in(path):
    return {item.relative_to(path).as_posix(): item.read_bytes() for item in path.rglob("*.png")}


def kill_one_when_some_are_done(cluster, manifest, killed):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if manifest.exists() and len(manifest.read_text().splitlines()) >= 2:
            worker = next(iter(cluster.workers.values()))
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)
            return
        time.sleep(0.01)


def test_a_folder_is_done_once_though_a_worker_is_killed(folder, capfd, cluster):
    assert run(capfd, "denoise", "in", "-o", "here", *OPTIONS)[0] == 0
    address, killed = cluster.scheduler_address, []
    killer = Thread(target=kill_one_when_some_are_done, args=(cluster, folder / "there" / "manifest.jsonl", killed))
    killer.start()
    code, out, err = run(capfd, "denoise", "in", "-o", "there", *OPTIONS, "--scheduler", address)
    killer.join()
    assert killed
    assert code == 0
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["done"] * COUNT
    assert results_in(folder / "there") == results_in(folder / "here")
    lines = [json.loads(line) for line in (folder / "there" / "manifest.jsonl").read_text().splitlines()]
    assert sorted(line["output"][0] for line in lines) == sorted(results_in(folder / "here"))
    assert f"{COUNT} denoised, 0 skipped" in err
    code, out, err = run(capfd, "denoise", "in", "-o", "there", *OPTIONS, "--scheduler", address)
    assert code == 0
    assert [json.loads(line)["state"] for line in out.splitlines()] == ["skipped"] * COUNT


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("in", "-o", "out", "--scheduler", "tcp://127.0.0.1:9", "--jobs", "2"), "give one of them"),
        (("in/1.png", "--scheduler", "tcp://127.0.0.1:9"), "is for several inputs"),
        (("in", "-o", "out", "--scheduler", "127.0.0.1"), "write tcp://HOST:PORT"),
        (("in", "-o", "out", "--scheduler", "tcp://127.0.0.1:9"), "no scheduler answers"),
    ],
)
def test_what_no_cluster_can_do_is_refused_and_leaves_nothing(folder, capfd, options, reason):
    before = sorted(folder.rglob("*"))
    code, out, err = run(capfd, "denoise", *options, "-s", "20")
    assert (code, out) == (1, "")
    assert reason in err
    assert err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
