"""From an image back into the DICOM objects that it came from."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from noiseless.errors import UnsupportedFormat
from noiseless.files.provenance import history
from noiseless.image import Image
from noiseless.version import __version__

from .derivation import derived
from .reading import DAMAGED, Source, quietly
from .words import encoded

logger = logging.getLogger(__name__)


def write(image: Image, path: Path) -> None:
    """Write a DICOM file: the source's, with these pixels, as a derived image.

    Raises
    ------
    UnsupportedFormat : the image is not from one DICOM file, or has other channels or sizes than that.
    """
    sources = image.header.get("dicom", ())
    if len(sources) > 1:
        raise UnsupportedFormat(
            f"the image is a series of {len(sources)} DICOM files; write it with files.write_series"
        )
    for _, dataset in derived_objects(image):
        save(dataset, path)


def derived_objects(image: Image) -> Iterator[tuple[Source, Any]]:
    """The objects that an image becomes, one after the other, each with the source that it follows.

    Raises
    ------
    UnsupportedFormat : as :func:`write`, or its header is damaged.
    """
    sources = image.header.get("dicom", ())
    if not sources:
        raise UnsupportedFormat("DICOM is written only from DICOM, whose header it needs; write TIFF, PNG or NIfTI")
    values = image.in_stored_units().astype(np.float64)
    frames = values[:, np.newaxis] if image.axes == "CYX" else values
    _check_fit(frames.shape, sources)
    lines = history(image)
    description = lines[-1] if lines else f"noiseless {__version__}: other pixels, of unknown origin"
    first = 0
    for source in sources:
        own = frames[:, first : first + len(source.frames)]
        first += len(source.frames)
        with _refusal_in_words(), quietly():
            dataset = derived(source.header, _pixel_data(own, source), description, lossy=source.lossy)
        yield source, dataset
    if any(source.header.get("BurnedInAnnotation") == "YES" for source in sources):
        logger.warning("the source says that text is burnt into its pixels; it is in the result too")


def save(dataset: Any, path: Path) -> None:
    """Write one object.

    Raises
    ------
    UnsupportedFormat : pydicom cannot write what it has read.
    """
    with _refusal_in_words(), quietly():
        dataset.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=True)


@contextlib.contextmanager
def _refusal_in_words() -> Iterator[None]:
    """What pydicom raises on elements that it has read and that are none, as an error of ours."""
    try:
        yield
    except DAMAGED as error:
        # The cause may quote the header, so it is chained and not shown.
        raise UnsupportedFormat(
            f"its header cannot be written again ({type(error).__name__}); repair the source, or write TIFF"
        ) from error


def _check_fit(shape: tuple[int, ...], sources: tuple[Source, ...]) -> None:
    header = sources[0].header
    wanted = (
        int(header.SamplesPerPixel),
        sum(len(source.frames) for source in sources),
        int(header.Rows),
        int(header.Columns),
    )
    if shape != wanted:
        raise UnsupportedFormat(
            f"the image has {shape[0]} channels of {shape[1:]} pixels, its DICOM source {wanted[0]} of {wanted[1:]}; "
            "write TIFF"
        )


def _pixel_data(values: Any, source: Source) -> bytes:
    """The bytes of frames (C, frames, rows, columns) in modality units."""
    words = np.stack(
        [
            source.coding.rounded((values[:, number] - frame.intercept) / frame.slope)
            for number, frame in enumerate(source.frames)
        ]
    )
    words = np.moveaxis(words, 1, -1) if words.shape[1] > 1 else words[:, 0]
    if source.words is not None:
        words = np.where(source.coding.is_padding(source.words), source.words, words)
    return encoded(words, source.above, source.coding)
