"""Every command and every piece of Python in the docs and in the README runs, in order, as a reader would type it.

A page has a folder of its own with small images under the names that it uses. What cannot run here says so in the page,
in a comment before it: ``<!-- not run: needs a camera -->``.
"""

import importlib.util
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from noiseless.apps.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
FENCE = re.compile(r"^ *```([\w{}-]*)[ \w./-]*$")
NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
COMMANDS, LANGUAGES = ("sh", "console"), ("python", "sh", "console")

NEEDS = {
    "torch": r"noiseless (train|adapt)|\btorch\b",
    "matplotlib": r"--plot|matplotlib",
    "av": r"\.mp4|\.mkv",
    "onnx": r"noiseless export",
    "onnxruntime": r"onnxruntime",
    "dask": r"\bdask\b",
    "zarr": r"\.zarr",
    "pydicom": r"\.dcm|IM0001",
    "nibabel": r"\.nii",
    "rosbags": r"\.bag\b",
    "skimage": r"noiseless demo|skimage",
}
"""Packages by what a page says that needs them; they are extras, and a page without them is skipped."""


def inputs():
    """The module beside; the folder is no package."""
    specification = importlib.util.spec_from_file_location("inputs_of_the_docs", Path(__file__).with_name("inputs.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``reason`` says why it is not run, and is empty where it is."""

    language: str
    line: int
    text: str
    reason: str


def blocks_of(page):
    """The blocks of code in a page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    found, number = [], 0
    while number < len(lines):
        opened = FENCE.match(lines[number])
        if opened is None:
            number += 1
            continue
        end = next(n for n in range(number + 1, len(lines)) if lines[n].strip() == "```")
        said = next((text for text in reversed(lines[:number]) if text.strip()), "")
        reason = NOT_RUN.match(said.strip())
        text = "\n".join(lines[number + 1 : end])
        found.append(Block(opened[1], number + 2, text, reason[1] if reason else ""))
        number = end + 1
    return [block for block in found if block.language in LANGUAGES]


def name_of(page):
    return str(page.relative_to(ROOT))


def run_commands(block, where):
    for text in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(text, comments=True)
        if not words:
            continue
        if words[0] == "noiseless":
            code = main(words[1:])
        elif words[0] == "python" and words[1].startswith("examples/"):
            code = subprocess.run([sys.executable, ROOT / words[1], *words[2:]], check=False).returncode
        else:
            pytest.fail(f"{where}: {words[0]!r} is not run by this test; mark the block: <!-- not run: reason -->")
        assert code == 0, f"{where}: {text!r} ended with {code}"


def run_python(block, where, names):
    # Line numbers are those of the page.
    exec(compile("\n" * (block.line - 1) + block.text, where, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_shows_runs(page, tmp_path, monkeypatch):
    blocks = [block for block in blocks_of(page) if not block.reason]
    if not blocks:
        pytest.skip("nothing to run")
    text = "\n".join(block.text for block in blocks)
    for package, pattern in NEEDS.items():
        if re.search(pattern, text):
            pytest.importorskip(package)
    inputs().make_what_is_named(text, tmp_path)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for block in blocks:
        where = f"{name_of(page)}, line {block.line}"
        with np.errstate(all="warn", under="ignore"):  # as a reader has it
            if block.language in COMMANDS:
                run_commands(block, where)
            else:
                run_python(block, name_of(page), names)


def test_what_is_not_run_says_why(capsys):
    left = [(page, block) for page in PAGES for block in blocks_of(page) if block.reason]
    with capsys.disabled():
        sys.stdout.write(f"\n{len(left)} blocks of the docs are not run:\n")
        for page, block in left:
            sys.stdout.write(f"  {name_of(page)}, line {block.line}: {block.reason}\n")
    assert len(left) <= 40, "most of what the docs show must be run"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_command_hides_in_an_indented_block(page):
    """Indented lines are not collected, so a command there would never be run."""
    for line in page.read_text(encoding="utf-8").splitlines():
        assert not re.match(r" {4,}(noiseless|python3?|pip) ", line), line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_link_to_a_file_is_dead(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", path):
            assert (page.parent / path).exists(), f"{name_of(page)} links to {target}, which is not there"
