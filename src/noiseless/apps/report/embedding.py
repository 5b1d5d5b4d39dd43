"""Pictures inside a page: how large, in which coding, and what of that a reader should know."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.apps.viewer import pictures

SIDE = 2048
"""The most pixels along a side of a picture of eight bits."""

PACKED_SIDE = 1024
"""The same of values whose window a reader may move: they are kept without loss, and noise does not compress."""

EXACT = 1_200_000
"""Up to so many bytes of pixels a picture is kept as PNG; beyond, as JPEG."""

QUALITIES, HEAVY = (92, 86, 78, 68), 1_300_000
"""Of JPEG, with all the colours: the first by which a picture has at most so many bytes, or the last."""

PART = 16
"""Of the noise: the step of values that are kept for a window. What is lost has 1/55 of the noise's strength."""

MAP_SIDE = 1024

MAGIC = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp", b"GIF8": "gif"}


@dataclass(frozen=True)
class Embedded:
    """A picture as a data URI.

    Parameters
    ----------
    uri : of it
    width, height : pixels
    quality : of JPEG; None where no pixel was changed by coding
    """

    uri: str
    width: int
    height: int
    quality: int | None = None


def uri_of(data: bytes) -> str:
    """A data URI of a picture's file, whose kind its first bytes tell."""
    kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), "png")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def smaller(values: NDArray[Any], side: int) -> NDArray[Any]:
    """Means over areas, so that the longer of the last two axes has at most ``side``; as it is where it has.

    Parameters
    ----------
    values : (C, Y, X)
    """
    height, width = values.shape[-2:]
    if max(height, width) <= side:
        return values
    from PIL import Image as Picture  # slow to import, and needed only by who makes a report

    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    planes = [
        np.asarray(Picture.fromarray(np.ascontiguousarray(plane, np.float32)).resize(size, Picture.Resampling.BOX))
        for plane in values
    ]
    means = np.stack(planes)
    return np.rint(means).astype(values.dtype) if values.dtype.kind in "iu" else means.astype(values.dtype)


def embedded(levels: pictures.Bytes) -> Embedded:
    """A picture of eight bits: PNG where it is small, else JPEG of high quality."""
    height, width = levels.shape[:2]
    if levels.size <= EXACT:
        return Embedded(uri_of(pictures.png(levels)), width, height)
    data, quality = b"", 0
    for quality in QUALITIES:
        data = jpeg(levels, quality)
        if len(data) <= HEAVY:
            break
    return Embedded(uri_of(data), width, height, quality)


def jpeg(levels: pictures.Bytes, quality: int) -> bytes:
    """With all the colours of each pixel."""
    import imagecodecs

    return bytes(
        imagecodecs.jpeg8_encode(np.ascontiguousarray(levels), level=quality, subsampling="444", optimize=True)
    )


def mapped(values: NDArray[Any], limit: float, *, signed: bool) -> Embedded:
    """A map (Y, X) in colours, as PNG with a palette: from ``-limit`` to ``limit``, or from 0."""
    from PIL import Image as Picture

    low = -limit if signed else 0.0
    codes = np.rint(np.clip((values - low) / (limit - low), 0.0, 1.0) * 254.0).astype(np.uint8)
    picture = Picture.fromarray(codes, "L").convert("P")
    picture.putpalette(_ramp(signed=signed).tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return Embedded(uri_of(file.getvalue()), codes.shape[1], codes.shape[0])


def scale_of_colours(*, signed: bool) -> str:
    """The colours of a map side by side, as a data URI."""
    return uri_of(pictures.png(np.ascontiguousarray(_ramp(signed=signed)[np.newaxis])))


def _ramp(*, signed: bool) -> pictures.Bytes:
    low, colours = (-1.0, pictures.diverging) if signed else (0.0, pictures.sequential)
    return colours(np.linspace(low, 1.0, 255)[np.newaxis], 1.0)[0:1].reshape(-1, 3)


@dataclass(frozen=True)
class Packing:
    """How values lie in 16 bits: value = base + step * code."""

    base: float
    step: float

    def pack(self, values: NDArray[Any]) -> Embedded:
        """(Y, X) as a gray PNG of twice its height: the high bytes above the low ones."""
        codes = np.rint((values.astype(np.float64) - self.base) / self.step).clip(0, 65535).astype(np.uint16)
        both = np.concatenate([codes >> 8, codes & 255]).astype(np.uint8)
        return Embedded(uri_of(pictures.png(both)), codes.shape[1], codes.shape[0])

    def summary(self) -> Mapping[str, float]:
        """For the script of the page."""
        return {"base": self.base, "step": self.step}


def packing_for(values: NDArray[Any], sigma: float) -> Packing:
    """For values of any kind, in steps of a part of the noise or, of integers, of one if that is more."""
    low, high = float(values.min()), float(values.max())
    step = max(sigma / PART, (high - low) / 65535.0)
    if values.dtype.kind in "iu":
        step = max(1.0, float(np.floor(step)))
        if (high - low) / step > 65535.0:
            step += 1.0
    return Packing(low, step or 1.0)
