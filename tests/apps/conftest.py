"""Commands in this process, a folder of scans, and a real browser for the tests of what people see."""

import importlib.util
import os
import shutil

import pytest

import noiseless
from noiseless.apps.cli import main

NAMES = ("chromium", "google-chrome", "chromium-browser")

REQUIRED = "NOISELESS_REQUIRE_BROWSER"
"""An environment variable: at 1 a missing browser fails the tests that need one, where they are skipped otherwise."""


@pytest.fixture
def run(capfd):
    """``run(*arguments)``: the command line in this process; its exit code, what it said, what it complained of."""

    def done(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return done


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """``scans(pixels)``: the current folder, with ``scan.png``, ``scans/a.png`` and ``scans/b.tif`` of these pixels."""

    def made(pixels):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "scans").mkdir()
        for name in ("scan.png", "scans/a.png", "scans/b.tif"):
            noiseless.write(noiseless.from_array(pixels), tmp_path / name)
        return tmp_path

    return made


def _give_up(why):
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{why}, and {REQUIRED} is 1", pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def chromium_path():
    """Where the browser is; without one, or what drives it, the tests that need it are skipped, or fail."""
    if importlib.util.find_spec("playwright") is None:
        _give_up("playwright is not installed")
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        _give_up(f"no browser: none of {', '.join(NAMES)} is on the path")
    return executable


@pytest.fixture(scope="module")
def chromium(chromium_path):
    """A headless Chromium. For one module: its event loop stays with the thread, where others want to run theirs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def browser(chromium):
    """``browser(url, width=1280, height=800, dark=False, scale=1, touch=False, **options of a context)``: a page.

    Without a url it is empty. An exception that a script does not catch, or something that the policy of the page
    refuses, fails the test when it ends.
    """
    contexts, wrong = [], []

    def opened(url=None, *, width=1280, height=800, dark=False, scale=1, touch=False, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            device_scale_factor=scale,
            has_touch=touch,
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
        if url is not None:
            page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong
