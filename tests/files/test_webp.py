"""WebP: without loss pixels and metadata come back; what it cannot hold is refused."""

import io
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from noiseless.errors import NoiselessError, UnreadableFile, UnsupportedFormat
from noiseless.files import limits, read, write
from noiseless.image import Image, from_array

METADATA = {"icc": b"profile of no monitor", "exif": b"II*\0\x08\0\0\0\0\0\0\0\0\0", "xmp": b"<x:xmpmeta/>"}


def picture(rng, channels, size=(13, 17)):
    return from_array(rng.integers(0, 256, (channels, *size), dtype=np.uint8), channel_axis=0)


@pytest.mark.parametrize("size", [(1, 1), (13, 17), (64, 3)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kept", [(), ("exif",), ("exif", "icc", "xmp")])
def test_a_picture_comes_back_as_it_was(tmp_path, rng, channels, size, alpha, kept):
    image = replace(picture(rng, channels, size), header={key: METADATA[key] for key in kept})
    if alpha:
        image = replace(image, alpha=rng.integers(0, 255, size, dtype=np.uint8))
    write(image, tmp_path / "a.webp")
    again = read(tmp_path / "a.webp")
    expected = image.stored()
    # Gray is three equal channels, and a profile binds them to colour.
    if channels == 1 and "icc" in kept:
        expected = np.repeat(expected, 3, axis=0)
    assert again.stored_dtype == "uint8"
    assert again.header == {"format": "webp", "webp_lossless": True, **image.header}
    if channels == 3 and size == (1, 1):
        expected = expected if again.channels == 3 else expected[:1]
    assert np.array_equal(again.stored(), expected)
    assert (again.alpha is None) == (not alpha)
    if alpha:
        assert np.array_equal(again.alpha, image.alpha)


def saved(path, rng, **options):
    smooth = np.stack([*np.meshgrid(np.arange(96), np.arange(64)), np.full((64, 96), 90)], axis=-1)
    PIL.Image.fromarray((2 * smooth).astype(np.uint8)).save(path, "WEBP", **options)
    return path


def test_loss_stays_loss_and_none_stays_none(tmp_path, rng):
    lossy, lossless = (read(saved(tmp_path / f"{x}.webp", rng, lossless=x)) for x in (False, True))
    write(lossy, tmp_path / "lossy.webp")
    write(lossless, tmp_path / "lossless.webp")
    assert b"VP8 " in (tmp_path / "lossy.webp").read_bytes()[:40]
    assert b"VP8L" in (tmp_path / "lossless.webp").read_bytes()[:40]
    off = np.abs(read(tmp_path / "lossy.webp").stored().astype(int) - lossy.stored())
    assert off.mean() < 2


def test_sixteen_bits_become_eight(tmp_path, rng):
    stored = rng.integers(0, 65536, (3, 9, 9), dtype=np.uint16)
    write(from_array(stored, channel_axis=0), tmp_path / "a.webp")
    assert np.array_equal(read(tmp_path / "a.webp").stored(), np.rint(stored / 257.0).astype(np.uint8))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (from_array(np.zeros((4, 5), np.float32)), "not float32"),
        (from_array(np.zeros((2, 4, 5), np.uint8), channel_axis=0), "not 2 channels"),
        (from_array(np.zeros((3, 4, 5), np.uint8)), "not 1 channels of ZYX"),
        (Image(np.zeros((1, 1, 16384)), stored_dtype="uint8"), "up to 16383"),
    ],
)
def test_what_webp_cannot_hold_is_refused(tmp_path, image, message):
    with pytest.raises(UnsupportedFormat, match=message):
        write(image, tmp_path / "a.webp")
    assert not (tmp_path / "a.webp").exists()


def test_animations_are_refused(tmp_path, rng):
    frames = [PIL.Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "a.webp", "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFormat, match="animated"):
        read(tmp_path / "a.webp")


@pytest.mark.parametrize("lossless", [False, True])
def test_a_file_that_ends_early_is_one_line_wherever_it_ends(tmp_path, rng, lossless):
    noise = PIL.Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    noise.save(tmp_path / "a.webp", "WEBP", lossless=lossless, exif=METADATA["exif"])
    whole = (tmp_path / "a.webp").read_bytes()
    for length in range(1, len(whole), 5):
        (tmp_path / "cut.webp").write_bytes(whole[:length])
        with pytest.raises(NoiselessError) as caught:
            read(tmp_path / "cut.webp")
        assert "\n" not in str(caught.value)


def test_damage_within_is_told_or_survived(tmp_path, rng):
    noise = PIL.Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    stream = io.BytesIO()
    noise.save(stream, "WEBP", lossless=True)
    whole = bytearray(stream.getvalue())
    refused = 0
    for position in range(12, len(whole), 37):
        damaged = bytes(whole[:position]) + bytes([whole[position] ^ 0xFF]) + bytes(whole[position + 1 :])
        (tmp_path / "a.webp").write_bytes(damaged)
        try:
            read(tmp_path / "a.webp")
        except (UnreadableFile, UnsupportedFormat):
            refused += 1
    assert refused > 0


def test_bombs_are_refused_before_they_are_decoded(tmp_path, rng, monkeypatch):
    saved(tmp_path / "a.webp", rng)
    monkeypatch.setattr(limits, "MAX_PIXELS", 100)
    with pytest.raises(UnreadableFile, match="decompression bombs"):
        read(tmp_path / "a.webp")
