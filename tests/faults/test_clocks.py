"""A clock that is set by years, forwards or back: no duration comes of it, and nothing is deleted or kept for it."""

import ast
import itertools
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

import noiseless
from noiseless.apps.cli import main

HEAT = ["--method", "heat", "--sigma", "20"]
YEARS = 3.2e8
SOURCE = Path(noiseless.__file__).parent

WALL = {"apps/web/store.py"}
"""What may ask for the time of day: it compares the age of folders of other servers."""


@pytest.fixture
def jumping(monkeypatch):
    """The time of day is now ten years ahead and now ten behind."""
    real, turns = time.time, itertools.cycle((YEARS, -YEARS, 0.0))
    monkeypatch.setattr(time, "time", lambda: real() + next(turns))


def test_no_duration_comes_of_the_time_of_day():
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("time.time", "time.time_ns", "time.localtime"):
                found.add(path.relative_to(SOURCE).as_posix())
    assert found == WALL


def test_a_folder_and_files_of_any_time(jumping, inputs, tmp_path, capfd):
    (tmp_path / "in").mkdir()
    for number, moment in enumerate((0, 4e9, time.time())):
        path = tmp_path / "in" / f"{number}.png"
        path.write_bytes((inputs / "many" / f"{number}.png").read_bytes())
        os.utime(path, (moment, moment))
    words = ["denoise", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *HEAT]
    assert main(words) == 0
    lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()]
    assert all(0.0 <= line["seconds"] < 60.0 for line in lines)
    os.utime(tmp_path / "in" / "0.png", (4e9, 4e9))
    capfd.readouterr()
    assert main(words) == 0
    assert "0 denoised, 3 skipped" in capfd.readouterr().err


def test_training_ends_by_the_time_that_passes(jumping, tmp_path):
    pytest.importorskip("torch")
    from noiseless.score import TrainingSettings, train

    images = [np.random.default_rng(0).random((1, 32, 32)).astype(np.float32)]
    settings = TrainingSettings(steps=3, minutes=10.0, batch=1, patch=16, precision="float32")
    elapsed = [state.elapsed for state in train(images, tmp_path / "m.safetensors", model="tiny", settings=settings)]
    assert elapsed == sorted(elapsed)
    assert 0.0 <= elapsed[0] < elapsed[-1] < 60.0


def test_the_service_keeps_what_is_fresh_and_clears_what_has_no_owner(monkeypatch, tmp_path):
    pytest.importorskip("fastapi")
    from noiseless.apps.web import store
    from noiseless.apps.web.records import StoredFile

    monkeypatch.setattr(store.tempfile, "tempdir", str(tmp_path))
    alive = store.Store(limit=10)
    record = StoredFile("key", tmp_path)
    used = record.used
    for name, moment in (("fresh", time.time()), ("old", 0.0), ("ahead", time.time() + YEARS)):
        folder = tmp_path / f"{store.PREFIX}{name}"
        folder.mkdir()
        os.utime(folder, (moment, moment))
    os.utime(alive.root, (0.0, 0.0))
    assert store.sweep() == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive.root.name, f"{store.PREFIX}fresh"])
    monkeypatch.setattr(time, "time", lambda: YEARS)
    assert record.used == used, "what is kept for an hour after its use is so by a clock that nobody sets"
    record.touch()
    assert 0.0 <= record.used - used < 60.0
    alive.close()
