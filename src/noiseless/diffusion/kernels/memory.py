"""The numbers of a scalar scheme in the dtype of an image, and the memory of the slabs between two steps."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noiseless.diffusion.kernels.conduction import KINDS
from noiseless.diffusion.kernels.rows import rows_for
from noiseless.diffusion.scalar import ScalarScheme


class Rings(NamedTuple):
    """Memory for the slabs between two steps, of each step of a pass; rows are padded."""

    u: NDArray[Any]  # (steps, channels, lag + 2, rows, padded columns)
    v: NDArray[Any]  # (steps, passes of the smoothing, channels, 4, rows, padded columns)
    g: NDArray[Any]  # (steps, 4, rows, padded columns)
    work: NDArray[Any]  # (7, padded columns)
    slots: NDArray[np.int64]  # where in u a slab is


class Numbers(NamedTuple):
    """The scheme in the image's own dtype; axes in the order slab, row, column."""

    rates: NDArray[Any]  # step_size / h^2, halved where two conductivities are added, of each step and axis
    sharpness: NDArray[Any]  # 1 / (2 h^2 contrast^2 channels) of each step, axis and channel
    kind: int
    weights: NDArray[Any]  # of the smoothing, for each axis
    passes: int


def numbers_of(volume: NDArray[Any], scheme: ScalarScheme, steps: NDArray[Any], factors: NDArray[Any]) -> Numbers:
    number = volume.dtype.type
    # The missing axis of an image has one row, across which nothing differs: its numbers do not matter.
    inverse = np.array([1.0 / size for size in scheme.spacing]) ** 2
    weights = np.array(scheme.smoothing_weights)
    if inverse.size == 2:
        inverse, weights = np.insert(inverse, 1, 0.0), np.insert(weights, 1, 0.0)
    kind = KINDS[scheme.conductivity]
    contrasts = np.multiply.outer(factors, scheme.contrasts)
    per_contrast = 0.5 / contrasts**2 / len(scheme.contrasts)
    largest = float(np.finfo(number).max) ** 0.5
    return Numbers(
        rates=(np.multiply.outer(steps, inverse) * (1.0 if kind == KINDS["homogeneous"] else 0.5)).astype(number),
        sharpness=np.minimum(per_contrast[:, np.newaxis, :] * inverse[:, np.newaxis], largest).astype(number),
        kind=kind,
        weights=weights.astype(number),
        passes=scheme.smoothing_passes,
    )


def rings_for(volume: NDArray[Any], steps: int, lag: int, numbers: Numbers) -> Rings:
    channels, _, rows, columns = volume.shape
    own = steps if lag > 1 else 0
    return Rings(
        u=rows_for((steps, channels, lag + 2, rows), columns, volume.dtype),
        v=rows_for((own, numbers.passes, channels, 4, rows), columns, volume.dtype),
        g=rows_for((0 if numbers.kind == KINDS["homogeneous"] else steps, 4, rows), columns, volume.dtype),
        work=rows_for((7,), columns, volume.dtype),
        slots=np.arange(volume.shape[1] + 2) % (lag + 2),
    )
