"""Pictures and volumes that are damaged: what fuzzing has found, each as the smallest file that shows it."""

import contextlib
import io
import struct
import time
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile

import noiseless
from noiseless.errors import InvalidImage, UnreadableFile, UnsupportedFormat
from noiseless.files import allowing, described, gathered, open_chunked, read_series

RAMP = np.arange(37 * 41, dtype=np.uint16).reshape(37, 41)


def tiff(path, data, changes=(), **options):
    """A TIFF file in which the values of some tags, which lie in their entries, are others."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, data, metadata=None, **options)
    content = bytearray(stream.getvalue())
    (place,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, place)
    for code, kind, value in changes:
        entries = (place + 2 + 12 * number for number in range(count))
        entry = next(at for at in entries if struct.unpack_from("<H", content, at)[0] == code)
        struct.pack_into(f"<{kind}", content, entry + 8, value)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("arrangement", [0, 3, 64])
def test_tiff_samples_that_lie_in_no_known_way_are_refused(tmp_path, arrangement):
    # tifffile takes it for planes, of which most segments are missing: pixels would be whatever the memory held.
    colours = np.zeros((37, 41, 3), np.uint8)
    path = tiff(
        tmp_path / "a.tif", colours, [(284, "H", arrangement)], photometric="rgb", compression="zlib", rowsperstrip=16
    )
    for reader in (noiseless.read, open_chunked):
        with pytest.raises(UnreadableFile, match=r"a\.tif.*how its samples lie"):
            reader(path)


def test_a_tiff_tile_larger_than_a_picture_may_be_asks_for_no_memory(tmp_path):
    path = tiff(tmp_path / "a.tif", RAMP, [(322, "H", 65520), (323, "H", 65520)], tile=(16, 16), compression="zlib")
    for reader in (noiseless.read, open_chunked):
        with pytest.raises(UnreadableFile, match=r"claims 65520 x 65520 pixels.*--max-pixels"):
            reader(path)


def test_what_must_be_decoded_at_once_is_held_to_the_limit(tmp_path):
    path = tiff(tmp_path / "a.tif", RAMP, compression="zlib", rowsperstrip=37)
    with allowing(RAMP.size - 1), pytest.raises(UnreadableFile, match="claims 41 x 37 pixels"):
        open_chunked(path)
    with allowing(RAMP.size):
        assert open_chunked(path).space == (37, 41)
    strips = tiff(tmp_path / "b.tif", RAMP, compression="zlib", rowsperstrip=1)
    with allowing(41):  # in parts, files may be as large as they like
        assert open_chunked(strips).space == (37, 41)


def test_doubles_beyond_float32_are_refused_in_a_line_and_without_a_warning(tmp_path):
    values = np.ones((5, 5))
    values[2, 3] = 1e308
    tifffile.imwrite(tmp_path / "a.tif", values)
    with pytest.raises(InvalidImage, match=r"a\.tif.*1e\+308"):
        noiseless.read(tmp_path / "a.tif")


def dicom(path, words, *, frames=None, syntax=None, pixels=None, **changes):
    """A CT object of (rows, columns) words, or of some that are given as bytes."""
    uids = pytest.importorskip("pydicom.uid")
    from pydicom.dataset import Dataset, FileMetaDataset

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax or uids.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = uids.CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.SeriesInstanceUID, data.Modality = "1.2.3.1", "CT"
    data.Rows, data.Columns = words.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * words.dtype.itemsize
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, 0
    if frames is not None:
        data.NumberOfFrames = frames
    data.PixelData = words.tobytes() if pixels is None else pixels
    data["PixelData"].VR = "OB" if pixels is not None else "OW"
    data["PixelData"].is_undefined_length = pixels is not None
    for name, value in changes.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


WORDS = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16)


@pytest.mark.parametrize(
    ("name", "text"),
    [("RescaleIntercept", "1e400"), ("RescaleIntercept", "nan"), ("RescaleSlope", "inf"), ("RescaleSlope", "-1e300")],
)
def test_a_rescale_that_is_no_number_is_refused(tmp_path, name, text):
    path = dicom(tmp_path / "a.dcm", WORDS, RescaleSlope="0000001", RescaleIntercept="0000001")
    content = path.read_bytes()
    place = content.index(b"\x28\x00\x53\x10" if name == "RescaleSlope" else b"\x28\x00\x52\x10") + 8
    path.write_bytes(content[:place] + text.ljust(8).encode() + content[place + 8 :])
    with pytest.raises(UnreadableFile, match=r"a\.dcm.*rescale"):
        noiseless.read(path)


def test_frames_that_are_claimed_and_not_there_are_not_counted_up_to(tmp_path):
    for frames in (2, 2**31 - 1):
        path = dicom(tmp_path / "a.dcm", WORDS, frames=frames, ImagePositionPatient=[0, 0, 0])
        with pytest.raises(UnreadableFile, match=f"claims {frames} frames of 16 x 12 pixels, and has 384 bytes"):
            noiseless.read(path)
        other = dicom(tmp_path / "b.dcm", WORDS, frames=frames, ImagePositionPatient=[0, 0, 1])
        assert gathered([path, other]) == [(path,), (other,)]  # which looks at headers alone


@pytest.mark.parametrize(("pixels", "frames"), [(b"\xfe\xff\x00\xe0\0\0\0\0", 1), (b"\xfe\xff\x00\xe0\0\0\0\0", 10**8)])
def test_compressed_frames_that_are_not_there_are_refused(tmp_path, pixels, frames):
    uids = pytest.importorskip("pydicom.uid")
    path = dicom(tmp_path / "a.dcm", np.zeros((1, 1), np.uint8), syntax=uids.RLELossless, pixels=pixels, frames=frames)
    with pytest.raises(UnreadableFile, match=r"a\.dcm"):
        noiseless.read(path)


def test_a_stream_of_more_frames_than_are_claimed_is_refused(tmp_path):
    uids, encaps = pytest.importorskip("pydicom.uid"), pytest.importorskip("pydicom.encaps")
    frame = imagecodecs.jpegls_encode(WORDS)
    path = dicom(
        tmp_path / "a.dcm", WORDS, syntax=uids.JPEGLSLossless, pixels=encaps.encapsulate([frame] * 3), frames=2
    )
    with pytest.raises(UnreadableFile, match=r"claims 2 frames, and it holds 3|damaged"):
        noiseless.read(path)


def test_an_element_longer_than_its_file_asks_for_no_memory(tmp_path):
    path = dicom(tmp_path / "a.dcm", WORDS)
    content = path.read_bytes()
    place = content.index(b"\xe0\x7f\x10\x00OW\0\0") + 8
    path.write_bytes(content[:place] + struct.pack("<I", 2**30) + content[place + 4 :])
    noiseless.read(dicom(tmp_path / "b.dcm", WORDS))  # so that what is loaded is loaded
    tracemalloc.start()
    try:
        assert noiseless.read(path).space == (12, 16)  # all of it is there, whatever its length says
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def deflated(path, length):
    """A data set of an element of zeros, deflated as a whole."""
    uids = pytest.importorskip("pydicom.uid")
    dicom(path, WORDS, syntax=uids.ExplicitVRLittleEndian)
    content = path.read_bytes()
    start = content.index(b"\x08\x00\x16\x00UI")
    head, body = content[:start], content[start:]
    syntax = uids.DeflatedExplicitVRLittleEndian.encode()
    place = head.index(b"\x02\x00\x10\x00UI")
    old = struct.unpack_from("<H", head, place + 6)[0]
    new = syntax + b"\0" * (len(syntax) % 2)
    head = head[: place + 6] + struct.pack("<H", len(new)) + new + head[place + 8 + old :]
    group = head.index(b"\x02\x00\x00\x00UL") + 8
    size = struct.unpack_from("<I", head, group)[0] + len(new) - old
    head = head[:group] + struct.pack("<I", size) + head[group + 4 :]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = struct.pack("<HH2sHI", 0x0009, 0x1010, b"OB", 0, length)
    packed = packer.compress(zeros)
    for _ in range(length // 2**20):
        packed += packer.compress(bytes(2**20))
    path.write_bytes(head + packed + packer.compress(body) + packer.flush())
    return path


def test_a_deflated_data_set_unpacks_within_bounds(tmp_path):
    path = deflated(tmp_path / "a.dcm", 2**20)
    assert noiseless.read(path).space == (12, 16)
    bomb = deflated(tmp_path / "b.dcm", 80 * 2**20)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(UnreadableFile, match=r"b\.dcm.*unpacks to more than.*--max-pixels"):
        noiseless.read(bomb, max_pixels=10_000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableFile, match="damaged"):
        noiseless.read(path)


def test_a_pixel_without_a_size_has_no_spacing(tmp_path):
    for spacing in ([0.0, 0.5], [0.5, -1.0]):
        path = dicom(tmp_path / "a.dcm", WORDS, PixelSpacing=spacing)
        assert noiseless.read(path).spacing == ()


def test_a_header_that_cannot_be_derived_from_is_told_and_refused_by_the_writer(tmp_path):
    for name, value in (("SeriesNumber", "x"), ("SOPInstanceUID", None), ("SOPClassUID", ["1.2", "1.3"])):
        path = dicom(tmp_path / "a.dcm", WORDS)
        image = noiseless.read(path)
        source = image.header["dicom"][0].header
        if value is None:
            delattr(source, name)
        elif name == "SeriesNumber":
            source.add_new(0x00200011, "LO", value)
        else:
            source.SOPClassUID = value
        assert described(image)["stored"]["modality"] == "CT"
        with pytest.raises(UnsupportedFormat, match="header cannot be written again"):
            noiseless.write(image, tmp_path / f"{name}.dcm")
        assert not (tmp_path / f"{name}.dcm").exists()


def test_a_damaged_slice_is_named(tmp_path):
    path = dicom(tmp_path / "a.dcm", WORDS, frames=9)
    with pytest.raises(UnreadableFile, match=r"^a\.dcm: it claims 9 frames"):
        read_series([path, path])


@pytest.mark.parametrize("length", [85, 88, 89, 200])
def test_a_jpeg_ls_stream_without_its_end_takes_no_time(tmp_path, length):
    uids, encaps = pytest.importorskip("pydicom.uid"), pytest.importorskip("pydicom.encaps")
    words = np.random.default_rng(0).integers(0, 65536, (8, 8)).astype(np.uint16)
    stream = imagecodecs.jpegls_encode(words)
    for content in (stream, stream[:length]):
        path = dicom(tmp_path / "a.dcm", words, syntax=uids.JPEGLSLossless, pixels=encaps.encapsulate([content]))
        begun = time.process_time()
        if content == stream:
            assert np.array_equal(noiseless.read(path).stored()[0], words)
        else:
            with pytest.raises(UnreadableFile, match=r"a\.dcm"):
                noiseless.read(path)
        assert time.process_time() - begun < 5  # CharLS alone needs 20 s and more to see what is missing


@pytest.mark.parametrize(
    ("place", "kind", "value"),
    [(252, "h", -5), (76, "f", -1.0), (108, "f", 353.0), (352, "B", 1), (70, "h", 512), (280, "f", np.nan)],
)
def test_headers_that_nibabel_mends_are_mended_in_silence(tmp_path, capfd, caplog, place, kind, value):
    nibabel = pytest.importorskip("nibabel")
    extension = nibabel.nifti1.Nifti1Extension("comment", b"text")
    image = nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    image.header.extensions.append(extension)
    content = bytearray(image.to_bytes())
    struct.pack_into(f"<{kind}", content, place, value)
    struct.pack_into("<i", content, 352 if place == 352 else 348, 17 if place == 352 else 1)
    (tmp_path / "a.nii").write_bytes(content)
    with contextlib.suppress(UnreadableFile):  # of some the pixels are beyond mending
        noiseless.read(tmp_path / "a.nii")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_a_dng_that_ends_before_its_pixels_is_refused(tmp_path, tile):
    pytest.importorskip("rawpy")
    tags = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "camera of a test", True),
        (50721, "2i", 9, [number for value in np.eye(3).ravel() for number in (int(value), 1)], True),
    ]
    levels = np.full((64, 64), 500, np.uint16)
    path = tmp_path / "a.dng"
    tifffile.imwrite(path, levels, photometric=32803, planarconfig=1, extratags=tags, metadata=None, tile=tile)
    assert noiseless.read(path).space == (64, 64)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UnreadableFile, match=r"a\.dng.*ends before its pixels do"):
        noiseless.read(path)
