"""What was promised is written down so that it can be checked: the entries of benchmarks/promises.toml."""

import ast
import importlib.util
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
if not (BENCHMARKS / "promises.toml").exists():
    pytest.skip("no benchmarks beside these tests", allow_module_level=True)


def module(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


promise_list = module("promise_list")
PROMISES = promise_list.promises()
MEASURED = [promise for promise in PROMISES if promise.command and not promise.needs]
UNMADE = promise_list.unmade()
DIGITS = re.compile(r"(?<![\w.])[+-]?\d+(?:[ ]\d{3})*(?:\.\d+)?")
TABLES = ("docs/results.md", "benchmarks/README.md", "docs/scale.md", "docs/video.md", "README.md")


@cache
def text_of(file):
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def names_of_tests(file):
    return {node.name for node in ast.walk(ast.parse(text_of(file))) if isinstance(node, ast.FunctionDef)}


def numbers_in(text):
    """(value, half a unit of its last place) of each number."""
    return [
        (float(found.replace(" ", "")), 0.5 * 10.0 ** -len(found.partition(".")[2])) for found in DIGITS.findall(text)
    ]


def is_said(value, text):
    """Whether a number of the text is the value rounded, or a range, "at most" or a word stands for it."""
    if any(abs(value - number) <= half + 1e-9 for number, half in numbers_in(text)):
        return True
    if any(value == number and re.search(rf"\b{word}\b", text) for number, word in ((0, "none"), (100, "all"))):
        return True
    if any(0 <= value <= float(most) for most in re.findall(r"(?:at most|within) (\d+\.\d+)", text)):
        return True
    ranges = re.findall(rf"({DIGITS.pattern})(?: (?:%|dB))? to ({DIGITS.pattern})", text)
    return any(float(low.replace(" ", "")) <= value <= float(high.replace(" ", "")) for low, high in ranges)


def test_names_are_unique_and_sentences_end():
    names = [promise.name for promise in PROMISES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)
    assert all(promise.says.endswith(".") for promise in PROMISES)


def ill(promises, is_well):
    """The names of the promises that are not as they should be."""
    return [promise.name for promise in promises if not is_well(promise)]


def test_a_promise_is_shown_in_one_way():
    def is_well(promise):
        ways = sum(map(bool, (promise.command, promise.test, promise.needs)))
        return promise.issue >= 2 and ways == 1 and bool(promise.recorded) == bool(promise.command)

    assert not ill(PROMISES, is_well)


def test_commands_are_ours_and_name_no_machine():
    def is_ours(command):
        _, words = promise_list.words_of(command, {"data": "DATA", "scratch": "SCRATCH"})
        script = words[0] == "noiseless" or words[1] == "-m" or (ROOT / words[1]).is_file()
        return words[0] in ("python", "noiseless") and script and not any(word.startswith("/") for word in words)

    assert not ill(MEASURED, lambda each: is_ours(each.command) and (not each.quick or is_ours(each.quick)))


def test_a_pattern_has_a_group_for_each_value():
    def is_well(promise):
        groups = promise_list.regular_expression(promise.pattern).groupindex.keys() | promise_list.OF_A_RUN
        return promise.recorded.keys() | promise.quick_recorded.keys() <= groups

    assert not ill(MEASURED, is_well)


def test_values_have_units_dates_costs_and_a_direction():
    def is_well(promise):
        dated = re.fullmatch(r"\d{4}-\d\d-\d\d", promise.date)
        barred = not isinstance(promise.bar, dict) or promise.bar.keys() <= promise.recorded.keys()
        known = promise.better in promise_list.BETTER and bool(promise.quick) == bool(promise.quick_recorded)
        timed = promise.unit not in promise_list.TIMED or promise.machine
        return dated and barred and known and timed and promise.unit and promise.minutes > 0

    assert not ill(MEASURED, is_well)


def test_what_is_recorded_reaches_its_bar_or_says_why_not():
    def is_well(promise):
        missed = [name for name, value in promise.recorded.items() if promise.misses(name, value)]
        return bool(missed) == bool(promise.known_miss)

    assert not ill(MEASURED, is_well)


def test_the_tests_of_promises_are_there():
    def is_there(test):
        file, _, name = test.partition("::")
        return (ROOT / file).is_file() and name in names_of_tests(file)

    assert not [test for promise in PROMISES for test in promise.test if not is_there(test)]


def test_what_a_promise_quotes_is_in_the_documents():
    assert not [said for promise in PROMISES for said in promise.said if said.text not in text_of(said.file)]


def test_what_is_recorded_is_what_the_documents_say():
    def unsaid(promise):
        said = "\n".join(said.text for said in promise.said)
        read = {name: value for name, value in promise.recorded.items() if name not in promise_list.OF_A_RUN}
        return [name for name, value in read.items() if not is_said(value, said)]

    assert not {promise.name: unsaid(promise) for promise in PROMISES if promise.said and unsaid(promise)}


def test_each_quotation_has_a_figure_of_its_promise():
    strangers = [
        (promise.name, said.text)
        for promise in PROMISES
        for said in promise.said
        if not promise.recorded.keys() <= promise_list.OF_A_RUN
        and not any(is_said(value, said.text) for value in promise.recorded.values())
    ]
    assert not strangers


def test_what_is_not_made_again_says_why():
    assert all(entry.text in text_of(entry.file) and entry.why for entry in UNMADE)


@pytest.mark.parametrize("file", TABLES)
def test_every_figure_of_a_table_has_a_promise(file):
    texts = [said.text for promise in PROMISES for said in promise.said] + [entry.text for entry in UNMADE]
    lines = [line for line in text_of(file).splitlines() if line.startswith("|") and re.search(r"\d\.\d", line)]
    # The table of commands has no figures, only sizes.
    lines = [line for line in lines if "benchmarks/" not in line or "`...`" in line]
    assert not [line for line in lines if not any(text in line for text in texts)]


def test_every_benchmark_is_used():
    """By a promise, by another of them, or by a page that says what it is for."""
    scripts = sorted(BENCHMARKS.glob("*.py"))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "training").glob("*.md")]
    used = [(BENCHMARKS / name).read_text(encoding="utf-8") for name in ("promises.toml", "README.md")]
    used += [page.read_text(encoding="utf-8") for page in pages]
    assert not [
        script.name
        for script in scripts
        if not any(script.name in text for text in used)
        and not any(
            re.search(rf"\b{script.stem}\b", other.read_text(encoding="utf-8")) for other in scripts if other != script
        )
    ]


@pytest.mark.parametrize(
    ("value", "text", "right"),
    [
        (31.547, "31.55 / 29.11", True),
        (31.54, "31.55 / 29.11", False),
        (0.013, "errors of 1.6 to 6.9 %, 0.01", True),
        (5.2, "errors of 1.6 to 6.9 %", True),
        (0.3, "error at most 0.6 %", True),
        (0.7, "error at most 0.6 %", False),
        (0, "none of 50", True),
        (7.0, "errors of 1.6 to 6.9 %", False),
        (14400, "| 14 400 |", True),
        (1.55, "s31.55", False),
    ],
)
def test_a_value_is_looked_for_as_it_is_rounded(value, text, right):
    assert is_said(value, text) is right
