"""Image: the one value that crosses rooms. Pixels, the meaning of their axes, and the way back to stored values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import number, positive, shown
from noiseless.errors import InvalidImage, InvalidParameter

FloatArray: TypeAlias = NDArray[np.float32]

SPATIAL = "ZYX"

LARGEST_VALUE, SMALLEST_SPAN = 1e37, 1e-37
"""Of stored floats: a tenth of what float32 holds, so that neither their differences nor their scale leave it."""

DIMMEST = 1e-6
"""The brightest value of an image in the range 0 to 1, below which it is taken to be in another unit."""

LARGEST_PIXEL = 1e8
"""Beyond the nominal range: squares of gradients are multiplied in float32, and an image of such contrast is none."""


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels in float32 with nominal range [0, 1], never clipped, and how they were stored.

    stored value = scale * pixel + offset

    Parameters
    ----------
    pixels : (C, *space) float32 array, one dimension a letter of ``axes``. Kept as a read-only view.
    axes : "CYX" or "CZYX"
    scale, offset : float, in stored units. ``scale > 0``.
    stored_dtype : name of the NumPy dtype that :meth:`stored` gives back.
    spacing : size of a pixel along each spatial axis, in millimetres; empty when unknown.
    alpha : (Y, X) array in the stored dtype, or None. Carried along, never denoised.
    mask : (*space) bool array, False where pixels say nothing of the noise (air, padding); None: all do.
    volumes : how many volumes, or pictures one plane thick, lie behind one another along Z. Each is denoised by itself.
    header : the file format's own metadata, which its writer gives back.

    Raises
    ------
    InvalidImage : the pixels do not fit ``axes``, ``mask`` or ``volumes``, are empty, or are not finite.
    InvalidParameter : the scale is not above 0, or it or the offset is not finite.
    """

    pixels: FloatArray
    axes: str = "CYX"
    scale: float = 1.0
    offset: float = 0.0
    stored_dtype: str = "float32"
    spacing: tuple[float, ...] = ()
    alpha: NDArray[Any] | None = None
    mask: NDArray[np.bool_] | None = None
    volumes: int = 1
    header: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels, dtype=np.float32)
        if self.axes not in ("CYX", "CZYX") or pixels.ndim != len(self.axes):
            raise InvalidImage(f"pixels of shape {pixels.shape} do not fit the axes {self.axes!r}; use CYX or CZYX")
        if pixels.size == 0:
            raise InvalidImage(f"the image is empty: its shape is {pixels.shape}")
        if self.mask is not None and (self.mask.dtype != bool or self.mask.shape != pixels.shape[1:]):
            raise InvalidImage(
                f"the mask has type {self.mask.dtype} and shape {self.mask.shape}; "
                f"give bool in the shape {pixels.shape[1:]}"
            )
        if self.volumes < 1 or (self.volumes > 1 and (self.axes != "CZYX" or pixels.shape[1] % self.volumes)):
            raise InvalidImage(f"{self.volumes} volumes do not fit pixels of shape {pixels.shape} along Z")
        check_finite(pixels)
        positive("scale", self.scale, "it is the stored value of white less that of black")
        number("offset", self.offset, "it is the stored value of black")
        view = pixels.view()
        view.flags.writeable = False
        object.__setattr__(self, "pixels", view)

    @property
    def channels(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def space(self) -> tuple[int, ...]:
        return tuple(self.pixels.shape[1:])

    def with_pixels(self, pixels: FloatArray) -> "Image":
        """The same image (scale, header, alpha) with other pixels of the same shape."""
        if pixels.shape != self.pixels.shape:
            raise InvalidImage(f"the new pixels have shape {pixels.shape}, the image has {self.pixels.shape}")
        return replace(self, pixels=pixels)

    def volume(self, number: int) -> "Image":
        """One of the volumes by itself, the first is 0; a picture (C, Y, X) where it is one slice thick."""
        depth = self.pixels.shape[1] // self.volumes
        if depth == 1:
            mask = None if self.mask is None else self.mask[number]
            pixels, spacing = self.pixels[:, number], self.spacing[1:]
            return replace(self, axes="CYX", pixels=pixels, spacing=spacing, mask=mask, alpha=None, volumes=1)
        window = slice(number * depth, (number + 1) * depth)
        mask = None if self.mask is None else self.mask[window]
        return replace(self, pixels=self.pixels[:, window], mask=mask, alpha=None, volumes=1)

    def in_stored_units(self) -> NDArray[np.floating[Any]]:
        """The pixels in stored units, channel first, neither rounded nor clipped; float64 for dtypes of 32 bits on."""
        # float32 holds integers only up to 2**24; the way back to 32-bit integers is taken in float64.
        wide = np.dtype(self.stored_dtype).itemsize >= 4
        values = np.multiply(self.pixels, self.scale, dtype=np.float64 if wide else np.float32)
        values += self.offset
        return values

    def stored(self) -> NDArray[Any]:
        """The pixels in stored units and dtype, channel first; integers are rounded and clipped to their range."""
        dtype = np.dtype(self.stored_dtype)
        values = self.in_stored_units()
        if dtype.kind in "iu":
            bounds = np.iinfo(dtype)
            # The largest integers of 64 bits are no floats: the one above them would wrap around.
            most = np.array(bounds.max, dtype=values.dtype)
            most = most if int(most) <= bounds.max else np.nextafter(most, most.dtype.type(0))
            np.clip(np.rint(values, out=values), bounds.min, most, out=values)
        elif dtype.kind == "f" and dtype.itemsize <= 4:
            bound = float(np.finfo(dtype).max)
            np.clip(values, -bound, bound, out=values)
        return values.astype(dtype)


def check_finite(pixels: NDArray[Any]) -> None:
    """Refuse NaN and infinity, and say how many there are and where the first one is.

    Raises
    ------
    InvalidImage : a value is NaN or infinite.
    """
    finite = np.isfinite(pixels)
    if finite.all():
        return
    bad = int(finite.size - np.count_nonzero(finite))
    first = tuple(int(index) for index in np.unravel_index(int(np.argmin(finite)), finite.shape))
    raise InvalidImage(
        f"{bad} of {finite.size} pixels are NaN or infinite, the first at {first}; replace them before denoising"
    )


def as_values(array: Any) -> NDArray[Any]:
    """What a caller gives as an array of NumPy.

    Raises
    ------
    InvalidImage : rows of unequal length, or a masked array whose mask hides something: what lies there is no image.
    """
    hidden = int(np.count_nonzero(np.ma.getmaskarray(array))) if isinstance(array, np.ma.MaskedArray) else 0
    if hidden:
        raise InvalidImage(
            f"the array is masked at {hidden} of {array.size} places; fill these first: array.filled(value)"
        )
    try:
        return np.asarray(array)
    except ValueError as error:
        raise InvalidImage(f"no array can be made of {type(array).__name__}: {error}") from None


def check_magnitude(values: NDArray[Any]) -> None:
    """Refuse floats that float32 does not hold, or whose differences it does not: they would be infinite as pixels.

    Raises
    ------
    InvalidImage : a value is too far from 0, or all are so near to it that nothing would be left of them.
    """
    low, high = np.longdouble(values.min()), np.longdouble(values.max())
    if 0.0 < max(-low, high) < SMALLEST_SPAN:
        raise InvalidImage(
            f"the values lie between {low:g} and {high:g}, and pixels in float32 begin at {SMALLEST_SPAN:g}; "
            "use another unit"
        )
    if max(-low, high) > LARGEST_VALUE:
        raise InvalidImage(
            f"the values lie between {low:g} and {high:g}, and pixels in float32 end at {LARGEST_VALUE:g}; "
            "replace what is no intensity, or use another unit"
        )


def check_dtype(array: NDArray[Any]) -> None:
    """Refuse arrays that hold no intensities: bool masks, complex numbers, objects, text.

    Raises
    ------
    InvalidImage : the dtype is not an integer or a real floating type.
    """
    if array.dtype.kind == "b":
        raise InvalidImage("the array is a bool mask, not an image; convert it to intensities, e.g. uint8, first")
    if array.dtype.kind == "c":
        raise InvalidImage("the array is complex; denoise its real and imaginary part, or its magnitude, by themselves")
    if array.dtype.kind not in "iuf":
        raise InvalidImage(f"the array has dtype {array.dtype}; use integers or real floating-point numbers")


def stored_range(values: NDArray[Any]) -> tuple[float, float]:
    """Scale and offset that bring stored values to the nominal range [0, 1].

    Unsigned integers use their full range, and offset 0. Signed integers and floats have no such range: values
    within [0, 1] stay as they are, unless all are nearly 0; otherwise the 1st and 99th percentile of the data decide.
    The offset stays 0 where zero is a plausible black (within a quarter of the span below, a span above the darkest
    percentile). Denoisers here are scale-equivariant, so only the offset has an effect, and a small one.

    Returns
    -------
    (scale, offset) : floats in stored units, scale > 0.
    """
    if values.dtype.kind == "u":
        return float(np.iinfo(values.dtype).max), 0.0
    # A regular sample of at most about a million values: percentiles need no more.
    sample = values.reshape(-1)[:: max(1, values.size // 1_000_000)].astype(np.float64)
    low, high = (float(value) for value in np.percentile(sample, [1, 99]))
    if values.dtype.kind == "f" and float(values.min()) >= 0.0 and DIMMEST < float(values.max()) <= 1.0:
        return 1.0, 0.0
    span = high - low
    if span <= SMALLEST_SPAN:
        return max(-float(values.min()), float(values.max())) or 1.0, 0.0
    offset = 0.0 if -0.25 * span <= low <= span else low
    return (span if offset else max(high, span)), offset


def from_array(array: Any, *, channel_axis: int | None = None) -> Image:
    """An Image from an array of stored values.

    Parameters
    ----------
    array : (Y, X) gray, (Z, Y, X) a volume, or with one more axis for channels; integer or real floating dtype.
    channel_axis : which axis holds the channels (-1 for the usual colour photograph); None when there is none.

    Raises
    ------
    InvalidImage : the dtype holds no intensities, the number of axes does not fit, or a value is not finite, or beyond
        what float32 holds.
    InvalidParameter : ``channel_axis`` is not an axis of the array.
    """
    values = as_values(array)
    check_dtype(values)
    if values.size == 0:
        raise InvalidImage(f"the image is empty: its shape is {values.shape}")
    channel_first = with_channel_first(values, channel_axis)
    if values.dtype.kind == "f":
        check_finite(values)
        check_magnitude(values)
    axes = {3: "CYX", 4: "CZYX"}.get(channel_first.ndim)
    if axes is None:
        hint = "; name the colour axis with channel_axis=-1" if values.ndim > 3 and channel_axis is None else ""
        raise InvalidImage(f"an image has 2 or 3 spatial axes; the array of shape {values.shape} does not{hint}")
    scale, offset = stored_range(values)
    _check_outliers(values, scale, offset)
    # One pass without full-size temporaries: photographs have tens of millions of values. Integers of 32 bits and
    # doubles do not fit the 24 bits of a float32 before the offset is taken off.
    pixels = np.empty(channel_first.shape, np.float32)
    kind: type[np.floating[Any]] = np.float32 if np.can_cast(values.dtype, np.float32) else np.float64
    np.subtract(channel_first, kind(offset), out=pixels, dtype=kind, casting="same_kind")
    pixels /= np.float32(scale)
    return Image(pixels=pixels, axes=axes, scale=scale, offset=offset, stored_dtype=values.dtype.name)


def _check_outliers(values: NDArray[Any], scale: float, offset: float) -> None:
    """Refuse values so far from all others that float32 holds not both: codes for "no data", mostly.

    Raises
    ------
    InvalidImage : a value is too far away.
    """
    if values.dtype.kind == "u" or values.dtype.itemsize < 4:
        return
    low, high = (float(value) for value in (values.min(), values.max()))
    if max(high - offset, offset - low) > LARGEST_PIXEL * scale:
        far = high if high - offset > offset - low else low
        raise InvalidImage(
            f"the value {far:g} is more than {LARGEST_PIXEL:g} times what nearly all others span, {scale:g}; replace "
            "it first if it stands for no data"
        )


def with_channel_first(array: NDArray[Any], channel_axis: int | None) -> NDArray[Any]:
    """A view with the channels as axis 0; a gray image gets an axis of length one.

    Raises
    ------
    InvalidParameter : ``channel_axis`` is not an axis of the array.
    """
    if channel_axis is None:
        return array[np.newaxis]
    if not isinstance(channel_axis, int | np.integer) or isinstance(channel_axis, bool):
        raise InvalidParameter(
            f"channel_axis is {shown(channel_axis)}; give the number of an axis, or None for a gray image"
        )
    if not -array.ndim <= channel_axis < array.ndim:
        raise InvalidParameter(
            f"channel_axis is {channel_axis}, but the array of shape {array.shape} has {array.ndim} axes; "
            "use None for a gray image"
        )
    return np.moveaxis(array, channel_axis, 0)


def with_channel_axis(channel_first: NDArray[Any], channel_axis: int | None) -> NDArray[Any]:
    """The inverse of :func:`with_channel_first`."""
    return channel_first[0] if channel_axis is None else np.moveaxis(channel_first, 0, channel_axis)
