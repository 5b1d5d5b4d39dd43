"""A density of patches on disk: safetensors with a card, as networks have."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from noiseless.atomic import replacing
from noiseless.errors import IncompatibleCheckpoint
from noiseless.score.card import card_of, content_of

CARD_KEY = "noiseless-density"


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussian-mixture experts on the coefficients of square patches.

    Parameters
    ----------
    basis : (side^2, side^2) float32, orthonormal rows; the first is constant.
    weights : (experts,) float32 > 0, of sum 1
    variances : (experts, side^2 - 1) float32 > 0, of each coefficient but the first
    card : data, licence, recipe and scores, as plain JSON values
    """

    basis: NDArray[np.float32]
    weights: NDArray[np.float32]
    variances: NDArray[np.float32]
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """Of a patch, in pixels."""
        return math.isqrt(len(self.basis))

    @property
    def digest(self) -> str:
        """SHA-256 over the three arrays: the same for the same density, whatever the card says."""
        total = hashlib.sha256()
        for part in (self.basis, self.weights, self.variances):
            total.update(np.ascontiguousarray(part, dtype="<f4").tobytes())
        return total.hexdigest()


def save_density(mixture: Mixture, path: Path) -> None:
    """Write a density; the file appears whole or not at all, and replaces one of that name."""
    tensors = {"basis": mixture.basis, "weights": mixture.weights, "variances": mixture.variances}
    card = {**mixture.card, "sha256": mixture.digest}
    content = save_tensors(tensors, metadata={CARD_KEY: json.dumps(card)})
    with replacing(path, overwrite=True) as temporary:
        temporary.write_bytes(content)


def load_density(path: Path | None = None) -> Mixture:
    """The density in a file; None is the one that ships.

    Raises
    ------
    UnreadableFile : missing, a directory, or not to be read.
    IncompatibleCheckpoint : as for :func:`decode`.
    """
    if path is None:
        file = resources.files("noiseless.score") / "weights" / "densities" / "experts.safetensors"
        return decode(file.read_bytes(), name="experts")
    return decode(content_of(path, "density"), name=str(path))


def decode(content: bytes, *, name: str) -> Mixture:
    """A density from the bytes of its file, checked; ``name`` is what the messages call it.

    Raises
    ------
    IncompatibleCheckpoint : damaged, not a density, or its parts do not fit one another; all that is wrong is named.
    """
    remedy = "use a file that `noiseless train --model experts` wrote"
    try:
        tensors = load_tensors(content)
        card = card_of(content, CARD_KEY)
        mixture = Mixture(tensors["basis"], tensors["weights"], tensors["variances"], card)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise IncompatibleCheckpoint(f"{name} holds no density of patches, or is damaged; {remedy}") from error
    size, experts = len(mixture.basis), len(mixture.weights)
    wrong = []
    if mixture.basis.shape != (size, size) or mixture.side**2 != size:
        wrong.append(f"a basis of shape {mixture.basis.shape}")
    elif not (np.abs(mixture.basis) < 1.001).all() or (
        np.abs(mixture.basis @ mixture.basis.T - np.eye(size)).max() > 1e-4
    ):  # entries beyond 1, or NaN, need no product
        wrong.append("a basis that is not orthonormal")
    if mixture.variances.shape != (experts, size - 1):
        wrong.append(f"variances of shape {mixture.variances.shape} for {experts} experts on {size} pixels")
    if not all(np.isfinite(part).all() and (part > 0).all() for part in (mixture.weights, mixture.variances)):
        wrong.append("weights or variances that are not finite and above 0")
    if card.get("sha256") != mixture.digest:
        wrong.append("arrays that do not match the sha256 of its card")
    if wrong:
        raise IncompatibleCheckpoint(f"{name} has {', '.join(wrong)}; {remedy}")
    return mixture
