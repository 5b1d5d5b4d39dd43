"""Camera raw: a mosaic of known light is developed to what it was; nothing goes back."""

import struct
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile

import noiseless
from noiseless.apps.cli import main
from noiseless.errors import MissingExtra, UnreadableFile, UnsupportedFormat
from noiseless.files import limits
from noiseless.files.directory import (
    EXIF,
    INTEROPERABILITY,
    Tag,
    append_directory,
    decode_exif,
    read_directory,
    read_start,
)

pytest.importorskip("rawpy")

BLACK, WHITE = 64, 1023
XYZ_TO_SRGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
LINEAR_RAW, MOSAIC, LOSSLESS_JPEG = 34892, 32803, 7
INNER = (slice(None), slice(4, -4), slice(4, -4))  # demosaicing knows less at the border


def rationals(numbers):
    return [number for value in np.ravel(numbers) for number in (round(value * 1_000_000), 1_000_000)]


def mosaic_of(light):
    """RGGB of linear light (3, Y, X)."""
    mosaic = light[1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = light[0, ::2, ::2], light[2, 1::2, 1::2]
    return mosaic


def levels_of(mosaic, white=WHITE):
    return np.rint(BLACK + mosaic * (white - BLACK)).astype(np.uint16)


def saved(path, light, orientation=1, *, neutral=(1, 1, 1), camera=None, white=WHITE, more=(), **options):
    """A DNG with the mosaic of linear light, of a camera that sees ``camera`` @ light, and white as ``neutral``."""
    sees = np.diag(neutral) @ (np.eye(3) if camera is None else camera)
    levels = levels_of(mosaic_of(np.tensordot(sees, light, 1)), white)
    tags = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "camera of a test", True),
        (50714, "H", 1, BLACK, True),
        (50717, "H", 1, white, True),
        (50721, "2i", 9, rationals(sees @ XYZ_TO_SRGB), True),
        (50728, "2I", 3, rationals(neutral), True),
        (50778, "H", 1, 21, True),
        (274, "H", 1, orientation, True),
        *more,
    ]
    data = options.pop("data", levels)
    plain = {"photometric": MOSAIC, "planarconfig": 1, "shape": levels.shape, "dtype": levels.dtype}
    tifffile.imwrite(path, data, **{**plain, **options}, extratags=tags, metadata=None)
    return path


def shading(size=(64, 96)):
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    return np.stack([0.2 + 0.4 * x / size[1], 0.3 + 0.2 * y / size[0], np.full(size, 0.25)])


def encoded(light):
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def steepness(light):
    """Of the curve of sRGB: its derivative."""
    return np.where(light <= 0.0031308, 12.92, 1.055 / 2.4 * np.maximum(light, 1e-9) ** (1 / 2.4 - 1))


def test_light_is_developed_to_srgb(tmp_path):
    light = shading()
    image = noiseless.read(saved(tmp_path / "a.dng", light))
    assert (image.axes, image.stored_dtype, image.channels) == ("CYX", "uint16", 3)
    # Levels of 1/959 are 2.5/959 after the curve where it is steepest here; demosaicing a slope adds as much.
    off = image.stored() / 65535 - encoded(light)
    assert np.abs(off[INNER]).max() < 5 / 959


def test_colours_of_the_camera_and_its_white_are_undone(tmp_path):
    camera = np.array([[0.7, 0.25, 0.05], [0.1, 0.75, 0.15], [0.02, 0.28, 0.7]])  # rows of sum 1: white stays white
    neutral, white = np.array([0.5, 1.0, 0.625]), 16383
    colours = np.array([[0.2, 0.2, 0.2], [0.5, 0.1, 0.05], [0.1, 0.4, 0.1], [0.05, 0.1, 0.6], [0.7, 0.7, 0.7]])
    light = np.repeat(colours, 24, axis=0).T[:, None, :].repeat(24, axis=1)
    path = saved(tmp_path / "a.dng", light, neutral=neutral, camera=camera, white=white)
    developed = noiseless.read(path).stored()[:, 12, 12::24].T / 65535
    # Half a level in each channel of the camera, by what undoes its colours; and a few steps of LibRaw's own.
    half = np.abs(np.linalg.inv(camera)) @ (0.5 / (white - BLACK) / neutral)
    tolerance = steepness(colours) * (half + 4 / 65535) + 1 / 65535
    assert (np.abs(developed - encoded(colours)) < tolerance).all()


@pytest.mark.parametrize("brightest", [0.5, 0.74, 0.76, 0.9, 1.0])
def test_the_brightness_does_not_depend_on_the_picture(tmp_path, brightest):
    light = np.full((3, 64, 96), 0.2)
    light[:, 20:40, 20:40] = brightest
    developed = noiseless.read(saved(tmp_path / "a.dng", light)).stored()[:, 8, 70] / 65535
    assert np.abs(developed - encoded(0.2)).max() < steepness(0.2) * 0.5 / (WHITE - BLACK) + 2 / 65535


def test_the_noise_of_what_was_measured_stays(tmp_path, rng):
    light = np.clip(0.2 + 0.05 * rng.standard_normal((3, 64, 96)), 0.01, 1.0)
    developed = mosaic_of(noiseless.read(saved(tmp_path / "a.dng", light)).stored() / 65535)
    measured = (levels_of(mosaic_of(light)) - BLACK) / (WHITE - BLACK)
    # Steps of 1/65535 in linear light, and matrices of four digits between channels that differ by 0.4 at most.
    tolerance = steepness(measured) * (2 / 65535 + 4e-4)
    assert (np.abs(developed - encoded(measured)) < tolerance)[4:-4, 4:-4].all()


TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, :, ::-1],
    3: lambda a: a[:, ::-1, ::-1],
    4: lambda a: a[:, ::-1],
    5: lambda a: a.transpose(0, 2, 1),
    6: lambda a: np.rot90(a, -1, (1, 2)),
    7: lambda a: np.rot90(a, 2, (1, 2)).transpose(0, 2, 1),
    8: lambda a: np.rot90(a, 1, (1, 2)),
}
"""From stored to displayed, by the tag of EXIF."""


@pytest.mark.parametrize("orientation", TURNS)
def test_the_picture_is_upright(tmp_path, orientation):
    upright = TURNS[orientation](noiseless.read(saved(tmp_path / "a.dng", shading())).stored())
    image = noiseless.read(saved(tmp_path / "b.dng", shading(), orientation))
    np.testing.assert_array_equal(image.stored(), upright)
    assert decode_exif(image.header["exif"])[1][274].data == struct.pack("<H", 1)


def test_a_sensor_without_colours_gives_a_gray_picture(tmp_path):
    path = saved(tmp_path / "a.dng", shading()[:1].repeat(3, axis=0), photometric=1)
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    for place in range(start + 2, start + 2 + 12 * data[start], 12):
        code = struct.unpack_from("<H", data, place)[0]
        if code == 262:
            struct.pack_into("<H", data, place + 8, LINEAR_RAW)
        if code in (33421, 33422, 50721, 50728):
            struct.pack_into("<H", data, place, code + 10_000)  # a tag that nobody knows
    path.write_bytes(data)
    image = noiseless.read(path)
    assert image.channels == 1
    assert np.abs(image.stored() / 65535 - encoded(shading()[:1]))[INNER].max() < 3 / 959


def with_camera_tags(path):
    """A DNG that names its maker, and has a directory of the camera: exposure, notes of the maker, Adobe RGB."""
    saved(
        path,
        shading(),
        6,
        more=[(271, "s", 0, "maker", True), (700, "B", 4, b"<x/>", True), ("ExifTag", 4, 1, 0, True)],
    )
    camera = {
        33434: Tag(5, 1, struct.pack("<II", 1, 50)),
        37500: Tag(7, 6, b"places"),
        40961: Tag(3, 1, b"\xff\xff"),
        40962: Tag(3, 1, struct.pack("<H", 9999)),
        INTEROPERABILITY: {1: Tag(2, 4, b"R03\0")},
    }
    with path.open("r+b") as stream:
        append_directory(stream, EXIF, camera)
    return path


def test_exif_is_kept_but_for_what_is_no_longer_true(tmp_path):
    image = noiseless.read(with_camera_tags(tmp_path / "a.dng"))
    assert set(image.header) == {"format", "exif"}
    order, main = decode_exif(image.header["exif"])
    assert (order, main[271].data, main[274].data) == ("<", b"maker\0", b"\1\0")
    assert main[EXIF] == {33434: Tag(5, 1, struct.pack("<II", 1, 50)), 40961: Tag(3, 1, b"\1\0")}
    noiseless.write(image, tmp_path / "a.tif")
    with (tmp_path / "a.tif").open("rb") as stream:
        flavour, place = read_start(stream)
        page, _ = read_directory(stream, flavour, place)
    assert page[274].data == b"\1\0"
    assert page[EXIF][33434] == main[EXIF][33434]


def test_exif_that_cannot_be_read_is_left_behind_with_a_warning(tmp_path, caplog):
    path = saved(tmp_path / "a.dng", shading(), more=[(33432, "s", 0, "nobody in particular", True)])
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<HHI", 33432, 2, 21), struct.pack("<HHI", 33432, 2, 2**24)))
    assert noiseless.read(path).header == {"format": "raw"}
    assert "left behind" in caplog.text


def test_the_result_goes_to_tiff_and_not_back(tmp_path):
    image = noiseless.read(saved(tmp_path / "a.dng", shading()))
    noiseless.write(image, tmp_path / "a.tif")
    assert np.array_equal(noiseless.read(tmp_path / "a.tif").stored(), image.stored())
    with pytest.raises(UnsupportedFormat, match="write TIFF"):
        noiseless.write(image, tmp_path / "b.dng")
    assert not (tmp_path / "b.dng").exists()


def test_the_command_line_writes_tiff(tmp_path, capsys):
    path = saved(tmp_path / "a.dng", shading())
    assert main(["denoise", str(path), "--method", "heat", "--sigma", "300"]) == 0
    assert (tmp_path / "a.denoised.tif").exists()
    assert main(["denoise", str(path), "-o", str(tmp_path / "b.dng"), "--sigma", "300"]) == 1
    assert "only read; name it .tif" in capsys.readouterr().err


@pytest.mark.parametrize("coding", ["plain", "lossless JPEG"])
def test_a_file_that_ends_early_is_unreadable_wherever_it_ends(tmp_path, rng, coding):
    light = np.clip(0.2 + 0.05 * rng.standard_normal((3, 64, 96)), 0.0, 1.0)
    options = {}
    if coding == "lossless JPEG":
        coded = imagecodecs.ljpeg_encode(levels_of(mosaic_of(light)), bitspersample=14)
        options = {"data": iter([coded]), "compression": LOSSLESS_JPEG, "rowsperstrip": 64}
    path = saved(tmp_path / "a.dng", light, **options)
    assert noiseless.read(path).space == (64, 96)
    whole = path.read_bytes()
    # The last two bytes of a JPEG mark its end, and no pixel lies in them.
    for length in [*range(8, 700, 9), *range(700, len(whole) - 2, 311), len(whole) - 3]:
        (tmp_path / "cut.dng").write_bytes(whole[:length])
        with pytest.raises(UnreadableFile) as caught:
            noiseless.read(tmp_path / "cut.dng")
        assert "\n" not in str(caught.value)


def test_damage_raises_only_our_errors(tmp_path, rng):
    path = with_camera_tags(tmp_path / "a.dng")
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(150):
        damaged = whole.copy()
        damaged[rng.integers(0, 500, 3)] = rng.integers(0, 256, 3)
        path.write_bytes(damaged.tobytes())
        try:
            noiseless.read(path)
        except (UnreadableFile, UnsupportedFormat):
            continue


def test_damage_size_and_absence_are_told(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.dng", shading())
    (tmp_path / "cut.dng").write_bytes(path.read_bytes()[:100])
    with pytest.raises(UnreadableFile, match="LibRaw cannot develop it"):
        noiseless.read(tmp_path / "cut.dng")
    with monkeypatch.context() as patched:
        patched.setattr(limits, "MAX_PIXELS", 100)
        with pytest.raises(UnreadableFile, match="decompression bombs"):
            noiseless.read(path)
    monkeypatch.delitem(sys.modules, "noiseless.files.camera_raw", raising=False)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(MissingExtra, match=r"noiseless\[raw\]"):
        noiseless.read(path)


def test_a_dng_that_is_named_tiff_is_told_its_name(tmp_path):
    saved(tmp_path / "a.dng", shading()).rename(tmp_path / "a.tif")
    with pytest.raises(UnsupportedFormat, match="name it"):
        noiseless.read(tmp_path / "a.tif")


def test_the_network_of_cameras_is_the_usual_one_for_raw_files(tmp_path, rng):
    light = np.clip(shading() + 0.02 * rng.standard_normal((3, 64, 96)), 0, 1)
    image = noiseless.read(saved(tmp_path / "a.dng", light))
    assert noiseless.restore_image(image).report["model"] == "camera"
    assert noiseless.restore_image(image, sigma=2000.0).report["model"] == "base"
