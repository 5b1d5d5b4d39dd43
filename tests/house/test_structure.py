"""The house rules that a linter does not know."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "noiseless"
MODULES = sorted(SOURCE.rglob("*.py"))
BESIDE = [
    path
    for room in ("tests", "benchmarks", "docs", "training")
    for path in sorted((ROOT / room).rglob("*.py"))
    if "_build" not in path.parts
]
FORBIDDEN = {"utils", "core", "common", "helpers", "base", "misc", "manager", "factory", "util", "helper"}
LONGEST = 400


def name_of(module):
    return str(module.relative_to(SOURCE))


def lines_of(module):
    return len(module.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_module_is_longer_than_a_sitting(module):
    assert lines_of(module) <= LONGEST


def test_no_file_beside_the_source_is_longer_either():
    assert {str(path.relative_to(ROOT)): lines_of(path) for path in BESIDE if lines_of(path) > LONGEST} == {}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_module_is_a_dumping_ground(module):
    assert not FORBIDDEN & {module.stem, *module.relative_to(SOURCE).parts}


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_module_is_named_like_what_it_holds(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    held = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert module.stem not in held


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_says_what_it_is_for(module):
    text = module.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("module", [m for m in MODULES if m.parent != SOURCE], ids=name_of)
def test_every_room_has_its_tests(module):
    room = module.relative_to(SOURCE).parts[0]
    assert list((ROOT / "tests" / room).glob("test_*.py"))


def test_no_path_of_a_machine_is_in_the_source():
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert str(Path.home()) + "/" not in text
