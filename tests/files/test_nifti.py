"""NIfTI: volumes come back bit for bit, with header, affine, slope and extensions; what is no volume is refused."""

import gzip
import logging

import numpy as np
import pytest

from noiseless.errors import InvalidImage, MissingExtra, UnreadableFile, UnsupportedFormat
from noiseless.files import formats, limits, read, with_history, write
from noiseless.image import from_array

nibabel = pytest.importorskip("nibabel")

AFFINE = np.array([[-0.9, 0.1, 0.0, 90.0], [0.1, 0.9, 0.0, -126.0], [0.0, 0.0, 2.5, -72.0], [0.0, 0.0, 0.0, 1.0]])


def saved(path, stored, *, slope=None, kind=nibabel.Nifti1Image, **fields):
    image = kind(stored, AFFINE)
    image.header.set_data_dtype(stored.dtype)
    image.header.set_zooms([0.9, 0.9, 2.5][: stored.ndim])
    image.header.set_xyzt_units("mm", "sec")
    for name, value in fields.items():
        image.header[name] = value
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"kept as it is"))
    if slope is not None:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)
    return path


def raw(path):
    return np.asarray(nibabel.load(path).dataobj.get_unscaled())


@pytest.mark.parametrize("name", ["in.nii", "in.nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_a_volume_comes_back_as_it_was(tmp_path, rng, dtype, kind, name):
    stored = (200 * rng.random((7, 6, 5))).astype(dtype)
    path = saved(tmp_path / name, stored, kind=kind, descrip=b"scanner 7")
    image = read(path)
    assert image.axes == "CZYX"
    assert image.pixels.shape == (1, 5, 6, 7)
    assert image.spacing == pytest.approx((2.5, 0.9, 0.9))
    assert image.in_stored_units()[0] == pytest.approx(stored.T, rel=1e-6)
    write(image, tmp_path / f"out-{name}")
    again = nibabel.load(tmp_path / f"out-{name}")
    assert type(again) is kind
    if np.dtype(dtype).kind == "f":  # through float32, with a scale
        assert raw(tmp_path / f"out-{name}") == pytest.approx(stored, rel=1e-6)
    else:
        assert np.array_equal(raw(tmp_path / f"out-{name}"), stored)
    assert np.array_equal(again.affine, nibabel.load(path).affine)
    assert [extension.get_content() for extension in again.header.extensions] == [b"kept as it is"]
    before, after = nibabel.load(path).header, again.header
    for field in before:
        assert np.array_equal(np.nan_to_num(before[field]), np.nan_to_num(after[field])), field


@pytest.mark.parametrize("slope", [(2.0, -1024.0), (0.021, -844.0), (1.0, 10.0)])
def test_slope_and_intercept_go_back_with_the_integers_they_belong_to(tmp_path, rng, slope):
    stored = rng.integers(-2000, 3000, (6, 5, 4), dtype=np.int16)
    path = saved(tmp_path / "in.nii", stored, slope=slope)
    assert np.array_equal(raw(path), stored)
    write(read(path), tmp_path / "out.nii")
    assert np.array_equal(raw(tmp_path / "out.nii"), stored)
    assert nibabel.load(tmp_path / "out.nii").get_fdata() == pytest.approx(nibabel.load(path).get_fdata(), abs=1e-9)


def test_a_picture_and_units_other_than_millimetres(tmp_path, rng):
    stored = rng.integers(0, 200, (6, 5), dtype=np.uint8)
    image = nibabel.Nifti1Image(stored, np.eye(4))
    image.header.set_xyzt_units("micron")
    nibabel.save(image, tmp_path / "in.nii")
    picture = read(tmp_path / "in.nii")
    assert (picture.axes, picture.spacing) == ("CYX", (0.001, 0.001))
    write(picture, tmp_path / "out.nii")
    assert np.array_equal(raw(tmp_path / "out.nii"), stored)


def test_an_image_from_elsewhere_gets_its_spacing_and_no_orientation(tmp_path, rng):
    image = from_array(rng.integers(0, 200, (4, 5, 6), dtype=np.int16))
    write(image, tmp_path / "plain.nii.gz")
    header = nibabel.load(tmp_path / "plain.nii.gz").header
    assert header.get_zooms() == (1.0, 1.0, 1.0)
    assert (header["qform_code"], header["sform_code"]) != (1, 1)
    assert bytes(header["descrip"]).startswith(b"noiseless ")
    assert np.array_equal(raw(tmp_path / "plain.nii.gz"), image.stored()[0].T)


def test_what_was_done_is_told_in_comments_once(tmp_path, rng):
    path = saved(tmp_path / "in.nii", rng.integers(0, 200, (4, 5, 6), dtype=np.int16))
    image = with_history(with_history(read(path), "noiseless 1: noise"), "noiseless 1: denoised")
    write(image, tmp_path / "out.nii")
    comments = [extension.get_content() for extension in nibabel.load(tmp_path / "out.nii").header.extensions]
    assert comments == [b"kept as it is", b"noiseless 1: noise", b"noiseless 1: denoised"]
    write(read(tmp_path / "out.nii"), tmp_path / "again.nii")
    assert len(nibabel.load(tmp_path / "again.nii").header.extensions) == 3


def test_the_same_image_gives_the_same_bytes(tmp_path, rng):
    image = from_array(rng.integers(0, 200, (4, 5, 6), dtype=np.int16))
    write(image, tmp_path / "a.nii.gz")
    write(image, tmp_path / "b.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize("shape", [(7, 6, 5, 3), (7, 6, 1, 4), (7, 6, 5, 1), (7, 6, 1, 1), (7, 6, 5, 1, 1)])
def test_a_series_of_volumes_comes_back_as_it_was(tmp_path, rng, shape):
    stored = rng.integers(0, 999, shape).astype(np.int16)
    source = nibabel.Nifti1Image(stored, AFFINE)
    source.header.set_zooms([0.9, 0.9, 2.5, 2.0, 1.0][: len(shape)])
    nibabel.save(source, tmp_path / "in.nii")
    image = read(tmp_path / "in.nii")
    assert image.volumes == shape[3]
    for number in range(shape[3]):
        one = stored[..., 0] if len(shape) == 5 else stored
        assert np.array_equal(image.volume(number).stored()[0], one[..., number].T.squeeze())
    write(image, tmp_path / "out.nii")
    again = nibabel.load(tmp_path / "out.nii")
    assert np.array_equal(np.asarray(again.dataobj), stored)
    assert again.header.get_zooms() == source.header.get_zooms()


def test_what_has_no_place_or_no_number_is_refused(tmp_path):
    flat = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4))
    flat.header["sform_code"], flat.header["qform_code"] = 1, 0
    flat.header["srow_x"] = flat.header["srow_y"] = flat.header["srow_z"] = 0
    (tmp_path / "flat.nii").write_bytes(bytes(flat.header.binaryblock) + bytes(4) + bytes(4 * 64))
    with pytest.raises(UnreadableFile, match="affine has no inverse"):
        read(tmp_path / "flat.nii")
    values = np.ones((4, 4, 4), np.float32)
    values[1, 2, 3] = np.nan
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "nan.nii")
    with pytest.raises(InvalidImage, match="1 of 64 pixels are NaN"):
        read(tmp_path / "nan.nii")


def test_what_is_no_volume_is_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 1, 3), np.float32), np.eye(4)), tmp_path / "vectors.nii")
    with pytest.raises(UnsupportedFormat, match=r"vectors, of shape \(4, 4, 4, 1, 3\)"):
        read(tmp_path / "vectors.nii")
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4), np.complex64), np.eye(4)), tmp_path / "complex.nii")
    with pytest.raises(UnsupportedFormat, match="of type complex64"):
        read(tmp_path / "complex.nii")
    with pytest.raises(UnsupportedFormat, match="one channel, and the image has 3"):
        write(from_array(np.zeros((3, 4, 5), np.uint8), channel_axis=0), tmp_path / "colour.nii")
    with pytest.raises(UnsupportedFormat, match="has no float16"):
        write(from_array(np.zeros((4, 5), np.float16)), tmp_path / "half.nii")
    assert not (tmp_path / "half.nii").exists()


def test_damaged_and_enormous_files_are_refused(tmp_path, rng, monkeypatch):
    path = saved(tmp_path / "whole.nii", rng.integers(0, 99, (9, 9, 9), dtype=np.int16))
    (tmp_path / "cut.nii").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path / "cut.nii")
    (tmp_path / "cut.nii.gz").write_bytes(gzip.compress(path.read_bytes())[:300])
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path / "cut.nii.gz")
    (tmp_path / "other.nii.gz").write_bytes(gzip.compress(b"no volume at all" * 50))
    with pytest.raises(UnreadableFile, match="damaged"):
        read(tmp_path / "other.nii.gz")
    monkeypatch.setattr(limits, "MAX_PIXELS", 100)
    with pytest.raises(UnreadableFile, match="limit against decompression bombs"):
        read(path)


def test_the_header_is_left_behind_with_a_warning(tmp_path, rng, caplog):
    path = saved(tmp_path / "in.nii", rng.integers(0, 99, (9, 8, 7), dtype=np.uint16))
    with caplog.at_level(logging.WARNING):
        write(read(path), tmp_path / "out.tif")
    assert "TIFF cannot hold nifti" in caplog.text


def test_without_nibabel_the_extra_is_named(tmp_path, rng, monkeypatch):
    path = saved(tmp_path / "in.nii", rng.integers(0, 99, (3, 3, 3), dtype=np.uint8))
    missing = formats.Lazy("nibabel_is_not_here:read", extra="medical")
    entry = formats.FORMATS["nifti"]
    table = {"nifti": formats.Format(entry.name, entry.suffixes, entry.magic, missing, missing)}
    monkeypatch.setattr(formats, "FORMATS", table)
    with pytest.raises(MissingExtra, match=r"pip install 'noiseless\[medical\]'"):
        read(path)
