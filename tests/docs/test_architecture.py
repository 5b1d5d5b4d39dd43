"""The picture of the house and the way through it are those of the code."""

import importlib
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

NAMED = re.findall(r"`(noiseless(?:\.\w+)+)`", (DOCS / "architecture.md").read_text(encoding="utf-8"))

PLACE = r"`((?:[a-z]+/)*[\w-]+(?:/|\.(?:py|toml|md)))`"
PLACES = re.findall(PLACE, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def test_the_picture_is_what_the_code_says():
    house = runpy.run_path(str(DOCS / "figures" / "house.py"))
    drawn = (DOCS / "figures" / "house.svg").read_text(encoding="utf-8")
    assert house["picture"]() == drawn, "the house changed: python docs/figures/house.py"


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_every_stop_on_the_way_is_there(name):
    """Each is a module, or can be reached by attributes from one."""
    if name == "noiseless.score.train":
        pytest.importorskip("torch")
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:number]))
        found = getattr(found, part)
    assert callable(found)


@pytest.mark.parametrize("place", sorted(set(PLACES)))
def test_every_place_where_something_is_added_is_there(place):
    tops = (ROOT, ROOT / "src" / "noiseless")
    found = [top / place for top in tops if (top / place).exists()]
    assert found or list((ROOT / "src").rglob(place)) or list((ROOT / "benchmarks").glob(place))
