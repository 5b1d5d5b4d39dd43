"""Results as layers that lie where the noisy one lies, with its name, units, contrast and colours."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from napari.utils.transforms import Affine

import noiseless
from noiseless.apps.napari.denoising import Result
from noiseless.apps.napari.previewing import Preview
from noiseless.apps.viewer import pictures

State: TypeAlias = Mapping[str, Any]
"""Of a layer: what it is made with, besides its data."""

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""Data, what to make a layer with, and its kind."""

PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
"""What says where a layer lies."""

KEY, PREVIEW = "noiseless", "preview"
"""In the metadata of a result, and in there of one that is for a while."""

BLOCK = 16
"""Pixels along a side of a square in which structure is sought."""


def layers_of(result: Result, state: State, *, structure: bool) -> list[LayerData]:
    """The denoised layer, and the maps that there are, out of sight at first.

    Parameters
    ----------
    state : of the noisy layer
    structure : whether its map is wanted; it comes without that where structure was found
    """
    name = state["name"]
    layers = [_like(state, result.data, f"{name} denoised", {**state["metadata"], KEY: _record(result, name)})]
    if result.error is not None:
        text = "half an interval in which the true value lies in 68 of 100 pixels, in the units of the layer"
        layers.append(_map(result.error, state, f"{name} error", pictures.limit_of(result.error), text))
    found = result.structure
    if found is not None and (structure or found.max() > result.limit):
        text = (
            f"z of squares of {BLOCK} pixels of what was removed; above {result.limit:.3g} some of the picture went too"
        )
        middle = (BLOCK - 1) / 2.0
        coarse = [*[1.0] * (found.ndim - 2), BLOCK, BLOCK]
        place = {
            **state,
            "scale": [step * size for step, size in zip(state["scale"], coarse, strict=True)],
            "translate": moved(state, [*[0.0] * (found.ndim - 2), middle, middle]),
        }
        layers.append(_map(found, place, f"{name} structure", 2.0 * result.limit, text))
    return layers


def layer_of_preview(preview: Preview, state: State) -> LayerData:
    """A layer over the part of the noisy one that it shows."""
    record = {"of": state["name"], PREVIEW: True, "reports": [preview.report]}
    place = {**state, "translate": moved(state, preview.offset)}
    return _like(place, preview.data, f"{KEY} {PREVIEW}", {**state["metadata"], KEY: record})


def moved(state: State, offset: Sequence[float]) -> list[float]:
    """The ``translate`` of a layer whose first pixel is the one at ``offset`` in the data of another."""
    place = Affine(scale=state["scale"], translate=state["translate"], rotate=state["rotate"], shear=state["shear"])
    return [float(value) for value in np.asarray(place(list(offset)))]


def _like(state: State, data: Any, name: str, metadata: dict[str, Any]) -> LayerData:
    same = {key: value for key, value in state.items() if key != "locked_data_level"}
    return data, {**same, "name": name, "metadata": metadata, "multiscale": False, "visible": True}, "image"


def _map(values: Any, state: State, name: str, limit: float, text: str) -> LayerData:
    place = {key: state[key] for key in PLACE if key in state}
    look = {"colormap": "inferno", "contrast_limits": (0.0, limit), "blending": "translucent_no_depth"}
    return values, {**place, **look, "name": name, "visible": False, "metadata": {KEY: {"meaning": text}}}, "image"


def _record(result: Result, name: str) -> dict[str, Any]:
    return {"version": noiseless.__version__, "of": name, "reports": list(result.reports)}
