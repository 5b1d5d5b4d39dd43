"""The verb ``serve`` before the service: help, mistakes, packages that are absent."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import noiseless
from noiseless.apps.cli.serving import serve


@pytest.fixture
def verb():
    application = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    application.command()(serve)
    return lambda *arguments: CliRunner().invoke(application, arguments)


def test_help_says_what_it_does(verb):
    text = verb("--help").output
    for word in ("--host", "--token", "--workers", "--minutes-kept", "curl", "16"):
        assert word in text


def test_mistakes_are_told_before_anything_starts(verb):
    for arguments, words in (
        (("--host", "0.0.0.0"), "--token"),
        (("--token", "short"), "16 or more"),
        (("--seconds", "0"), "seconds is 0"),
        (("--minutes-kept", "-1"), "minutes-kept is -1"),
        (("--workers", "9999"), "workers is 9999"),
    ):
        error = verb(*arguments).exception
        assert isinstance(error, noiseless.InvalidParameter)
        assert words in str(error)
        assert "\n" not in str(error)
    for arguments in (("--port", "70000"), ("--waiting", "0"), ("--max-bytes", "0")):
        assert verb(*arguments).exit_code == 2


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "python_multipart", "prometheus_client"])
def test_a_package_that_is_absent_is_told_with_the_line_that_brings_it(package):
    lines = f"""
import sys
sys.modules[{package!r}] = None
import noiseless
from noiseless.apps.cli import serving
try:
    serving.serve(port=0)
except noiseless.MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"serve needs {package!r}: pip install 'noiseless[web]'"


def test_the_verb_loads_nothing_of_the_service():
    lines = "import sys, noiseless.apps.cli.serving; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fastapi", "starlette", "uvicorn", "pydantic", "prometheus_client", "numpy"} & set(loaded)
    assert not [name for name in loaded if name.startswith("noiseless.apps.web")]
