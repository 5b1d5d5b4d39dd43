"""``noiseless doctor``: it finds nothing in a healthy installation, and each trouble that there can be."""

import json
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import noiseless
from noiseless import memory, threads
from noiseless.apps.cli import installation, machine, main, trial_run
from noiseless.apps.cli.doctoring import CHECKS, WORDS
from noiseless.apps.cli.troubles import Trouble, checked

ROOT = Path(__file__).resolve().parents[2]


def doctor(*arguments, **environment):
    """In a fresh process, as what it looks at is the process."""
    command = [sys.executable, "-m", "noiseless", "doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)


@pytest.fixture
def quick(monkeypatch):
    """Without the denoisings, which take seconds."""
    monkeypatch.setitem(CHECKS, "speed", lambda: ([], []))


def test_a_healthy_installation_is_well():
    finished = doctor("--json", OMP_NUM_THREADS="1")
    found = json.loads(finished.stdout)
    assert found["troubles"] == []
    assert (finished.returncode, found["healthy"], finished.stderr) == (0, True, "")
    assert found["libraries"]["numpy"] == sys.modules["numpy"].__version__
    assert found["cores"]["threads"] == 1
    assert found["cores"]["usable"] == threads.cores()
    assert set(found["weights"]) == {*noiseless.score.shipped(), "experts"}
    runs = {(run["engine"], run["model"], run["channels"]): run for run in found["speed"]}
    for model in ("tiny", "base"):
        for channels in (1, 3):
            assert runs["OpenVINO", model, channels]["gain_db"] > 10
            assert runs["OpenVINO", model, channels]["megapixels_per_second"] > 0
    # A fifth of the arithmetic cannot take longer; time is measured, so by a wide margin only.
    assert (
        runs["OpenVINO", "tiny", 1]["megapixels_per_second"]
        > 0.5 * runs["OpenVINO", "base", 1]["megapixels_per_second"]
    )


def test_it_tells_people_the_same(capfd, quick):
    assert main(["doctor"]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == "all is well"
    for said in (
        "noiseless ",
        "numpy ",
        "cores: ",
        "memory: ",
        "GPU: ",
        "medical ",
        "base-gray verified",
        "terminal: ",
    ):
        assert said in out
    assert err == ""
    assert set(WORDS) == set(CHECKS)


def test_each_trouble_is_a_line_with_its_remedy(capfd, quick, monkeypatch):
    monkeypatch.setitem(CHECKS, "cores", lambda: (None, [Trouble("there is one core", "buy another")]))

    def memory():
        raise RuntimeError("line one\nline two")

    monkeypatch.setitem(CHECKS, "memory", memory)
    assert main(["doctor"]) == 1
    out, _ = capfd.readouterr()
    assert "all is well" not in out
    assert out.splitlines()[-2] == "trouble: there is one core; buy another"
    assert out.splitlines()[-1].startswith("trouble: the check of memory broke off, RuntimeError: line one line two; ")
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert found["healthy"] is False
    assert found["troubles"][0] == {"trouble": "there is one core", "remedy": "buy another"}


def test_the_processor_has_the_instructions_that_numpy_sees():
    instructions = machine.processor()[0]["instructions"]
    known = sys.modules["numpy._core._multiarray_umath"].__cpu_features__
    for feature, name in machine.NUMPY_CALLS.items():
        if name in machine.INSTRUCTIONS.values():
            assert (name in instructions) == bool(known.get(feature)), name


def test_without_the_file_of_linux_numpy_says_the_instructions(monkeypatch, tmp_path):
    expected = set(machine.processor()[0]["instructions"]) & set(machine.NUMPY_CALLS.values())
    monkeypatch.setattr(machine, "_CPUS", tmp_path / "absent")
    assert set(machine.processor()[0]["instructions"]) == expected


@pytest.mark.parametrize(
    ("said", "words"), [("many", "no number"), ("999", "999 threads"), ("1", None), ("1,1", None), ("", None)]
)
def test_threads_of_the_environment(monkeypatch, said, words):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    facts, troubles = machine.cores()
    assert facts["threads"] == threads.usual_threads()
    if words is None:
        assert troubles == []
    else:
        (trouble,) = troubles
        assert words in trouble.what
        assert "unset it" in trouble.remedy


def test_memory_of_a_container_counts(monkeypatch, tmp_path):
    (tmp_path / "max").write_text(str(machine.GIB // 4))
    monkeypatch.setattr(memory, "_CONTAINER", (tmp_path / "max",))
    facts, (trouble,) = machine.memory()
    assert facts["gib"] == 0.25
    assert facts["free_gib"] <= 0.25
    assert "--memory" in trouble.remedy
    (tmp_path / "max").write_text("max\n")
    assert machine.memory()[0]["gib"] > 0.5


def torch_like(monkeypatch, *, available, cuda):
    card = SimpleNamespace(name="Card", total_memory=24 * machine.GIB)
    gpus = SimpleNamespace(
        is_available=lambda: available, device_count=lambda: 2, get_device_properties=lambda number: card
    )
    torch = SimpleNamespace(__version__="9.9", cuda=gpus, version=SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda name: torch)
    monkeypatch.setattr(machine.importlib, "import_module", lambda name: torch)


def test_gpus_are_named(monkeypatch):
    torch_like(monkeypatch, available=True, cuda="12.8")
    facts, troubles = machine.gpu()
    assert (facts["devices"], troubles) == ([{"name": "Card", "gib": 24.0}] * 2, [])
    assert list(WORDS["gpu"](facts)) == ["GPU: Card of 24.0 GiB, Card of 24.0 GiB"]


def test_a_driver_that_torch_cannot_use_is_a_trouble(monkeypatch, tmp_path):
    torch_like(monkeypatch, available=False, cuda="12.8")
    (tmp_path / "version").touch()
    monkeypatch.setattr(machine, "_DRIVER", tmp_path / "version")
    (trouble,) = machine.gpu()[1]
    assert "CUDA 12.8" in trouble.remedy
    torch_like(monkeypatch, available=False, cuda=None)
    facts, troubles = machine.gpu()
    assert (troubles, "built for CUDA" in facts["note"]) == ([], True)


def test_without_torch_it_is_not_imported():
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\n"
        "from noiseless.apps.cli import machine, trial_run\n"
        "facts, troubles = machine.gpu()\n"
        "assert facts['torch'] is None and troubles == []\n"
        "assert trial_run._engines() == [('OpenVINO', '')]\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_folders_that_cannot_be_written(monkeypatch, tmp_path):
    facts, troubles = machine.folders()
    assert troubles == []
    assert Path(facts["temporary"]["path"]).is_dir()
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "cache"))
    facts, (trouble,) = machine.folders()
    assert facts["compiled_code"] is None
    assert "NUMBA_CACHE_DIR" in trouble.remedy
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new" / "cache"))
    assert machine.folders()[0]["compiled_code"] == str(tmp_path / "new" / "cache")
    assert not (tmp_path / "new").exists(), "looking leaves nothing behind"

    def no_folder():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(machine.tempfile, "gettempdir", no_folder)
    assert any("TMPDIR" in trouble.remedy for trouble in machine.folders()[1])


def test_a_full_disk_is_a_trouble(monkeypatch):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    (trouble,) = machine.folders()[1]
    assert "TMPDIR" in trouble.remedy


def test_a_terminal_of_few_letters_is_a_trouble(monkeypatch):
    monkeypatch.setattr(machine.sys, "stdout", SimpleNamespace(encoding="latin-1", isatty=lambda: True))
    _, (trouble,) = machine.terminal()
    assert "latin-1" in trouble.what
    assert "UTF-8" in trouble.remedy


def test_the_extras_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        name: {line.split(">")[0].split("[")[0].strip() for line in lines}
        for name, lines in project["optional-dependencies"].items()
        if name != "all"
    }
    assert {name: set(extra.packages) for name, extra in installation.EXTRAS.items()} == declared
    required = installation._requirements("")
    plain = {line.split(">")[0] for line in project["dependencies"]}
    assert set(required) == plain


def test_an_extra_that_is_absent_is_told_and_no_trouble(monkeypatch):
    found = installation.version_of
    monkeypatch.setattr(installation, "version_of", lambda name: None if name == "pydicom" else found(name))
    facts, troubles = installation.extras()
    assert troubles == []
    assert facts["medical"]["complete"] is False
    assert any("pip install 'noiseless[medical]'" in line for line in WORDS["extras"](facts))


def test_packages_that_are_too_old_or_do_not_load_are_troubles(monkeypatch):
    old = {"numpy": "1.26.4", "rawpy": "0.1"}
    found = installation.version_of
    monkeypatch.setattr(installation, "version_of", lambda name: old.get(name, found(name)))
    (trouble,) = installation.libraries()[1]
    assert "numpy 1.26.4" in trouble.what
    assert trouble.remedy.startswith("pip install --upgrade 'numpy>=")
    broken = {**installation.EXTRAS, "demo": installation.Extra("nothing", {"numpy": "noiseless_absent.module"})}
    monkeypatch.setattr(installation, "EXTRAS", broken)
    whats = [trouble.what for trouble in installation.extras()[1]]
    assert any("does not load, ModuleNotFoundError" in what for what in whats)
    assert any("rawpy 0.1 is installed, and noiseless needs" in what for what in whats)


@pytest.mark.parametrize(
    ("version", "least", "older"),
    [
        ("2.0", "2.0", False),
        ("2.0.1", "2.0", False),
        ("2", "2.0", False),
        ("1.26.4", "2.0", True),
        ("2.13.0+cpu", "2.9", False),
        ("0.9", "0.10", True),
        ("5.3rc1", "5.3", False),
        ("1.0", "", False),
    ],
)
def test_versions_are_compared_by_their_numbers(version, least, older):
    assert installation.is_older(version, least) is older


def test_damaged_weights_are_found(monkeypatch, tmp_path):
    shipped = noiseless.score.shipped()
    damaged = bytearray(shipped["tiny-gray"].read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "tiny-gray.safetensors").write_bytes(damaged)
    changed = {**shipped, "tiny-gray": tmp_path / "tiny-gray.safetensors"}
    monkeypatch.setattr("noiseless.score.checkpoint.shipped", lambda: changed)
    facts, (trouble,) = installation.weights()
    assert facts["tiny-gray"] == "damaged"
    assert facts["base-gray"] == "verified"
    assert "tiny-gray" in trouble.what
    assert "--force-reinstall" in trouble.remedy


def test_an_engine_that_is_wrong_or_broken_is_a_trouble(monkeypatch):
    monkeypatch.setattr(trial_run, "_engines", lambda: [("OpenVINO", "")])
    monkeypatch.setattr(trial_run, "MOST_RUNS", 1)
    real = noiseless.denoise

    def denoise(noisy, *, model="base", method="score", **rest):
        if method != "score":
            raise RuntimeError("cannot cache function")
        return noisy if model == "tiny" else real(noisy, model="tiny", **rest)

    monkeypatch.setattr(noiseless, "denoise", denoise)
    facts, troubles = trial_run.speed()
    assert len(facts) == 4
    whats = [trouble.what for trouble in troubles]
    assert [what.split(" gains")[0] for what in whats[:2]] == ["OpenVINO, tiny gray", "OpenVINO, tiny colour"]
    assert "numba, perona-malik cannot denoise, RuntimeError: cannot cache function" in whats[2]
    assert "NUMBA_CACHE_DIR" in troubles[2].remedy


def test_time_is_the_least_of_a_few_runs(monkeypatch):
    clock = iter([0.0, 0.0, 0.05, 0.05, 0.07, 0.07, 0.2])
    monkeypatch.setattr(trial_run.time, "perf_counter", lambda: next(clock))
    assert math.isclose(trial_run._seconds(lambda: None), 0.02)


def test_a_check_that_is_interrupted_is_no_trouble():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        checked(interrupted)
