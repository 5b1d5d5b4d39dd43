"""The data of an image layer as images: what its axes mean, and which images it holds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from numpy.typing import NDArray

import noiseless

THROUGH = ("z", "depth")
"""Labels of an axis along which slices are those of one volume."""

MOST_COLOURS = 3
"""Channels of an rgb layer that are light; a fourth is alpha."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Images along the leading axes of an array; the last two axes, or three, are those of one image.

    Parameters
    ----------
    data : (..., Y, X), for rgb (..., Y, X, 3 or 4): an array, or what gives one by its parts (zarr, dask)
    rgb : the last axis is colour, a fourth one alpha
    volumes : an image is (Z, Y, X)
    spacing : size of a pixel along each axis but colour, in millimetres; empty when unknown
    """

    data: Any
    rgb: bool = False
    volumes: bool = False
    spacing: tuple[float, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Without colour."""
        whole = tuple(int(length) for length in self.data.shape)
        return whole[:-1] if self.rgb else whole

    @property
    def leading(self) -> tuple[int, ...]:
        """Lengths of the axes along which the images lie."""
        return self.shape[: -self._space]

    @property
    def count(self) -> int:
        """Of images."""
        return int(np.prod(self.leading, dtype=np.int64))

    @property
    def is_lazy(self) -> bool:
        """Whether it is a dask array, which is computed when it is looked at."""
        return type(self.data).__module__.partition(".")[0] == "dask"

    @property
    def colours(self) -> int | None:
        """Channels that are denoised; None for gray."""
        return min(MOST_COLOURS, int(self.data.shape[-1])) if self.rgb else None

    @property
    def _space(self) -> int:
        return 3 if self.volumes else 2

    def indices(self) -> Iterator[tuple[int, ...]]:
        """Of the images, in order."""
        return np.ndindex(*self.leading)

    def image(self, index: tuple[int, ...], window: tuple[slice, ...] = ()) -> noiseless.Image:
        """One image, or a window of it, without alpha.

        Raises
        ------
        noiseless.InvalidImage : no image can be made of it: dtype, or values that are not finite.
        """
        values = self._values((*index, *(window or (slice(None),) * self._space)))
        image = noiseless.from_array(values[..., : self.colours], channel_axis=-1 if self.rgb else None)
        return replace(image, spacing=self.spacing[-self._space :])

    def like_layer(
        self, index: tuple[int, ...], channel_first: NDArray[Any], window: tuple[slice, ...] = ()
    ) -> NDArray[Any]:
        """Pixels of an image, or of a window of it, as the layer has them; alpha, if there is one, from the layer."""
        if not self.rgb:
            gray: NDArray[Any] = channel_first[0]
            return gray
        colours = np.moveaxis(channel_first, 0, -1)
        if self.colours == self.data.shape[-1]:
            return colours
        alpha = self._values((*index, *(window or (slice(None),) * self._space), slice(self.colours, None)))
        whole: NDArray[Any] = np.concatenate([colours, alpha], axis=-1)
        return whole

    def _values(self, index: tuple[Any, ...]) -> NDArray[Any]:
        values: NDArray[Any] = np.asarray(self.data[index])
        return values


def stack_of(layer: Any, *, together: bool = False) -> Stack:
    """What a layer holds; of several resolutions the finest.

    Parameters
    ----------
    together : take the last three axes as volumes, where there are as many

    Raises
    ------
    noiseless.InvalidImage : the layer is no image layer or is empty, or there is none.
    """
    check_image_layer(layer)
    data = layer.data[0] if layer.multiscale else layer.data
    if 0 in data.shape:
        raise noiseless.InvalidImage(f"{layer.name!r} is empty: its shape is {tuple(data.shape)}")
    return Stack(data, bool(layer.rgb), together and layer.ndim >= 3, _spacing(layer))


def check_image_layer(layer: Any) -> None:
    """Refuse what holds no intensities: labels, points, shapes, or no layer.

    Raises
    ------
    noiseless.InvalidImage : with one line that says which layer it is.
    """
    if layer is None:
        raise noiseless.InvalidImage("no layer is selected, or several are; select one Image layer")
    if not isinstance(layer, ImageLayer):
        kind = type(layer).__name__
        raise noiseless.InvalidImage(
            f"{layer.name!r} is a {kind} layer, which holds no intensities; select an Image layer"
        )
    if layer.ndim < 2:
        raise noiseless.InvalidImage(f"{layer.name!r} has {layer.ndim} axis; an image has 2 or more")


def is_volume(layer: Any) -> bool:
    """Whether the axes of a layer say that its slices are those of one volume."""
    return layer.ndim >= 3 and layer.axis_labels[-3].lower() in THROUGH


def described(layer: Any) -> str:
    """A layer in words: "640 x 480, colour, uint8"."""
    stack = stack_of(layer)
    sizes = " x ".join(str(length) for length in (*stack.leading, *stack.shape[-2:]))
    kinds = [kind for kind, there in (("colour", stack.rgb), ("lazy", stack.is_lazy)) if there]
    return ", ".join([sizes, *kinds, np.dtype(stack.data.dtype).name])


def _spacing(layer: Any) -> tuple[float, ...]:
    """In millimetres where the units of the layer are lengths."""
    sizes = [abs(float(scale)) * unit for scale, unit in zip(layer.scale, layer.units, strict=True)]
    if not all(size.check("[length]") for size in sizes):
        return ()
    return tuple(float(size.to("mm").magnitude) for size in sizes)
