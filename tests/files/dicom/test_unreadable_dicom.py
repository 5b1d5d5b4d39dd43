"""What cannot be read is refused in one line, without a word of the patient."""

import sys

import pytest

import noiseless
from noiseless.errors import MissingExtra, NoiselessError, UnreadableFile, UnsupportedFormat

pytest.importorskip("pydicom")
import pydicom.uid as uids
from pydicom.encaps import encapsulate

from .headers import PATIENT, header, saved, words_of


def palette(data):
    data.PhotometricInterpretation = "PALETTE COLOR"


def without_pixels(data):
    del data.PixelData


def floats(data):
    data.FloatPixelData = data.PixelData
    del data.PixelData


def no_rows(data):
    del data.Rows


def bomb(data):
    data.Rows = data.Columns = 60000
    data.file_meta.TransferSyntaxUID = uids.JPEG2000Lossless
    data.PixelData = encapsulate([b"tiny"])
    data["PixelData"].VR = "OB"


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (palette, UnsupportedFormat, "PALETTE COLOR"),
        (without_pixels, UnsupportedFormat, "no pixels"),
        (floats, UnsupportedFormat, "floating-point"),
        (no_rows, UnreadableFile, "does not say its Rows"),
        (bomb, UnreadableFile, "decompression bombs"),
        (lambda data: setattr(data, "NumberOfFrames", 0), UnreadableFile, "0 frames"),
        (lambda data: setattr(data, "BitsAllocated", 1), UnsupportedFormat, "of 1 bits"),
        (lambda data: setattr(data, "HighBit", 15), UnsupportedFormat, "lowest bits"),
        (lambda data: setattr(data, "Rows", 2000), UnreadableFile, "damaged"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, rng, spoil, error, message):
    data = header(words_of(rng, "uint16", 12), stored=12)
    spoil(data)
    saved(data, tmp_path / "a.dcm")
    with pytest.raises(error, match=message) as caught:
        noiseless.read(tmp_path / "a.dcm")
    assert "\n" not in str(caught.value)
    assert PATIENT not in str(caught.value)


def test_a_truncated_file_is_one_line_wherever_it_ends(tmp_path, rng):
    whole = saved(header(words_of(rng, "uint16", 12), stored=12), tmp_path / "a.dcm").read_bytes()
    cut = tmp_path / "cut.dcm"
    for length in range(1, len(whole) - 1, 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(NoiselessError) as caught:
            noiseless.read(cut)
        assert "\n" not in str(caught.value)
        assert PATIENT not in str(caught.value)


def test_without_pydicom_the_extra_is_named(tmp_path, rng, monkeypatch):
    saved(header(words_of(rng, "uint16", 12), stored=12), tmp_path / "a.dcm")
    for name in [name for name in sys.modules if name.startswith("noiseless.files.dicom")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match=r"noiseless\[medical\]"):
        noiseless.read(tmp_path / "a.dcm")
