"""What the examples of the help name, and a shell that finds ``noiseless``."""

import contextlib
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import noiseless


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All that the examples name, small."""
    where, rng = tmp_path_factory.mktemp("examples"), np.random.default_rng(0)
    rows, columns = np.mgrid[0:64, 0:72]
    clean = 120 + 60 * np.sin(rows / 11) * np.cos(columns / 13)
    noisy = np.uint8(np.clip(clean + 20 * rng.standard_normal(clean.shape), 0, 255))
    Image.fromarray(np.uint8(clean)).save(where / "clean.png")
    Image.fromarray(noisy).save(where / "noisy.png")
    Image.fromarray(np.stack([noisy, noisy[::-1], noisy], axis=-1)).save(where / "photo.jpg", quality=95)
    for name in ("scans", "frames", "sets/Set12", "photos"):
        (where / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(noisy).save(where / name / f"{number}.png")
    (where / "frames.raw").write_bytes(noisy[:48, :64].tobytes() * 3)
    (where / "recipe.toml").write_text('method = "heat"\n')
    shutil.copy(_network(), where / "mine.safetensors")
    with contextlib.suppress(noiseless.MissingExtra):
        volume = np.stack([noisy[:40, :40]] * 4).astype(np.float32)
        noiseless.write(noiseless.from_array(volume), where / "head.nii.gz")
    if importlib.util.find_spec("av") is not None:
        _write_video(where / "night.mp4", np.stack([noisy] * 3))
    return where


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """The same for one example, which finds what others wrote of it only if it is in ``made``."""
    shutil.copytree(made, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def _network():
    return Path(noiseless.__file__).parent / "score" / "weights" / "tiny-gray.safetensors"


def _write_video(path, frames):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.stack([pixels] * 3, axis=-1), format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def with_shim(tmp_path):
    """An environment in which ``noiseless`` can be called, and a folder with one picture."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "noiseless").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m noiseless "$@"\n')
    (tmp_path / "bin" / "noiseless").chmod(0o755)
    (tmp_path / "fresh.png").touch()
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
