"""Small inputs of every kind, and ``noiseless`` in processes that have it hard."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile

import noiseless

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]  # faults are made by calls of Linux

HERE = Path(__file__).parent
REFUSED = 77
PATIENCE = 120.0


@dataclass(frozen=True)
class Said:
    """What a command line came to; ``left`` maps the files of its folder to a hash of what they hold."""

    code: int
    out: str
    err: str
    left: dict[str, str] | None = None


def environment(**changes):
    """Of a child; None takes a variable away."""
    told = {**os.environ, "OMP_NUM_THREADS": "1", **changes}
    return {name: value for name, value in told.items() if value is not None}


def launched(faults, *program):
    return [sys.executable, "-I", "-S", str(HERE / "launch.py"), json.dumps(faults), sys.executable, *program]


@pytest.fixture(scope="session")
def command():
    """``command(*words, faults={})``: the words of a process that becomes ``noiseless`` under faults."""
    return lambda *words, faults=None: launched(faults or {}, "-m", "noiseless", *map(os.fsencode, map(str, words)))


@pytest.fixture(scope="session")
def noiseless_run(command):
    """``noiseless_run(*words, cwd, faults={}, env={}, **options)``: what one says."""

    def run(*words, cwd, faults=None, env=None, **options):
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, **options}
        done = subprocess.run(
            command(*words, faults=faults), cwd=cwd, env=environment(**(env or {})), timeout=PATIENCE, check=False,
            **options,
        )  # fmt: skip
        out, err = (os.fsdecode(said or b"") for said in (done.stdout, done.stderr))
        if done.returncode == REFUSED:
            pytest.skip("this system refuses the fault")
        return Said(done.returncode, out, err)

    return run


@pytest.fixture
def launch_paused():
    """``launch_paused(*words, cwd, faults={})``: a process as of ``paused.py``."""

    def launch(*words, cwd, faults=None):
        return subprocess.Popen(
            launched(faults or {}, str(HERE / "paused.py"), *map(str, words)), cwd=cwd, env=environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return launch


@pytest.fixture(scope="session")
def series():
    """``series(steps, cwd, faults={})``: what several command lines say, in one process; see ``series.py``."""

    def run(steps, cwd, faults=None):
        done = subprocess.run(
            launched(faults or {}, str(HERE / "series.py")), cwd=cwd, env=environment(), input=json.dumps(steps),
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        if done.returncode == REFUSED:
            pytest.skip("this system refuses the fault")
        assert done.returncode == 0, done.stderr[-2000:]
        return [Said(**json.loads(line)) for line in done.stdout.splitlines()]

    return run


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """A folder with a small input of every kind; nothing in it may ever change."""
    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, 64), np.uint8)
    for suffix in ("png", "jpg", "tif", "webp"):
        noiseless.write(noiseless.from_array(pixels), folder / f"a.{suffix}")
    for make in (_volumes, _series, _store, _clip, _bag):
        with contextlib.suppress(ImportError):  # the tests that need it are skipped
            make(folder, rng)
    (folder / "many").mkdir()
    for number in range(4):
        noiseless.write(
            noiseless.from_array(rng.integers(0, 256, (64, 64), np.uint8)), folder / "many" / f"{number}.png"
        )
    before = contents(folder)
    yield folder
    assert contents(folder) == before


def contents(folder):
    """What lies below a folder, by relative names."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _volumes(folder, rng):
    import nibabel

    pixels = rng.integers(0, 256, (32, 32, 4)).astype(np.int16)
    for name in ("v.nii", "v.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(pixels, np.eye(4)), folder / name)


def _series(folder, rng):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    (folder / "scan").mkdir()
    series = generate_uid()
    for number in range(3):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
        data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        data.SeriesInstanceUID, data.StudyInstanceUID, data.Modality = series, series, "CT"
        data.InstanceNumber, data.ImagePositionPatient = number + 1, [0, 0, number]
        data.ImageOrientationPatient, data.PixelSpacing = [1, 0, 0, 0, 1, 0], [1, 1]
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 32, 32, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.PixelData = rng.integers(0, 256, (32, 32)).astype("<i2").tobytes()
        data.save_as(folder / "scan" / f"{number}.dcm", enforce_file_format=True)


def _store(folder, rng):
    import zarr

    group = zarr.open_group(folder / "s.ome.zarr", mode="w", zarr_format=3)
    pixels = rng.integers(0, 256, (2, 96, 96)).astype(np.uint16)
    group.create_array("0", shape=pixels.shape, chunks=(1, 48, 48), dtype="uint16", dimension_names=list("zyx"))[
        ...
    ] = pixels
    axes = [{"name": letter, "type": "space"} for letter in "zyx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    tifffile.imwrite(folder / "tiled.tif", pixels[0], tile=(32, 32), compression="zlib")


def _clip(folder, rng):
    import av

    with av.open(str(folder / "clip.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=Fraction(25))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.time_base = 64, 48, "gray", Fraction(1, 25)
        for number in range(24):
            frame = av.VideoFrame.from_ndarray(rng.integers(80, 120, (48, 64)).astype(np.uint8), format="gray")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def _bag(folder, rng):
    from rosbags import rosbag1, rosbag2
    from rosbags.typesys import Stores, get_typestore

    for path in (folder / "run.bag", folder / "run"):
        first = path.suffix == ".bag"
        types = get_typestore(Stores.ROS1_NOETIC if first else Stores.ROS2_HUMBLE)
        stamp = types.types["builtin_interfaces/msg/Time"](1, 2)
        header = types.types["std_msgs/msg/Header"](*([0] if first else []), stamp, "camera")
        with rosbag1.Writer(path) if first else rosbag2.Writer(path, version=9) as writer:
            topic = writer.add_connection("/camera", "sensor_msgs/msg/Image", typestore=types)
            for number in range(2):
                pixels = rng.integers(0, 256, 48 * 64).astype(np.uint8)
                message = types.types["sensor_msgs/msg/Image"](header, 48, 64, "mono8", 0, 64, pixels)
                pack = types.serialize_ros1 if first else types.serialize_cdr
                writer.write(topic, number, pack(message, "sensor_msgs/msg/Image"))
