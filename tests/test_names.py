import pytest

from noiseless.errors import MissingExtra, UnknownName
from noiseless.names import Lazy, load, lookup, with_plugins


def test_a_known_name_gives_its_thing():
    assert lookup({"a": 1}, "a", kind="letter") == 1
    assert lookup({"pi": Lazy("math:pi")}, "pi", kind="number") == pytest.approx(3.14159, abs=1e-5)


def test_an_unknown_name_suggests_the_nearest_and_lists_all():
    with pytest.raises(UnknownName, match=r"unknown filter 'heet'; did you mean 'heat'\? \(known: heat, wave\)"):
        lookup({"wave": 1, "heat": 2}, "heet", kind="filter")


def test_a_missing_package_is_told_with_its_pip_line():
    with pytest.raises(MissingExtra, match=r"pip install 'noiseless\[web\]'"):
        load(Lazy("a_package_that_is_not_there:thing", extra="web"))


def test_a_missing_module_of_ours_is_our_mistake():
    with pytest.raises(ModuleNotFoundError, match="noiseless"):
        load(Lazy("noiseless.not_there:thing", extra="web"))


def test_a_plugin_adds_a_name_but_cannot_replace_one(monkeypatch):
    class Point:
        def __init__(self, name, value):
            self.name, self.value = name, value

    points = [Point("mine", "math:tau"), Point("heat", "math:pi")]
    monkeypatch.setattr("noiseless.names.entry_points", lambda group: points)
    table = with_plugins({"heat": "ours"}, "noiseless.denoisers")
    assert lookup(table, "heat", kind="method") == "ours"
    assert lookup(table, "mine", kind="method") > 6
