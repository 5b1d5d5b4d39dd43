"""The checks, one session each: a person runs what CI runs. ``nox --no-venv`` uses the tools of the environment."""

import nox

nox.options.sessions = ["lint", "types", "layers", "tests", "package"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and names, by ruff."""
    session.run("ruff", "check", ".", external=True)
    session.run("ruff", "format", "--check", ".", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Types, by mypy in strict mode."""
    session.run("mypy", external=True)


@nox.session
def layers(session: nox.Session) -> None:
    """The order of the algorithm is the order of imports, by import-linter."""
    session.run("lint-imports", external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """The laws, the house and the mirror of the source; by two processes where all of it is asked for."""
    session.run("pytest", *(session.posargs or ["--numprocesses=2", "--dist=loadfile"]), external=True)


@nox.session
def package(session: nox.Session) -> None:
    """The sdist and the wheel as they would be published: built, looked into, installed far from here, and used."""
    session.run("python", "tests/packaging/check_packages.py", external=True)
