"""TIFF: every layout comes back as it was, tag for tag; what cannot be read is refused by name."""

import struct
from dataclasses import replace

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
import tifffile

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files import limits, read, write
from noiseless.image import from_array

INTEGERS = ("uint8", "uint16", "int8", "int16")
FLOATS = ("float16", "float32")


def pixels(dtype, shape, rng):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (1000 * rng.random(shape)).astype(dtype)
    bounds = np.iinfo(dtype) if dtype.itemsize < 4 else np.iinfo(np.int16)
    return rng.integers(max(bounds.min, np.iinfo(dtype).min), bounds.max, shape, dtype=dtype, endpoint=True)


def there_and_back(folder, stored, name="in.tif", **options):
    """Write with tifffile, read, write again: the image, and the first pages of both files."""
    tifffile.imwrite(folder / name, stored, **options)
    image = read(folder / name)
    write(image, folder / f"out-{name}", overwrite=True)
    np.testing.assert_array_equal(tifffile.imread(folder / f"out-{name}"), tifffile.imread(folder / name))
    with tifffile.TiffFile(folder / name) as old, tifffile.TiffFile(folder / f"out-{name}") as new:
        assert len(new.pages) == len(old.pages)
        assert new.byteorder == old.byteorder
        for key in ("dtype", "shape", "axes", "photometric", "compression", "predictor", "tile", "extrasamples"):
            assert getattr(new.pages[0], key) == getattr(old.pages[0], key), key
    return image


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "uint32", "int32", "float64"])
def test_every_type_comes_back_bit_for_bit(dtype, byteorder, tmp_path, rng):
    stored = pixels(dtype, (17, 23), rng)
    stored = stored.astype(np.float32).astype(dtype)  # pixels travel as float32
    image = there_and_back(tmp_path, stored, byteorder=byteorder)
    assert image.stored_dtype == dtype
    np.testing.assert_array_equal(image.stored()[0], stored)


@pytest.mark.parametrize("compression", ["none", "lzw", "zlib", "packbits", "lzma", "zstd"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_lossless_compression_and_predictor_are_kept(compression, dtype, tmp_path, rng):
    stored = pixels(dtype, (17, 23), rng)
    predictor = (3 if dtype == "float32" else 2) if compression in ("lzw", "zlib", "lzma", "zstd") else None
    there_and_back(tmp_path, stored, compression=compression, predictor=predictor)


COLOUR = {"photometric": "rgb"}
GRAY = {"photometric": "minisblack"}


@pytest.mark.parametrize(
    ("shape", "options", "axes", "channels"),
    [
        ((17, 23), {"photometric": "miniswhite"}, "CYX", 1),
        ((17, 23), {"tile": (16, 16), "compression": "zlib"}, "CYX", 1),
        ((17, 23), {"rowsperstrip": 3}, "CYX", 1),
        ((17, 23), {"bigtiff": True}, "CYX", 1),
        ((1, 1), {}, "CYX", 1),
        ((1, 9), {}, "CYX", 1),
        ((9, 1), {}, "CYX", 1),
        ((17, 23, 3), COLOUR, "CYX", 3),
        ((17, 23, 3), {**COLOUR, "tile": (16, 32)}, "CYX", 3),
        ((3, 17, 23), {**COLOUR, "planarconfig": "separate"}, "CYX", 3),
        ((17, 23, 5), {**GRAY, "planarconfig": "contig"}, "CYX", 5),
        ((5, 17, 23), {**GRAY, "planarconfig": "separate"}, "CYX", 5),
        ((5, 17, 23), GRAY, "CZYX", 1),
        ((5, 17, 23), {**GRAY, "metadata": None}, "CZYX", 1),
        ((5, 17, 23), {**GRAY, "bigtiff": True, "byteorder": ">"}, "CZYX", 1),
        ((5, 17, 23, 3), COLOUR, "CZYX", 3),
        ((5, 17, 23), {**GRAY, "imagej": True, "metadata": {"axes": "ZYX"}}, "CZYX", 1),
        ((2, 17, 23), {**GRAY, "imagej": True, "metadata": {"axes": "CYX"}}, "CYX", 2),
        ((5, 2, 17, 23), {**GRAY, "imagej": True, "metadata": {"axes": "ZCYX"}}, "CZYX", 2),
    ],
)
def test_every_layout_comes_back(shape, options, axes, channels, tmp_path, rng):
    image = there_and_back(tmp_path, pixels("uint16", shape, rng), **options)
    assert (image.axes, image.channels) == (axes, channels)
    assert image.header["tiff_layout"] == read(tmp_path / "out-in.tif").header["tiff_layout"]


@pytest.mark.parametrize("axes", ["CZYX", "ZCYX"])
def test_ome_says_which_pages_are_channels(axes, tmp_path, rng):
    shape = tuple({"C": 2, "Z": 3, "Y": 17, "X": 23}[letter] for letter in axes)
    metadata = {"axes": axes, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    stored = pixels("uint16", shape, rng)
    image = there_and_back(tmp_path, stored, "in.ome.tif", ome=True, metadata=metadata, **GRAY)
    assert image.pixels.shape == (2, 3, 17, 23)
    np.testing.assert_array_equal(image.stored()[1, 2], stored[1, 2] if axes == "CZYX" else stored[2, 1])
    assert image.spacing == pytest.approx((0.002, 0.0005, 0.0005))
    with tifffile.TiffFile(tmp_path / "in.ome.tif") as old, tifffile.TiffFile(tmp_path / "out-in.ome.tif") as new:
        assert new.ome_metadata == old.ome_metadata


def test_an_imagej_stack_with_one_directory_is_read_whole(tmp_path, rng):
    stored = pixels("uint16", (5, 17, 23), rng)
    tifffile.imwrite(tmp_path / "in.tif", stored, imagej=True, metadata={"axes": "ZYX"}, **GRAY)
    data = bytearray((tmp_path / "in.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        start, count = file.pages[0].offset, len(file.pages[0].tags)
        last_byte = file.pages[0].dataoffsets[0] + stored.nbytes
    data[start + 2 + 12 * count : start + 6 + 12 * count] = bytes(4)  # no next directory
    (tmp_path / "in.tif").write_bytes(data[:last_byte])
    image = read(tmp_path / "in.tif")
    np.testing.assert_array_equal(image.stored()[0], stored)
    write(image, tmp_path / "out.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.tif"), stored)
    (tmp_path / "in.tif").write_bytes(data[: last_byte - 1])
    with pytest.raises(UnreadableFile, match="truncated"):
        read(tmp_path / "in.tif")


@pytest.mark.parametrize("kind", ["unassalpha", "unspecified"])
@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
def test_alpha_is_carried_and_keeps_its_kind(kind, planarconfig, tmp_path, rng):
    shape = (17, 23, 4) if planarconfig == "contig" else (4, 17, 23)
    stored = pixels("uint16", shape, rng)
    image = there_and_back(tmp_path, stored, planarconfig=planarconfig, extrasamples=[kind], **COLOUR)
    assert image.channels == 3
    np.testing.assert_array_equal(image.alpha, stored[..., 3] if planarconfig == "contig" else stored[3])


def test_premultiplied_alpha_is_refused_unless_opaque(tmp_path, rng):
    stored = pixels("uint8", (17, 23, 4), rng)
    tifffile.imwrite(tmp_path / "a.tif", stored, extrasamples=["assocalpha"], **COLOUR)
    with pytest.raises(UnsupportedFormat, match="straight alpha"):
        read(tmp_path / "a.tif")
    stored[..., 3] = 255
    there_and_back(tmp_path, stored, extrasamples=["assocalpha"], **COLOUR)


def test_tags_of_every_page_pass_byte_for_byte(tmp_path):
    artist, iptc, xmp = (315, 2, 0, "an artist", True), (33723, 7, 9, b"some IPTC", True), (700, 1, 4, b"<x/>", True)
    geo = (33550, 12, 3, (0.5, 0.5, 0.0), True)
    with tifffile.TiffWriter(tmp_path / "in.tif", byteorder=">") as file:
        for number in range(3):
            file.write(
                np.full((4, 5), number, np.uint8),
                description=f"page {number} of a µ-scan".encode(),
                datetime="2026:01:02 03:04:05",
                software="scanner",
                resolution=((3000001, 10000), (150, 1)),
                resolutionunit=3,
                metadata=None,
                iccprofile=b"profile",
                extratags=[geo, iptc, artist, xmp],
            )
    write(read(tmp_path / "in.tif"), tmp_path / "out.tif")
    layout = {"StripOffsets", "StripByteCounts", "RowsPerStrip"}
    with tifffile.TiffFile(tmp_path / "in.tif") as old, tifffile.TiffFile(tmp_path / "out.tif") as new:
        for number, (old_page, new_page) in enumerate(zip(old.pages, new.pages, strict=True)):
            # XMP describes the file and returns on its first page.
            left_out = layout if number == 0 else {*layout, "XMP"}
            wanted, found = (
                {tag.name: (tag.dtype, tag.count, tag.value) for tag in page.tags if tag.name not in left_out}
                for page in (old_page, new_page)
            )
            assert found == wanted


def test_software_is_named_where_the_file_names_none(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((4, 5), np.uint8), software=False)
    write(read(tmp_path / "in.tif"), tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.pages[0].software.startswith("noiseless ")


@pytest.mark.parametrize("big", [False, True])
def test_the_directories_of_the_camera_and_the_position_are_kept(big, tmp_path):
    exif = PIL.Image.Exif()
    exif[274] = 8
    exif.get_ifd(34665)[33434] = PIL.TiffImagePlugin.IFDRational(1, 50)
    exif.get_ifd(34853)[29] = "2026:01:02"
    PIL.Image.new("RGB", (5, 4)).save(tmp_path / "in.tif", exif=exif.tobytes(), big_tiff=big)
    write(read(tmp_path / "in.tif"), tmp_path / "out.tif")
    with PIL.Image.open(tmp_path / "out.tif") as new:
        found = new.getexif()
        assert found[274] == 8
        assert found.get_ifd(34665)[33434] == 1 / 50
        assert found.get_ifd(34853)[29] == "2026:01:02"
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        assert file.is_bigtiff == big
        assert file.pages[0].tags["ExifTag"].value["ExposureTime"] == (1, 50)


def test_a_damaged_exif_block_is_left_behind_with_a_warning(tmp_path, caplog):
    image = replace(from_array(np.zeros((4, 5), np.uint8)), header={"exif": b"II*\0\x08\0\0\0\xff\xff"})
    write(image, tmp_path / "out.tif")
    assert "left behind" in caplog.text
    assert read(tmp_path / "out.tif").space == (4, 5)


def test_an_exif_block_of_the_other_byte_order_decides_for_the_file(tmp_path):
    exif = PIL.Image.Exif()
    exif.endian = ">"
    exif[274] = 6
    exif.get_ifd(34665)[33434] = PIL.TiffImagePlugin.IFDRational(1, 50)
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    assert block.startswith(b"MM")
    image = from_array(np.arange(20, dtype=np.uint16).reshape(4, 5))
    write(replace(image, header={"exif": block}), tmp_path / "out.tif")
    with PIL.Image.open(tmp_path / "out.tif") as new:
        assert new.getexif()[274] == 6
        assert new.getexif().get_ifd(34665)[33434] == 1 / 50
    np.testing.assert_array_equal(read(tmp_path / "out.tif").stored(), image.stored())


def test_lossy_compression_becomes_lossless(tmp_path, rng):
    stored = pixels("uint8", (32, 32, 3), rng)
    tifffile.imwrite(tmp_path / "in.tif", stored, compression="jpeg", **COLOUR)
    image = read(tmp_path / "in.tif")
    write(image, tmp_path / "out.tif")
    np.testing.assert_array_equal(read(tmp_path / "out.tif").stored(), image.stored())


@pytest.mark.parametrize(
    ("stored", "options", "reason"),
    [
        (np.zeros((9, 9), np.uint8), {"photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)}, "PALETTE"),
        (np.zeros((9, 9, 4), np.uint8), {"photometric": "separated"}, "SEPARATED"),
        (np.zeros((9, 9, 3), np.uint8), {"photometric": "cielab"}, "CIELAB"),
        (np.zeros((9, 9), bool), {}, "1 bits"),
        (np.zeros((9, 9), np.uint16), {"bitspersample": 12}, "12 bits"),
        (np.zeros((9, 9), np.int64), {}, "64 bits"),
        (np.zeros((9, 9), np.complex64), {}, "64 bits"),
        (np.zeros((3, 9, 9), np.uint8), {"imagej": True, "metadata": {"axes": "TYX"}}, "time series"),
        (np.zeros((3, 9, 9, 4), np.uint8), {**COLOUR, "extrasamples": ["unassalpha"]}, "volume with alpha"),
        (np.zeros((9, 9, 5), np.uint8), {**COLOUR, "extrasamples": ["unassalpha", "unspecified"]}, "5 samples"),
        (np.zeros((9, 9), np.uint8), {"extratags": [(50706, 1, 4, b"\1\4\0\0", True)]}, "camera raw"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(stored, options, reason, tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", stored, **options)
    with pytest.raises(UnsupportedFormat, match=reason) as caught:
        read(tmp_path / "in.tif")
    assert "; " in str(caught.value)


def test_pages_of_different_shape_are_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for width in (5, 6):
            file.write(np.zeros((4, width), np.uint8))
    with pytest.raises(UnsupportedFormat, match="2 pictures of different shape"):
        read(tmp_path / "in.tif")


def test_a_thumbnail_page_is_left_behind_with_a_warning(tmp_path, caplog):
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(np.full((16, 16), 9, np.uint8), metadata=None)
        file.write(np.zeros((4, 5), np.uint8), subfiletype=1, metadata=None)
    assert (read(tmp_path / "in.tif").stored() == 9).all()
    assert "thumbnails" in caplog.text


def test_a_first_page_that_is_a_thumbnail_is_refused(tmp_path):
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        file.write(np.zeros((4, 5), np.uint8), subifds=1, metadata=None)
        file.write(np.zeros((40, 50), np.uint8), metadata=None)
    with pytest.raises(UnsupportedFormat, match="thumbnail"):
        read(tmp_path / "in.tif")


def test_one_file_of_an_ome_set_is_refused_and_opens_no_other(tmp_path):
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:a">'
        '<Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="5" SizeY="4" SizeZ="2" SizeC="1" SizeT="1">'
        '<TiffData IFD="0" FirstZ="0"><UUID FileName="in.tif">urn:uuid:a</UUID></TiffData>'
        '<TiffData IFD="0" FirstZ="1"><UUID FileName="/etc/passwd">urn:uuid:b</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((4, 5), np.uint8), description=xml, metadata=None)
    with pytest.raises(UnsupportedFormat, match="OME-TIFF set"):
        read(tmp_path / "in.tif")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((300, 300), np.uint8), compression="zlib")
    monkeypatch.setattr(limits, "MAX_PIXELS", 300 * 300 - 1)
    with pytest.raises(UnreadableFile, match="decompression bombs"):
        read(tmp_path / "in.tif")


def test_a_large_volume_that_is_no_bomb_is_read(tmp_path, monkeypatch, rng):
    tifffile.imwrite(tmp_path / "in.tif", pixels("uint8", (5, 30, 30), rng), compression="zlib", **GRAY)
    monkeypatch.setattr(limits, "MAX_PIXELS", 100)
    assert read(tmp_path / "in.tif").space == (5, 30, 30)


def test_a_list_of_pages_that_is_a_ring_is_unreadable(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((4, 5), np.uint8))
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        start, count = file.pages[0].offset, len(file.pages[0].tags)
    data = bytearray((tmp_path / "in.tif").read_bytes())
    struct.pack_into("<I", data, start + 2 + 12 * count, start)
    (tmp_path / "in.tif").write_bytes(data)
    with pytest.raises(UnreadableFile, match="list of pages"):
        read(tmp_path / "in.tif")


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"bigtiff": True}, {"imagej": True}])
def test_a_volume_that_is_cut_is_unreadable_and_never_shorter(options, tmp_path, rng):
    tifffile.imwrite(tmp_path / "in.tif", pixels("uint8", (4, 16, 16), rng), **GRAY, **options)
    whole = (tmp_path / "in.tif").read_bytes()
    padding = 16  # tifffile ends its files with some zeros, which nobody misses
    for length in np.linspace(10, len(whole) - padding - 1, 40).astype(int):
        (tmp_path / "in.tif").write_bytes(whole[:length])
        with pytest.raises(UnreadableFile):
            read(tmp_path / "in.tif")


def test_integers_beyond_float32_are_reported(tmp_path, caplog):
    tifffile.imwrite(tmp_path / "in.tif", np.array([[0, 2**31]], np.uint32))
    read(tmp_path / "in.tif")
    assert "23 significant bits" in caplog.text


def test_floats_far_below_zero_come_back_to_the_precision_of_their_range(tmp_path, rng):
    stored = (1000 * rng.standard_normal((40, 40))).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", stored)
    # An offset was subtracted: half a unit in the last place of a float32 of the size of the range.
    bound = np.ptp(stored) * 2.0**-23
    assert np.abs(read(tmp_path / "in.tif").stored()[0] - stored).max() <= bound


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_types_that_readers_do_not_know_are_refused(dtype, tmp_path):
    with pytest.raises(UnsupportedFormat, match=f"not {dtype}"):
        write(from_array(np.zeros((4, 5), dtype)), tmp_path / "out.tif")
