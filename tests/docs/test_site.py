"""The site of the docs builds without a warning, and has what a reader looks for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import noiseless
from noiseless.apps.cli.application import VERBS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for package in ("sphinx", "furo", "myst_parser", "numpydoc"):
        pytest.importorskip(package)
    built = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", built / "html", "-d", built / "trees"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    return built / "html"


def test_every_public_name_is_in_the_reference(site):
    page = (site / "reference" / "noiseless.html").read_text(encoding="utf-8")
    for name in noiseless.__all__:
        if not name.startswith("__") and not (site / "reference" / f"{name}.html").is_file():
            assert f'id="noiseless.{name}"' in page, name


def test_every_verb_is_in_the_reference(site):
    page = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    for verb in VERBS:
        assert f'id="noiseless-{verb if isinstance(verb, str) else verb.__name__}"' in page, verb


def test_the_site_asks_no_other_machine_for_anything(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(script|img|iframe)[^>]+src="(https?:)?//', text), page
        assert not re.search(r'<link[^>]+rel="stylesheet"[^>]+href="(https?:)?//', text), page
