"""Small pictures of every flavour: PNG, JPEG, WebP, TIFF, camera raw."""

import io
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import tifffile

from fuzzing.mutation import Case
from fuzzing.structures import png_closed
from noiseless import files
from noiseless.files.directory import EXIF, GPS, Tag, encode_exif
from noiseless.image import from_array

EXIF_BLOCK = encode_exif(
    {
        271: Tag(2, 6, b"Maker\0"),
        274: Tag(3, 1, struct.pack(">H", 6)),
        282: Tag(5, 1, struct.pack(">II", 300, 1)),
        283: Tag(5, 1, struct.pack(">II", 300, 1)),
        EXIF: {33434: Tag(5, 1, struct.pack(">II", 1, 60)), 37500: Tag(7, 9, b"maker note")},
        GPS: {1: Tag(2, 2, b"N\0")},
    },
    ">",
)
PROFILE = struct.pack(">I", 132) + b"test" + bytes(8) + b"RGB XYZ " + bytes(108)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
SHAPE = (13, 17)


def values(shape: tuple[int, ...], dtype: str = "uint8") -> Any:
    """A ramp with noise."""
    rng = np.random.default_rng(0)
    top = 1.0 if np.dtype(dtype).kind == "f" else min(np.iinfo(dtype).max, 2**20)
    ramp = np.linspace(0.1, 0.8, int(np.prod(shape))).reshape(shape)
    return (top * np.clip(ramp + 0.05 * rng.standard_normal(shape), 0, 1)).astype(dtype)


def by_project(suffix: str, pixels: Any, channel_axis: int | None = None, alpha: Any = None, **header: Any) -> bytes:
    """A file written by noiseless."""
    image = from_array(pixels, channel_axis=channel_axis)
    image = type(image)(
        image.pixels, image.axes, image.scale, image.offset, image.stored_dtype, alpha=alpha, header=header
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        files.write(image, path)
        return path.read_bytes()


def by_pillow(picture: Any, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def of(name: str, contents: list[bytes]) -> list[Case]:
    return [{name: content} for content in contents]


@cache
def png() -> list[Case]:
    common = {"exif": EXIF_BLOCK, "icc": PROFILE, "xmp": XMP, "dpi": (300.0, 300.0)}
    rgb = PIL.Image.fromarray(values((*SHAPE, 3)))
    palette = rgb.quantize(16)
    return of(
        "a.png",
        [
            by_project(".png", values(SHAPE)),
            by_project(".png", values(SHAPE, "uint16"), **common),
            by_project(".png", values((*SHAPE, 3)), -1, **common),
            by_project(".png", values((*SHAPE, 3), "uint16"), -1, values(SHAPE, "uint16")),
            by_project(".png", values(SHAPE), alpha=values(SHAPE)),
            by_pillow(palette, "PNG"),
            by_pillow(palette, "PNG", transparency=3),
            by_pillow(rgb, "PNG", transparency=(1, 2, 3)),
            by_pillow(PIL.Image.fromarray(values(SHAPE)).convert("1"), "PNG"),
            by_pillow(rgb, "PNG", save_all=True, append_images=[rgb]),
            _interlaced(),
        ],
    )


def _interlaced() -> bytes:
    """A gray picture of 8 x 8 in the seven passes of PNG."""
    rows = [1, 1, 1, 2, 2, 4, 4]
    widths = [1, 1, 2, 2, 4, 4, 8]
    body = b"".join((b"\0" + bytes(range(width))) * count for count, width in zip(rows, widths, strict=True))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)), (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    coded = b"".join(struct.pack(">I", len(part)) + kind + part + bytes(4) for kind, part in chunks)
    return png_closed(b"\x89PNG\r\n\x1a\n" + coded)


@cache
def jpeg() -> list[Case]:
    gray, rgb = PIL.Image.fromarray(values((33, 41))), PIL.Image.fromarray(values((33, 41, 3)))
    segments = {"jpeg_segments": ((0xFE, b"comment"), (0xED, b"Photoshop 3.0\0")), "exif": EXIF_BLOCK, "icc": PROFILE}
    return of(
        "a.jpg",
        [
            by_project(".jpg", values((33, 41))),
            by_project(".jpg", values((33, 41, 3)), -1, xmp=XMP, dpi=(72.0, 72.0), **segments),
            by_pillow(gray, "JPEG", quality=60, restart_marker_rows=1),
            by_pillow(rgb, "JPEG", quality=75, subsampling="4:2:0"),
            by_pillow(rgb, "JPEG", quality=75, subsampling="4:2:2", restart_marker_blocks=2),
            by_pillow(rgb, "JPEG", quality=75, subsampling="4:2:0", progressive=True, optimize=True),
            by_pillow(gray, "JPEG", progressive=True),
            by_pillow(rgb.convert("CMYK"), "JPEG"),
            imagecodecs.jpeg8_encode(values((33, 41), "uint16") >> 4, level=90, bitspersample=12),
        ],
    )


@cache
def webp() -> list[Case]:
    rgb = PIL.Image.fromarray(values((33, 41, 3)))
    rgba = PIL.Image.fromarray(values((33, 41, 4)))
    more = {"exif": EXIF_BLOCK, "icc": PROFILE, "xmp": XMP, "webp_chunks": ((b"ABCD", b"something"),)}
    return of(
        "a.webp",
        [
            by_project(".webp", values((33, 41))),
            by_project(".webp", values((33, 41, 3)), -1, **more),
            by_project(".webp", values((33, 41, 3)), -1, values((33, 41)), webp_lossless=False, **more),
            by_pillow(rgb, "WEBP", quality=60),
            by_pillow(rgba, "WEBP", quality=60, exif=EXIF_BLOCK),
            by_pillow(rgba, "WEBP", lossless=True),
            by_pillow(rgb, "WEBP", save_all=True, append_images=[rgba], duration=40),
        ],
    )


def by_tifffile(data: Any, pages: int = 1, suffix: str = ".tif", **options: Any) -> bytes:
    whole = {key: options.pop(key) for key in ("bigtiff", "byteorder", "imagej", "ome") if key in options}
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, **whole) as file:
        for _ in range(pages):
            file.write(data, **options)
    return stream.getvalue()


@cache
def tiff() -> list[Case]:
    gray, rgb, volume = values((37, 41)), values((37, 41, 3)), values((3, 20, 21), "uint16")
    plain: dict[str, Any] = {"metadata": None}
    coded = {
        name: {**plain, "compression": name, "rowsperstrip": 16}
        for name in ("lzw", "zlib", "packbits", "lzma", "zstd", "jpeg", "webp", "jpeg2000", "lerc", "png", "jpegxl")
    }
    made = [
        by_project(".tif", gray, exif=EXIF_BLOCK, icc=PROFILE, xmp=XMP, dpi=(300.0, 300.0)),
        by_project(".tif", rgb, -1, values((37, 41)), exif=EXIF_BLOCK),
        by_project(".tif", volume),
        *(by_tifffile(values((37, 41), each), byteorder=">", **plain) for each in ("uint16", "int16", "float32")),
        *(by_tifffile(values((37, 41), each), **plain) for each in ("uint32", "float16", "float64", "int8")),
        by_tifffile(gray, bigtiff=True, byteorder=">", description="text", **plain),
        *(by_tifffile(rgb, photometric="rgb", **options) for options in coded.values()),
        by_tifffile(values((37, 41), "uint16"), predictor=2, compression="zlib", tile=(16, 16), **plain),
        by_tifffile(values((37, 41), "float32"), predictor=3, compression="lzw", byteorder=">", **plain),
        by_tifffile(rgb, photometric="rgb", tile=(16, 32), compression="jpeg", **plain),
        by_tifffile(np.moveaxis(rgb, -1, 0).copy(), photometric="rgb", planarconfig="separate", tile=(16, 16), **plain),
        by_tifffile(values((37, 41, 4)), photometric="rgb", extrasamples=["unassalpha"], **plain),
        by_tifffile(gray, photometric="miniswhite", resolution=(300, 300), resolutionunit="INCH", **plain),
        by_tifffile(gray, pages=3, **plain),
        by_tifffile(volume, imagej=True, metadata={"spacing": 2.0, "unit": "um", "axes": "ZYX"}, resolution=(10, 10)),
        by_tifffile(volume, ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.1, "PhysicalSizeXUnit": "µm"}),
        by_tifffile(volume, ome=True, metadata={"axes": "CYX"}, compression="zlib", photometric="minisblack"),
        by_tifffile(volume, photometric="minisblack"),  # shaped, as tifffile says
        _pyramid(gray),
        by_pillow(PIL.Image.fromarray(rgb).quantize(16), "TIFF"),
        by_pillow(PIL.Image.fromarray(gray).convert("1"), "TIFF", compression="group4"),
        by_pillow(PIL.Image.fromarray(rgb).convert("CMYK"), "TIFF"),
    ]
    return of("a.tif", made)


def _pyramid(gray: Any) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        file.write(gray, subifds=1, tile=(16, 16), metadata=None)
        file.write(gray[::2, ::2], subfiletype=1, tile=(16, 16), metadata=None)
    return stream.getvalue()


LINEAR_RAW, MOSAIC = 34892, 32803


def dng(levels: Any, **options: Any) -> bytes:
    """A raw picture of a camera that sees as sRGB does."""
    matrix = [number for value in _TO_SRGB for number in (round(value * 10_000), 10_000)]
    tags = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "camera of a test", True),
        (50714, "H", 1, 64, True),
        (50717, "H", 1, 1023, True),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, [1, 1] * 3, True),
        (50778, "H", 1, 21, True),
        (274, "H", 1, options.pop("orientation", 1), True),
        (271, "s", 0, "Maker", True),
    ]
    return by_tifffile(levels, extratags=tags, metadata=None, **{"photometric": MOSAIC, "planarconfig": 1, **options})


_TO_SRGB = (3.2405, -1.5371, -0.4985, -0.9693, 1.8760, 0.0416, 0.0556, -0.2040, 1.0572)


@cache
def raw() -> list[Case]:
    levels = 64 + values((40, 48), "uint16") % 900
    lossless = imagecodecs.ljpeg_encode(levels, bitspersample=16)
    colours = np.stack([levels] * 3, axis=-1)
    made = [
        dng(levels),
        dng(levels, byteorder=">", orientation=6),
        dng(np.ascontiguousarray(levels), tile=(32, 32)),
        dng(colours, photometric=LINEAR_RAW),
    ]
    made.append(dng(iter([lossless]), shape=levels.shape, dtype="uint16", compression=7))
    return of("a.dng", made)
