"""The layer that is selected in a viewer: what of it is in sight, and what to do with its results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer

import noiseless
from noiseless.apps.napari import previewing, result_layers
from noiseless.apps.napari.denoising import Progress, Result, denoised
from noiseless.apps.napari.layer_data import Stack, check_image_layer, stack_of
from noiseless.apps.napari.wishes import Wishes


@dataclass(frozen=True, eq=False)
class Order:
    """A layer as it is now, and what is wished of it; for a thread.

    Parameters
    ----------
    stack : its images
    state : its name, place and look
    wishes : how to denoise
    index : along all axes but the last two, of the picture in sight
    window : of that picture
    """

    stack: Stack
    state: dict[str, Any]
    wishes: Wishes
    index: tuple[int, ...]
    window: previewing.Window

    def denoised(self, progress: Progress) -> Result:
        """The whole layer."""
        return denoised(self.stack, self.wishes, progress)

    def preview(self, progress: Progress) -> previewing.Preview:
        """The window."""
        return previewing.preview(self.stack, self.index, self.window, self.wishes, progress)

    def layers(self, result: Result) -> list[result_layers.LayerData]:
        return result_layers.layers_of(result, self.state, structure=self.wishes.structure)


def order(viewer: Any, wishes: Wishes, *, together: bool = False) -> Order:
    """What is wished of the selected layer of a viewer.

    Raises
    ------
    noiseless.NoiselessError : no image layer is selected, or the wishes contradict.
    """
    layer = selected(viewer)
    check_image_layer(layer)
    if _is_preview(layer):
        raise noiseless.InvalidImage("the preview is selected; select the layer that it is of")
    stack = stack_of(layer, together=together)
    for check in (wishes.recipe, wishes.law):
        check()
    _, state, _ = layer.as_layer_data_tuple()
    index, window = in_sight(viewer, layer, stack.shape)
    return Order(stack, state, wishes, index, window)


def selected(viewer: Any) -> Any:
    """The one that is selected, or None."""
    return viewer.layers.selection.active


def in_sight(viewer: Any, layer: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], previewing.Window]:
    """Which picture of a layer is shown, and the window of it that is to be previewed.

    The picture is that of the last two axes. Where others are shown, or three at once, the window is in its middle.
    """
    place = np.rint(np.asarray(layer.world_to_data(viewer.dims.point), dtype=float)).astype(int)
    index = tuple(int(np.clip(at, 0, length - 1)) for at, length in zip(place[:-2], shape[:-2], strict=True))
    last = (viewer.dims.ndim - 2, viewer.dims.ndim - 1)
    sight = None
    if viewer.dims.ndisplay == len(last) and sorted(viewer.dims.displayed) == list(last):
        level = np.asarray(layer.downsample_factors)[layer.data_level][-2:] if layer.multiscale else np.ones(2)
        corners = np.asarray(layer.corner_pixels)[:, -2:] * level
        first, end = np.floor(corners[0]).astype(int), np.ceil(corners[1] + level).astype(int)
        sight = slice(int(first[0]), int(end[0])), slice(int(first[1]), int(end[1]))
    return index, previewing.window_in((shape[-2], shape[-1]), sight)


def added(viewer: Any, layers: Sequence[result_layers.LayerData]) -> list[Any]:
    """Add layers to a viewer; the selected one stays selected."""
    before = selected(viewer)
    made = [viewer.add_layer(Layer.create(*layer)) for layer in layers]
    if before is not None and before in viewer.layers:
        viewer.layers.selection.active = before
    return made


def without_preview(viewer: Any) -> None:
    """Remove the layer of a preview, if it is there."""
    for layer in [layer for layer in viewer.layers if _is_preview(layer)]:
        viewer.layers.remove(layer)


def _is_preview(layer: Any) -> bool:
    return bool(result_layers.PREVIEW in layer.metadata.get(result_layers.KEY, {}))
