"""Modality units in and out: every type and rescale, padding, air, overlays, frames with rescales of their own."""

import numpy as np
import pytest

import noiseless

pytest.importorskip("pydicom")
import pydicom
import pydicom.data
import pydicom.uid as uids

from .headers import frames_with, header, saved, words_of


@pytest.mark.parametrize("rescale", [None, (1.0, -1024.0), (3.774114, 0.000061), (0.5, 7.0)])
@pytest.mark.parametrize(
    ("dtype", "stored", "shape"),
    [
        ("uint8", 8, (9, 11)),
        ("uint8", 8, (9, 11, 3)),
        ("uint8", 8, (2, 9, 11, 3)),
        ("uint16", 10, (12, 17)),
        ("uint16", 16, (1, 1)),
        ("int16", 14, (3, 12, 17)),
        ("int16", 16, (12, 17)),
        ("int32", 20, (12, 17)),
    ],
)
def test_what_is_written_unchanged_comes_back(tmp_path, rng, dtype, stored, shape, rescale):
    words = words_of(rng, dtype, stored, shape)
    said = {} if rescale is None else {"RescaleSlope": rescale[0], "RescaleIntercept": rescale[1]}
    image = noiseless.read(saved(header(words, stored=stored, **said), tmp_path / "a.dcm"))
    slope, intercept = rescale or (1.0, 0.0)
    expected = words * slope + intercept
    stored_values = np.moveaxis(image.stored(), 0, -1) if words.shape[-1] == 3 else image.stored()[0]
    # Pixels are float32 of a nominal range, which the values may span.
    np.testing.assert_allclose(stored_values, expected, rtol=0, atol=2**-22 * np.abs(expected).max())
    assert (np.dtype(image.stored_dtype).kind == "f") == (slope != 1.0)
    noiseless.write(image, tmp_path / "b.dcm")
    written = pydicom.dcmread(tmp_path / "b.dcm")
    assert np.array_equal(written.pixel_array, words)
    again = noiseless.read(tmp_path / "b.dcm")
    assert np.array_equal(again.pixels, image.pixels)
    assert again.axes == image.axes
    assert again.spacing == image.spacing
    assert again.volumes == image.volumes


def test_padding_is_no_picture_and_comes_back(tmp_path, rng):
    words = rng.normal(1000, 20, (64, 64)).round().astype(np.int16)
    outside = np.hypot(*np.mgrid[-32:32, -32:32]) > 28
    words[outside] = -2000
    path = saved(header(words, RescaleSlope=1, RescaleIntercept=-1024, PixelPaddingValue=-2000), tmp_path / "a.dcm")
    image = noiseless.read(path)
    assert np.array_equal(image.mask, ~outside)
    assert image.stored().min() > -200  # nothing of -3024 HU
    found = noiseless.noise.estimate_image_noise(image)
    assert found.model.sigma == pytest.approx(20, rel=0.1)
    restored = noiseless.restore_image(image, noiseless.Recipe("heat"), sigma=20.0)
    noiseless.write(restored.image, tmp_path / "b.dcm")
    written = pydicom.dcmread(tmp_path / "b.dcm").pixel_array
    assert (written[outside] == -2000).all()
    assert (written[~outside] > 900).all()


def test_no_picture_becomes_padding(tmp_path):
    words = np.full((8, 8), 100, np.uint16)
    words[0, 0] = 0
    image = noiseless.read(saved(header(words, stored=12, PixelPaddingValue=0), tmp_path / "a.dcm"))
    darker = image.with_pixels(image.pixels - np.float32(100.3 / image.scale))
    noiseless.write(darker, tmp_path / "b.dcm")
    written = pydicom.dcmread(tmp_path / "b.dcm").pixel_array
    assert written[0, 0] == 0
    assert (written.reshape(-1)[1:] == 1).all()


def test_air_of_computed_tomography_does_not_count(tmp_path, rng):
    values = np.where(np.mgrid[0:96, 0:96][1] < 48, -1000, 40) + rng.normal(0, 12, (96, 96))
    values[:, :48] = -1000 + rng.normal(0, 2, (96, 48))
    words = (values.round() + 1024).astype(np.uint16)
    image = noiseless.read(saved(header(words, stored=12, RescaleSlope=1, RescaleIntercept=-1024), tmp_path / "a.dcm"))
    assert image.stored_dtype == "int16"
    assert not image.mask[:, :47].any()
    assert image.mask[:, 49:].all()
    assert noiseless.noise.estimate_image_noise(image).model.sigma == pytest.approx(12, rel=0.1)


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_an_overlay_in_unused_bits_stays_there(tmp_path, rng, dtype):
    words = rng.integers(0, 2047, (10, 12)).astype(dtype)
    overlay = rng.integers(0, 2, words.shape).astype(np.uint16) << 14
    data = header((words.view(np.uint16) | overlay).view(dtype), stored=12)
    for name, vr, value in ((0x0010, "US", 10), (0x0011, "US", 12), (0x0100, "US", 16), (0x0102, "US", 14)):
        data.add_new((0x6000, name), vr, value)
    image = noiseless.read(saved(data, tmp_path / "a.dcm"))
    assert np.array_equal(image.stored()[0], words)
    noiseless.write(image.with_pixels(image.pixels[:, ::-1]), tmp_path / "b.dcm")
    raw = np.frombuffer(pydicom.dcmread(tmp_path / "b.dcm").PixelData, np.uint16).reshape(words.shape)
    assert np.array_equal(raw & (1 << 14), overlay)
    assert np.array_equal(raw & 0xFFF, words[::-1].view(np.uint16))


def test_each_frame_has_its_own_rescale(tmp_path, rng):
    words = words_of(rng, "uint16", 12, (3, 6, 7))
    rescales = [(1.0, 0.0), (2.0, -5.0), (0.25, 3.0)]
    data = header(words, stored=12, SOPClassUID=uids.EnhancedMRImageStorage, Modality="MR")
    data.PerFrameFunctionalGroupsSequence = frames_with(rescales, [0, 2, 4])
    image = noiseless.read(saved(data, tmp_path / "a.dcm"))
    expected = [slope * frame + intercept for (slope, intercept), frame in zip(rescales, words, strict=True)]
    np.testing.assert_allclose(image.stored()[0], expected, rtol=1e-6)
    assert image.spacing == (2.0, 0.5, 0.7)
    assert image.volumes == 1
    noiseless.write(image, tmp_path / "b.dcm")
    written = pydicom.dcmread(tmp_path / "b.dcm")
    assert np.array_equal(written.pixel_array, words)
    assert written.ImageType == ["DERIVED", "PRIMARY", "AXIAL"]  # enhanced objects know no SECONDARY


def test_frames_that_are_no_stack_are_denoised_by_themselves(tmp_path, rng):
    words = rng.normal(500, 30, (3, 24, 24)).round().astype(np.uint16)
    uneven = header(words, stored=12, SOPClassUID=uids.EnhancedMRImageStorage)
    uneven.PerFrameFunctionalGroupsSequence = frames_with([(1.0, 0.0)] * 3, [0, 2, 9])
    image = noiseless.read(saved(uneven, tmp_path / "a.dcm"))
    assert image.volumes == 3
    recipe = noiseless.Recipe("total-variation")
    together = noiseless.restore_image(image, recipe, sigma=30.0).image.pixels
    for number in range(3):
        alone = noiseless.restore_image(image.volume(number), recipe, sigma=30.0).image.pixels
        assert np.array_equal(together[:, number], alone)
