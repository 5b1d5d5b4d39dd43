"""Small images, volumes and videos under the names that the docs use for what a reader has."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import noiseless

rng = np.random.default_rng(0)


def scene(height, width, channels=1):
    """(Y, X, C) float, 0 to 255: shades, edges and a disc."""
    y, x = np.mgrid[:height, :width] / height
    shade = 90 + 50 * np.sin(5 * x) + 40 * (y > 0.5) + 45 * ((x - 0.7) ** 2 + (y - 0.4) ** 2 < 0.05)
    return np.stack([shade * (1 - 0.12 * channel) for channel in range(channels)], axis=-1)


def noisy(height=72, width=96, channels=1, sigma=12.0):
    drawn = scene(height, width, channels) + sigma * rng.standard_normal((height, width, channels))
    return np.squeeze(np.clip(np.rint(drawn), 0, 255).astype(np.uint8))


def picture(channels, sigma=12.0):
    def make(path):
        values = noisy(channels=channels, sigma=sigma)
        Pillow.fromarray(values).save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))

    return make


def tiff(path, factor=200):
    noiseless.write(noiseless.from_array(noisy().astype(np.uint16) * np.uint16(factor)), path)


def folder(make, *names):
    def fill(path):
        path.mkdir()
        for name in names:
            make(path / name)

    return fill


def nifti(path):
    nibabel = pytest.importorskip("nibabel")
    volume = np.stack([noisy(20, 24).T for _ in range(9)], axis=-1).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), path)


def magnitudes():
    """A bright disc in air, with the noise of magnetic resonance."""
    y, x = np.mgrid[:96, :96] - 48.0
    clean = 300.0 * (x**2 + y**2 < 36**2) + 200.0 * (x**2 + y**2 < 20**2)
    return np.rint(noiseless.noise.Rician(25.0).sample(clean, rng)).astype(np.int16)


def dicom(path, number=1, words=None):
    pydicom = pytest.importorskip("pydicom")
    uids = pydicom.uid
    words = (noisy(64, 64).astype(np.int16) * 6) - 200 if words is None else words
    data = pydicom.dataset.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = uids.CTImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.1", "1.2.3.2"
    data.PatientName, data.PatientID, data.Modality, data.SeriesNumber = "Doe^Jane", "4711", "CT", 3
    data.PixelSpacing, data.ImageOrientationPatient = [0.5, 0.5], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient, data.InstanceNumber = [0, 0, number], number
    data.Rows, data.Columns = words.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.PixelData = words.tobytes()
    data["PixelData"].VR = "OW"
    data.save_as(path, enforce_file_format=True)


def dicom_series(path):
    path.mkdir()
    for number in (1, 2, 3):
        dicom(path / f"IM000{number}", number)


def clip(path, count=4):
    pytest.importorskip("av")
    sink = noiseless.streams.open_sink(path, rate=25.0)
    for number in range(count):
        sink.write(noiseless.streams.Frame(noisy(48, 64, 3), number / 25.0, number, 0.0))
    sink.close()


def bag(path):
    writing = pytest.importorskip("rosbags.rosbag1")
    typesys = pytest.importorskip("rosbags.typesys")
    store = typesys.get_typestore(typesys.Stores.ROS1_NOETIC)
    header = store.types["std_msgs/msg/Header"](0, store.types["builtin_interfaces/msg/Time"](1, 2), "camera")
    with writing.Writer(path) as writer:
        kind = "sensor_msgs/msg/Image"
        connection = writer.add_connection("/camera/image_raw", kind, typestore=store)
        for number in range(2):
            message = store.types[kind](header, 48, 64, "mono8", 0, 64, noisy(48, 64).ravel())
            writer.write(connection, number, store.serialize_ros1(message, kind))


def ome_zarr(path):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=noisy(64, 64)[np.newaxis], chunks=(1, 32, 32))
    axes = [{"name": "c", "type": "channel"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    levels = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": levels}]


def zarr_array(path):
    zarr = pytest.importorskip("zarr")
    zarr.save_array(path, np.moveaxis(noisy(64, 64, 3), -1, 0))


MAKERS = {
    "photo.jpg": picture(3),
    "photo.png": picture(3),
    "clean.png": picture(1, sigma=0.0),
    "noisy.png": picture(1),
    "weave.png": picture(1),
    "print.png": picture(1),
    "scan.tif": tiff,
    "cells.tif": tiff,
    "big.tif": tiff,
    "scan.dcm": dicom,
    "brain.nii.gz": nifti,
    "clip.mp4": clip,
    "run.bag": bag,
    "big.ome.zarr": ome_zarr,
    "noisy.zarr": zarr_array,
    "IM0001": lambda path: dicom(path, words=magnitudes()),
    "photos": folder(picture(3), "a.jpg", "b.jpg"),
    "scans": folder(tiff, "a.tif", "b.tif"),
    "clean-photos": folder(picture(3, sigma=0.0), *(f"{number}.png" for number in range(4))),
    "noisy-scans": folder(tiff, *(f"{number}.tif" for number in range(4))),
    "ct": dicom_series,
    "nights": folder(clip, "one.mp4"),
}


def make_what_is_named(text, where):
    """The inputs whose names are in ``text``, in the folder ``where``."""
    for name, make in MAKERS.items():
        if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", text):
            make(Path(where) / name)
