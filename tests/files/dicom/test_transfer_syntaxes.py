"""Pixels as transfer syntaxes have them: compressed with or without a loss, implicit, or of bytes turned round."""

import imagecodecs
import numpy as np
import pytest

import noiseless
from noiseless.errors import UnsupportedFormat

pytest.importorskip("pydicom")
import pydicom
import pydicom.data
import pydicom.uid as uids
from pydicom.encaps import encapsulate

from .headers import header, saved, words_of

ENCODERS = {
    uids.JPEG2000Lossless: lambda frame: imagecodecs.jpeg2k_encode(frame, reversible=True, codecformat="j2k"),
    uids.JPEGLSLossless: imagecodecs.jpegls_encode,
    uids.JPEGLosslessSV1: imagecodecs.ljpeg_encode,
    uids.RLELossless: None,
    uids.HTJ2KLossless: lambda frame: imagecodecs.htj2k_encode(frame, reversible=True),
}


@pytest.mark.parametrize("syntax", ENCODERS, ids=lambda syntax: syntax.keyword)
@pytest.mark.parametrize(("dtype", "stored"), [("uint16", 12), ("int16", 16), ("uint8", 8)])
def test_compressed_pixels_are_read_without_a_loss(tmp_path, rng, syntax, dtype, stored):
    if syntax == uids.HTJ2KLossless and not imagecodecs.HTJ2K.available:
        pytest.skip("this build of imagecodecs has no encoder of HTJ2K")
    words = words_of(rng, dtype, stored, (2, 16, 24))
    data = header(words, stored=stored)
    if syntax == uids.RLELossless:
        data.compress(syntax, generate_instance_uid=False)
    else:
        unsigned = words.view(np.dtype(dtype.replace("int", "uint").replace("uu", "u")))
        data.PixelData = encapsulate([bytes(ENCODERS[syntax](np.ascontiguousarray(frame))) for frame in unsigned])
        data["PixelData"].VR = "OB"
        data.file_meta.TransferSyntaxUID = syntax
    image = noiseless.read(saved(data, tmp_path / "a.dcm"))
    assert np.array_equal(image.stored()[0], words)
    noiseless.write(image, tmp_path / "b.dcm")
    written = pydicom.dcmread(tmp_path / "b.dcm")
    assert written.file_meta.TransferSyntaxUID == uids.ExplicitVRLittleEndian
    assert np.array_equal(written.pixel_array, words)
    assert "LossyImageCompression" not in written


def test_colour_of_jpeg_becomes_rgb_and_its_loss_stays_on_record(tmp_path):
    rows, columns = np.mgrid[0:32, 0:48]
    colours = np.stack([4 * rows, 4 * columns, 255 - 4 * rows], axis=-1).astype(np.uint8)
    data = header(colours, PhotometricInterpretation="YBR_FULL_422")
    data.PixelData = encapsulate([imagecodecs.jpeg8_encode(colours, level=95, subsampling="422")])
    data["PixelData"].VR = "OB"
    data.file_meta.TransferSyntaxUID = uids.JPEGBaseline8Bit
    image = noiseless.read(saved(data, tmp_path / "a.dcm"))
    # JPEG of quality 95 is within some levels of a smooth picture; turned colours would be off by a hundred.
    assert np.abs(np.moveaxis(image.stored(), 0, -1).astype(int) - colours).mean() < 3
    noiseless.write(image, tmp_path / "b.dcm")
    written = pydicom.dcmread(tmp_path / "b.dcm")
    assert (written.PhotometricInterpretation, written.LossyImageCompression) == ("RGB", "01")


def test_types_may_be_implicit_and_bytes_not_the_other_way_round(tmp_path, rng):
    words = words_of(rng, "int16", 16)
    data = header(words)
    data.preamble = bytes(128)
    data.file_meta.TransferSyntaxUID = uids.ImplicitVRLittleEndian
    data.save_as(tmp_path / "implicit.dcm")
    image = noiseless.read(tmp_path / "implicit.dcm")
    assert np.array_equal(image.stored()[0], words)
    noiseless.write(image, tmp_path / "b.dcm")
    assert np.array_equal(pydicom.dcmread(tmp_path / "b.dcm").pixel_array, words)
    data.file_meta.TransferSyntaxUID = uids.ExplicitVRBigEndian
    data.save_as(tmp_path / "big.dcm")
    with pytest.raises(UnsupportedFormat, match="big-endian"):
        noiseless.read(tmp_path / "big.dcm")
