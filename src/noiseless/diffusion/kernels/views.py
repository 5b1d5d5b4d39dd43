"""Rows of arrays as views that nobody owns.

A slice of an array, as numba compiles it, checks its bounds and counts its owners with an atomic addition: 0.2
microseconds a row here, as long as the arithmetic of 400 pixels. A view does neither, so it must lie within its array
and not outlive it.
"""

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from noiseless.denoiser import Array

MARGIN = 16
"""What a padded row has before its first pixel and, at least, after its last: a vector register of float32."""


def _view(context: Any, builder: Any, kind: Any, array: Any, at: list[Any], first: Any, size: Any) -> Any:
    """Machine code for array[(*at, slice(first, first + size))] of a C-contiguous array."""
    result = types.Array(kind.dtype, 1, "C")
    source = context.make_array(kind)(context, builder, array)
    whole = context.get_value_type(types.intp)
    item = whole(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    view = context.make_array(result)(context, builder)
    pointer = cgutils.get_item_pointer(context, builder, kind, source, [*at, first])
    populate_array(view, data=pointer, shape=[size], strides=[item], itemsize=item, meminfo=None)
    return view._getvalue()


def _row(typing: Any, array: Any, at: Any, first: Any, size: Any) -> Any:  # noqa: ARG001
    """array[(*at, slice(first, first + size))]; ``at`` is a tuple of one index for every axis but the last."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, kinds_at, kind_first, kind_size = signature.args
        indices = cgutils.unpack_tuple(builder, arguments[1], len(kinds_at))
        at = [context.cast(builder, index, of, types.intp) for index, of in zip(indices, kinds_at, strict=True)]
        first = context.cast(builder, arguments[2], kind_first, types.intp)
        size = context.cast(builder, arguments[3], kind_size, types.intp)
        return _view(context, builder, kind, arguments[0], at, first, size)

    return types.Array(array.dtype, 1, "C")(array, at, first, size), generate


def _line_of(typing: Any, slabs: Any, slot: Any, y: Any, columns: Any) -> Any:  # noqa: ARG001
    """slabs[slot, y], a padded row: its pixels and one more at both ends."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slot, y, columns = (
            context.cast(builder, value, of, types.intp)
            for value, of in zip(arguments[1:], signature.args[1:], strict=True)
        )
        whole = context.get_value_type(types.intp)
        size = builder.add(columns, whole(2))
        return _view(context, builder, signature.args[0], arguments[0], [slot, y], whole(MARGIN - 1), size)

    return types.Array(slabs.dtype, 1, "C")(slabs, slot, y, columns), generate


row = cast(Callable[[Array, tuple[int, ...], int, int], Array], intrinsic(_row))
line_of = cast(Callable[[Array, int, int, int], Array], intrinsic(_line_of))
