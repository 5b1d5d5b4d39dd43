"""Files that are one image together: the slices of a DICOM series."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from noiseless.errors import NoiselessError
from noiseless.files.formats import FORMATS, format_of
from noiseless.image import Image
from noiseless.names import Lazy, load

_TOGETHER = Lazy("noiseless.files.dicom:files_of_series", extra="medical")
_READ = Lazy("noiseless.files.dicom:read_series", extra="medical")
_WRITE = Lazy("noiseless.files.dicom:write_series", extra="medical")


def gathered(paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """The files that are an image by themselves, and the DICOM series, in the order of their slices.

    A series counts where its first file stands. Nothing is refused here: what cannot be read is by itself.
    """
    paths = list(paths)
    slices = [path for path in paths if _is_dicom(path)]
    if len(slices) < 2:
        return [(path,) for path in paths]
    series = {path: files for files in load(_TOGETHER)(slices) for path in files}
    found = dict.fromkeys(series.get(path, (path,)) for path in paths)
    return list(found)


def read_series(paths: Sequence[Path]) -> Image:
    """A volume of files of one slice each, in the order in which they are given: that of :func:`gathered`.

    Raises
    ------
    UnreadableFile, UnsupportedFormat : as of the single files; the message begins with the name of the file.
    """
    image: Image = load(_READ)(paths)
    return image


def write_series(image: Image, paths: Sequence[Path], *, overwrite: bool = False) -> None:
    """Write a file for each that the image was read from, in their order; all of them appear, or none.

    Raises
    ------
    UnwritableFile : one exists and ``overwrite`` is false, or cannot be written.
    UnsupportedFormat : the image is not from so many files.
    """
    load(_WRITE)(image, paths, overwrite=overwrite)


def _is_dicom(path: Path) -> bool:
    try:
        return format_of(path) == FORMATS["dicom"]
    except NoiselessError:
        return False
