"""How a TIFF file lays out its pixels: read from one file, given to the next."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.image import Image

logger = logging.getLogger(__name__)

MINISWHITE, MINISBLACK, RGB = 0, 1, 2
UNSPECIFIED, PREMULTIPLIED, STRAIGHT = 0, 1, 2

DEFLATE = 8
LOSSLESS = (1, 5, DEFLATE, 32773, 34925, 50000)
"""None, LZW, Deflate, PackBits, LZMA, Zstandard: what tifffile writes without loss and others read."""
PREDICTABLE = (5, DEFLATE, 34925, 50000)
BY_DIFFERENCE, BY_FLOAT = 2, 3
LARGEST_CLASSIC = 2**32 - 2**25  # offsets have 32 bits; the tags need room too

Rational = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """The layout of a file.

    Parameters
    ----------
    byteorder : "<" or ">"
    axes : tifffile's letters, leading ones first; see ``pages``.
    photometric : 0 white is zero, 1 black is zero, 2 RGB.
    alpha : what the last sample is: 0 unspecified, 1 premultiplied (and opaque), 2 straight; None when no alpha.
    predictor : None lets the writer choose.
    tile : height and width, or None for strips.
    resolution : pixels a unit along X and Y, and the unit: 1 none, 2 inch, 3 centimetre.
    """

    byteorder: str
    axes: str
    photometric: int
    alpha: int | None
    compression: int = DEFLATE
    predictor: int | None = None
    tile: tuple[int, int] | None = None
    resolution: tuple[Rational, Rational, int] | None = None
    is_big: bool = False

    @property
    def per_unit(self) -> tuple[float, float] | None:
        """Pixels a unit along X and Y."""
        if self.resolution is None:
            return None
        x, y, _ = self.resolution
        return x[0] / x[1], y[0] / y[1]


def layout_for(image: Image, byteorder: str) -> Layout:
    """The source's layout where it fits the image, or else a plain one."""
    source = image.header.get("tiff_layout")
    if source is not None and _fits(source, image):
        return source  # type: ignore[no-any-return]
    if source is not None:
        byteorder = source.byteorder  # that of the tags that are carried along
    alpha = STRAIGHT if image.alpha is not None else None
    dpi = image.header.get("dpi")
    return Layout(
        byteorder=byteorder,
        axes=("Z" if image.axes == "CZYX" else "") + ("YX" if image.channels == 1 and alpha is None else "YXS"),
        photometric=RGB if image.channels == 3 else MINISBLACK,
        alpha=alpha,
        resolution=(_rational(dpi[0]), _rational(dpi[1]), 2) if dpi else None,
    )


def writer_options(layout: Layout, samples: NDArray[Any]) -> dict[str, Any]:
    """The layout in the words of ``tifffile.TiffWriter.write``; ``samples`` is (C, *space), alpha included."""
    compression, predictor = layout.compression, layout.predictor
    fitting = BY_FLOAT if samples.dtype.kind == "f" else BY_DIFFERENCE
    if compression not in LOSSLESS:
        logger.info("TIFF compression %d is lossy or cannot be written; Deflate takes its place", compression)
        compression, predictor = DEFLATE, None
    is_predicted = compression in PREDICTABLE and predictor in (None, fitting)
    options: dict[str, Any] = {
        "photometric": layout.photometric,
        "compression": compression,
        "predictor": fitting if is_predicted else None,
        "tile": layout.tile,
        "metadata": None,
        "software": False,
    }
    if "S" in layout.axes:
        options["planarconfig"] = 2 if layout.axes.endswith("SYX") else 1
        surplus = len(samples) - (3 if layout.photometric == RGB else 1)
        if surplus:
            options["extrasamples"] = (UNSPECIFIED if layout.alpha is None else layout.alpha,) * surplus
    if layout.resolution:
        *options["resolution"], options["resolutionunit"] = layout.resolution
    return options


def needs_big(layout: Layout, samples: NDArray[Any]) -> bool:
    return layout.is_big or samples.nbytes > LARGEST_CLASSIC


def _fits(layout: Layout, image: Image) -> bool:
    has_alpha = image.alpha is not None
    has_samples = any(letter in "CS" for letter in layout.axes)
    return bool(
        has_samples == (image.channels > 1 or has_alpha)
        and len(layout.axes) == len(image.space) + has_samples
        and (layout.alpha is not None) == has_alpha
        and (layout.photometric != RGB or image.channels == 3)
    )


def _rational(value: float) -> Rational:
    return (round(value), 1) if value == np.rint(value) else (round(value * 10000), 10000)
