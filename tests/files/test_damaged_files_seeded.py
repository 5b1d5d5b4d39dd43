"""A short run of the fuzzer on every reader, with the same inputs each time; tests/fuzzing runs for longer."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.append(TESTS)
campaign, readers = (importlib.import_module(f"fuzzing.{name}") for name in ("campaign", "readers"))

SEED = 12

INPUTS = {
    "png": 300, "jpeg": 200, "webp": 200, "tiff": 300, "large-tiff": 200, "raw": 100, "dicom": 150, "dicom-series": 20,
    "nifti": 120, "zarr": 80, "video": 120, "ros1": 15, "mcap": 20, "sqlite": 20, "checkpoint": 300, "recipe": 300,
    "notation": 300, "manifest": 100, "parts": 60,
}  # fmt: skip
"""Of each reader, so that all are done in some seconds; without "resume", which needs torch."""

NEEDED = {
    "raw": "rawpy", "dicom": "pydicom", "dicom-series": "pydicom", "nifti": "nibabel", "zarr": "zarr", "video": "av",
    "ros1": "rosbags", "mcap": "rosbags", "sqlite": "rosbags",
}  # fmt: skip


def test_every_reader_is_run():
    assert set(INPUTS) == set(readers.READERS) - {"resume"}


@pytest.mark.parametrize("name", INPUTS)
def test_damaged_files_give_a_picture_or_an_error_of_ours(name, tmp_path):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    found = []
    with np.errstate(divide="warn", over="warn", invalid="warn"):  # as users have it; what warns is a finding
        tally = campaign.explore(
            readers.READERS[name], tmp_path, seed=SEED, numbers=range(INPUTS[name]),
            found=lambda finding, case: found.append(f"{finding} ({finding.place})"),
        )  # fmt: skip
    assert not found, "\n".join(found[:3])
    assert tally.inputs == INPUTS[name]
    assert tally.read >= tally.seeds / 3  # most seeds are right
    assert len(tally.places) > 1  # and some mutations are wrong
