"""A check of promises tells what fell, what is missed, and what could not be read."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if not (BENCHMARKS / "check_promises.py").exists():
    pytest.skip("no benchmarks beside these tests", allow_module_level=True)


@pytest.fixture(scope="module")
def check():
    for name in ("promise_list", "check_promises"):
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules["check_promises"]


ENTRY = {
    "name": "gain",
    "issue": 7,
    "says": "It gains.",
    "command": "python {data}/say.py 30.00",
    "pattern": "gain <gain> dB",
    "recorded": {"gain": 30.0},
    "date": "2026-11-28",
    "unit": "dB",
    "minutes": 0.1,
}


def written(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture
def run(check, tmp_path, capsys):
    """Check entries, each the usual one with changes; exit status, what was printed, the record."""
    (tmp_path / "say.py").write_text(
        "import sys, pathlib\n"
        "runs = pathlib.Path(__file__).with_name('runs')\n"
        "runs.write_text(runs.read_text() + 'x' if runs.exists() else 'x')\n"
        "print('in', pathlib.Path(__file__).parent)\n"
        "print('gain', sys.argv[1], 'dB;   of 12 pairs')\n"
        "sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)\n"
    )

    def run(*changes, options=()):
        entries = [{**ENTRY, "name": f"gain-{number}", **change} for number, change in enumerate(changes)]
        lines = [
            "\n".join(["[[promise]]", *(f"{key} = {written(value)}" for key, value in entry.items())])
            for entry in entries
        ]
        file, record = tmp_path / "promises.toml", tmp_path / "record.json"
        file.write_text("\n\n".join(lines))
        status = check.main([str(tmp_path), "--file", str(file), "--record", str(record), *options])
        return status, capsys.readouterr().out, json.loads(record.read_text())

    return run


@pytest.fixture(autouse=True)
def no_doctor(check, monkeypatch):
    monkeypatch.setattr(check, "machine_of", lambda: {"noiseless": "0"})


def verdicts(record):
    return [each["verdict"] for each in record["promises"]]


@pytest.mark.parametrize(
    ("said", "verdict"), [("29.98", "held"), ("29.96", "fell"), ("31.50", "held")], ids=["chance", "fall", "rise"]
)
def test_a_fall_is_flagged_and_a_rise_is_not(run, said, verdict):
    status, printed, record = run({"command": f"python {{data}}/say.py {said}"})
    assert verdicts(record) == [verdict]
    assert status == (verdict == "fell")
    assert record["promises"][0]["values"] == {"gain": float(said)}
    assert f"gain {float(said):g} (30)" in printed


@pytest.mark.parametrize(
    ("changes", "said", "verdict"),
    [
        ({"unit": "ratio"}, "25.6", "held"),
        ({"unit": "ratio"}, "25.4", "fell"),
        ({"unit": "ratio", "better": "lower"}, "34.4", "held"),
        ({"unit": "ratio", "better": "lower"}, "34.6", "fell"),
        ({"unit": "percent"}, "29.1", "held"),
        ({"unit": "percent"}, "28.9", "fell"),
        ({"unit": "count"}, "29", "fell"),
        ({"unit": "HU", "better": "near", "slack": 0.3}, "30.2", "held"),
        ({"unit": "HU", "better": "near", "slack": 0.3}, "30.4", "fell"),
    ],
)
def test_each_unit_has_its_slack(run, changes, said, verdict):
    _, _, record = run({"command": f"python {{data}}/say.py {said}", **changes})
    assert verdicts(record) == [verdict]


def test_a_bar_that_is_missed_fails_unless_it_is_known(run):
    status, _, record = run({"bar": 30.5})
    assert (status, verdicts(record)) == (1, ["missed"])
    status, printed, record = run({"bar": {"gain": 30.5}, "known_miss": "no time"}, {"bar": [29.0, 30.1]})
    assert (status, verdicts(record)) == (0, ["known miss", "held"])
    assert "no time" in printed
    assert "bar 30.5" in printed
    status, printed, _ = run({"bar": 29.0, "known_miss": "no time"})
    assert status == 0
    assert "no miss any more" in printed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pattern": "loss <gain>"}, "the pattern is not in what it said"),
        ({"command": "python {data}/say.py 30 3"}, "it ended with 3"),
        ({"recorded": {"gain": 30.0, "loss": 1.0}}, "it says nothing of loss"),
    ],
)
def test_what_cannot_be_read_is_a_failure_with_its_last_lines(run, changes, reason):
    status, printed, record = run(changes)
    assert (status, verdicts(record)) == (1, ["failed"])
    assert reason in printed
    assert "of 12 pairs" in printed


def test_a_command_that_does_not_end_is_ended(run, check, monkeypatch):
    monkeypatch.setattr(check, "longest", lambda minutes: 0.5)
    status, printed, record = run({"command": "python -c 'import time; time.sleep(60)'"})
    assert (status, verdicts(record)) == (1, ["failed"])
    assert "it took more than" in printed


def test_a_command_may_end_as_it_is_known_to(run):
    status, _, record = run({"command": "python {data}/say.py 30 1", "ends_with": 1})
    assert (status, verdicts(record)) == (0, ["held"])


def test_a_command_runs_once_and_its_output_is_kept_without_paths(run, tmp_path):
    _, _, record = run({}, {"pattern": "of <pairs> pairs", "recorded": {"pairs": 12}, "unit": "count"})
    assert verdicts(record) == ["held", "held"]
    assert (tmp_path / "runs").read_text() == "x"
    assert [(run["command"], run["status"]) for run in record["runs"]] == [("python {data}/say.py 30.00", 0)]
    assert record["runs"][0]["output"].startswith("in {data}\n")
    assert record["commit"]
    assert record["processor"]
    assert record["date"]
    assert record["machine"] == {"noiseless": "0"}


def test_times_are_compared_on_their_own_processor_only(run, check):
    times = {"unit": "seconds", "better": "lower", "bar": 5.0, "machine": "an abacus"}
    status, _, record = run({**times, "command": "python {data}/say.py 60"})
    assert (status, verdicts(record)) == (0, ["told"])
    status, _, record = run({**times, "command": "python {data}/say.py 60", "machine": check.processor_of()})
    assert (status, verdicts(record)) == (1, ["fell"])


def test_the_whole_command_may_be_timed(run, check):
    status, _, record = run(
        {"recorded": {"elapsed": 100.0}, "unit": "seconds", "better": "lower", "machine": check.processor_of()}
    )
    assert status == 0
    assert 0 < record["promises"][0]["values"]["elapsed"] < 60


def test_quick_commands_have_a_record_of_their_own_and_no_bar(run):
    quick = {"quick": "python {data}/say.py 10", "quick_recorded": {"gain": 10.0}, "bar": 30.0}
    status, _, record = run(quick, options=["--quick"])
    assert (status, verdicts(record)) == (0, ["held"])
    assert record["promises"][0]["was_quick"]
    assert record["runs"][0]["command"].endswith("say.py 10")


def test_what_is_not_run_is_told(run):
    status, printed, record = run(
        {"minutes": 30},
        {"needs": "a GPU", "command": ""},
        {"test": "tests/x.py::test_x", "command": ""},
        options=["--minutes", "5"],
    )
    assert (status, verdicts(record)) == (0, ["not run", "not here", "by a test"])
    assert "takes 30 minutes" in printed
    assert "needs a GPU" in printed


def test_promises_are_chosen_by_name_and_issue(run):
    _, _, record = run({}, {"issue": 8}, {"issue": 8}, options=["--issue", "8", "--only", "gain-0", "gain-2"])
    assert [each["name"] for each in record["promises"]] == ["gain-2"]
    with pytest.raises(SystemExit, match="2"):
        run({}, options=["--only", "loss"])


def test_tests_are_run_where_they_are_asked_for(run, check, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "ROOT", tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "test_some.py").write_text(
        "import pytest\n@pytest.mark.parametrize('x', [1, 2])\ndef test_good(x): pass\n"
        "def test_bad(): assert False\n@pytest.mark.skip\ndef test_absent(): pass\n"
    )
    tests = [{"test": f"test_some.py::test_{name}", "command": ""} for name in ("good", "bad", "absent")]
    status, _, record = run(*tests, options=["--tests"])
    assert (status, verdicts(record)) == (1, ["held", "failed", "not run"])
