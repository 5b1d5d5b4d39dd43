"""The header of a derived image, what its identity is, and nothing of the patient in a message."""

import json
import logging
import warnings

import pytest

import noiseless
from noiseless.errors import UnsupportedFormat
from noiseless.files import described, with_history

pytest.importorskip("pydicom")
import pydicom
import pydicom.data
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .headers import PATIENT, header, saved, words_of

NEW = {
    *("SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "ImageType", "PixelData"),
    *("InstanceCreationDate", "InstanceCreationTime", "DerivationDescription", "DerivationCodeSequence"),
    *("SourceImageSequence", "ContributingEquipmentSequence"),
}


def test_the_header_changes_as_the_rules_of_derived_images_say_and_no_more(tmp_path, rng):
    source = header(words_of(rng, "int16", 12, (64, 64)) // 8, stored=12, RescaleSlope=1, RescaleIntercept=-1024)
    source.IconImageSequence = Sequence([Dataset()])
    source.LossyImageCompression = "01"
    image = noiseless.read(saved(source, tmp_path / "a.dcm"))
    restored = noiseless.restore_image(image, noiseless.Recipe("total-variation"), sigma=40.0)
    noiseless.write(with_history(restored.image, "noiseless: removed noise"), tmp_path / "b.dcm")
    before, after = (pydicom.dcmread(tmp_path / name) for name in ("a.dcm", "b.dcm"))
    changed = {e.keyword for e in after if e.tag not in before or before[e.tag].value != e.value}
    assert changed == NEW
    assert {e.keyword for e in before if e.tag not in after} == {"IconImageSequence"}
    assert after.ImageType == ["DERIVED", "SECONDARY", "AXIAL"]
    assert after.SeriesDescription == "Thorax 1.0 (denoised)"
    assert after.SeriesNumber == 1003
    assert after.DerivationDescription == "noiseless: removed noise"
    assert after.DerivationCodeSequence[0].CodeValue == "113087"
    assert after.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    assert after.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert after.ContributingEquipmentSequence[-1].PurposeOfReferenceCodeSequence[0].CodeValue == "109103"
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.LossyImageCompression == "01"
    assert after[0x0009, 0x1001].value == "private"
    assert after.pixel_array.std() < before.pixel_array.std()


def test_the_same_work_gives_the_same_identity_and_other_work_another(tmp_path, rng):
    words = words_of(rng, "uint16", 12)
    images = [
        noiseless.read(saved(header(words, stored=12, SOPInstanceUID=f"1.2.3.4.{n}"), tmp_path / f"{n}.dcm"))
        for n in (1, 2)
    ]
    written = []
    for image, line in zip([*images, images[0], images[0]], ["x", "x", "x", "y"], strict=True):
        path = tmp_path / f"out{len(written)}.dcm"
        noiseless.write(with_history(image, line), path)
        written.append(pydicom.dcmread(path))
    first, second, same, other = [(data.SeriesInstanceUID, data.SOPInstanceUID) for data in written]
    assert first == same
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert first[0] != other[0]


def test_dicom_is_written_from_dicom_only(tmp_path, rng):
    plain = noiseless.from_array(rng.random((8, 8)))
    with pytest.raises(UnsupportedFormat, match="only from DICOM"):
        noiseless.write(plain, tmp_path / "a.dcm")
    image = noiseless.read(saved(header(words_of(rng, "uint16", 12), stored=12), tmp_path / "b.dcm"))
    cropped = noiseless.Image(image.pixels[:, :5, :5], header=image.header)
    with pytest.raises(UnsupportedFormat, match="its DICOM source"):
        noiseless.write(cropped, tmp_path / "c.dcm")
    assert not (tmp_path / "c.dcm").exists()


def test_nothing_of_the_patient_is_logged(tmp_path, rng, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = header(
            words_of(rng, "uint16", 12), stored=12, SOPInstanceUID="dbf6-no-uid", PatientBirthDate="yesterday"
        )
        data.BurnedInAnnotation = "YES"
        saved(data, tmp_path / "a.dcm")
    caplog.clear()
    with caplog.at_level(logging.DEBUG):  # and warnings are errors here
        image = noiseless.read(tmp_path / "a.dcm")
        assert "Doe" not in json.dumps(described(image))
        noiseless.write(image, tmp_path / "b.dcm")
        noiseless.write(noiseless.read(tmp_path / "b.dcm"), tmp_path / "c.tif")
    assert "burnt into" in caplog.text
    for secret in (PATIENT, "4711", "dbf6", "yesterday", "Thorax"):
        assert secret not in caplog.text
