"""Every error of noiseless: it is public, drawn in the tree, of a built-in kind, one line, and raised by some test."""

import ast
from pathlib import Path

import numpy as np
import pytest

import noiseless
from noiseless import errors

TESTS = Path(__file__).resolve().parents[1]


def every_error():
    """All of them, however deep."""
    found, ahead = [], [errors.NoiselessError]
    while ahead:
        children = ahead.pop().__subclasses__()
        found += children
        ahead += children
    return sorted((error for error in found if error.__module__ == errors.__name__), key=lambda error: error.__name__)


def names_in(node):
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in ast.walk(node)
        if hasattr(part, "id") or hasattr(part, "attr")
    }


def raised_in_tests():
    """What stands first in a ``pytest.raises(...)``, or in the list of a parametrised test that has one."""
    names = set()
    for path in TESTS.rglob("test_*.py"):
        if path == Path(__file__).resolve():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "raises" and node.args:
                names |= names_in(node.args[0])
    return names


@pytest.fixture(scope="module")
def raised():
    return raised_in_tests()


def line_of(error):
    """Where it is drawn, and how deep."""
    (line,) = (line for line in errors.__doc__.splitlines() if f"── {error.__name__}" in line)
    return line


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_error_is_raised_by_some_test(error, raised):
    assert error.__name__ in raised


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_error_is_public_and_says_what_it_is(error):
    assert getattr(noiseless, error.__name__) is error
    assert error.__doc__


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_every_error_is_drawn_in_the_tree_with_its_built_in_kind(error):
    kinds = [
        kind
        for kind in error.__mro__
        if kind.__module__ == "builtins" and kind not in (Exception, BaseException, object)
    ]
    assert kinds, "idiomatic except works"
    line = line_of(error)
    direct = errors.NoiselessError in error.__bases__
    assert line.startswith(("├", "└")) == direct
    if direct:
        assert f"{error.__name__}({error.__bases__[1].__name__})" in line
        assert issubclass(error.__bases__[1], Exception)


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.__name__)
def test_a_message_is_one_line_whatever_it_quotes(error):
    assert str(error(f"sigma is {np.ones((3, 3))};\n  give a number")) == (
        "sigma is [[1. 1. 1.] [1. 1. 1.] [1. 1. 1.]]; give a number"
    )
    assert str(error("a  name with two blanks")) == "a  name with two blanks"


def test_nothing_raises_the_root_itself():
    source = Path(noiseless.__file__).parent
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                assert getattr(node.exc.func, "id", "") != "NoiselessError", path
