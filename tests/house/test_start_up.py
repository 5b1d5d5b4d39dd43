"""What is loaded when something begins. How long that takes is no test: see ``benchmarks/start_up.py``."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch", "openvino", "numba", "scipy", "PIL", "tifffile", "imagecodecs", "safetensors", "dask", "distributed",
    "zarr", "av", "pydicom", "nibabel", "rawpy", "rosbags", "fastapi", "starlette", "uvicorn", "matplotlib", "skimage",
    "cv2", "SimpleITK", "onnx", "onnxruntime", "napari", "qtpy", "pandas", "IPython", "asyncio", "multiprocessing",
}  # fmt: skip
"""Without pydantic, which typer loads when a command has options."""

MOST_OF_ITS_OWN = 45
"""Modules that ``import noiseless`` loads beside those of an interpreter that does nothing; 30 are in fact."""


def loaded_by(code):
    """The modules of a fresh interpreter after ``code``."""
    script = f"import sys\n{code}\nsys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def heavy(modules):
    return {name.partition(".")[0] for name in modules} & HEAVY


def test_the_package_is_a_table_of_names():
    beside = loaded_by("import noiseless") - loaded_by("pass")
    assert len(beside) <= MOST_OF_ITS_OWN
    assert not heavy(beside)
    assert "numpy" not in beside


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["denoise", "--help"], ["serve", "--help"], ["models"]])
def test_help_loads_nothing_that_it_does_not_need(words):
    code = f"from noiseless.apps.cli import main\ntry: main({words!r})\nexcept SystemExit: pass"
    assert heavy(loaded_by(code)) <= {"safetensors"} if words == ["models"] else not heavy(loaded_by(code))


def test_restoration_loads_no_engine_and_no_reader_of_files():
    modules = loaded_by("import noiseless.restoration")
    assert heavy(modules) <= {"scipy", "safetensors"}
