"""What is written is read, for every format and all that it holds; anything else is refused and leaves no file."""

from dataclasses import replace

import numpy as np
import pytest

from noiseless.errors import UnsupportedFormat
from noiseless.files import FORMATS, read, with_history, write
from noiseless.image import from_array

SHAPES = {"gray": (7, 9), "colour": (3, 7, 9), "volume": (4, 7, 9), "colour volume": (3, 4, 7, 9)}
DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")

HOLDS = {
    "png": {"gray": DTYPES[:2], "colour": DTYPES[:2]},
    "webp": {"gray": DTYPES[:1], "colour": DTYPES[:1]},
    "tiff": dict.fromkeys(SHAPES, DTYPES),
    "nifti": dict.fromkeys(("gray", "volume"), tuple(name for name in DTYPES if name != "float16")),
}
"""Without loss. JPEG loses, and DICOM and raw files are written from their own kind, or not at all."""

COMMON = {"icc": b"profile of no monitor", "xmp": b"<x:xmpmeta/>", "dpi": (300.0, 300.0)}


def drawn(rng, shape, dtype):
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (200 * rng.standard_normal(SHAPES[shape])).astype(dtype)
    bounds = np.iinfo(dtype)
    # float32 pixels hold whole numbers of 23 bits.
    low, high = (bounds.min, bounds.max) if kind.itemsize < 4 else (0 if kind.kind == "u" else -(2**21), 2**21)
    return rng.integers(low, high, SHAPES[shape], dtype=dtype, endpoint=True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", HOLDS)
def test_what_is_written_is_read_or_refused(tmp_path, name, shape, dtype, seed):
    stored = drawn(np.random.default_rng(seed), shape, dtype)
    image = from_array(stored, channel_axis=0 if shape.startswith("colour") else None)
    path = tmp_path / f"a{FORMATS[name].suffixes[0]}"
    if dtype not in HOLDS[name].get(shape, ()):
        # JPEG and WebP are the two that round 16 bits to 8.
        if name == "webp" and dtype == "uint16" and "volume" not in shape:
            return
        with pytest.raises(UnsupportedFormat):
            write(image, path)
        assert not path.exists()
        return
    write(image, path)
    again = read(path)
    assert again.stored_dtype == dtype
    assert again.axes == image.axes
    # Floats go through float32 of a nominal range, and its offset.
    spread = np.abs(stored.astype(np.float64)).max()
    tolerance = 2**-10 * spread if dtype == "float16" else 2**-21 * spread if dtype.startswith("float") else 0.0
    assert np.abs(again.in_stored_units() - image.in_stored_units()).max() <= tolerance
    if not dtype.startswith("float"):
        assert np.array_equal(again.stored(), image.stored())
    write(again, tmp_path / f"b{FORMATS[name].suffixes[0]}")
    twice = read(tmp_path / f"b{FORMATS[name].suffixes[0]}")
    assert np.abs(twice.in_stored_units() - again.in_stored_units()).max() <= tolerance


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["png", "tiff", "webp", "jpeg"])
def test_what_all_formats_can_hold_crosses_from_each_to_each(tmp_path, name, seed):
    rng = np.random.default_rng(seed)
    chosen = {
        key: value for key, value in COMMON.items() if rng.random() < 0.7 and not (name == "webp" and key == "dpi")
    }
    image = from_array(drawn(rng, "colour", "uint8"), channel_axis=0)
    image = with_history(replace(image, header=chosen), "made for this test")
    write(image, tmp_path / f"a{FORMATS[name].suffixes[0]}")
    again = read(tmp_path / f"a{FORMATS[name].suffixes[0]}")
    for key, value in chosen.items():
        assert again.header[key] == (pytest.approx(value, rel=1e-3) if key == "dpi" else value)
    for other in ("png", "tiff", "webp"):
        write(again, tmp_path / f"b{FORMATS[other].suffixes[0]}")
        crossed = read(tmp_path / f"b{FORMATS[other].suffixes[0]}")
        assert np.array_equal(crossed.stored(), again.stored())
        assert all(crossed.header[key] == again.header[key] for key in chosen if key != "dpi")
