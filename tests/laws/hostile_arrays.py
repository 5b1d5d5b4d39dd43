"""Arrays and numbers as callers have them at their worst, and what a public function may do with them.

It may give a right answer, or raise one error of noiseless, whose message is one line. Nothing else: no other
exception, no warning (pytest makes errors of them), no NaN in silence, no write into what it was given.

``NOISELESS_LAWS=thorough`` tries 20 times as many arrays, others each time; otherwise they are the same in every run.
"""

import os
import tempfile

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from noiseless.errors import NoiselessError

THOROUGH = os.environ.get("NOISELESS_LAWS") == "thorough"

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64", "longdouble")
NO_IMAGES = ("bool", "complex64", "complex128", "object", "U3", "S2", "datetime64[s]", "timedelta64[s]", "V4")

SHAPES = ((1, 1), (1, 7), (2, 2), (3, 8), (8, 8), (13, 11), (16, 9), (1, 12, 13), (3, 8, 9), (9, 8, 3), (3, 5, 8, 9))
NO_SHAPES = ((), (0,), (5,), (0, 4), (3, 0, 4), (1, 2, 3, 4, 5))

INTEGER_VALUES = ("whole range", "largest", "smallest", "constant", "two levels", "nearly largest")
FLOAT_VALUES = (
    "unit", "negative", "constant", "zero", "narrow", "huge", "largest", "smallest", "subnormal", "outlier", "NaN",
    "inf",
)  # fmt: skip

LAYOUTS = (
    "plain", "Fortran", "backwards", "sliced", "broadcast", "read-only", "other byte order", "transposed", "unaligned",
    "memory-mapped", "matrix", "masked",
)  # fmt: skip

PLAIN_LAYOUTS = tuple(layout for layout in LAYOUTS if layout not in ("matrix", "masked"))
"""Subclasses of arrays have arithmetic of their own: the front door makes them plain, the inner rooms do not ask."""

NUMBERS = (
    -1, -0.5, float("nan"), float("inf"), -float("inf"), 1e300, 1e30, 5e-324, 10**400, 1j, "25", "x", None, True, 2.5,
    np.float32(-1), np.array([0.1, -0.1]), np.ones((7, 7)), np.array([[np.nan]]), np.array("x"), np.array([None]), [],
    {}, [0.1, [0.2]], object(), b"1",
)  # fmt: skip
"""What is given for a number. Some are numbers after all: it depends on the parameter."""


def examples(count):
    """Settings of a law for so many arrays; a test that takes long asks for few."""
    return settings(
        max_examples=20 * count if THOROUGH else count,
        derandomize=not THOROUGH,
        deadline=None,
        database=None,
        print_blob=THOROUGH,
        suppress_health_check=list(HealthCheck),
    )


def answer(call, *arguments, **keywords):
    """What a call gives; None where it refuses in one clear line. Whatever else it raises is a failure."""
    try:
        return call(*arguments, **keywords)
    except NoiselessError as error:
        refusal = error
    assert type(refusal) is not NoiselessError
    assert len(str(refusal).splitlines()) == 1
    return None


def plain(array):
    """The same values, contiguous and in the byte order of this machine."""
    array = np.asarray(array)
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def same(one, other):
    """Whether two arrays have the same values and dtype, to the bit; of a long double some bits mean nothing."""
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def span_of(array):
    """Between the least and the greatest value; 1 where there is no such number."""
    values = plain(array).astype(np.longdouble)
    span = float(values.max() - values.min()) if values.size and np.isfinite(values).all() else 1.0
    return span if span < np.inf else 1.0


def is_finite(array):
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


@st.composite
def images(draw, dtypes=INTEGERS + FLOATS, shapes=SHAPES, layouts=LAYOUTS, values=INTEGER_VALUES + FLOAT_VALUES):
    """An array of numbers: of any dtype, values and layout in memory."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    dtype, given = dtype.newbyteorder("="), dtype
    kinds = [kind for kind in values if kind in (FLOAT_VALUES if dtype.kind == "f" else INTEGER_VALUES)]
    shape, kind = draw(st.sampled_from(shapes)), draw(st.sampled_from(kinds))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    array = _floats(kind, dtype, shape, rng) if dtype.kind == "f" else _integers(kind, dtype, shape, rng)
    return laid_out(np.asarray(array).astype(given), draw(st.sampled_from(layouts)))


@st.composite
def anything(draw):
    """An array that may or may not be an image, or no array at all."""
    which = draw(st.sampled_from(("image", "image", "shape", "dtype", "none")))
    if which == "image":
        return draw(images())
    if which == "shape":
        return draw(images(shapes=NO_SHAPES, layouts=("plain", "read-only")))
    if which == "dtype":
        return np.zeros((8, 8), draw(st.sampled_from(NO_IMAGES)))
    return draw(st.sampled_from((None, "image.png", 7, [], [[1, 2], [3]], [[1.5, 2.0], [3.0, 4.0]], {}, object())))


def laid_out(array, layout):  # noqa: C901  one way after the other
    """The values of an array, elsewhere in memory; of a broadcast view the first row is all there is."""
    array = np.asarray(array)  # a 0-d array may have become a number
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "backwards":
        turned = tuple([slice(None, None, -1)] * array.ndim)
        return np.ascontiguousarray(array[turned])[turned]
    if layout == "sliced":
        wide = np.zeros(tuple(2 * length + 1 for length in array.shape), array.dtype)
        window = wide[tuple([slice(1, None, 2)] * array.ndim)]
        window[...] = array
        return window
    if layout == "broadcast" and array.ndim:
        return np.broadcast_to(array[:1], array.shape)
    if layout == "read-only":
        array.flags.writeable = False
        return array
    if layout == "other byte order":
        return array.astype(array.dtype.newbyteorder("S"))
    if layout == "transposed":
        return np.ascontiguousarray(array.T).T
    if layout == "unaligned":
        moved = np.frombuffer(b"\0" + array.tobytes(), array.dtype, offset=1)
        return moved.reshape(array.shape)
    if layout == "memory-mapped" and array.size:
        with tempfile.TemporaryFile() as file:
            mapped = np.memmap(file, array.dtype, "w+", shape=array.shape)
            mapped[...] = array
            return mapped
    if layout == "matrix" and array.ndim == 2:
        return array.view(type("Matrix", (np.ndarray,), {}))
    if layout == "masked":
        return np.ma.masked_array(array, mask=False)
    return array


def _integers(kind, dtype, shape, rng):
    bounds = np.iinfo(dtype)
    if kind == "whole range":
        return rng.integers(bounds.min, bounds.max, shape, dtype=dtype, endpoint=True)
    if kind == "largest":
        return np.full(shape, bounds.max, dtype)
    if kind == "smallest":
        return np.full(shape, bounds.min, dtype)
    if kind == "constant":
        return np.full(shape, 7, dtype)
    if kind == "two levels":
        return rng.integers(100, 102, shape).astype(dtype)
    return np.full(shape, bounds.max, dtype) - rng.integers(0, 3, shape).astype(dtype)


def _floats(kind, dtype, shape, rng):
    limits, unit = np.finfo(dtype), np.asarray(rng.random(shape))
    with np.errstate(all="ignore"):
        made = {
            "unit": lambda: unit,
            "negative": lambda: -100 * unit,
            "constant": lambda: np.full(shape, 7.3),
            "zero": lambda: np.zeros(shape),
            "narrow": lambda: 100 + 1e-3 * unit,
            "huge": lambda: unit * min(1e30, float(limits.max) / 4),
            "largest": lambda: np.full(shape, limits.max, dtype),
            "smallest": lambda: -unit.astype(dtype) * limits.max,
            "subnormal": lambda: unit.astype(dtype) * limits.tiny,
            "outlier": lambda: np.where(unit > 0.95, limits.max, unit.astype(dtype)),
            "NaN": lambda: np.where(unit > 0.5, np.nan, unit),
            "inf": lambda: np.where(unit > 0.5, np.inf, unit),
        }[kind]()
        return np.asarray(made).astype(dtype)
