"""TIFF in parts: windows are those of the whole, and what is written in windows is as if it were written whole."""

import itertools
from dataclasses import replace

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
import tifffile

from noiseless.errors import UnreadableFile, UnsupportedFormat, UnwritableFile
from noiseless.files import history, limits, open_chunked, read, write
from noiseless.image import from_array

RGB, GRAY = {"photometric": "rgb"}, {"photometric": "minisblack"}

LAYOUTS = [
    ((37, 53), {}),
    ((37, 53), {"photometric": "miniswhite", "rowsperstrip": 5}),
    ((37, 53), {"compression": "zlib"}),
    ((37, 53), {"compression": "zlib", "tile": (16, 32), "predictor": True}),
    ((37, 53), {"tile": (16, 16)}),
    ((32, 48), {"tile": (32, 48)}),
    ((1, 9), {"compression": "lzma"}),
    ((37, 53, 3), RGB),
    ((37, 53, 3), {**RGB, "tile": (16, 16), "compression": "lzw", "predictor": True}),
    ((3, 37, 53), {**RGB, "planarconfig": "separate"}),
    ((3, 37, 53), {**RGB, "planarconfig": "separate", "tile": (16, 16), "compression": "zlib"}),
    ((37, 53, 5), {**GRAY, "planarconfig": "contig"}),
    ((5, 37, 53), {**GRAY, "planarconfig": "separate", "compression": "packbits"}),
    ((5, 37, 53), {**GRAY, "compression": "zstd", "rowsperstrip": 4}),
    ((5, 37, 53), {**GRAY, "byteorder": ">", "bigtiff": True, "compression": "zlib", "predictor": True}),
    ((5, 37, 53), {**GRAY, "byteorder": ">"}),
    ((5, 37, 53, 3), RGB),
    ((5, 37, 53), {**GRAY, "imagej": True, "metadata": {"axes": "ZYX"}}),
    ((2, 37, 53), {**GRAY, "imagej": True, "metadata": {"axes": "CYX"}}),
    ((5, 2, 37, 53), {**GRAY, "imagej": True, "metadata": {"axes": "ZCYX"}}),
    ((37, 53, 4), {**RGB, "extrasamples": ["unassalpha"]}),
    ((37, 53, 4), {**RGB, "extrasamples": ["unassalpha"], "tile": (16, 16), "compression": "zlib"}),
    ((4, 37, 53), {**RGB, "extrasamples": ["unspecified"], "planarconfig": "separate", "compression": "lzw"}),
]


def source_file(folder, shape, options, dtype, rng):
    tifffile.imwrite(folder / "in.tif", (200 * rng.random(shape)).astype(dtype), **options)
    return folder / "in.tif"


def rewrite(image, path, change=lambda values: values):
    """All windows of the grid, or of a few pixels where the grid is finer, in no order."""
    with image.rewriting(path) as writer:
        sides = [-(-7 // side) * side for side in writer.grid]
        corners = list(itertools.product(*(range(0, n, side) for n, side in zip(image.space, sides, strict=True))))
        for index in np.random.default_rng(1).permutation(len(corners)):
            window = tuple(
                slice(first, min(first + side, n))
                for first, side, n in zip(corners[index], sides, image.space, strict=True)
            )
            channels = slice(0, image.channels)
            writer.write(0, channels, window, change(image.read(0, channels, window)))
        writer.history.append("what was done")


def pages(path):
    """The tags of each page but for where its pixels lie, and of how many bytes its segments are."""
    with tifffile.TiffFile(path) as file:
        return [
            (
                {tag.name: tag.value for tag in page.tags if "Offsets" not in tag.name and tag.name != "ExifTag"},
                list(page.databytecounts),
            )
            for page in file.pages
        ]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("shape", "options"), LAYOUTS)
def test_windows_are_those_of_the_whole(shape, options, dtype, tmp_path, rng):
    path = source_file(tmp_path, shape, options, dtype, rng)
    image, whole = open_chunked(path), read(path)
    assert (image.channels, image.space, image.dtype) == (whole.channels, whole.space, np.dtype(dtype))
    assert (image.items, image.together, image.spacing) == (1, True, whole.spacing)
    stored = whole.stored()
    for low, high in ((0.0, 1.0), (0.0, 0.4), (0.3, 0.8), (0.7, 1.0)):
        window = tuple(slice(int(low * n), max(int(low * n) + 1, int(high * n))) for n in image.space)
        found = image.read(0, slice(0, image.channels), window)
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, stored[(slice(None), *window)])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("shape", "options"), LAYOUTS)
def test_a_file_written_in_windows_is_that_written_whole(shape, options, dtype, tmp_path, rng):
    path = source_file(tmp_path, shape, options, dtype, rng)
    rewrite(open_chunked(path), tmp_path / "out.tif")
    write(read(path), tmp_path / "whole.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), tifffile.imread(path))
    assert pages(tmp_path / "out.tif") == pages(tmp_path / "whole.tif")
    back, whole = read(tmp_path / "out.tif"), read(tmp_path / "whole.tif")
    assert back.header["tiff_layout"] == whole.header["tiff_layout"]
    assert back.header["tiff_tags"] == whole.header["tiff_tags"]
    assert (back.alpha is None) == (whole.alpha is None)
    assert back.alpha is None or np.array_equal(back.alpha, whole.alpha)
    assert history(back) == ["what was done"]


def test_new_pixels_are_written_and_alpha_stays(tmp_path, rng):
    options = {**RGB, "extrasamples": ["unassalpha"], "tile": (16, 16), "compression": "zlib"}
    path = source_file(tmp_path, (37, 53, 4), options, "uint8", rng)
    rewrite(open_chunked(path), tmp_path / "out.tif", lambda values: 255 - values)
    old, new = tifffile.imread(path), tifffile.imread(tmp_path / "out.tif")
    np.testing.assert_array_equal(new[..., :3], 255 - old[..., :3])
    np.testing.assert_array_equal(new[..., 3], old[..., 3])


def test_pixels_of_jpeg_are_those_of_the_whole_and_are_written_without_loss(tmp_path, rng):
    path = tmp_path / "in.tif"
    smooth = np.add.outer(np.arange(64), np.arange(96))[..., np.newaxis] + np.array([0, 30, 60])
    tifffile.imwrite(path, smooth.astype(np.uint8), tile=(32, 32), compression="jpeg", **RGB)
    image, stored = open_chunked(path), read(path).stored()
    window = slice(10, 50), slice(20, 90)
    np.testing.assert_array_equal(image.read(0, slice(0, 3), window), stored[(slice(None), *window)])
    rewrite(image, tmp_path / "out.tif")
    np.testing.assert_array_equal(read(tmp_path / "out.tif").stored(), stored)


def test_tags_of_the_camera_are_kept_with_the_history(tmp_path):
    exif = PIL.Image.Exif()
    exif[271] = "Maker"
    exif.get_ifd(0x8769)[33434] = PIL.TiffImagePlugin.IFDRational(1, 50)
    exif.get_ifd(0x8825)[29] = "2026:01:02"
    image = replace(from_array(np.zeros((9, 9), np.uint8)), header={"exif": exif.tobytes().removeprefix(b"Exif\0\0")})
    write(image, tmp_path / "in.tif")
    rewrite(open_chunked(tmp_path / "in.tif"), tmp_path / "out.tif")
    with PIL.Image.open(tmp_path / "out.tif") as new:
        found = new.getexif()
        assert found[271] == "Maker"
        assert found.get_ifd(0x8769)[33434] == 1 / 50
        assert found.get_ifd(0x8825)[29] == "2026:01:02"
    assert history(read(tmp_path / "out.tif")) == ["what was done"]


def test_what_is_read_whole_with_an_error_is_refused_in_parts_with_the_same(tmp_path, rng):
    path = source_file(tmp_path, (37, 53), {"compression": "zlib"}, "uint16", rng)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnreadableFile, match="truncated") as whole:
        read(path)
    with pytest.raises(UnreadableFile, match="truncated") as parts:
        open_chunked(path)
    assert str(parts.value) == str(whole.value)
    tifffile.imwrite(path, np.zeros((9, 9, 4), np.uint8), photometric="separated")
    with pytest.raises(UnsupportedFormat, match="SEPARATED"):
        open_chunked(path)
    tifffile.imwrite(path, np.zeros((3, 9, 9, 4), np.uint8), extrasamples=["unassalpha"], **RGB)
    with pytest.raises(UnsupportedFormat, match="volume with alpha"):
        open_chunked(path)


def test_parts_of_what_would_be_a_bomb_as_a_whole_are_read(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((300, 300), np.uint8), compression="zlib", tile=(128, 128))
    monkeypatch.setattr(limits, "MAX_PIXELS", 300 * 300 - 1)
    with pytest.raises(UnreadableFile, match="bombs"):
        read(tmp_path / "in.tif")
    assert not open_chunked(tmp_path / "in.tif").read(0, slice(0, 1), (slice(9, 99), slice(9, 99))).any()


def test_a_damaged_tile_is_unreadable(tmp_path, rng):
    path = source_file(tmp_path, (37, 53), {"compression": "zlib", "tile": (16, 16)}, "uint16", rng)
    with tifffile.TiffFile(path) as file:
        start, count = file.pages[0].dataoffsets[1], file.pages[0].databytecounts[1]
    data = bytearray(path.read_bytes())
    data[start : start + count] = bytes(count)
    path.write_bytes(data)
    image = open_chunked(path)
    image.read(0, slice(0, 1), (slice(0, 16), slice(0, 16)))
    with pytest.raises(UnreadableFile, match=r"in\.tif.*damaged"):
        image.read(0, slice(0, 1), (slice(0, 16), slice(10, 20)))


def test_colours_multiplied_by_alpha_are_refused_unless_it_is_opaque(tmp_path):
    stored = np.full((9, 9, 4), 255, np.uint8)
    tifffile.imwrite(tmp_path / "in.tif", stored, extrasamples=["assocalpha"], **RGB)
    rewrite(open_chunked(tmp_path / "in.tif"), tmp_path / "out.tif")
    stored[5, 5, 3] = 9
    tifffile.imwrite(tmp_path / "in.tif", stored, extrasamples=["assocalpha"], **RGB)
    with pytest.raises(UnsupportedFormat, match="straight alpha"):
        rewrite(open_chunked(tmp_path / "in.tif"), tmp_path / "other.tif")
    assert not (tmp_path / "other.tif").exists()


def test_nothing_is_left_of_what_was_not_finished(tmp_path, rng):
    image = open_chunked(source_file(tmp_path, (37, 53), {}, "uint8", rng))
    with pytest.raises(RuntimeError, match="power"), image.rewriting(tmp_path / "out.tif"):
        raise RuntimeError("no power")
    assert [path.name for path in tmp_path.iterdir()] == ["in.tif"]


def test_a_file_is_replaced_only_when_asked_and_keeps_its_kind(tmp_path, rng):
    image = open_chunked(source_file(tmp_path, (37, 53), {}, "uint8", rng))
    (tmp_path / "out.tif").write_bytes(b"old")
    with pytest.raises(UnwritableFile, match="exists"), image.rewriting(tmp_path / "out.tif"):
        pass
    with image.rewriting(tmp_path / "out.tif", overwrite=True) as writer:
        writer.write(0, slice(0, 1), (slice(0, 37), slice(0, 53)), np.zeros((1, 37, 53), np.uint8))
    assert (read(tmp_path / "out.tif").stored() == 0).all()
    assert history(read(tmp_path / "out.tif"))[0].endswith("rewritten")
    with pytest.raises(UnsupportedFormat, match=r"end it in \.tif"):
        image.rewriting(tmp_path / "out.png")


def test_tiles_that_do_not_lie_in_order_are_read(tmp_path, rng):
    path = source_file(tmp_path, (37, 53), {"tile": (16, 16)}, "uint16", rng)
    rewrite(open_chunked(path), tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        offsets = file.pages[0].dataoffsets
    assert sorted(offsets) != list(offsets)
    np.testing.assert_array_equal(read(tmp_path / "out.tif").stored(), read(path).stored())


def test_telling_what_a_file_is_needs_no_pixel(tmp_path, rng):
    told = open_chunked(source_file(tmp_path, (5, 37, 53), {**GRAY, "tile": (16, 16)}, "uint16", rng)).described()
    assert told["shape"] == [1, 5, 37, 53]
    assert told["chunk"] == [1, 16, 16]
    assert (told["format"], told["axes"], told["dtype"]) == ("TIFF", "CZYX", "uint16")
