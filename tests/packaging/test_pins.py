"""The constraint file: everything that ``pyproject.toml`` asks for has one version, and one that it allows."""

import importlib.util
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def pins_module():
    found = importlib.util.spec_from_file_location("pins", Path(__file__).with_name("pins.py"))
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


PINS = pins_module()
PINNED = PINS.pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))


@pytest.mark.parametrize("wanted", sorted(set(PINS.wanted()), key=str), ids=str)
def test_what_is_asked_for_is_pinned_within_its_range(wanted):
    version = PINNED[canonicalize_name(wanted.name)]
    assert wanted.specifier.contains(version, prereleases=True)


def test_each_line_is_one_exact_version():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if not line.startswith("#")]
    assert len(told) == len(PINNED) > 100
    assert list(PINNED) == sorted(PINNED)
    for line in told:
        name, equals, version = line.partition("==")
        assert equals, line
        assert canonicalize_name(name) == name
        assert version.split(";")[0].strip().replace(".", "").isalnum()


def test_no_installer_is_pinned():
    assert not {"pip", "setuptools", "wheel", "noiseless"} & set(PINNED)


def test_what_the_dependencies_need_is_pinned_too():
    """The transitive ones: h11 of uvicorn, which bounds heads; markupsafe of jinja2 of sphinx."""
    assert {"h11", "starlette", "markupsafe", "llvmlite", "numcodecs", "msgpack"} <= set(PINNED)
