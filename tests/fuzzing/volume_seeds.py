"""Small volumes of every flavour: DICOM, NIfTI, OME-Zarr."""

import gzip
import io
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np

from fuzzing.mutation import Case
from fuzzing.picture_seeds import of, values


def dataset(words: Any, stored: int = 0, **changes: Any) -> Any:
    """A CT object of (rows, columns), (frames, rows, columns) or either with colours last."""
    import pydicom.uid as uids
    from pydicom.dataset import Dataset, FileMetaDataset

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = changes.pop("syntax", uids.ExplicitVRLittleEndian)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = uids.CTImageStorage
    number = changes.pop("number", 1)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.1", "1.2.3.2"
    data.PatientName, data.Modality, data.InstanceNumber = "Doe^Jane", "CT", number
    data.PixelSpacing, data.ImageOrientationPatient = [0.5, 0.7], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient, data.SeriesNumber = [0, 0, 2.5 * number], 3
    data.RescaleSlope, data.RescaleIntercept = 1, -1024
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
    content = words.tobytes()
    data.PixelData = content + b"\0" * (len(content) % 2)
    data["PixelData"].VR = "OB" if words.dtype.itemsize == 1 else "OW"
    for name, value in changes.items():
        setattr(data, name, value)
    return data


def saved(data: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.save_as(stream, enforce_file_format=True, **options)
    return stream.getvalue()


def packed(words: Any, syntax: str, frames: list[bytes], **changes: Any) -> bytes:
    from pydicom.encaps import encapsulate

    data = dataset(words, syntax=syntax, **changes)
    data.PixelData = encapsulate(frames)
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    return saved(data)


@cache
def dicom() -> list[Case]:
    import pydicom.uid as uids

    gray, deep, rgb = values((12, 17)), values((12, 17), "uint16") >> 4, values((16, 16, 3))
    signed = values((12, 17), "int16") - 200
    frames = values((3, 9, 11), "int16")
    big = deep.astype(">u2")
    made = [
        saved(dataset(gray)),
        saved(dataset(signed, 12, PixelPaddingValue=-200)),
        saved(dataset(frames)),
        saved(dataset(rgb)),
        saved(dataset(values((12, 17), "int32"), 20)),
        saved(dataset(deep, syntax=uids.ImplicitVRLittleEndian)),
        saved(dataset(deep, syntax=uids.DeflatedExplicitVRLittleEndian)),
        saved(dataset(big, syntax=uids.ExplicitVRBigEndian)),
        saved(_multiframe(frames)),
        packed(deep, uids.JPEG2000Lossless, [imagecodecs.jpeg2k_encode(deep, codecformat="j2k")]),
        packed(deep, uids.JPEGLSLossless, [imagecodecs.jpegls_encode(deep)]),
        packed(gray, uids.JPEGBaseline8Bit, [imagecodecs.jpeg8_encode(gray, level=90)]),
        packed(rgb, uids.JPEGBaseline8Bit, [imagecodecs.jpeg8_encode(rgb)], PhotometricInterpretation="YBR_FULL"),
        packed(deep, uids.JPEGLosslessSV1, [imagecodecs.ljpeg_encode(deep, bitspersample=16)]),
        packed(np.stack([gray] * 2), uids.JPEG2000, [imagecodecs.jpeg2k_encode(gray, codecformat="j2k")] * 2),
        _run_length(gray),
        *_of_pydicom(),
    ]
    return of("a.dcm", made)


def _run_length(gray: Any) -> bytes:
    import pydicom.uid as uids

    data = dataset(gray)
    data.compress(uids.RLELossless, generate_instance_uid=False)
    return saved(data)


def _of_pydicom() -> list[bytes]:
    """The smallest files that pydicom brings."""
    import pydicom.data

    found = []
    for name in ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "rtplan.dcm", "MR_truncated.dcm"):
        path = Path(pydicom.data.__file__).parent / "test_files" / name
        if path.is_file():
            found.append(path.read_bytes())
    return found


def _multiframe(frames: Any) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    data = dataset(frames)
    shared, measures = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.5], 2.0
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    own = []
    for number in range(len(frames)):
        group, place, change = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 2.0 * number]
        change.RescaleSlope, change.RescaleIntercept = 1.5, number
        group.PlanePositionSequence, group.PixelValueTransformationSequence = Sequence([place]), Sequence([change])
        own.append(group)
    data.PerFrameFunctionalGroupsSequence = Sequence(own)
    return data


@cache
def series() -> list[Case]:
    words = values((3, 9, 11), "int16")
    plain = {f"{n}.dcm": saved(dataset(words[n], 12, number=n)) for n in range(3)}
    sloped = {f"{n}.dcm": saved(dataset(words[n], number=n, RescaleSlope=1.5 + n)) for n in range(3)}
    rgb = {f"{n}.dcm": saved(dataset(values((8, 8, 3)), number=n)) for n in range(2)}
    return [plain, sloped, rgb]


def by_nibabel(data: Any, *, second: bool = False, order: str = "<", slope: float = 1.0, text: bytes = b"") -> bytes:
    import nibabel

    header = (nibabel.Nifti2Header if second else nibabel.Nifti1Header)(endianness=order)
    header.set_data_dtype(data.dtype)
    header.set_xyzt_units("mm", "sec")
    image = (nibabel.Nifti2Image if second else nibabel.Nifti1Image)(data, np.diag([2.0, 2.0, 3.0, 1.0]), header)
    image.header.set_slope_inter(slope, 0.0)
    if text:
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", text))
    content: bytes = image.to_bytes()
    return content


def _nifti_contents() -> list[bytes]:
    volume = (7, 6, 5)
    return [
        by_nibabel(values(volume, "int16")),
        by_nibabel(values(volume), slope=2.5, text=b"a comment"),
        by_nibabel(values(volume, "float32"), order=">"),
        by_nibabel(values(volume, "float64"), second=True),
        by_nibabel(values((*volume, 3), "uint16"), second=True, order=">"),
        by_nibabel(values((8, 9), "int16")),
        by_nibabel(values((*volume, 1, 3), "int16")),
    ]


@cache
def nifti() -> list[Case]:
    contents = _nifti_contents()
    return of("a.nii", contents) + of("a.nii.gz", [gzip.compress(content, mtime=0) for content in contents[:4]])


def files_of(folder: Path) -> Case:
    """What is in a folder, as an input."""
    return {
        f"{folder.name}/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@cache
def stores() -> list[Case]:
    import zarr
    from numcodecs import Zlib
    from zarr.codecs import BloscCodec, ZstdCodec

    made = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made.append(_multiscale(place / "a.zarr", "0.4", "zyx", "uint16"))
        made.append(_multiscale(place / "b.zarr", "0.4", "cyx", "uint8", compressors=None))
        made.append(_multiscale(place / "h.zarr", "0.4", "yx", "uint8", compressors=Zlib()))  # gzip tells the time
        made.append(_multiscale(place / "c.zarr", "0.5", "tczyx", "float32", compressors=ZstdCodec()))
        made.append(_multiscale(place / "d.zarr", "0.5", "yx", "int16", compressors=BloscCodec(cname="lz4")))
        made.append(_multiscale(place / "e.zarr", "0.5", "zyx", "uint8", compressors=ZstdCodec(), shards=True))
        for name, version in (("f.zarr", 2), ("g.zarr", 3)):
            array = zarr.create_array(place / name, shape=(21, 27), chunks=(8, 12), dtype="uint16", zarr_format=version)
            array[...] = values((21, 27), "uint16")
            made.append(files_of(place / name))
    return [{f"a.zarr/{name.split('/', 1)[1]}": content for name, content in case.items()} for case in made]


def _multiscale(path: Path, version: str, axes: str, dtype: str, *, shards: bool = False, **options: Any) -> Case:
    import zarr

    sizes, chunks = {"t": 2, "c": 2, "z": 4, "y": 16, "x": 20}, {"t": 1, "c": 1, "z": 2, "y": 8, "x": 10}
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    datasets = []
    for level in range(2):
        step = [2**level if letter in "zyx" else 1 for letter in axes]
        shape = tuple(sizes[letter] // part for letter, part in zip(axes, step, strict=True))
        chunk = tuple(min(chunks[letter], length) for letter, length in zip(axes, shape, strict=True))
        more = {"shards": tuple(2 * part for part in chunk)} if shards and level == 0 else {}
        array = group.create_array(str(level), shape=shape, chunks=chunk, dtype=dtype, **options, **more)
        array[...] = values(shape, dtype)
        datasets.append(
            {"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": [float(s) for s in step]}]}
        )
    kinds = {"t": {"type": "time"}, "c": {"type": "channel"}}
    named = [{"name": letter, **kinds.get(letter, {"type": "space", "unit": "micrometer"})} for letter in axes]
    told = {"axes": named, "datasets": datasets}
    if version == "0.4":
        group.attrs.update({"multiscales": [{"version": version, **told}]})
    else:
        group.attrs.update({"ome": {"version": version, "multiscales": [told]}})
    return files_of(path)
