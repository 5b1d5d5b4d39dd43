"""Files: images in and out, with everything in the file that is not a pixel kept.

    image = read("scan.tif")
    write(denoised, "scan-clean.tif")

TIFF files and OME-Zarr stores larger than memory are read and written in parts: see :func:`open_chunked`. Videos are
read and written frame by frame: see :mod:`.video`.

What a file's header becomes (``Image.header``; a key is absent where the file has no such thing):

| key            | value                                                            | from, and back to |
| -------------- | ---------------------------------------------------------------- | ----------------- |
| `format`       | name of the format that was read                                 | all               |
| `exif`         | EXIF block, bytes from its byte-order mark on                    | all               |
| `icc`          | ICC colour profile, bytes                                        | all               |
| `xmp`          | XMP packet, bytes                                                | all               |
| `dpi`          | (x, y) pixels per inch: the print size, never a physical spacing | all               |
| `png_chunks`   | ((type, payload), ...): text, colour chunks, and what is safe to copy | png          |
| `jpeg_segments`| ((marker, payload), ...): comments, IPTC, maker segments         | jpeg              |
| `jpeg_coding`  | quantisation tables, sampling and progression of the source      | jpeg              |
| `webp_chunks`  | ((type, payload), ...) that WebP does not define                 | webp              |
| `webp_lossless`| whether the source was coded without loss                        | webp              |
| `tiff_tags`    | for each page ((code, type, count, bytes), ...)                  | tiff              |
| `nifti`        | header with its extensions, and affine                           | nifti             |
| `tiff_layout`  | byte order, axes, photometric, compression, tiles, resolution    | tiff              |

The common keys cross from one format to another; the others return only to their own, and a warning is logged
where they are left behind. Orientation is a tag in ``exif``: pixels stay as stored and the tag stays as it is, so
the output is displayed as the input was. The header may identify a person: it is never logged.

A file that names no software gets "noiseless VERSION" as its Software (PNG text, TIFF tag) or comment (JPEG).
"""

import os
from pathlib import Path

from noiseless.atomic import check_new, replacing
from noiseless.errors import InvalidImage, UnreadableFile, UnsupportedFormat, reason
from noiseless.image import Image
from noiseless.names import load

from .bags import Bag, BagMessage, ImageTopic, is_bag, open_bag, rewrite_bag
from .chunked import ChunkedImage, ChunkedWriter, is_store, open_chunked
from .description import described
from .formats import (
    COMMON_KEYS,
    FORMATS,
    Format,
    format_for,
    format_of,
    is_known,
    readable_suffixes,
    suffix_of,
    suffix_of_result,
    warn_of_loss,
)
from .limits import allowing
from .movie import write_movie
from .provenance import history, with_history
from .series import gathered, read_series, write_series
from .video import create_video, is_video, open_video, suffix_of_video_result

__all__ = [
    "COMMON_KEYS",
    "FORMATS",
    "Bag",
    "BagMessage",
    "ChunkedImage",
    "ChunkedWriter",
    "Format",
    "ImageTopic",
    "allowing",
    "check_new",
    "create_video",
    "described",
    "format_for",
    "format_of",
    "gathered",
    "history",
    "is_bag",
    "is_known",
    "is_store",
    "is_video",
    "open_bag",
    "open_chunked",
    "open_video",
    "read",
    "read_series",
    "readable_suffixes",
    "reason",
    "replacing",
    "rewrite_bag",
    "suffix_of",
    "suffix_of_result",
    "suffix_of_video_result",
    "with_history",
    "write",
    "write_movie",
    "write_series",
]


def read(path: str | os.PathLike[str], *, max_pixels: int | None = None) -> Image:
    """The image in a file; its first bytes, not its name, say of which format it is.

    Parameters
    ----------
    path : of the file
    max_pixels : the most that a file may claim to hold before it is taken for a decompression bomb; usually 500 million

    Raises
    ------
    UnreadableFile : missing, a folder, empty, truncated, damaged, too large, or not the format it claims.
    UnsupportedFormat : a format, or a kind of content, that has no reader here.
    InvalidImage : the pixels hold NaN or infinity.
    """
    path = Path(path)
    reader = load(format_of(path).reader)
    try:
        with allowing(max_pixels):
            image: Image = reader(path)
    except (UnreadableFile, UnsupportedFormat, InvalidImage) as error:
        raise type(error)(f"cannot read {str(path)!r}: {error}") from error
    except OSError as error:
        raise UnreadableFile(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except MemoryError as error:
        raise UnreadableFile(
            f"cannot read {str(path)!r}: memory has no room for what it claims to hold; give a part of it, or take a "
            "machine with more"
        ) from error
    return image


def write(image: Image, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write an image; the suffix says in which format. The file appears whole or not at all.

    Pixels go out in their stored dtype. One conversion is made, 16 to 8 bits for JPEG and WebP; whatever else a
    format cannot hold is refused. An existing file is replaced only with ``overwrite``, and keeps its permissions.

    Raises
    ------
    UnwritableFile : the file exists, or its folder is missing or cannot be written.
    UnsupportedFormat : no writer for this suffix, or the format cannot hold this image.
    """
    path = Path(path)
    chosen = format_for(path)
    writer = load(chosen.writer)
    try:
        with replacing(path, overwrite=overwrite) as temporary:
            writer(image, temporary)
    except UnsupportedFormat as error:
        raise UnsupportedFormat(f"cannot write {str(path)!r}: {error}") from error
    warn_of_loss(image, chosen)
