"""A Dask cluster as workers: every item once, whoever dies; what kills its worker is lost, and nothing else."""

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import noiseless
from noiseless.batches import DONE, NAME, SKIPPED, Lost, Task, open_run
from noiseless.batches import cluster as cluster_module
from noiseless.batches.cluster import Cluster
from noiseless.errors import InvalidParameter, NoiselessError
from noiseless.restoration import Recipe, restore
from noiseless.score import shipped

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
cloudpickle = pytest.importorskip("cloudpickle")


def local_cluster(workers):
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        silence_logs=logging.CRITICAL,
    )


@pytest.fixture(scope="module")
def two_workers():
    """A cluster in which whatever was with a worker that died is blamed for it at once: less to wait for."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), local_cluster(2) as cluster:
        yield cluster


@pytest.fixture
def workers(two_workers):
    with Cluster(two_workers.scheduler_address) as workers:
        yield workers


def test_every_item_comes_with_its_result(workers):
    offset = 5
    found = dict(workers.map(lambda item: item + offset, range(40)))
    assert found == {item: item + offset for item in range(40)}


def test_no_items_are_no_work(workers):
    assert list(workers.map(abs, [])) == []


def test_both_workers_work_and_one_that_joins_later(workers, two_workers):
    seen = set()

    def until_three_were_seen():
        end = time.monotonic() + 60
        while len(seen) < 3 and time.monotonic() < end:
            yield 0.05

    def slowly(seconds):
        time.sleep(seconds)
        return os.getpid()

    try:
        for _, pid in workers.map(slowly, until_three_were_seen()):
            seen.add(pid)
            if len(seen) == 2:
                two_workers.scale(3)
    finally:
        two_workers.scale(2)
    assert len(seen) == 3


def test_items_are_drawn_as_workers_get_free(workers):
    drawn = []

    def items():
        for number in range(30):
            drawn.append(number)
            yield number

    ahead = [len(drawn) - done for done, _ in enumerate(workers.map(lambda item: time.sleep(0.01), items()), start=1)]
    # One a thread, the spare ones, and the one that was finished just now.
    assert max(ahead) <= 2 + cluster_module.SPARE + 1


def test_the_function_goes_to_each_worker_once(workers, tmp_path):
    class Function:
        def __call__(self, item):
            return item

        def __reduce__(self):
            return opened, (str(tmp_path),)

    def opened(folder):
        Path(folder, f"{os.getpid()}-{time.monotonic_ns()}").touch()
        return abs

    assert dict(workers.map(Function(), range(-20, 0))) == {item: -item for item in range(-20, 0)}
    pids = [path.name.partition("-")[0] for path in tmp_path.iterdir()]
    assert len(pids) == len(set(pids)) <= 2


def test_an_error_of_the_function_is_raised_on(workers):
    def refuse(item):
        if item == 3:
            raise InvalidParameter("three is refused")
        return item

    with pytest.raises(InvalidParameter, match="three is refused"):
        list(workers.map(refuse, range(10)))
    assert dict(workers.map(abs, [-1])) == {-1: 1}


def test_what_was_asked_for_and_is_not_wanted_any_more_ends(workers):
    results = workers.map(lambda item: time.sleep(0.05), range(100))
    next(results)
    results.close()
    assert dict(workers.map(abs, [-1])) == {-1: 1}


def written(folder, deadly, always, item):
    """Write a file, and end the process in the middle of some: the first time, or always."""
    mark = Path(folder, f"{item}.begun")
    first = not mark.exists()
    mark.touch()
    if item in deadly and (first or always):
        os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, f"{item}.txt").write_text(str(item**2))
    return item**2


def nested(function, *given):
    """As a function of no module, for workers that cannot import this one."""
    return partial(lambda *told: function(*told), *given)


def test_a_worker_that_is_killed_ends_nothing(workers, tmp_path):
    found = list(workers.map(nested(written_by_value(), str(tmp_path), {4}, False), range(12)))
    assert sorted(found) == [(item, item**2) for item in range(12)]
    assert sorted(int(path.read_text()) for path in tmp_path.glob("*.txt")) == sorted(n**2 for n in range(12))


def test_an_item_that_always_kills_its_worker_is_lost_and_the_others_are_not(workers, tmp_path):
    found = dict(workers.map(nested(written_by_value(), str(tmp_path), {4}, True), range(12)))
    lost = found.pop(4)
    assert isinstance(lost, Lost)
    assert "memory" in lost.why
    assert "\n" not in lost.why
    assert found == {item: item**2 for item in range(12) if item != 4}


def written_by_value():
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return written


def test_a_folder_of_images_has_each_once_in_its_manifest_though_a_worker_was_killed(workers, tmp_path):
    sources, results = tmp_path / "noisy", tmp_path / "clean"
    sources.mkdir()
    results.mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        noiseless.write(noiseless.from_array(rng.integers(0, 256, (24, 24), dtype=np.uint8)), sources / f"{number}.png")

    def denoised(job, overwrite):
        source, result, mark = map(Path, job)
        image = noiseless.restore_image(noiseless.read(source), Recipe("experts"), sigma=25.0).image
        if source.name == "3.png" and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        noiseless.write(image, result, overwrite=overwrite)
        return [{"input": str(source)}]

    def tasks():
        for source in sorted(sources.iterdir()):
            result = results / source.name
            yield Task(source.name, (source,), (result,), (str(source), str(result), str(tmp_path / "killed")))

    states = []
    for _ in range(2):
        with open_run(results, "experts", [task.outputs[0] for task in tasks()]) as run:
            found = list(workers.map(run.once(denoised), map(run.task, tasks())))
            states.append([run.finish(task, result).state for task, result in found])
    assert states == [[DONE] * 8, [SKIPPED] * 8]
    lines = [json.loads(line) for line in (results / NAME).read_text().splitlines()]
    assert sorted((line["output"], line["state"]) for line in lines) == [([f"{n}.png"], DONE) for n in range(8)]
    assert {path.name for path in results.glob("*.*") if path.is_file()} == {NAME, *(f"{n}.png" for n in range(8))}
    for number in range(8):
        noisy = noiseless.read(sources / f"{number}.png")
        clean = noiseless.restore_image(noisy, Recipe("experts"), sigma=25.0).image
        np.testing.assert_array_equal(noiseless.read(results / f"{number}.png").stored(), clean.stored())


def test_weights_need_not_be_where_the_workers_are(workers, tmp_path):
    path = tmp_path / "mine.safetensors"
    name = next(name for name in shipped() if "tiny" in name and "gray" in name)
    path.write_bytes(shipped()[name].read_bytes())
    noisy = np.random.default_rng(0).random((24, 24), np.float32)
    recipe = Recipe(model=str(path))
    expected = restore(noisy, recipe, sigma=0.1).image

    def denoised(recipe, item):
        return restore(noisy, recipe, sigma=0.1).image, recipe.model

    results = workers.map(partial(denoised, recipe), range(3))
    for _, (image, model) in results:
        np.testing.assert_array_equal(image, expected)
        assert model.endswith("mine.safetensors")
        assert model != str(path)


def test_workers_that_are_not_there_yet_are_waited_for(caplog, monkeypatch):
    monkeypatch.setattr(cluster_module, "LOOK_S", 0.2)
    with local_cluster(0) as cluster, Cluster(cluster.scheduler_address) as workers:
        timer = threading.Timer(1.0, cluster.scale, (1,))
        timer.start()
        with caplog.at_level(logging.WARNING, logger=cluster_module.__name__):
            assert dict(workers.map(abs, [-1, -2])) == {-1: 1, -2: 2}
        timer.join()
    notes = [record.message for record in caplog.records if record.name == cluster_module.__name__]
    assert len(notes) == 1
    assert "waiting" in notes[0]


def test_a_scheduler_that_goes_is_told(monkeypatch):
    monkeypatch.setattr(cluster_module, "ANSWER_S", 1.0)
    monkeypatch.setattr(cluster_module, "LOOK_S", 0.2)
    with local_cluster(0) as cluster, Cluster(cluster.scheduler_address) as workers:
        timer = threading.Timer(1.0, cluster.close)
        timer.start()
        with pytest.raises(NoiselessError, match="has gone"):
            list(workers.map(abs, [-1]))
        timer.join()


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(cluster_module, "ANSWER_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with (
            pytest.raises(InvalidParameter, match="no scheduler answers") as caught,
            Cluster(f"tcp://127.0.0.1:{port}"),
        ):
            pass
    with pytest.raises(InvalidParameter, match="no scheduler answers"), Cluster(f"tcp://127.0.0.1:{port}"):
        pass
    assert time.monotonic() - began < 10
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "here",
        "127.0.0.1:8786",
        "http://a:1",
        "tcp://a",
        "tcp://a:b",
        "tcp://a:0",
        "tcp://a:65536",
        "tcp://:8786",
        "tcp://a:1/",
    ],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidParameter, match="tcp://HOST:PORT"):
        Cluster(address)


@pytest.mark.parametrize("address", ["tcp://a:1", "tcp://10.0.0.1:8786", "tls://host.example:8786", "tcp://[::1]:8786"])
def test_addresses(address):
    assert Cluster(address).address == address
