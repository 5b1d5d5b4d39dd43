"""The same bytes in every run, by one thread and by two, whole and in tiles and in blocks."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

import noiseless
from noiseless.apps.cli import main


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Two pictures as tiled TIFF files, gray and in colour: waves and edges, noise of 20."""
    folder = tmp_path_factory.mktemp("scans")
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:203, 0:331]
    clean = 120 + 60 * np.sin(columns / 9) * np.cos(rows / 17) + 40 * (columns > 150)
    for name, shape in (("gray", (203, 331)), ("colour", (203, 331, 3))):
        values = clean if len(shape) == 2 else clean[..., np.newaxis] + np.array([0, 10, -10])
        noisy = np.clip(np.rint(values + 20 * rng.standard_normal(shape)), 0, 255).astype(np.uint8)
        photometric = "minisblack" if len(shape) == 2 else "rgb"
        tifffile.imwrite(folder / f"{name}.tif", noisy, tile=(64, 64), photometric=photometric)
    return folder


def by_threads(scans, name, into, threads, *options):
    """The pixels that a process of its own, with so many threads, makes of a picture."""
    command = [sys.executable, "-m", "noiseless", *arguments(scans, name, into), *options]
    subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(threads)}, check=True, capture_output=True)
    return tifffile.imread(into / "out.tif")


def denoised(scans, name, into, *options):
    """The same in this process."""
    assert main([*arguments(scans, name, into), *options]) == 0
    return tifffile.imread(into / "out.tif")


def arguments(scans, name, into):
    return ["denoise", str(scans / f"{name}.tif"), "-o", str(into / "out.tif"), "--force"]


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("gray", ("--model", "base")),
        ("colour", ("--model", "base")),
        ("colour", ("-m", "edge-enhancing")),
        ("gray", ("-m", "non-local-means")),
    ],
)
def test_threads_and_runs_do_not_change_a_byte(scans, tmp_path, name, method):
    one = by_threads(scans, name, tmp_path, 1, *method)  # blind: the estimate too is the same
    two = by_threads(scans, name, tmp_path, 2, *method)
    np.testing.assert_array_equal(one, two)
    assert np.abs(one.astype(int) - tifffile.imread(scans / f"{name}.tif")).max() > 9  # something was done


@pytest.mark.parametrize("name", ["gray", "colour"])
@pytest.mark.parametrize("model", ["base", "tiny"])
def test_tiles_and_blocks_do_not_change_a_byte(scans, tmp_path, name, model):
    told = ("--model", model, "--sigma", "20")
    whole = denoised(scans, name, tmp_path, *told)
    np.testing.assert_array_equal(denoised(scans, name, tmp_path, *told, "--tile", "64"), whole)
    np.testing.assert_array_equal(denoised(scans, name, tmp_path, *told, "--tile", "40"), whole)
    # Pictures of this size, in a memory that cannot hold them whole.
    memory = 0.9 * 64 * tifffile.imread(scans / f"{name}.tif").size / 2**30
    in_blocks = denoised(scans, name, tmp_path, *told, "--tile", "64", "--memory", f"{max(memory, 0.015):.4f}")
    np.testing.assert_array_equal(in_blocks, whole)


def test_tiles_do_not_change_a_byte_of_16_bits(scans):
    noisy = 257 * tifffile.imread(scans / "colour.tif").astype(np.uint16)
    told = {"sigma": 20 * 257, "channel_axis": -1}
    np.testing.assert_array_equal(noiseless.denoise(noisy, tile=64, **told), noiseless.denoise(noisy, **told))
