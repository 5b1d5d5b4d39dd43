"""The table of file formats: which bytes begin a file, which suffixes name it, who reads and who writes it."""

import difflib
import logging
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image
from noiseless.names import Lazy

from .bags import is_bag
from .video import is_video

logger = logging.getLogger(__name__)

HEAD_BYTES = 512
"""How much of a file the magic patterns may look at; DICOM and NIfTI sign at bytes 128 and 344."""

COMMON_KEYS = ("format", "exif", "icc", "xmp", "dpi")
"""The header keys that every format here can hold."""


@dataclass(frozen=True)
class Format:
    """One format of files.

    Parameters
    ----------
    name : as the user says it.
    suffixes : lower case, with the dot; the first is the usual one.
    magic : pattern that the first bytes of such a file match. Formats may share one (many are TIFF inside): then
        the suffix decides among them, and without a known suffix the earlier entry of the table.
    reader : (path: Path) -> Image. Raises errors of noiseless, or OSError; the path is put before their message.
    writer : (image: Image, path: Path) -> None. ``path`` is a temporary, empty file with the final suffix.
    metadata : the header keys, besides the common ones, that carry metadata and that only this format can hold.
    instead : the suffix that results get where this format is only read; empty where it is written too.
    """

    name: str
    suffixes: tuple[str, ...]
    magic: re.Pattern[bytes]
    reader: Lazy
    writer: Lazy
    metadata: tuple[str, ...] = ()
    instead: str = ""


FORMATS: Mapping[str, Format] = {
    "png": Format(
        name="PNG",
        suffixes=(".png",),
        magic=re.compile(rb"\x89PNG\r\n\x1a\n"),
        reader=Lazy("noiseless.files.png:read"),
        writer=Lazy("noiseless.files.png:write"),
        metadata=("png_chunks",),
    ),
    "jpeg": Format(
        name="JPEG",
        suffixes=(".jpg", ".jpeg", ".jpe", ".jfif"),
        magic=re.compile(rb"\xff\xd8\xff"),
        reader=Lazy("noiseless.files.jpeg:read"),
        writer=Lazy("noiseless.files.jpeg:write"),
        metadata=("jpeg_segments",),
    ),
    "webp": Format(
        name="WebP",
        suffixes=(".webp",),
        magic=re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
        reader=Lazy("noiseless.files.webp:read"),
        writer=Lazy("noiseless.files.webp:write"),
        metadata=("webp_chunks",),
    ),
    "tiff": Format(
        name="TIFF",
        suffixes=(".tif", ".tiff", ".btf", ".tf8"),
        magic=re.compile(rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]"),
        reader=Lazy("noiseless.files.tiff:read"),
        writer=Lazy("noiseless.files.tiff:write"),
        metadata=("tiff_tags",),
    ),
    "raw": Format(
        name="camera raw",
        suffixes=(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"),
        # Most are TIFF within, and named by their suffix alone; others sign by what follows here.
        magic=re.compile(
            rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]|FUJIFILMCCD-RAW|IIRO|IIRS|IIU\x00|.{4}ftypcrx", re.DOTALL
        ),
        reader=Lazy("noiseless.files.camera_raw:read", extra="raw"),
        writer=Lazy("noiseless.files.camera_raw:write", extra="raw"),
        instead=".tif",
    ),
    "nifti": Format(
        name="NIfTI",
        suffixes=(".nii", ".nii.gz"),
        # NIfTI-1 signs at byte 344, NIfTI-2 at byte 4; nothing else here is compressed by gzip.
        magic=re.compile(rb"\x1f\x8b|.{344}n\+1\x00|.{4}n\+2\x00", re.DOTALL),
        reader=Lazy("noiseless.files.nifti:read", extra="medical"),
        writer=Lazy("noiseless.files.nifti:write", extra="medical"),
        metadata=("nifti",),
    ),
    "dicom": Format(
        name="DICOM",
        suffixes=(".dcm", ".dicom", ".dic"),
        magic=re.compile(rb".{128}DICM", re.DOTALL),
        reader=Lazy("noiseless.files.dicom:read", extra="medical"),
        writer=Lazy("noiseless.files.dicom:write", extra="medical"),
        metadata=("dicom",),
    ),
}


def format_of(path: Path) -> Format:
    """The format that the first bytes of an existing file show.

    Raises
    ------
    UnreadableFile : missing, not a file, empty, or its bytes are not what its suffix claims.
    UnsupportedFormat : neither the bytes nor the suffix are of a known format.
    """
    head = _head(path)
    claimed = _by_suffix(path)
    matching = [entry for entry in FORMATS.values() if entry.magic.match(head)]
    if claimed in matching:
        return claimed
    if matching:
        if claimed:
            logger.info("%r is named as %s but holds %s", str(path), claimed.name, matching[0].name)
        return matching[0]
    if claimed:
        raise UnreadableFile(
            f"{str(path)!r} is not a {claimed.name} file, whatever its name says; it is damaged or misnamed"
        )
    if is_video(path):
        raise UnsupportedFormat(
            f"{str(path)!r} is a video; images are asked for here, and denoise and stream take videos"
        )
    if is_bag(path):
        raise UnsupportedFormat(f"{str(path)!r} is a bag of ROS; images are asked for here, and denoise takes bags")
    raise UnsupportedFormat(f"no reader for {str(path)!r}{_known(path)}")


def format_for(path: Path) -> Format:
    """The format that the suffix of an output asks for.

    Raises
    ------
    UnsupportedFormat : no writer for this suffix; the message gives the nearest and all known ones.
    """
    claimed = _by_suffix(path)
    if claimed is None:
        raise UnsupportedFormat(f"no writer for {str(path)!r}{_known(path)}")
    return claimed


def readable_suffixes() -> tuple[str, ...]:
    """Every suffix of the table, for those who look for images in a folder."""
    return tuple(suffix for entry in FORMATS.values() for suffix in entry.suffixes)


def suffix_of(path: Path) -> str:
    """The suffix of a path, as it is written, if it is one of the table, ".nii.gz" too; or else ""."""
    name = path.name.lower()
    found = [suffix for suffix in readable_suffixes() if name.endswith(suffix)]
    return path.name[-len(max(found, key=len)) :] if found else ""


def suffix_of_result(path: Path) -> str:
    """The suffix that what is made of a file gets: its own, unless its format is only read; "" where it is unknown."""
    claimed = _by_suffix(path)
    return claimed.instead or suffix_of(path) if claimed else ""


def is_known(path: Path) -> bool:
    """Whether the first bytes of a file, whatever its name, are of a format here."""
    try:
        head = _head(path)
    except UnreadableFile:
        return False
    return any(entry.magic.match(head) for entry in FORMATS.values())


def warn_of_loss(image: Image, chosen: Format) -> None:
    """Log which kinds of metadata in the header ``chosen`` cannot hold; the kinds only, never the values."""
    foreign = [key for entry in FORMATS.values() if entry != chosen for key in entry.metadata]
    lost = [key for key in foreign if image.header.get(key)]
    if lost:
        logger.warning("%s cannot hold %s of the source; they were left behind", chosen.name, ", ".join(lost))


def _head(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableFile(f"{str(path)!r} is a folder; name the files in it, or use a pattern such as '*.png'")
        if not stat.S_ISREG(mode):
            raise UnreadableFile(f"{str(path)!r} is not a regular file; copy it to one first")
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except UnreadableFile:
        raise
    except FileNotFoundError as error:
        raise UnreadableFile(f"{str(path)!r} does not exist; check the name and the folder") from error
    except OSError as error:
        raise UnreadableFile(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the name
        raise UnreadableFile(f"cannot read {str(path)!r}: {error}") from error
    if not head:
        raise UnreadableFile(f"{str(path)!r} is empty (0 bytes); copy or download it again")
    return head


def _by_suffix(path: Path) -> Format | None:
    suffix = suffix_of(path).lower()
    return next((entry for entry in FORMATS.values() if suffix in entry.suffixes), None)


def _known(path: Path) -> str:
    suffixes = readable_suffixes()
    close = difflib.get_close_matches(path.suffix.lower(), suffixes, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} (known suffixes: {', '.join(suffixes)})"
