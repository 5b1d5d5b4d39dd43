"""Folders of scans from the command line: series together, names without a suffix, broken files beside them."""

import json

import nibabel
import numpy as np
import pydicom
import pydicom.uid as uids
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

import noiseless
from noiseless.apps.cli import main

SIGMA = 12


def clean(depth=5, side=64):
    z, y, x = np.mgrid[0:depth, 0:side, 0:side]
    return 400 + 100 * np.sin(x / 9 + z / 3) * np.cos(y / 7)


@pytest.fixture
def scan(tmp_path, rng, monkeypatch):
    """A folder with five slices of MR named without suffix or order, one broken file, one note and one photograph."""
    folder = tmp_path / "scan"
    folder.mkdir()
    volume = clean()
    for number, plane in enumerate(volume + SIGMA * rng.standard_normal(volume.shape)):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID = uids.MRImageStorage, f"1.2.3.{number}"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = "1.2.4", "1.2.5", "MR"
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 3 * number], [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.Rows, data.Columns = [1, 1], *plane.shape
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
        data.PixelData = np.rint(plane).astype(np.uint16).tobytes()
        data["PixelData"].VR = "OW"
        data.save_as(folder / f"IM{(3 * number) % 5}", enforce_file_format=True)
    (folder / "IM9").write_bytes(bytes(128) + b"DICM and no more")
    (folder / "README").write_text("not an image")
    noiseless.write(noiseless.from_array(np.uint8(volume[0] / 4)), folder / "photo.png")
    monkeypatch.chdir(tmp_path)
    return folder


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_folder_is_denoised_series_by_series(scan, capfd):
    code, out, err = run(capfd, "denoise", "scan", "-o", "out", "--json", "--sigma", SIGMA)
    assert code == 3
    reports = [json.loads(line) for line in out.splitlines()]
    assert sorted(report["input"] for report in reports) == ["scan (5 slices)", "scan/IM9", "scan/photo.png"]
    (failed,) = [report for report in reports if "error" in report]
    assert "no pixels" in failed["error"]
    assert "1 of 3 inputs failed" in err
    written = sorted((scan.parent / "out").glob("IM*.dcm"))
    assert [path.name for path in written] == [f"IM{number}.dcm" for number in range(5)]
    found = {float(data.ImagePositionPatient[2]): data.pixel_array for data in map(pydicom.dcmread, written)}
    result = np.stack([found[height] for height in sorted(found)])
    assert np.sqrt(np.mean((result - clean()) ** 2)) < SIGMA / 2
    descriptions = {pydicom.dcmread(path).DerivationDescription for path in written}
    assert descriptions == {f"noiseless {noiseless.__version__}: removed noise (gaussian, sigma 12) by score base"}


def test_results_lie_beside_the_slices_where_no_folder_is_named(scan, capfd):
    code, out, _ = run(capfd, "denoise", *sorted(scan.glob("IM[0-4]")), "--sigma", SIGMA)
    assert code == 0
    assert "(5 slices)" in out
    assert sorted(path.name for path in scan.glob("*.dcm")) == [f"IM{number}.denoised.dcm" for number in range(5)]
    code, _, err = run(capfd, "denoise", *sorted(scan.glob("IM[0-4]")), "--sigma", SIGMA)
    assert code == 1
    assert "exists" in err


def test_a_compressed_volume_keeps_both_its_suffixes(tmp_path, capfd, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    volume = clean(3, 32) + SIGMA * rng.standard_normal((3, 32, 32))
    nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32).T, np.eye(4)), "brain.nii.gz")
    code, _, _ = run(capfd, "denoise", "brain.nii.gz", "--sigma", SIGMA)
    assert code == 0
    (comment,) = nibabel.load("brain.denoised.nii.gz").header.extensions
    assert b"removed noise" in comment.get_content()


def test_info_says_what_files_are_and_nothing_of_the_patient(scan, capfd):
    path = scan / "IM0"
    data = pydicom.dcmread(path)
    data.PatientName = "Doe^Jane"
    data.save_as(path)
    code, out, err = run(capfd, "info", "scan", "--json")
    assert code == 3
    series, photo, broken = sorted(map(json.loads, out.splitlines()), key=lambda fields: fields.get("format", "x"))
    assert series["input"] == "scan (5 slices)"
    assert series["spacing_mm"] == [3.0, 1.0, 1.0]
    assert series["stored"]["bits"] == "12 of 16, unsigned"
    assert series["stored"]["compression"] == "Explicit VR Little Endian"
    assert photo["dtype"] == "uint8"
    assert "no pixels" in broken["error"]
    assert "Doe" not in out + err
    code, out, err = run(capfd, "info", "scan")
    assert "spacing: 3 x 1 x 1 mm" in out
    assert "1 of 3 inputs were refused" in err
    assert run(capfd, "info", scan / "IM9")[0] == 1


def test_a_file_may_hold_only_so_many_pixels(scan, capfd):
    code, _, err = run(capfd, "denoise", "scan/photo.png", "--max-pixels", 1000, "--sigma", SIGMA)
    assert code == 1
    assert "the limit against decompression bombs is 1000" in err
    assert run(capfd, "info", "scan/photo.png", "--max-pixels", 4096)[0] == 0
    assert run(capfd, "info", "scan/photo.png", "--max-pixels", 4095)[0] == 1


def test_a_folder_of_one_image_goes_to_a_new_folder(scan, capfd):
    only = scan.parent / "only"
    only.mkdir()
    (scan / "photo.png").rename(only / "photo.png")
    assert run(capfd, "denoise", "only", "-o", "new/er", "--sigma", SIGMA)[0] == 0
    assert (scan.parent / "new" / "er" / "photo.png").exists()
    code, _, err = run(capfd, "denoise", "only/photo.png", "-o", "no/such/folder.png", "--sigma", SIGMA)
    assert code == 1
    assert "No such file" in err
