"""Weights on disk: safetensors with a card. Never a pickle, so reading a file never runs code."""

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from noiseless.argument_checks import whole, word
from noiseless.atomic import replacing
from noiseless.errors import IncompatibleCheckpoint, InvalidParameter
from noiseless.names import lookup
from noiseless.score.architecture import ResidualShape
from noiseless.score.card import card_of, content_of

# What the header of our files calls the card.
CARD_KEY = "noiseless"

MOST_LISTED = 6
"""Kernels of one kind in an error."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network: its shape, its kernels and its card.

    Parameters
    ----------
    shape : enough to build the network in any engine
    kernels : float32 array for every name in ``shape.kernel_shapes()``
    card : data, licence, recipe, steps and scores, as plain JSON values
    """

    shape: ResidualShape
    kernels: Mapping[str, NDArray[np.float32]]
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over the kernels in half precision: the same for the same weights, whatever the card says."""
        total = hashlib.sha256()
        for name in self.shape.kernel_shapes():
            total.update(np.ascontiguousarray(self.kernels[name], dtype="<f2").tobytes())
        return total.hexdigest()


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint in half precision; the file appears whole or not at all, and replaces one of that name.

    Raises
    ------
    UnwritableFile : the folder cannot be written.
    """
    card = {**checkpoint.card, "shape": asdict(checkpoint.shape), "sha256": checkpoint.digest}
    tensors = {name: np.ascontiguousarray(value, dtype=np.float16) for name, value in checkpoint.kernels.items()}
    with replacing(path, overwrite=True) as temporary:
        temporary.write_bytes(save_tensors(tensors, metadata={CARD_KEY: json.dumps(card)}))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and check it, whole, against the shape its card states.

    Raises
    ------
    UnreadableFile : missing, a directory, or not to be read.
    IncompatibleCheckpoint : damaged, without our card, or with missing, unexpected or misshapen kernels (all named).
    """
    return decode(content_of(path, "checkpoint"), name=str(path))


def decode(content: bytes, *, name: str) -> Checkpoint:
    """A checkpoint from the bytes of its file; ``name`` is what the messages call it."""
    remedy = "use a file that `noiseless train` wrote"
    try:
        tensors = load_tensors(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise IncompatibleCheckpoint(f"{name} is not a safetensors file, or is damaged; {remedy}") from error
    try:
        card = card_of(content, CARD_KEY)
        shape = ResidualShape(**card.pop("shape"))
        if not isinstance(card.get("recipe", {}), dict):
            raise TypeError("the recipe is no object")
    except (KeyError, TypeError, ValueError, AttributeError, InvalidParameter) as error:
        raise IncompatibleCheckpoint(f"{name} has no noiseless card, so its network is unknown; {remedy}") from error
    expected = shape.kernel_shapes()
    missing = sorted(set(expected) - set(tensors))
    unexpected = sorted(set(tensors) - set(expected))
    misshapen = sorted(key for key in set(expected) & set(tensors) if tensors[key].shape != expected[key])
    if missing or unexpected or misshapen:
        raise IncompatibleCheckpoint(
            f"{name} does not fit its own card: missing {_listed(missing)}, unexpected {_listed(unexpected)}, "
            f"misshapen {_listed(misshapen)}; {remedy}"
        )
    kernels = {key: tensors[key].astype(np.float32) for key in expected}
    if not all(np.isfinite(kernel).all() for kernel in kernels.values()):
        raise IncompatibleCheckpoint(f"{name} holds weights that are not finite; {remedy}")
    checkpoint = Checkpoint(shape, kernels, card)
    if card.get("sha256") not in (None, checkpoint.digest):
        raise IncompatibleCheckpoint(f"the weights in {name} do not match the sha256 of its card; {remedy}")
    return checkpoint


def shipped() -> Mapping[str, Any]:
    """The checkpoints inside the package: name, such as "base-gray", to a readable resource."""
    folder = resources.files("noiseless.score") / "weights"
    files = [item for item in folder.iterdir() if item.name.endswith(".safetensors")]
    return {item.name.removesuffix(".safetensors"): item for item in sorted(files, key=lambda item: item.name)}


def model_names() -> tuple[str, ...]:
    """The networks that ship, as recipes name them: those for gray and colour first, then those for one of them."""
    names = {name.rpartition("-")[0] for name in shipped()}
    return tuple(sorted(names, key=lambda name: (f"{name}-gray" not in shipped(), name)))


def load_shipped(name: str) -> Checkpoint:
    """A checkpoint inside the package by its full name, such as "base-gray".

    Raises
    ------
    UnknownName : there is none of that name; the message suggests the nearest.
    """
    return decode(lookup(shipped(), name, kind="shipped model").read_bytes(), name=name)


def load_model(model: str, channels: int) -> Checkpoint:
    """A shipped model by name, or any checkpoint by its path.

    Parameters
    ----------
    model : "base", … or the path of a ``.safetensors`` file
    channels : 1 for gray, 3 for colour

    Raises
    ------
    UnknownName : no shipped model of that name; the message suggests the nearest.
    IncompatibleCheckpoint : the file is for another number of channels, or damaged.
    """
    if whole("channels", channels, 1, "1 for gray, 3 for colour") not in (1, 3):
        raise InvalidParameter(f"channels is {channels}; there are networks for 1, gray, and for 3, colour")
    kind = {1: "gray", 3: "colour"}[channels]
    if _is_path(model):
        checkpoint = load(Path(model))
    else:
        ending = f"-{kind}"
        sizes = {name.removesuffix(ending): item for name, item in shipped().items() if name.endswith(ending)}
        lookup(sizes, model, kind=f"{kind} model")
        checkpoint = load_shipped(model + ending)
    if checkpoint.shape.channels != channels:
        raise IncompatibleCheckpoint(
            f"{model} is a network for {checkpoint.shape.channels} channel(s), the image has {channels}; "
            "use one trained for it"
        )
    return checkpoint


@functools.cache
def model_reach(model: str) -> int:
    """Pixels that an output pixel of a model can depend on: the largest over its gray and colour network."""
    return max(checkpoint.shape.reach for checkpoint in _networks(model))


def is_blind(model: str) -> bool:
    """Whether a model was trained on the noise of cameras, and so finds level and correlation for itself.

    Raises
    ------
    InvalidParameter, UnknownName : ``model`` is no text, or there is no such model.
    """
    return _is_blind(word("model", model, "the name of a shipped model, or the path of a checkpoint"))


@functools.cache
def _is_blind(model: str) -> bool:
    return any(checkpoint.card.get("recipe", {}).get("objective") == "camera" for checkpoint in _networks(model))


def _networks(model: str) -> tuple[Checkpoint, ...]:
    """The networks of a model: that of a file, or the gray and the colour one, as far as they are shipped."""
    if _is_path(model):
        return (load(Path(model)),)
    found = [name for name in shipped() if name.rpartition("-")[0] == model]
    if not found:
        lookup({name.rpartition("-")[0]: name for name in shipped()}, model, kind="model")
    return tuple(load_shipped(name) for name in found)


def _listed(keys: list[str]) -> str:
    """As many as fit into a line."""
    shown = ", ".join(repr(key[:40]) for key in keys[:MOST_LISTED])
    return f"[{shown}]" if len(keys) <= MOST_LISTED else f"[{shown} and {len(keys) - MOST_LISTED} more]"


def _is_path(model: str) -> bool:
    word("model", model, "the name of a shipped model, or the path of a checkpoint")
    return model.endswith(".safetensors") or os.sep in model
