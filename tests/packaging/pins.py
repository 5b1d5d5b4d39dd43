"""Write down the versions of everything that the tests, the benchmarks and the documentation run with.

``python tests/packaging/pins.py > constraints.txt``, in the environment that the whole suite has just passed in: the
project's dependencies, those of every extra and of every dependency group, and what they need in turn, each at the
version that is installed. What happens to be installed besides is left out.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
OWN = "noiseless"

HEADER = """\
# The versions that the tests ran with. torch 2.13.0 is a small CPU build; for a GPU, install torch by itself first.
# Made by: python tests/packaging/pins.py > constraints.txt, where the whole suite has passed.
"""


def wanted(root: Path = ROOT) -> Iterator[Requirement]:
    """What ``pyproject.toml`` asks for, in every extra and group."""
    told = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project, groups = told["project"], told["dependency-groups"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    lines += [line for group in groups.values() for line in group if isinstance(line, str)]
    found = (Requirement(line) for line in lines)
    return (requirement for requirement in found if canonicalize_name(requirement.name) != OWN)


def pins() -> dict[str, str]:
    """The installed version of each distribution that is wanted, or that one of them needs here.

    Raises
    ------
    importlib.metadata.PackageNotFoundError : one is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(wanted())
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            found[name] = Version(metadata.version(name)).public  # the local part says who built it
            for line in metadata.requires(name) or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return {name: version for name, version in sorted(found.items()) if name not in ("pip", "setuptools", "wheel")}


def pinned(text: str) -> dict[str, str]:
    """The versions in the text of a constraint file."""
    lines = (re.split(r"[;#]", line)[0].strip() for line in text.splitlines())
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines if line)}


if __name__ == "__main__":
    sys.stdout.write(HEADER + "".join(f"{name}=={version}\n" for name, version in pins().items()))
