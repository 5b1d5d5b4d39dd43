"""DICOM, NIfTI and OME-Zarr that are small, and claim to be large or unpack to much."""

import io
import json
import struct

import imagecodecs
import numpy as np
import PIL.Image
import pytest

ROOM = 300
"""Megabytes."""


@pytest.fixture
def refused(limited, tmp_path):
    """``refused(data, name)``: by :func:`noiseless.read`."""

    def check(data, name, **limits):
        path = tmp_path / name
        path.write_bytes(data)
        outcome = limited("image", path, **{"megabytes": ROOM, **limits})
        assert outcome.in_a_line, outcome
        return outcome

    return check


def dicom(syntax, pixels, *, rows=64, columns=64, frames=None, encapsulated=True, more=()):
    """The bytes of a data set with pixels of one byte."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.encaps import encapsulate

    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    data.Rows, data.Columns, data.SamplesPerPixel = rows, columns, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    if frames is not None:
        data.NumberOfFrames = frames
    for name, value in more:
        setattr(data, name, value)
    data.PixelData = encapsulate([pixels]) if encapsulated else pixels
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = encapsulated
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


PLAIN, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
JPEG, JPEG_LS, JPEG2000, RLE = (f"1.2.840.10008.1.2.{last}" for last in ("4.50", "4.80", "4.90", "5"))


def jpeg_of(width, height):
    coded = io.BytesIO()
    PIL.Image.new("L", (8, 8)).save(coded, "JPEG")
    data = bytearray(coded.getvalue())
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


def jpeg_ls_of(width, height):
    data = bytearray(imagecodecs.jpegls_encode(np.zeros((8, 8), np.uint8)))
    struct.pack_into(">HH", data, data.index(b"\xff\xf7") + 5, height, width)
    return bytes(data)


def jpeg2000_of(width, height):
    data = bytearray(imagecodecs.jpeg2k_encode(np.zeros((8, 8), np.uint8), codecformat="j2k"))
    struct.pack_into(">II", data, data.index(b"\xff\x51") + 6, width, height)
    return bytes(data)


@pytest.mark.parametrize("syntax", [JPEG, JPEG_LS, JPEG2000, RLE])
def test_dicom_of_too_many_pixels(refused, syntax):
    outcome = refused(dicom(syntax, bytes(100), rows=65_535, columns=65_535), "bomb.dcm")
    assert "limit against decompression bombs" in outcome.message
    assert outcome.peak_mb < 50


@pytest.mark.parametrize("syntax", [JPEG, JPEG_LS, JPEG2000])
def test_dicom_whose_stream_claims_more_than_its_header(refused, syntax):
    made = {JPEG: jpeg_of, JPEG_LS: jpeg_ls_of, JPEG2000: jpeg2000_of}[syntax]
    refused(dicom(syntax, made(60_000, 60_000)), "bomb.dcm")


@pytest.mark.parametrize("syntax", [JPEG, RLE])
def test_compressed_dicom_of_many_frames(refused, syntax):
    outcome = refused(dicom(syntax, jpeg_of(64, 64), frames=2**31 - 1), "bomb.dcm")
    assert "limit against decompression bombs" in outcome.message


def test_plain_dicom_of_many_frames(refused):
    """The header is believed only as far as there are bytes."""
    refused(dicom(PLAIN, bytes(64 * 64), frames=2**31 - 1, encapsulated=False), "bomb.dcm", seconds=5.0)


def test_dicom_whose_run_lengths_give_more_than_a_frame(limited, tmp_path):
    """The rest is left out. Two bytes give 128 at most, so a file of this kind grows to 64 times its size."""
    runs = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 400_000
    path = tmp_path / "bomb.dcm"
    path.write_bytes(dicom(RLE, runs))
    outcome = limited("image", path, megabytes=ROOM)
    assert outcome.error == "" or outcome.in_a_line, outcome
    assert outcome.peak_mb < 100


def test_deflated_dicom_that_unpacks_to_gigabytes(refused, zeros):
    """The whole data set is one Deflate stream in this syntax."""
    data = dicom(DEFLATED, bytes(64 * 64), encapsulated=False)
    meta = data[: 132 + 12 + struct.unpack_from("<I", data, 140)[0]]  # in which the syntax is told
    assert DEFLATED.encode() in meta
    outcome = refused(meta + zeros(300, -15), "bomb.dcm", megabytes=200)
    assert outcome.peak_mb < 200


def nifti(shape, pixels, *, offset=352.0):
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<2h", header, 70, 2, 8)  # uint8
    struct.pack_into("<8f", header, 76, 1.0, *[1.0] * 7)
    struct.pack_into("<3f", header, 108, offset, 1.0, 0.0)
    header[344:348] = b"n+1\0"
    return bytes(header) + bytes(4) + pixels


@pytest.fixture
def gzipped(zeros):
    """A gzip stream that begins with ``data`` and goes on with megabytes of zeros."""
    import zlib

    def made(data, megabytes):
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        head = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + head + zeros(megabytes, -15) + bytes(8)

    return made


def test_nifti_of_too_many_voxels(refused, gzipped):
    pytest.importorskip("nibabel")
    outcome = refused(gzipped(nifti((32_767, 32_767, 32_767), b""), 1), "bomb.nii.gz")
    assert "limit against decompression bombs" in outcome.message


def test_nifti_that_memory_has_no_room_for(refused, gzipped):
    pytest.importorskip("nibabel")
    refused(gzipped(nifti((1000, 1000, 400), b""), 400), "bomb.nii.gz")


def test_nifti_whose_stream_goes_on(limited, gzipped, tmp_path):
    """What follows the pixels is not unpacked."""
    pytest.importorskip("nibabel")
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzipped(nifti((16, 16, 16), b""), 2000))
    outcome = limited("image", path, megabytes=ROOM)
    assert outcome.error == "", outcome
    assert outcome.peak_mb < 50


def test_nifti_whose_extension_is_as_long_as_a_film(refused, gzipped):
    pytest.importorskip("nibabel")
    size = 2**30
    extended = bytearray(nifti((16, 16, 16), b"", offset=float(352 + size)))
    extended[348] = 1
    refused(gzipped(bytes(extended) + struct.pack("<ii", size, 6), 1030), "bomb.nii.gz")


def store(folder, shape, chunks, codecs, chunk=None):
    """A plain zarr array, version 3."""
    folder.mkdir()
    told = {
        "zarr_format": 3, "node_type": "array", "shape": shape, "data_type": "uint8", "fill_value": 0, "attributes": {},
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunks}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}, "codecs": codecs,
    }  # fmt: skip
    (folder / "zarr.json").write_text(json.dumps(told))
    if chunk is not None:
        place = folder / "c" / "0" / "0"
        place.parent.mkdir(parents=True)
        place.write_bytes(chunk)
    return folder


BYTES = {"name": "bytes"}
ZSTD = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
GZIP = {"name": "gzip", "configuration": {"level": 1}}
BLOSC = {"name": "blosc", "configuration": {"cname": "lz4", "clevel": 1, "shuffle": "noshuffle", "typesize": 1,
                                            "blocksize": 0}}  # fmt: skip


def blosc_of(size):
    """A chunk whose header says another size than the one that was packed."""
    data = bytearray(imagecodecs.blosc_encode(bytes(4096), typesize=1))
    struct.pack_into("<I", data, 4, size)
    return bytes(data)


@pytest.mark.parametrize("name", ["zstd", "gzip", "blosc", "blosc-lies"])
def test_zarr_chunk_that_unpacks_to_more_than_its_shape(limited, zeros, tmp_path, name):
    pytest.importorskip("zarr")
    codec, chunk = {
        "zstd": (ZSTD, lambda: imagecodecs.zstd_encode(bytes(2**29))),
        "gzip": (GZIP, lambda: zeros(600, 31)),
        "blosc": (BLOSC, lambda: imagecodecs.blosc_encode(bytes(2**29), typesize=1, level=1)),
        "blosc-lies": (BLOSC, lambda: blosc_of(2**31 - 1)),
    }[name]
    path = store(tmp_path / "bomb.zarr", [64, 64], [64, 64], [BYTES, codec], bytes(chunk()))
    outcome = limited("chunked", path, megabytes=ROOM)
    assert outcome.in_a_line, outcome


def test_zarr_of_a_shape_beyond_all_memory(limited, tmp_path):
    """It is read in parts, so its size is no reason to refuse it; what is not stored has the fill value."""
    pytest.importorskip("zarr")
    path = store(tmp_path / "large.zarr", [10**6, 10**6], [64, 64], [BYTES])
    outcome = limited("chunked", path, megabytes=ROOM)
    assert outcome.error == "", outcome
    assert outcome.peak_mb < 50


def test_zarr_whose_chunks_are_beyond_all_memory(limited, tmp_path):
    pytest.importorskip("zarr")
    path = store(tmp_path / "bomb.zarr", [10**6, 10**6], [10**6, 10**6], [BYTES, ZSTD], imagecodecs.zstd_encode(b"a"))
    assert limited("chunked", path, megabytes=ROOM).in_a_line


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000_000])
def test_zarr_whose_metadata_are_deep_or_a_long_number(limited, tmp_path, text):
    pytest.importorskip("zarr")
    path = tmp_path / "bomb.zarr"
    path.mkdir()
    (path / "zarr.json").write_text(text)
    outcome = limited("chunked", path, megabytes=ROOM)
    assert outcome.in_a_line, outcome
