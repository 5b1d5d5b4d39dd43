"""Small DICOM files with a header as scanners write it, made with pydicom."""

import numpy as np
import pytest

pytest.importorskip("pydicom")
import pydicom.uid as uids
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

PATIENT = "Doe^Jane"


def header(words, *, stored=None, **changes):
    """A CT image with these words (frames, rows, columns) or (rows, columns), with samples last for colour."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = uids.CTImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = changes.pop("SOPInstanceUID", "1.2.3.4")
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.1", "1.2.3.2"
    data.PatientName, data.PatientID, data.Modality, data.SeriesNumber = PATIENT, "4711", "CT", 3
    data.SeriesDescription, data.ImageType = "Thorax 1.0", ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.PixelSpacing, data.ImageOrientationPatient = [0.5, 0.7], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient, data.InstanceNumber = [0, 0, 0], 1
    data.WindowCenter, data.WindowWidth = 40, 400
    data.add_new((0x0009, 0x0010), "LO", "MAKER")
    data.add_new((0x0009, 0x1001), "LO", "private")
    colour = words.shape[-1] == 3
    data.Rows, data.Columns = words.shape[-3:-1] if colour else words.shape[-2:]
    data.SamplesPerPixel = 3 if colour else 1
    if colour:
        data.PlanarConfiguration = 0
    if words.ndim == (4 if colour else 3):
        data.NumberOfFrames = len(words)
    data.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    data.BitsAllocated = 8 * words.dtype.itemsize
    data.BitsStored = stored or data.BitsAllocated
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(words.dtype.kind == "i")
    raw = words.tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OB" if words.dtype.itemsize == 1 else "OW"
    for name, value in changes.items():
        setattr(data, name, value)
    return data


def saved(data, path):
    data.save_as(path, enforce_file_format=True)
    return path


def words_of(rng, dtype, stored, shape=(12, 17)):
    signed = np.dtype(dtype).kind == "i"
    low, high = (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if signed else (0, 2**stored - 1)
    words = rng.integers(low, high, shape, endpoint=True).astype(dtype)
    words.flat[0], words.flat[-1] = low, high
    return words


def frames_with(rescales, positions):
    per_frame = []
    for (slope, intercept), height in zip(rescales, positions, strict=True):
        group, rescale, place = Dataset(), Dataset(), Dataset()
        rescale.RescaleSlope, rescale.RescaleIntercept = slope, intercept
        place.ImagePositionPatient = [0, 0, height]
        group.PixelValueTransformationSequence = Sequence([rescale])
        group.PlanePositionSequence = Sequence([place])
        per_frame.append(group)
    return Sequence(per_frame)
