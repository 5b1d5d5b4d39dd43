"""Small files of every kind that is handed to the page, with what they hold."""

import struct
import zlib

import numpy as np
import pytest

import noiseless


def waves(height, width, sigma, seed=0):
    """A smooth picture between 60 and 190 with noise; float."""
    rows, columns = np.mgrid[0:height, 0:width] / 32.0
    clean = 125 + 60 * np.sin(2 * rows) * np.cos(1.7 * columns)
    return clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)


def photograph(folder, height=96, width=128, name="photo.png"):
    pixels = np.clip(np.rint(waves(height, width, 20)), 0, 255).astype(np.uint8)
    noiseless.write(noiseless.from_array(pixels), folder / name, overwrite=True)
    return folder / name, pixels


def counts(folder):
    pixels = (40 * waves(96, 128, 10)).astype(np.uint16)
    noiseless.write(noiseless.from_array(pixels), folder / "counts.tif")
    return folder / "counts.tif", pixels


def volume(folder):
    nibabel = pytest.importorskip("nibabel")
    values = np.stack([waves(40, 48, 6, seed) + 20 * seed for seed in range(3)], -1).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0])), folder / "volume.nii.gz")
    return folder / "volume.nii.gz"


def scan(folder):
    """A CT slice, in DICOM."""
    pydicom = pytest.importorskip("pydicom")
    stored = (waves(64, 64, 12) * 4 + 500).astype(np.uint16)  # HU + 1024
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = pydicom.uid.CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    data.Modality, data.PatientName, data.PatientID = "CT", "Nobody^Known", "0"
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.RescaleSlope, data.RescaleIntercept, data.PixelSpacing = 1, -1024, [0.7, 0.7]
    data.PixelData = stored.tobytes()
    data.save_as(folder / "scan.dcm", enforce_file_format=True)
    return folder / "scan.dcm", stored.astype(int) - 1024


def bomb(folder):
    """A PNG that claims 60000 x 60000 pixels."""

    def part(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(bytes(60_001))) + part(b"IEND", b"")
    (folder / "bomb.png").write_bytes(data)
    return folder / "bomb.png"
