"""What `import noiseless` gives, and what it costs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import noiseless
from noiseless.apps.cli.application import VERBS

STUB = Path(noiseless.__file__).with_suffix(".pyi")
HEAVY = ("torch", "openvino", "numba", "scipy", "PIL", "tifffile", "imagecodecs", "rich", "numpy")


def names_in_stub():
    (assignment,) = (
        node
        for node in ast.parse(STUB.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    )
    return ast.literal_eval(assignment.value)


def test_the_stub_and_the_package_name_the_same_things():
    assert sorted(names_in_stub()) == sorted(noiseless.__all__) == noiseless.__dir__()


@pytest.mark.parametrize("name", noiseless.__all__)
def test_every_public_name_can_be_had(name):
    assert getattr(noiseless, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="denoize"):
        noiseless.denoize  # noqa: B018


def loaded_by(code):
    """The heavy packages that a fresh interpreter has loaded after ``code``."""
    script = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(finished.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import noiseless") == set()


def test_the_command_line_starts_without_an_engine():
    assert loaded_by("import noiseless.apps.cli") <= {"numpy"}


def test_denoising_an_array_needs_no_torch():
    code = "import numpy, noiseless\nnoiseless.denoise(numpy.ones((16, 16)), sigma=0.1)"
    assert "torch" not in loaded_by(code)
    assert "openvino" in loaded_by(code)


def test_the_readme_names_every_verb_and_method():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    for name in (*VERBS, *noiseless.METHODS):
        assert re.search(rf"\b{name if isinstance(name, str) else name.__name__}\b", readme), name
