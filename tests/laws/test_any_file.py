"""Every format takes any image: what is read is what was written, or one clear line, and no file then."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

from noiseless import files, from_array, read, write
from noiseless.files import FORMATS, described, history, with_history

from .hostile_arrays import answer, examples, images

LOSSY = {"jpeg", "webp"}
WRITTEN = sorted(name for name, entry in FORMATS.items() if entry.writer and name not in ("raw",))
SHAPES = ((1, 1), (1, 7), (8, 8), (13, 11), (3, 8, 9), (9, 8, 3))


@pytest.mark.parametrize("name", WRITTEN)
@examples(12)
@given(array=images(shapes=SHAPES), channel_axis=st.sampled_from((None, -1)))
def test_what_is_read_is_what_was_written(name, array, channel_axis, tmp_path_factory):
    image = answer(from_array, array, channel_axis=channel_axis)
    if image is None:
        return
    path = tmp_path_factory.mktemp("any") / f"image{FORMATS[name].suffixes[0]}"
    written = answer(lambda: write(image, path) or True)
    if written is None:
        assert not path.exists()
        return
    result = read(path)
    gray = (
        name == "webp" and image.channels == 3 and result.channels == 1
    )  # of equal colours, which it has no other for
    assert result.pixels.shape[1:] == image.pixels.shape[1:]
    assert result.channels == image.channels or gray
    assert np.isfinite(result.pixels).all()
    stored = image.stored()
    if name not in LOSSY:
        assert result.stored_dtype == image.stored_dtype
        # what is wider than float32 is rounded to it on the way in
        narrow = stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2
        error = np.abs(result.stored().astype(np.longdouble) - stored.astype(np.longdouble)).max()
        assert error <= (0.0 if narrow else 4 * np.finfo(np.float32).eps * np.abs(stored.astype(np.longdouble)).max())


@examples(20)
@given(images(), st.sampled_from((None, 0, -1)), st.text(max_size=20))
def test_the_words_on_an_image_take_any_image(array, channel_axis, line):
    image = answer(from_array, array, channel_axis=channel_axis)
    if image is not None:
        assert isinstance(described(image), dict)
        assert all(len(told.splitlines()) <= 1 for told in history(with_history(image, line)))


@examples(20)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_no_image_in_one_line(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "image.png"
    path.write_bytes(content)
    assert answer(read, path) is None
    for ask in (files.format_of, files.open_chunked, files.open_video, files.read_series):
        answer(ask, [path] if ask is files.read_series else path)
    assert files.is_bag(path) == content.startswith(b"#ROSBAG V")
    assert not files.is_video(path)
