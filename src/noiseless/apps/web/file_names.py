"""Names of uploads: what may be kept of them, and how they go back to their owner. None is ever used as a path."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import quote

import noiseless

LONGEST = 120
"""Characters that are kept of a name."""

NAMELESS = "image"

DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
"""What Windows takes for a device, whatever follows the dot."""

BAG_SUFFIXES = (".bag", ".mcap", ".db3")


def cleaned(name: str) -> str:
    """A name that is safe to show and to offer for saving: no folders, controls, directions or devices, not long.

    The end stays, where the suffix is.
    """
    last = re.split(r"[\\/]", name)[-1]
    # Controls, formats (which turn the direction of text), surrogates, private ones, and separators of lines.
    kept = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    kept = re.sub(r'[<>:"|?*]', "_", " ".join(kept.split())).rstrip(". ")
    suffix = _suffix_as_written(kept)
    stem = kept[: len(kept) - len(suffix)] if suffix else kept
    stem = stem[: LONGEST - len(suffix)].strip(". ")
    stem = f"_{stem}" if DEVICE.match(f"{stem}{suffix}") else stem
    return f"{stem or NAMELESS}{suffix}"


def known_suffix(name: str) -> str:
    """The suffix of a name, lower case, where it is one of images, videos or bags; or else ""."""
    return _suffix_as_written(name).lower()


def kind_of(suffix: str) -> str:
    """What a file with such a suffix is: "image", "video" or "bag"."""
    if suffix in BAG_SUFFIXES:
        return "bag"
    return "video" if suffix and noiseless.files.is_video(_path(suffix)) else "image"


def name_of_result(name: str, suffix: str) -> str:
    """scan.dcm: scan.denoised.dcm, with the suffix that the result has."""
    given = _suffix_as_written(name)
    return f"{name[: len(name) - len(given)] if given else name}.denoised{suffix}"


def attachment(name: str) -> str:
    """The value of Content-Disposition that offers a file under this name (RFC 6266, RFC 5987)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _suffix_as_written(name: str) -> str:
    path = _path(name)
    last = path.suffix.lower()
    if last in BAG_SUFFIXES or noiseless.files.is_video(path):
        return path.suffix
    suffix: str = noiseless.files.suffix_of(path)
    return suffix


def _path(name: str) -> Path:
    return Path(f"x{name}")
