"""What is in sight, denoised at once: a window of one picture, with the noise of the whole picture."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.napari.denoising import Progress
from noiseless.apps.napari.layer_data import Stack
from noiseless.apps.napari.wishes import Wishes

Window: TypeAlias = tuple[slice, slice]
"""Rows and columns."""

SIDE = 512
"""A preview is no wider and no higher, pixels."""

WIDEST = 4096
"""The noise is sought in a part of the picture that is no wider and no higher, pixels."""


@dataclass(frozen=True, eq=False)
class Preview:
    """A denoised window.

    Parameters
    ----------
    data : like that of the layer, of length one along each leading axis
    offset : its first pixel in the data of the layer
    report : of it, the noise as it was found in the picture
    """

    data: NDArray[Any]
    offset: tuple[int, ...]
    report: dict[str, Any]


def window_in(shape: tuple[int, int], sight: Window | None, side: int = SIDE) -> Window:
    """The middle of what is in sight, or of the picture where that is not known; at most ``side`` wide and high.

    Parameters
    ----------
    shape : rows and columns of the picture
    sight : in pixels; None: not known
    """
    found = []
    for length, seen in zip(shape, sight or (slice(0, shape[0]), slice(0, shape[1])), strict=True):
        start, stop = max(0, seen.start), min(length, seen.stop)
        if stop <= start:  # the picture is out of sight
            start, stop = 0, length
        if stop - start > side:
            start = (start + stop - side) // 2
            stop = start + side
        found.append(slice(start, stop))
    return found[0], found[1]


def preview(stack: Stack, index: tuple[int, ...], window: Window, wishes: Wishes, progress: Progress) -> Preview:
    """Denoise a window of the picture at an index along all axes but the last two; a slice of a volume by itself.

    The noise is found in the whole picture (of one wider than 4096 pixels, in the 4096 around the window), and so are
    the levels that are black and white to the denoiser.

    Raises
    ------
    noiseless.NoiselessError : as of :func:`noiseless.restore_image`.
    """
    flat = replace(stack, volumes=False)
    recipe, noise = replace(wishes.recipe(), error=False, predict=False), wishes.law()
    progress(0.0, "reading")
    around = _around(flat.shape[-2:], window)
    picture = flat.image(index, around)
    inner = _within(window[0], around[0]), _within(window[1], around[1])
    part = replace(picture, pixels=picture.pixels[:, inner[0], inner[1]])
    estimate = None
    if not isinstance(noise, noiseless.noise.NoiseModel) and part.pixels.shape != picture.pixels.shape:
        progress(0.0, "finding the noise")
        estimate = noiseless.noise.estimate_image_noise(picture, kind=noise)
        noise = _law_of(estimate, inner, noise, filtered=recipe.method_name in noiseless.diffusion.FILTERS)
    restored = noiseless.restore_image(part, recipe, noise=noise, progress=progress)
    report = dict(restored.report)
    if estimate is not None:
        report |= {**estimate.summary(), "warnings": [*estimate.warnings, *report["warnings"]]}
    data = flat.like_layer(index, restored.image.stored(), window)
    offset = (*index, window[0].start, window[1].start)
    return Preview(data[(np.newaxis,) * len(index)], offset, report)


def _around(shape: tuple[int, ...], window: Window) -> Window:
    """At most the widest part of a picture, with a window in its middle as far as the picture goes."""
    found = []
    for length, seen in zip(shape, window, strict=True):
        start = min(max(0, (seen.start + seen.stop - WIDEST) // 2), max(0, length - WIDEST))
        found.append(slice(start, min(length, start + WIDEST)))
    return found[0], found[1]


def _within(inner: slice, outer: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def _law_of(estimate: Any, window: Window, asked: str | None, *, filtered: bool) -> Any:
    """The noise of a picture in a window of it.

    Raises
    ------
    noiseless.InvalidParameter : nothing is known of it.
    """
    if estimate.confidence == 0.0:
        raise noiseless.InvalidParameter(f"the noise cannot be estimated: {estimate.reason}; give sigma")
    model = estimate.model
    if estimate.compressed and isinstance(model, noiseless.noise.Correlated):
        return asked  # the network is chosen with such noise, and not by this room
    if not isinstance(model, noiseless.noise.Gaussian) or np.ndim(model.sigma) == 0:
        return model
    level = np.asarray(model.sigma)
    if filtered and level[0].size > 1:  # a filter has one strength a channel
        level = np.sqrt(np.mean(np.square(level), axis=(1, 2), keepdims=True))
    if level[0].size > 1:
        level = level[:, window[0], window[1]]
    return noiseless.noise.Gaussian(level)
