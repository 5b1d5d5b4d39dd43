"""Between the samples of video frames and pixels: gray or RGB, of 8 or 16 bits.

The arithmetic is our own. That of FFmpeg truncates: colours of full range came out half a level darker, and those of
10 bits by up to one level, on every pass. Colours that several pixels share are given to each of them, and averaged on
the way back, so that what nobody changes returns as it was.
"""

from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from .layout import GRAY, LEAST_BITS, RGB, ColourTags, Layout

Pixels = NDArray[Any]

TOP16 = 65535


class FrameReader:
    """Makes pixels of the frames of one video."""

    def __init__(self, layout: Layout, tags: ColourTags, height: int) -> None:
        self._layout, self._tags = layout, tags
        self._to_rgb = np.linalg.inv(_luma_and_differences(tags.weights(height)))
        self._reformatter = VideoReformatter()

    def pixels(self, frame: Any) -> Pixels:
        """(Y, X) gray or (Y, X, 3) RGB; uint8, or uint16 over its whole range where a sample has more than 8 bits."""
        layout = self._layout
        planes = _planes_of(_as(self._reformatter, frame, layout.plain), layout.bits)
        if layout.kind == GRAY:
            return _rescaled(planes[0], layout.bits)
        if layout.kind == RGB:
            green, blue, red = (_rescaled(plane, layout.bits) for plane in planes)
            return np.stack([red, green, blue], axis=-1)
        height, width = planes[0].shape
        samples = np.empty((3, height, width), np.float32)
        samples[0] = planes[0]
        across, down = layout.sampling
        for plane, into in zip(planes[1:], samples[1:], strict=True):
            into[...] = np.repeat(np.repeat(plane, down, axis=0), across, axis=1)[:height, :width]
        top = 255 if layout.bits == LEAST_BITS else TOP16
        zero, span, centre, swing = _levels(layout.bits, full=self._tags.full)
        matrix = self._to_rgb * (top / np.array([span, swing, swing]))
        bias = -matrix @ np.array([zero, centre, centre])
        rgb = matrix.astype(np.float32) @ samples.reshape(3, -1)
        rgb += bias.astype(np.float32)[:, np.newaxis]
        return np.ascontiguousarray(_rounded(rgb, top).T).reshape(height, width, 3)


class FrameMaker:
    """Makes frames of pixels, in the pixel format of an encoder.

    Parameters
    ----------
    pixel_format : of the encoder
    layout : of that format
    height : of the video, which says what an unspecified matrix is
    size : (height, width) of the frames; beyond the pixels their last line and column are repeated
    """

    def __init__(
        self, pixel_format: str, layout: Layout, tags: ColourTags, *, height: int, size: tuple[int, int]
    ) -> None:
        self._format, self._layout, self._tags, self._size = pixel_format, layout, tags, size
        self._to_yuv = _luma_and_differences(tags.weights(height))
        self._reformatter = VideoReformatter()

    def frame(self, pixels: Pixels) -> Any:
        """The frame, without its time."""
        beyond = [(0, side - held) for side, held in zip(self._size, pixels.shape[:2], strict=True)]
        if any(more for _, more in beyond):
            pixels = np.pad(pixels, beyond + [(0, 0)] * (pixels.ndim - 2), mode="edge")
        height, width = self._size
        made = av.VideoFrame(width, height, self._layout.plain)
        for plane, values in zip(made.planes, self._planes(pixels), strict=True):
            rows = np.frombuffer(plane, values.dtype).reshape(values.shape[0], -1)
            rows[:, : values.shape[1]] = values
        tags = self._tags
        made.color_range = tags.range
        made.colorspace = tags.matrix
        return _as(self._reformatter, made, self._format)

    def _planes(self, pixels: Pixels) -> list[Pixels]:
        layout = self._layout
        if layout.kind == GRAY or pixels.ndim == 2:
            luma = _requantised(pixels, layout.bits)
            if layout.kind == GRAY:
                return [luma]
            if layout.kind == RGB:
                return [luma, luma, luma]
            across, down = layout.sampling
            shape = (-(-luma.shape[0] // down), -(-luma.shape[1] // across))
            neutral = np.full(shape, 2 ** (layout.bits - 1), luma.dtype)
            return [luma, neutral, neutral]
        if layout.kind == RGB:
            return [_requantised(pixels[..., channel], layout.bits) for channel in (1, 2, 0)]
        top = 255 if pixels.dtype == np.uint8 else TOP16
        zero, span, centre, swing = _levels(layout.bits, full=self._tags.full)
        matrix = self._to_yuv * (np.array([span, swing, swing]) / top)[:, np.newaxis]
        height, width = pixels.shape[:2]
        yuv = matrix.astype(np.float32) @ pixels.reshape(-1, 3).T.astype(np.float32)
        yuv += np.array([zero, centre, centre], np.float32)[:, np.newaxis]
        luma, *colours = yuv.reshape(3, height, width)
        most = 2**layout.bits - 1
        return [_rounded(plane, most) for plane in (luma, *(_averaged(c, *layout.sampling) for c in colours))]


def _luma_and_differences(weights: tuple[float, float]) -> NDArray[np.float64]:
    """From RGB in [0, 1] to luma in [0, 1] and colour differences in [-0.5, 0.5]."""
    red, blue = weights
    luma = np.array([red, 1.0 - red - blue, blue])
    towards_blue = (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 * (1.0 - blue))
    towards_red = (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 * (1.0 - red))
    return np.stack([luma, towards_blue, towards_red])


def _levels(bits: int, *, full: bool) -> tuple[int, int, int, int]:
    """Black and the span of luma, the centre and the span of colour differences, in levels."""
    centre = 2 ** (bits - 1)
    if full:
        return 0, 2**bits - 1, centre, 2**bits - 1
    unit = 2 ** (bits - LEAST_BITS)
    return 16 * unit, 219 * unit, centre, 224 * unit


def _as(reformatter: Any, frame: Any, pixel_format: str) -> Any:
    """The same samples in another arrangement; neither colours nor range are converted."""
    name = frame.format.name
    if name == pixel_format or name.replace("yuvj", "yuv") == pixel_format:
        return frame
    span = 2 if name.startswith("yuvj") or frame.color_range == 2 else 1
    return reformatter.reformat(frame, format=pixel_format, src_color_range=span, dst_color_range=span)


def _planes_of(frame: Any, bits: int) -> list[Pixels]:
    kind = np.dtype(np.uint8 if bits == LEAST_BITS else "<u2")
    return [
        np.frombuffer(plane, kind).reshape(plane.height, plane.line_size // kind.itemsize)[:, : plane.width]
        for plane in frame.planes
    ]


def _rescaled(plane: Pixels, bits: int) -> Pixels:
    """Samples of some bits as pixels of 8 or 16."""
    if bits in (LEAST_BITS, 16):
        return np.ascontiguousarray(plane)
    most = 2**bits - 1
    rescaled: Pixels = (plane.astype(np.uint32) * TOP16 + most // 2) // most
    return rescaled.astype(np.uint16)


def _requantised(pixels: Pixels, bits: int) -> Pixels:
    """Pixels of 8 or 16 bits as samples of some bits."""
    top, most = (255 if pixels.dtype == np.uint8 else TOP16), 2**bits - 1
    if top == most:
        return pixels
    kind = np.uint8 if bits == LEAST_BITS else np.uint16
    requantised: Pixels = (pixels.astype(np.uint32) * most + top // 2) // top
    return requantised.astype(kind)


def _averaged(plane: Pixels, across: int, down: int) -> Pixels:
    """The mean of each block of pixels that shares one colour; blocks at the edge may be smaller."""
    if (across, down) == (1, 1):
        return plane
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % down), (0, -width % across)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // down, down, padded.shape[1] // across, across)
    mean: Pixels = blocks.mean(axis=(1, 3))
    return mean


def _rounded(values: Pixels, most: int) -> Pixels:
    """Whole numbers from 0 to ``most``; ``values`` are overwritten."""
    np.rint(values, out=values)
    np.clip(values, 0, most, out=values)
    return values.astype(np.uint8 if most == 255 else np.uint16)
