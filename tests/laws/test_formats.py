"""Laws of every entry of FORMATS: what is written comes back, what is damaged is refused, nothing is half-written."""

import errno
import importlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps
import pytest
from PIL.TiffImagePlugin import IFDRational

from noiseless.errors import UnreadableFile, UnsupportedFormat, UnwritableFile
from noiseless.files import FORMATS, read, write
from noiseless.image import from_array

# WebP rounds 16 bits to 8, and gray with a profile for RGB comes back as RGB; its own tests hold it to the bit.
LOSSY = {"jpeg", "webp"}
OF_THEIR_KIND = ("dicom", "raw")  # written from files of their kind, or not at all
COMMON = ("exif", "icc", "xmp", "dpi")


def exif_block():
    exif = PIL.Image.Exif()
    exif[274] = 6  # displayed turned by 90 degrees
    exif[271] = "Maker of a name with some length"
    exif.get_ifd(0x8769)[33434] = IFDRational(1, 50)
    exif.get_ifd(0x8825)[29] = "2026:01:02"
    return exif.tobytes().removeprefix(b"Exif\0\0")


def profile():
    return PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()


def smooth(shape, dtype):
    """A picture that JPEG codes well, over the whole range of an integer type."""
    values = np.indices(shape).sum(axis=0) / (sum(shape) - len(shape))
    return values.astype(dtype) if dtype == "float32" else np.rint(values * np.iinfo(dtype).max).astype(dtype)


def examples():
    header = {"exif": exif_block(), "icc": profile(), "xmp": b"<x:xmpmeta/>", "dpi": (300.0, 150.0)}
    plain = {
        "gray": from_array(smooth((21, 34), "uint8")),
        "colour": from_array(smooth((21, 34, 3), "uint8"), channel_axis=-1),
        "gray16": from_array(smooth((21, 34), "uint16")),
        "colour16": from_array(smooth((21, 34, 3), "uint16"), channel_axis=-1),
        "float": from_array(smooth((21, 34), "float32")),
        "signed": from_array(smooth((21, 34), "int16")),
        "volume": from_array(smooth((5, 21, 34), "uint16")),
    }
    full = {name: replace(image, header=header) for name, image in plain.items()}
    alpha = smooth((34, 21), "uint8").T
    return {**full, "alpha": replace(full["colour"], alpha=alpha), "gray_alpha": replace(full["gray"], alpha=alpha)}


EXAMPLES = examples()


def written(name, image, folder):
    """The path of ``image`` in the format ``name``; the test is skipped where the format cannot hold it."""
    path = folder / f"image{FORMATS[name].suffixes[0]}"
    try:
        write(image, path)
    except UnsupportedFormat as error:
        pytest.skip(f"{name}: {error}")
    return path


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_an_image_is_written_or_refused_with_a_remedy(name, example, tmp_path):
    path = tmp_path / f"image{FORMATS[name].suffixes[0]}"
    try:
        write(EXAMPLES[example], path)
    except UnsupportedFormat as caught:
        message = str(caught)
    else:
        message = ""
    assert path.exists() == (not message)
    assert not message or ("; " in message and str(path) in message)
    assert len(list(tmp_path.iterdir())) == path.exists()


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_comes_back(name, example, tmp_path):
    image = EXAMPLES[example]
    back = read(written(name, image, tmp_path))
    if name in LOSSY:
        assert np.abs(back.pixels - image.pixels).max() < 0.03
    else:
        assert back.stored_dtype == image.stored_dtype
        np.testing.assert_array_equal(back.stored(), image.stored())
    assert back.axes == image.axes
    assert (back.alpha is None) == (image.alpha is None)
    if image.alpha is not None:
        np.testing.assert_array_equal(back.alpha, image.alpha)
        assert back.alpha.dtype == image.alpha.dtype
    assert back.header["format"] == name


@pytest.mark.parametrize("name", FORMATS)
def test_common_metadata_come_back(name, tmp_path):
    image = EXAMPLES["colour"]
    header = read(written(name, image, tmp_path)).header
    assert header["icc"] == image.header["icc"]
    assert header["xmp"] == image.header["xmp"]
    assert header["dpi"] == pytest.approx(image.header["dpi"], rel=1e-4)  # PNG counts in pixels a metre
    exif = PIL.Image.Exif()
    exif.load(header["exif"])
    assert exif[274] == 6
    assert exif.get_ifd(0x8769)[33434] == pytest.approx(1 / 50)
    assert exif.get_ifd(0x8825)[29] == "2026:01:02"


@pytest.mark.parametrize("name", FORMATS)
def test_the_second_generation_is_the_first(name, tmp_path):
    first = read(written(name, EXAMPLES["colour"], tmp_path))
    path = tmp_path / f"again{FORMATS[name].suffixes[0]}"
    write(first, path)
    second = read(path)
    assert dict(second.header) == dict(first.header)
    if name not in LOSSY:
        np.testing.assert_array_equal(second.stored(), first.stored())


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("name", FORMATS)
def test_metadata_cross_from_one_format_to_another(source, name, tmp_path):
    first = read(written(source, EXAMPLES["colour"], tmp_path))
    (tmp_path / "other").mkdir()
    second = read(written(name, first, tmp_path / "other"))
    assert {key: second.header[key] for key in ("icc", "xmp")} == {key: first.header[key] for key in ("icc", "xmp")}
    exif = PIL.Image.Exif()
    exif.load(second.header["exif"])
    assert (exif[274], exif.get_ifd(0x8825)[29]) == (6, "2026:01:02")


@pytest.mark.parametrize("example", ["gray", "colour"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_unreadable(name, example, tmp_path):
    path = written(name, EXAMPLES[example], tmp_path)
    whole = path.read_bytes()
    lengths = {0, 1, 2, 4, 8, 9, 16, *np.linspace(20, len(whole) - 1, 40).astype(int)}
    for length in sorted(lengths):
        path.write_bytes(whole[:length])
        with pytest.raises(UnreadableFile, match="image") as caught:
            read(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_raises_only_our_errors(name, tmp_path, rng):
    path = written(name, EXAMPLES["gray16" if name != "jpeg" else "gray"], tmp_path)
    whole = path.read_bytes()
    for _ in range(60):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, min(len(whole), 400), 3)] = rng.integers(0, 256, 3)
        path.write_bytes(damaged.tobytes())
        try:
            read(path)
        except (UnreadableFile, UnsupportedFormat):
            continue


@pytest.mark.parametrize("name", FORMATS)
def test_a_text_with_the_suffix_is_unreadable(name, tmp_path):
    path = tmp_path / f"text{FORMATS[name].suffixes[0]}"
    path.write_text("this is no picture")
    with pytest.raises(UnreadableFile, match=f"not a {FORMATS[name].name} file"):
        read(path)


@pytest.mark.parametrize("suffix", [suffix for entry in FORMATS.values() for suffix in entry.suffixes])
def test_every_suffix_can_be_written_and_read(suffix, tmp_path):
    path = tmp_path / f"image{suffix.upper()}"
    if any(suffix in FORMATS[name].suffixes for name in OF_THEIR_KIND):
        with pytest.raises(UnsupportedFormat):
            write(EXAMPLES["gray"], path)
        assert not path.exists()
        return
    write(EXAMPLES["gray"], path)
    assert read(path).space == EXAMPLES["gray"].space


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", FORMATS)
def test_a_failed_write_leaves_nothing_and_changes_nothing(name, error, tmp_path, monkeypatch):
    def fail(image, path):
        Path(path).write_bytes(b"half of it")
        raise error

    old = tmp_path / f"old{FORMATS[name].suffixes[0]}"
    old.write_bytes(b"precious")
    module, _, attribute = FORMATS[name].writer.target.partition(":")
    monkeypatch.setattr(importlib.import_module(module), attribute, fail)
    expected = UnwritableFile if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write(EXAMPLES["gray"], old, overwrite=True)
    with pytest.raises(expected):
        write(EXAMPLES["gray"], tmp_path / f"new{FORMATS[name].suffixes[0]}")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {old.name: b"precious"}


@pytest.mark.parametrize("name", FORMATS)
def test_the_image_is_not_written_to(name, tmp_path):
    image = EXAMPLES["colour"]
    before, header = image.pixels.copy(), dict(image.header)
    written(name, image, tmp_path)
    np.testing.assert_array_equal(image.pixels, before)
    assert dict(image.header) == header


@pytest.mark.parametrize("name", FORMATS)
def test_another_program_shows_what_was_written(name, tmp_path):
    image = EXAMPLES["colour"]
    path = written(name, image, tmp_path)
    with PIL.Image.open(io.BytesIO(path.read_bytes())) as file:
        assert file.info["icc_profile"] == image.header["icc"]
        shown = np.asarray(PIL.ImageOps.exif_transpose(file)).astype(int)
    # Orientation 6: the stored picture is displayed turned clockwise by 90 degrees.
    assert np.abs(shown - np.rot90(np.moveaxis(image.stored(), 0, -1), -1)).max() <= (8 if name in LOSSY else 0)
