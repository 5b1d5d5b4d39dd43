"""The images of a stack, denoised one after another; without a window, for a thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import noiseless
from noiseless.apps.napari.layer_data import Stack
from noiseless.apps.napari.wishes import Wishes

Progress: TypeAlias = Callable[[float, str], None]
"""Told the share that is done and what is being done; an exception of it ends the work."""


@dataclass(frozen=True, eq=False)
class Result:
    """A denoised stack.

    Parameters
    ----------
    data : like that of the stack, in its dtype; a dask array for a dask array
    error : (..., Y, X) float32, half a 68 % interval for each pixel in the units of the layer, over colours the mean;
        None where it was not asked for
    structure : (..., blocks, blocks) z of squares of 16 pixels in what was removed; None where no image was tested
    limit : what pure noise exceeds anywhere in one of a hundred images
    reports : of each image, in order; empty for a lazy stack
    """

    data: Any
    error: NDArray[np.float32] | None = None
    structure: NDArray[np.float32] | None = None
    limit: float = 0.0
    reports: tuple[dict[str, Any], ...] = ()


def denoised(stack: Stack, wishes: Wishes, progress: Progress) -> Result:
    """Denoise all images of a stack, each with its own noise.

    Raises
    ------
    noiseless.NoiselessError : as of :func:`noiseless.restore_image`; of several images it says which one.
    """
    recipe, noise = wishes.recipe(), wishes.law()
    if stack.is_lazy:
        return _lazily(stack, recipe, noise, progress)
    data = np.empty(tuple(stack.data.shape), np.dtype(stack.data.dtype))
    error = np.empty(stack.shape, np.float32) if wishes.error else None
    found, reports = {}, []
    for number, index in enumerate(stack.indices()):
        turn = _Turn(number, stack.count, progress)
        with turn.named():
            restored = noiseless.restore_image(stack.image(index), recipe, noise=noise, progress=turn.told)
        data[index] = stack.like_layer(index, restored.image.stored())
        if error is not None and restored.error is not None:
            error[index] = restored.error.half68.mean(axis=0)
        if restored.audit.structure is not None:
            found[index] = restored.audit.structure
        reports.append(dict(restored.report))
    return Result(data, error, *_joined(found, stack), tuple(reports))


def _joined(found: dict[tuple[int, ...], Any], stack: Stack) -> tuple[NDArray[np.float32] | None, float]:
    """The maps of all images in one; 0 where an image was not tested."""
    if not found:
        return None, 0.0
    shape = next(iter(found.values())).z.shape
    joined = np.zeros((*stack.leading, *shape), np.float32)
    for index, structure in found.items():
        joined[index] = structure.z
    return joined, max(float(structure.limit) for structure in found.values())


def _lazily(stack: Stack, recipe: Any, noise: Any, progress: Progress) -> Result:
    """Nothing is computed yet, so nothing is found either.

    Raises
    ------
    noiseless.InvalidParameter : something is asked for that only a computed image has.
    """
    import dask.array  # there where a layer is one

    asked = {"an error map": recipe.error, "a predicted PSNR": recipe.predict, "a bound": np.isfinite(recipe.bound)}
    for name in (name for name, given in asked.items() if given):
        raise noiseless.InvalidParameter(
            f"the layer is lazy (dask) and is denoised when it is looked at, without {name}: do without, or compute it"
        )
    axis = None if stack.colours is None else -1
    parts = []
    for number, index in enumerate(stack.indices()):
        turn = _Turn(number, stack.count, progress)
        part = stack.data[index]
        with turn.named():
            clean = noiseless.denoise(
                part[..., : stack.colours],
                noise=noise,
                channel_axis=axis,
                method=recipe.method,
                model=recipe.model,
                strength=recipe.strength,
            )
        if axis is not None:
            clean = dask.array.concatenate([clean, part[..., stack.colours :]], axis=-1)
        parts.append(clean)
        turn.told(1.0, "planning")
    for length in reversed(stack.leading):
        parts = [dask.array.stack(parts[first : first + length]) for first in range(0, len(parts), length)]
    return Result(parts[0])


@dataclass(frozen=True)
class _Turn:
    """One image of several: its share of the progress, and its number in messages."""

    number: int
    count: int
    progress: Progress

    def told(self, share: float, text: str) -> None:
        words = f"image {self.number + 1} of {self.count}: {text}" if self.count > 1 else text
        self.progress((self.number + share) / self.count, words)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Within it, an error tells which image it is of."""
        self.told(0.0, "reading")
        try:
            yield
        except noiseless.NoiselessError as error:
            if self.count == 1:
                raise
            raise type(error)(f"image {self.number + 1} of {self.count}: {error}") from error
