"""The page of ``noiseless serve`` in a real browser, with a real server in a process of its own."""

import re
import signal

import pytest

from .serving import LARGEST, PATIENCE, Server


@pytest.fixture(scope="package")
def server(tmp_path_factory, chromium_path):
    """One for most tests of this folder; a server is started only where there is a browser."""
    started = Server(tmp_path_factory.mktemp("served"), "--max-bytes", str(LARGEST), "--max-pixels", "4000000")
    yield started
    started.end()
    assert started.said == []  # it had nothing to complain of


@pytest.fixture
def starting(tmp_path, chromium_path):
    """``starting(*options, port=0)``: another server, ended with the test."""
    started = []

    def start(*options, port=0):
        started.append(Server(tmp_path, *options, port=port))
        return started[-1]

    yield start
    for each in started:
        each.end(signal.SIGKILL)


@pytest.fixture
def page(browser, server):
    """``page(url=None, **options of a context)``: the page; when the test ends, nothing was asked of anyone else."""
    asked, wrong = [], []

    def opened(url=None, **options):
        made = browser(accept_downloads=True, reduced_motion="reduce", **options)
        made.on("request", lambda request: asked.append(request.url))
        made.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        made.set_default_timeout(1000 * PATIENCE)
        made.goto(url or server.url)
        return made

    yield opened
    assert not [url for url in asked if not re.match(r"(http://127\.0\.0\.1:\d+/|blob:|data:)", url)]
    # A browser notes each answer of 400 and above by itself; those are what some tests are about.
    assert not [text for text in wrong if not text.startswith("Failed to load resource")]
