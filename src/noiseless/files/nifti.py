"""NIfTI-1 and NIfTI-2: the volumes of neuroimaging, through nibabel; one file, plain or compressed by gzip.

Read: real pixels of a picture, a volume, or a series of them (four axes), in the units that are stored; the slope and
intercept of the header turn them into physical values and go back as they came. The volumes of a series lie behind one
another along Z (``Image.volumes``). Vectors and RGB are refused, and so is an affine that has no inverse: nobody could
say where the picture lies. Written: what the header of the source says, with its affine, units, slope, intercept and
extensions, and what was done, as comments. An image from elsewhere gets an affine from its spacing alone, and no
orientation (qform and sform codes 0).
"""

import contextlib
import gzip
import logging
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from noiseless.errors import NoiselessError, UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array
from noiseless.version import __version__

from .limits import check_pixel_count
from .provenance import history

logger = logging.getLogger(__name__)

MILLIMETRES = {"mm": 1.0, "meter": 1000.0, "micron": 0.001, "unknown": 1.0}
DAMAGE = (ImageFileError, HeaderDataError, ArithmeticError, EOFError, LookupError, OSError, ValueError, zlib.error)
WRITTEN = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def read(path: Path) -> Image:
    """The image in a NIfTI file; its axes are (Z, Y, X), the reverse of the file's.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large.
    UnsupportedFormat : a series, vectors, colour or complex numbers.
    """
    with _errors_in_words(), quietly():
        return _read(path)


def _read(path: Path) -> Image:
    source = nibabel.load(path)
    shape, header = tuple(source.shape), source.header
    if any(size > 1 for size in shape[4:]) or len(shape) < 2:
        raise UnsupportedFormat(f"it holds vectors, of shape {shape}; give one component of them")
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf":
        raise UnsupportedFormat(f"its pixels are of type {dtype}; noiseless reads real numbers")
    # LAPACK prints to stderr where numbers are not finite.
    affine = source.affine
    if affine is not None and not (np.isfinite(affine).all() and np.linalg.matrix_rank(affine) == 4):
        raise UnreadableFile("its affine has no inverse, so its voxels have no place; repair its sform or qform")
    volumes = shape[3] if len(shape) > 3 else 1
    shape = shape[:3]
    check_pixel_count(int(np.prod(shape[:2])), int(np.prod(shape[2:])) * volumes)
    stored = np.ascontiguousarray(np.asarray(source.dataobj.get_unscaled()).reshape(*shape, volumes, order="F").T)
    stored = stored.reshape(volumes * shape[2], *shape[1::-1]) if len(shape) == 3 else stored[0]
    # In the machine's byte order; quadruple precision, which NIfTI knows, as double.
    narrow = np.float64 if stored.dtype.itemsize > 8 else stored.dtype.newbyteorder("=")
    image = from_array(stored.astype(narrow))
    unit = MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)
    sizes = tuple(float(size) * unit for size in header.get_zooms()[: len(shape)][::-1])
    known = all(0.0 < size < float("inf") for size in sizes)
    scaling = float(source.dataobj.slope), float(source.dataobj.inter)
    kept = {"format": "nifti", "nifti": (header.copy(), source.affine, scaling)}
    return replace(image, spacing=sizes if known else (), header=kept, volumes=volumes)


def write(image: Image, path: Path) -> None:
    """Write a NIfTI file, compressed where its name ends in .gz.

    Raises
    ------
    UnsupportedFormat : colour, or a dtype that NIfTI has no code for.
    """
    if image.channels != 1:
        raise UnsupportedFormat(f"NIfTI is written for one channel, and the image has {image.channels}; use TIFF")
    if image.alpha is not None:
        raise UnsupportedFormat("NIfTI cannot hold the alpha channel of this image; write PNG or TIFF")
    stored = image.stored()[0]
    if stored.dtype.name not in WRITTEN:
        raise UnsupportedFormat(f"NIfTI has no {stored.dtype.name}; it holds {', '.join(WRITTEN)}")
    header, affine, scaling = image.header.get("nifti", (None, None, (1.0, 0.0)))
    if header is None:
        sizes = image.spacing or (1.0,) * stored.ndim
        affine = np.diag([*sizes[::-1], *[1.0] * (4 - stored.ndim)])
        header = nibabel.Nifti1Header()
        header.set_xyzt_units("mm" if image.spacing else "unknown")
    else:
        header = header.copy()
    header.set_data_dtype(stored.dtype)
    if not bytes(header["descrip"]).strip(b"\0 "):
        header["descrip"] = f"noiseless {__version__}".encode()
    kind: Any = nibabel.Nifti2Image if isinstance(header, nibabel.Nifti2Header) else nibabel.Nifti1Image
    written = kind(_as_in_file(stored, image, header).T, affine, header)
    known = [extension.get_content() for extension in written.header.extensions]
    for line in history(image):
        if line.encode("ascii") not in known:
            written.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", line.encode("ascii")))
    # With a slope in the header, nibabel writes what it is given as it is.
    written.header.set_slope_inter(*scaling)
    data = written.to_bytes()
    # Without name and time of day, so that the same image gives the same file.
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix.lower() == ".gz" else data)


def _as_in_file(stored: Any, image: Image, header: Any) -> Any:
    """The pixels with the axes of the source where it had more than they need: volumes apart, axes of length one."""
    shape = header.get_data_shape()[::-1]
    if int(np.prod(shape)) == stored.size and shape[-2:] == stored.shape[-2:]:
        return stored.reshape(shape)
    return stored.reshape(image.volumes, -1, *stored.shape[1:]) if image.volumes > 1 else stored


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without what nibabel prints of headers that it mends."""
    told = logging.getLogger("nibabel.global")
    level = told.level
    told.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        told.setLevel(level)


@contextlib.contextmanager
def _errors_in_words() -> Any:
    try:
        yield
    except NoiselessError:
        raise
    except DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableFile(f"its NIfTI data are damaged ({reason}); copy or export it again") from error
