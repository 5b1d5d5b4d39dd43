"""JPEG: segments byte for byte, quality that does not undo the denoising, and an end that must be there."""

import io
from dataclasses import replace

import imagecodecs
import numpy as np
import PIL.Image
import PIL.JpegImagePlugin
import pytest

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files import jpeg, read, write
from noiseless.image import from_array


@pytest.fixture
def picture(rng):
    """Smooth colours with a little noise: 40 x 60."""
    y, x = np.mgrid[0:40, 0:60]
    smooth = np.stack([3 * x, 4 * y, 120 + x - y], axis=-1) + rng.normal(0, 3, (40, 60, 3))
    return PIL.Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8))


def encoded(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", **options)
    return stream.getvalue()


def read_bytes(folder, data):
    (folder / "in.jpg").write_bytes(data)
    return read(folder / "in.jpg")


def segment(marker, payload):
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


def psnr(image, reference):
    error = np.mean((image.stored().astype(float) - reference.stored().astype(float)) ** 2)
    return 10 * np.log10(255**2 / error)


def test_pixels_are_those_of_libjpeg(picture, tmp_path):
    data = encoded(picture)
    with PIL.Image.open(io.BytesIO(data)) as seen:
        np.testing.assert_array_equal(read_bytes(tmp_path, data).stored(), np.moveaxis(np.asarray(seen), -1, 0))


def test_gray_stays_gray(picture, tmp_path):
    image = read_bytes(tmp_path, encoded(picture.convert("L")))
    write(image, tmp_path / "out.jpg")
    with PIL.Image.open(tmp_path / "out.jpg") as seen:
        assert seen.mode == "L"


@pytest.mark.parametrize("sampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_fine_tables_sampling_and_progression_are_kept(sampling, progressive, picture, tmp_path):
    data = encoded(picture, quality=97, subsampling=sampling, progressive=progressive)
    write(read_bytes(tmp_path, data), tmp_path / "out.jpg")
    with PIL.Image.open(io.BytesIO(data)) as old, PIL.Image.open(tmp_path / "out.jpg") as new:
        assert new.quantization == old.quantization
        assert PIL.JpegImagePlugin.get_sampling(new) == sampling
        assert bool(new.info.get("progressive")) == progressive


def test_coarse_tables_are_refined_to_quality_95(picture, tmp_path):
    data = encoded(picture, quality=60)
    write(read_bytes(tmp_path, data), tmp_path / "out.jpg")
    with PIL.Image.open(tmp_path / "out.jpg") as new, PIL.Image.open(io.BytesIO(encoded(picture, quality=95))) as bound:
        assert new.quantization == bound.quantization


def test_other_sources_get_quality_95_without_subsampling(picture, tmp_path):
    write(from_array(np.asarray(picture), channel_axis=-1), tmp_path / "out.jpg")
    with PIL.Image.open(tmp_path / "out.jpg") as new, PIL.Image.open(io.BytesIO(encoded(picture, quality=95))) as bound:
        assert new.quantization == bound.quantization
        assert PIL.JpegImagePlugin.get_sampling(new) == 0


def test_metadata_pass_byte_for_byte(picture, tmp_path):
    comment, iptc = segment(0xFE, b"a comment"), segment(0xED, b"Photoshop 3.0\0 IPTC")
    extended, maker = segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0..."), segment(0xE5, b"maker")
    profile = bytes(range(256)) * 600  # more than one segment
    data = encoded(picture, exif=b"Exif\0\0MM\0*oddly made", icc_profile=profile, xmp=b"<x/>", dpi=(300, 200))
    data = data[:2] + comment + iptc + extended + maker + data[2:]
    image = read_bytes(tmp_path, data)
    assert image.header["exif"] == b"MM\0*oddly made"
    assert image.header["icc"] == profile
    assert image.header["xmp"] == b"<x/>"
    assert image.header["dpi"] == (300.0, 200.0)
    write(image, tmp_path / "out.jpg")
    out = (tmp_path / "out.jpg").read_bytes()
    for kept in (comment, iptc, extended, maker, b"Exif\0\0MM\0*oddly made"):
        assert out.count(kept) == 1
    assert dict(read(tmp_path / "out.jpg").header, jpeg_coding=None) == dict(image.header, jpeg_coding=None)


def test_a_file_without_comment_names_the_software(picture, tmp_path):
    write(read_bytes(tmp_path, encoded(picture)), tmp_path / "out.jpg")
    with PIL.Image.open(tmp_path / "out.jpg") as new:
        assert new.info["comment"].startswith(b"noiseless ")


def test_metadata_too_long_for_a_segment_are_left_behind_with_a_warning(picture, tmp_path, caplog):
    image = replace(
        from_array(np.asarray(picture), channel_axis=-1), header={"xmp": bytes(70_000), "exif": bytes(70_000)}
    )
    write(image, tmp_path / "out.jpg")
    assert not {"xmp", "exif"} & set(read(tmp_path / "out.jpg").header)
    assert "XMP" in caplog.text
    assert "EXIF" in caplog.text


def test_a_second_picture_and_what_points_at_it_are_left_behind(picture, tmp_path, caplog):
    data = encoded(picture)
    image = read_bytes(tmp_path, data[:2] + segment(0xE2, b"MPF\0points") + data[2:] + data + bytes(1024))
    assert "jpeg_segments" not in image.header
    assert "were left behind" in caplog.text


def test_a_thumbnail_in_exif_does_not_end_the_picture(picture, tmp_path):
    thumbnail = encoded(picture.resize((8, 8)))
    data = encoded(picture, exif=b"Exif\0\0II*\0" + thumbnail)
    image = read_bytes(tmp_path, data)
    assert image.space == (40, 60)
    with pytest.raises(UnreadableFile, match="ends in the middle"):
        read_bytes(tmp_path, data[: len(data) // 2])


def test_the_last_two_bytes_are_missed(picture, tmp_path):
    with pytest.raises(UnreadableFile, match="ends in the middle"):
        read_bytes(tmp_path, encoded(picture)[:-2])


def test_cmyk_is_refused_by_name(picture, tmp_path):
    with pytest.raises(UnsupportedFormat, match=r"CMYK.*convert it to RGB"):
        read_bytes(tmp_path, encoded(picture.convert("CMYK")))


def test_lossless_coding_is_refused_by_name(picture, tmp_path):
    data = imagecodecs.ljpeg_encode(np.asarray(picture.convert("L")))
    with pytest.raises(UnsupportedFormat, match="lossless"):
        read_bytes(tmp_path, data)


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    flat = np.full((16, 16), 257 * 100 + 129, np.uint16)  # nearer to 101 than to 100
    write(from_array(flat), tmp_path / "out.jpg")
    np.testing.assert_array_equal(read(tmp_path / "out.jpg").stored(), np.full((1, 16, 16), 101))


def test_what_jpeg_cannot_hold_is_refused_with_the_remedy(tmp_path):
    gray = np.zeros((3, 4, 5), np.uint8)
    plain = from_array(gray[0])
    for image, message in (
        (replace(plain, alpha=gray[0]), "alpha.*write PNG or TIFF"),
        (from_array(gray), "ZYX.*write TIFF"),
        (from_array(gray[0].astype(np.float32)), "float32.*write TIFF"),
        (from_array(np.zeros((1, 65501), np.uint8)), "65500.*write PNG"),
    ):
        with pytest.raises(UnsupportedFormat, match=message):
            write(image, tmp_path / "out.jpg")


def test_a_bomb_is_refused_before_it_is_decoded(picture, tmp_path, monkeypatch):
    monkeypatch.setattr("noiseless.files.limits.MAX_PIXELS", 40 * 60 - 1)
    with pytest.raises(UnreadableFile, match="60 x 40 pixels"):
        read_bytes(tmp_path, encoded(picture))


def test_pillows_own_limit_does_not_matter(picture, tmp_path, monkeypatch):
    data = encoded(picture)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
    write(read_bytes(tmp_path, data), tmp_path / "out.jpg")


def test_the_zigzag_is_that_of_the_standard():
    assert list(jpeg.ZIGZAG[:10]) == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]
    assert list(jpeg.ZIGZAG[-3:]) == [55, 62, 63] or list(jpeg.ZIGZAG[-2:]) == [62, 63]
    assert sorted(jpeg.ZIGZAG) == list(range(64))


@pytest.mark.shared
def test_writing_does_not_undo_the_denoising(shared_data, tmp_path):
    losses = []
    for path in sorted((shared_data / "real" / "PolyU").glob("*_real.JPG"))[::8]:
        noisy, clean = read(path), read(path.with_name(path.name.replace("_real", "_mean")))
        denoised = noisy.with_pixels(0.3 * clean.pixels + 0.7 * noisy.pixels)  # 3 dB nearer to the truth
        write(denoised, tmp_path / "out.jpg", overwrite=True)
        losses.append(psnr(denoised, clean) - psnr(read(tmp_path / "out.jpg"), clean))
        assert (tmp_path / "out.jpg").stat().st_size < 2.5 * path.stat().st_size
    assert np.mean(losses) < 0.3  # a tenth of what was gained


@pytest.mark.shared
def test_a_camera_file_keeps_its_header(shared_data, tmp_path):
    path = sorted((shared_data / "real" / "PolyU").glob("*_real.JPG"))[0]
    first = read(path)
    write(first, tmp_path / "out.jpg")
    second = read(tmp_path / "out.jpg")
    assert second.header["jpeg_coding"]["sampling"] == first.header["jpeg_coding"]["sampling"]
    assert {key: second.header.get(key) for key in ("exif", "icc", "xmp", "dpi")} == {
        key: first.header.get(key) for key in ("exif", "icc", "xmp", "dpi")
    }
