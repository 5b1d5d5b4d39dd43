"""WebP: colour pictures of 8 bits, with loss or without, with alpha, through Pillow.

A picture that came from a WebP without loss goes out without loss, and so does any that came from elsewhere. One that
came with loss goes out at quality 95: of ten PolyU pictures, denoised by the network for cameras, that changes the PSNR
by -0.25 dB in the mean (-0.61 to +0.06; its colours are halved). WebP has no gray: gray is written as three equal
channels, and three equal channels without a colour profile are read as gray. An alpha that is opaque everywhere is not
stored.

16-bit pixels are rounded to 8 bits. Floats and signed integers are refused, and so are animations. Colour profile, EXIF
and XMP pass byte for byte; chunks of other kinds are left behind.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from PIL.WebPImagePlugin import WebPImageFile

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.image import Image, from_array

from .limits import check_pixel_count

QUALITY = 95
EFFORT = 4  # of the encoder, from 0 to 6
LARGEST = 16383
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, OverflowError, MemoryError)


def read(path: Path) -> Image:
    """The image in a WebP file.

    Raises
    ------
    UnreadableFile : truncated, damaged or too large.
    UnsupportedFormat : an animation.
    """
    data = path.read_bytes()
    kinds = [kind for kind, _ in _chunks(data)]
    if b"ANIM" in kinds or b"ANMF" in kinds:
        raise UnsupportedFormat("it is an animated WebP; save its frames as single files first")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = WebPImageFile(io.BytesIO(data))
            check_pixel_count(*source.size)
            stored = np.asarray(source)
    except UnreadableFile:
        raise
    except DAMAGE as error:
        raise UnreadableFile(f"its WebP data are damaged ({type(error).__name__}); copy or export it again") from error
    header: dict[str, Any] = {"format": "webp", "webp_lossless": b"VP8L" in kinds}
    for key, name in (("icc", "icc_profile"), ("exif", "exif"), ("xmp", "xmp")):
        if source.info.get(name):
            header[key] = source.info[name].removeprefix(b"Exif\0\0")
    samples = np.moveaxis(stored, -1, 0)
    alpha = samples[3].copy() if len(samples) == 4 else None
    colours = samples[:3]
    gray = "icc" not in header and bool((colours == colours[0]).all())
    image = from_array(np.ascontiguousarray(colours[:1] if gray else colours), channel_axis=0)
    return replace(image, alpha=alpha, header=header)


def write(image: Image, path: Path) -> None:
    """Write a WebP file, with or without loss as the module's docstring says.

    Raises
    ------
    UnsupportedFormat : WebP holds pictures of 8 bits up to 16383 pixels a side, and nothing else.
    """
    if image.axes != "CYX" or image.channels not in (1, 3):
        raise UnsupportedFormat(
            f"WebP holds one gray or RGB picture, not {image.channels} channels of {image.axes[1:]}; write TIFF (.tif)"
        )
    if image.stored_dtype not in ("uint8", "uint16"):
        raise UnsupportedFormat(f"WebP holds uint8, not {image.stored_dtype}; write TIFF (.tif)")
    if max(image.space) > LARGEST:
        raise UnsupportedFormat(f"WebP holds up to {LARGEST} pixels a side, and the image has {image.space}; write PNG")
    planes = [*image.stored()] * (3 if image.channels == 1 else 1)
    if image.alpha is not None:
        planes.append(image.alpha)
    eight = [plane if plane.dtype == np.uint8 else np.rint(plane / 257.0).astype(np.uint8) for plane in planes]
    lossless = bool(image.header.get("webp_lossless", True))
    kept = {"icc_profile": "icc", "exif": "exif", "xmp": "xmp"}
    metadata = {name: image.header[key] for name, key in kept.items() if key in image.header}
    options = {"quality": 75 if lossless else QUALITY, "lossless": lossless, "exact": True, "method": EFFORT}
    PIL.Image.fromarray(np.stack(eight, axis=-1)).save(path, "WEBP", **options, **metadata)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of the RIFF container, whose lengths must be those of the file."""
    if len(data) < 12 or struct.unpack_from("<I", data, 4)[0] + 8 > len(data):
        raise UnreadableFile("it ends in the middle of the picture; copy or download it again")
    position, end = 12, struct.unpack_from("<I", data, 4)[0] + 8
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > end:
            raise UnreadableFile("it ends in the middle of the picture; copy or download it again")
        yield kind, data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
