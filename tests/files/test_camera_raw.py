"""Camera raw: a mosaic of known light is developed to what it was; nothing goes back."""

import sys

import numpy as np
import pytest
import tifffile

import noiseless
from noiseless.apps.cli import main
from noiseless.errors import MissingExtra, UnreadableFile, UnsupportedFormat
from noiseless.files import limits

pytest.importorskip("rawpy")

BLACK, WHITE = 64, 1023
XYZ_TO_SRGB = [3.2404542, -1.5371385, -0.4985314, -0.9692660, 1.8760108, 0.0415560, 0.0556434, -0.2040259, 1.0572252]


def saved(path, light, orientation=1):
    """A DNG with the mosaic RGGB of linear light (3, Y, X), of a camera that sees as sRGB does."""
    mosaic = light[1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = light[0, ::2, ::2], light[2, 1::2, 1::2]
    rationals = [number for value in XYZ_TO_SRGB for number in (round(value * 10_000), 10_000)]
    tags = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),
        (50708, "s", 0, "camera of a test", True),
        (50714, "H", 1, BLACK, True),
        (50717, "H", 1, WHITE, True),
        (50721, "2i", 9, rationals, True),
        (50728, "2I", 3, [1, 1] * 3, True),
        (50778, "H", 1, 21, True),
        (274, "H", 1, orientation, True),
    ]
    levels = np.rint(BLACK + mosaic * (WHITE - BLACK)).astype(np.uint16)
    tifffile.imwrite(path, levels, photometric=32803, extratags=tags, metadata=None, planarconfig=1)
    return path


def shading(size=(64, 96)):
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    return np.stack([0.2 + 0.4 * x / size[1], 0.3 + 0.2 * y / size[0], np.full(size, 0.25)])


def encoded(light):
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_light_is_developed_to_srgb(tmp_path):
    light = shading()
    image = noiseless.read(saved(tmp_path / "a.dng", light))
    assert (image.axes, image.stored_dtype, image.channels) == ("CYX", "uint16", 3)
    inner = (slice(None), slice(4, -4), slice(4, -4))
    # Levels of 1/959 are 2.5/959 after the curve where it is steepest here; demosaicing a slope adds as much.
    off = image.stored() / 65535 - encoded(light)
    assert np.abs(off[inner]).max() < 5 / 959


@pytest.mark.parametrize(
    ("orientation", "turned"), [(3, lambda a: a[:, ::-1, ::-1]), (6, lambda a: np.rot90(a, -1, (1, 2)))]
)
def test_the_picture_is_upright(tmp_path, orientation, turned):
    upright = turned(noiseless.read(saved(tmp_path / "a.dng", shading())).stored().astype(float))
    image = noiseless.read(saved(tmp_path / "b.dng", shading(), orientation))
    assert image.pixels.shape == upright.shape
    inner = (slice(None), slice(4, -4), slice(4, -4))
    assert np.abs(image.stored() - upright)[inner].max() < 65535 * 5 / 959


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


def test_damage_size_and_absence_are_told(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.dng", shading())
    (tmp_path / "cut.dng").write_bytes(path.read_bytes()[:300])
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
