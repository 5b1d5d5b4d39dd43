"""Series: DICOM files, one slice each, that are a volume together."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from noiseless.atomic import replacing
from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image

from .frames import frames_of
from .opening import opened
from .reading import DAMAGED, image_of, quietly, read_object
from .writing import derived_objects, save

ALIKE = (
    "SeriesInstanceUID",
    "SOPClassUID",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
)
"""What the files of one volume have in common; the directions of rows and columns too."""

GEOMETRY = ("NumberOfFrames", "ImagePositionPatient", "ImageOrientationPatient", "InstanceNumber", "PixelSpacing")


def files_of_series(paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """DICOM files, those of one series together and in the order of their slices.

    Files of one frame that are alike and lie at different heights are together; any other is by itself.
    """
    groups: dict[object, list[tuple[float, Path]]] = {}
    for path in paths:
        key, height = _place(path)
        groups.setdefault(key, []).append((height, path))
    together: list[tuple[Path, ...]] = []
    for members in groups.values():
        members.sort()
        if len({height for height, _ in members}) == len(members):
            together.append(tuple(path for _, path in members))
        else:
            together.extend((path,) for _, path in members)
    return together


def read_series(paths: Sequence[Path]) -> Image:
    """One volume of files of one frame each, in the order in which they are given: that of :func:`files_of_series`.

    Raises
    ------
    UnreadableFile, UnsupportedFormat : as of the single files; the message begins with the name of the file.
    """
    objects = []
    for path in paths:
        try:
            objects.append(read_object(path))
        except (UnreadableFile, UnsupportedFormat) as error:
            raise type(error)(f"{path.name}: {error}") from error
        except OSError as error:
            raise UnreadableFile(f"{path.name}: {error.strerror or error}") from error
    return image_of(objects)


def write_series(image: Image, paths: Sequence[Path], *, overwrite: bool = False) -> None:
    """Write a file for each that the image came from, in their order; all of them appear, or none.

    Raises
    ------
    UnwritableFile : one exists and ``overwrite`` is false, or cannot be written.
    UnsupportedFormat : the image is not from so many files.
    """
    sources = image.header.get("dicom", ())
    if len(sources) != len(paths):
        raise UnsupportedFormat(f"the image is a series of {len(sources)} DICOM files; {len(paths)} names were given")
    with contextlib.ExitStack() as finished:
        temporaries = [finished.enter_context(replacing(path, overwrite=overwrite)) for path in paths]
        for temporary, (_, dataset) in zip(temporaries, derived_objects(image), strict=True):
            save(dataset, temporary)


def _place(path: Path) -> tuple[object, float]:
    """The series of a file and its height in it; a file that is in none has a key of its own."""
    alone = (str(path),), 0.0
    try:
        with quietly():
            header = opened(path, stop_before_pixels=True, specific_tags=[*ALIKE, *GEOMETRY])
            if int(header.get("NumberOfFrames") or 1) > 1:
                return alone
            frame = frames_of(header)[0]
            height = frame.height
            common = tuple(str(header.get(name)) for name in ALIKE)
    except (OSError, *DAMAGED):
        return alone
    if height is None or "None" in common[:4]:
        return alone
    return (*common, tuple(round(cosine, 3) for cosine in frame.orientation)), height
