"""Help that teaches by example, as a person meets it."""

import os
import re
import subprocess
import sys

import pytest

from noiseless.apps.cli import main
from noiseless.apps.cli.examples import EXAMPLES, GROUPS, OF_ALL
from noiseless.apps.cli.help_pages import WIDEST
from noiseless.apps.cli.verbs import VERBS, function_of

from .options import long_names

NARROW = 78
"""Columns of a line on a terminal of 80."""


def page(verb, columns, monkeypatch, capfd):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*([verb] if verb else []), "--help"]) == 0
    return capfd.readouterr().out


def test_the_list_has_every_verb_under_a_heading(monkeypatch, capfd):
    text = page("", 80, monkeypatch, capfd)
    places = [text.index(f"\n  {name} ") for name in VERBS]
    assert places == sorted(places)
    for name, verb in VERBS.items():
        assert text.index(f"\n{verb.heading}:\n") < text.index(f"\n  {name} ")
        assert re.search(rf"^  {name} +{re.escape(verb.summary)}$", text, re.MULTILINE), "it fits in a line"
    for command, _ in OF_ALL:
        assert f"\n  {command}\n" in text
    assert max(map(len, text.splitlines())) <= NARROW


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_begins_with_its_sentence(verb):
    assert function_of(verb).__doc__.startswith(VERBS[verb].summary.rstrip("."))


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("verb", VERBS)
def test_a_page_is_a_sentence_examples_options_and_notes(verb, columns, monkeypatch, capfd):
    text = page(verb, columns, monkeypatch, capfd)
    assert max(map(len, text.splitlines())) <= min(columns, WIDEST) - 2 + 1
    assert text.startswith(f"Usage: noiseless {verb} ")
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert headings[0] == "Examples"
    assert 2 <= len(EXAMPLES[verb]) <= 5
    for command, _ in EXAMPLES[verb]:
        assert f"\n  {command}\n" in text, "in one line, to be copied"
        assert len(command) + 2 <= NARROW
    assert [heading for heading in headings if heading in GROUPS.get(verb, {})] == list(GROUPS.get(verb, {}))
    for name in long_names(verb):
        assert re.search(rf"^  (-\w, )?(--\S+(,| /) )?{name}(?=[ ,]|$)", text, re.MULTILINE), name
    assert not re.search(r"<(list|int range|str)\b", text)


@pytest.mark.parametrize("verb", GROUPS)
def test_headings_hold_options_that_there_are_once_each(verb):
    listed = [name for names in GROUPS[verb].values() for name in names]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= long_names(verb)
    assert long_names(verb) - set(listed) <= {"--max-pixels", "--from", "--help"}, "little stands under other options"


def test_help_starts_in_no_time_and_imports_nothing_heavy():
    heavy = ("numpy", "torch", "openvino", "numba", "scipy", "rich", "dask", "fastapi", "noiseless.restoration")
    code = (
        "import sys\nfrom noiseless.apps.cli import main\nassert main(['--help']) == 0\n"
        f"assert not [name for name in {heavy!r} if name in sys.modules]"
    )
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = os.times()  # of the processor: other work on the machine does not count
        seconds.append(after.children_user - before.children_user + after.children_system - before.children_system)
    assert min(seconds) < 0.3


def test_the_name_is_the_same_however_it_is_started():
    finished = subprocess.run([sys.executable, "-m", "noiseless", "-h"], capture_output=True, text=True, check=True)
    assert finished.stdout.startswith("Usage: noiseless [OPTIONS] VERB")
