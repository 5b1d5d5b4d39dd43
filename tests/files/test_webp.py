"""WebP: without loss pixels and metadata come back; with loss the denoising stays; what it cannot hold is refused."""

import io
import logging
import struct
from dataclasses import replace

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from noiseless.errors import UnreadableFile, UnsupportedFormat
from noiseless.files import limits, read, webp, write
from noiseless.files.directory import EXIF, Tag, decode_exif, encode_exif
from noiseless.image import Image, from_array

BLOCK = encode_exif({271: Tag(2, 6, b"maker\0"), EXIF: {33434: Tag(5, 1, struct.pack("<II", 1, 50))}}, "<")
METADATA = {
    "icc": b"profile of no monitor",
    "exif": BLOCK,
    "xmp": b"<x:xmpmeta/>",
    "webp_chunks": ((b"ABCD", b"odd"), (b"efgh", b"even"), (b"ABCD", b"")),
}


def picture(rng, channels, size=(13, 17)):
    return from_array(rng.integers(0, 256, (channels, *size), dtype=np.uint8), channel_axis=0)


def smooth(size=(64, 96)):
    """Colours that code well, (Y, X, 3)."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    return np.stack([2 * x, 3 * y, 120 + x - y], axis=-1).astype(np.uint8)


def encoded(array, **options):
    stream = io.BytesIO()
    PIL.Image.fromarray(array).save(stream, "WEBP", **options)
    return stream.getvalue()


def chunk(kind, payload):
    return struct.pack("<4sI", kind, len(payload)) + payload + b"\0" * (len(payload) % 2)


def riff(*chunks):
    body = b"WEBP" + b"".join(chunk(kind, payload) for kind, payload in chunks)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def chunks_of(data):
    found, position = [], 12
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        found.append((kind, data[position + 8 : position + 8 + length]))
        position += 8 + length + length % 2
    return found


def read_bytes(folder, data):
    (folder / "in.webp").write_bytes(data)
    return read(folder / "in.webp")


def written(folder, image):
    write(image, folder / "out.webp", overwrite=True)
    return (folder / "out.webp").read_bytes()


def psnr(image, reference):
    error = np.mean((image.stored().astype(float) - reference.stored().astype(float)) ** 2)
    return 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("size", [(1, 1), (13, 17), (64, 3)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", ["none", "some", "opaque", "transparent"])
@pytest.mark.parametrize("kept", [(), ("exif",), ("xmp", "webp_chunks"), tuple(METADATA)])
def test_a_picture_comes_back_as_it_was(tmp_path, rng, channels, size, alpha, kept):
    image = replace(picture(rng, channels, size), header={key: METADATA[key] for key in kept})
    if alpha != "none":
        values = {"some": rng.integers(0, 255, size), "opaque": np.full(size, 255), "transparent": np.zeros(size)}
        image = replace(image, alpha=values[alpha].astype(np.uint8))
    again = read_bytes(tmp_path, written(tmp_path, image))
    # Gray is three equal channels, and a profile binds them to colour.
    bound = channels == 1 and "icc" in kept
    np.testing.assert_array_equal(again.stored(), np.repeat(image.stored(), 3, axis=0) if bound else image.stored())
    assert again.stored_dtype == "uint8"
    assert again.header == {"format": "webp", "webp_lossless": True, **image.header}
    assert (again.alpha is None) == (image.alpha is None)
    if image.alpha is not None:
        np.testing.assert_array_equal(again.alpha, image.alpha)
    assert written(tmp_path, again) == written(tmp_path, image)


def test_pixels_are_those_of_libwebp(tmp_path):
    data = encoded(smooth(), quality=70)
    with PIL.Image.open(io.BytesIO(data)) as seen:
        np.testing.assert_array_equal(read_bytes(tmp_path, data).stored(), np.moveaxis(np.asarray(seen), -1, 0))


def test_loss_stays_loss_and_none_stays_none(tmp_path):
    for lossless, kind in ((False, b"VP8 "), (True, b"VP8L")):
        first = read_bytes(tmp_path, encoded(smooth(), lossless=lossless))
        assert first.header == {"format": "webp", "webp_lossless": lossless}
        assert [found for found, _ in chunks_of(written(tmp_path, first))] == [kind]


def test_pictures_from_elsewhere_go_out_without_loss(tmp_path):
    write(from_array(smooth(), channel_axis=-1), tmp_path / "a.jpg")
    assert chunks_of(written(tmp_path, read(tmp_path / "a.jpg")))[0][0] == b"VP8L"


@pytest.mark.parametrize("lossless", [False, True])
def test_alpha_and_the_colours_under_it_survive(tmp_path, rng, lossless):
    alpha = rng.integers(0, 256, (64, 96), dtype=np.uint8)
    alpha[:32] = 0
    image = replace(from_array(smooth(), channel_axis=-1), alpha=alpha, header={"webp_lossless": lossless})
    again = read_bytes(tmp_path, written(tmp_path, image))
    np.testing.assert_array_equal(again.alpha, alpha)
    # Chroma of half the resolution is off by half a step of these slopes, and rounded twice.
    assert np.abs(again.stored().astype(int) - image.stored()).max() <= (0 if lossless else 4)


def test_gray_with_loss_stays_gray(tmp_path, rng):
    noisy = np.clip(rng.normal(128, 40, (50, 51)), 0, 255).astype(np.uint8)
    for quality in (10, 50, 90, 100):
        data = encoded(np.repeat(noisy[..., np.newaxis], 3, axis=-1), quality=quality)
        decoded = imagecodecs.webp_decode(data)
        assert (decoded[..., 0] != decoded[..., 1]).any(), "libwebp rounds green by itself"
        image = read_bytes(tmp_path, data)
        np.testing.assert_array_equal(image.stored()[0], decoded[..., 0])
        assert read_bytes(tmp_path, written(tmp_path, image)).channels == 1


def test_equal_channels_are_gray_unless_a_profile_for_colour_binds_them(tmp_path):
    gray = np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1), 3, axis=-1)
    for profile, channels in (
        (None, 1),
        (b"\0" * 16 + b"RGB " + b"\0" * 99, 3),
        (b"\0" * 16 + b"GRAY" + b"\0" * 99, 1),
    ):
        image = read_bytes(tmp_path, encoded(gray, lossless=True, icc_profile=profile))
        assert image.channels == channels
        assert image.header.get("icc") == profile
    gray[0, 0, 1] += 1  # without loss that is a colour
    assert read_bytes(tmp_path, encoded(gray, lossless=True)).channels == 3


def test_sixteen_bits_become_eight(tmp_path, rng):
    stored = rng.integers(0, 65536, (4, 9, 9), dtype=np.uint16)
    again = read_bytes(tmp_path, written(tmp_path, replace(from_array(stored[:3], channel_axis=0), alpha=stored[3])))
    expected = np.rint(stored / 257.0).astype(np.uint8)
    np.testing.assert_array_equal(again.stored(), expected[:3])
    np.testing.assert_array_equal(again.alpha, expected[3])


def test_metadata_pass_byte_for_byte_and_in_the_order_of_the_standard(tmp_path):
    metadata = {"icc_profile": bytes(range(256)) * 9, "exif": b"Exif\0\0MM\0*oddly made", "xmp": b"<x/>"}
    for lossless in (False, True):
        source = [
            *chunks_of(encoded(smooth(), lossless=lossless, **metadata)),
            (b"what", b"ever"),
            (b"XMP ", b"second"),
        ]
        image = read_bytes(tmp_path, riff(*source))
        assert image.header["exif"] == b"MM\0*oddly made"
        found = chunks_of(written(tmp_path, image))
        assert [kind for kind, _ in found] == [
            b"VP8X",
            b"ICCP",
            b"VP8L" if lossless else b"VP8 ",
            b"EXIF",
            b"XMP ",
            b"what",
        ]
        contents = dict(found)
        assert contents[b"EXIF"] == b"MM\0*oddly made"
        assert [contents[kind] for kind in (b"ICCP", b"XMP ", b"what")] == [metadata["icc_profile"], b"<x/>", b"ever"]
        assert contents[b"VP8X"] == bytes([0x2C, 0, 0, 0, 95, 0, 0, 63, 0, 0])


def test_a_signature_of_the_old_pixels_is_left_behind_with_a_warning(tmp_path, caplog):
    image = read_bytes(tmp_path, riff(*chunks_of(encoded(smooth())), (b"C2PA", b"signed by nobody")))
    assert "webp_chunks" not in image.header
    assert "C2PA" in caplog.text
    assert "nobody" not in caplog.text


def test_chunks_are_named_when_another_format_cannot_hold_them(tmp_path, caplog):
    write(read_bytes(tmp_path, riff(*chunks_of(encoded(smooth())), (b"what", b"private"))), tmp_path / "a.png")
    assert "PNG cannot hold webp_chunks" in caplog.text
    assert "private" not in caplog.text


def test_the_print_size_goes_into_exif_and_nothing_else_there_moves(tmp_path):
    for order in "<>":
        inner = {33434: Tag(5, 1, struct.pack(order + "II", 1, 50)), 37500: Tag(7, 9, b"the maker")}
        block = encode_exif({271: Tag(2, 6, b"maker\0"), EXIF: inner, 33432: Tag(2, 9, b"somebody\0")}, order)
        image = replace(from_array(smooth(), channel_axis=-1), header={"exif": block, "dpi": (300.0, 72.5)})
        first = read_bytes(tmp_path, written(tmp_path, image))
        assert first.header["dpi"] == (300.0, 72.5)
        assert first.header["exif"][8 : len(block)] == block[8:]
        assert decode_exif(first.header["exif"]) == decode_exif(block)
        assert read_bytes(tmp_path, written(tmp_path, first)).header == first.header
        again = read_bytes(tmp_path, written(tmp_path, replace(first, header={**first.header, "dpi": (96.0, 96.0)})))
        assert again.header["dpi"] == (96.0, 96.0)
        assert decode_exif(again.header["exif"]) == decode_exif(block)
        with PIL.Image.open(tmp_path / "out.webp") as seen:
            exif = seen.getexif()
            assert (exif[271], exif[282], exif[296]) == ("maker", 96, 2)
            assert exif.get_ifd(EXIF)[37500] == b"the maker"


def test_a_print_size_without_exif_gets_a_block_of_its_own(tmp_path):
    image = replace(from_array(smooth(), channel_axis=-1), header={"dpi": (299.9994, 150.0)})
    again = read_bytes(tmp_path, written(tmp_path, image))
    assert again.header["dpi"] == pytest.approx((299.9994, 150.0), rel=1e-6)
    assert set(again.header) == {"format", "webp_lossless", "exif", "dpi"}


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ({"exif": b"MM\0*oddly made", "dpi": (300.0, 300.0)}, b"MM\0*oddly made"),
        ({"exif": b"II+\0\x08\0\0\0" + bytes(8), "dpi": (300.0, 300.0)}, b"II+\0\x08\0\0\0" + bytes(8)),
        ({"exif": BLOCK, "dpi": (1e9, 300.0)}, BLOCK),
        ({"exif": BLOCK, "dpi": (0.0, 300.0)}, BLOCK),
    ],
)
def test_a_print_size_that_has_no_place_is_left_behind_with_a_warning(tmp_path, caplog, header, kept):
    again = read_bytes(tmp_path, written(tmp_path, replace(from_array(smooth(), channel_axis=-1), header=header)))
    assert again.header["exif"] == kept
    assert "dpi" not in again.header
    assert "print size" in caplog.text


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (from_array(np.zeros((4, 5), np.float32)), "not float32; write TIFF"),
        (from_array(np.zeros((4, 5), np.int16)), "not int16; write TIFF"),
        (from_array(np.zeros((2, 4, 5), np.uint8), channel_axis=0), "not 2 channels.*write TIFF"),
        (from_array(np.zeros((3, 4, 5), np.uint8)), "not 1 channels of ZYX; write TIFF"),
        (Image(np.zeros((1, 1, 16384)), stored_dtype="uint8"), "end at 16383 pixels, this image has 16384; write PNG"),
    ],
)
def test_what_webp_cannot_hold_is_refused_with_the_remedy(tmp_path, image, message):
    with pytest.raises(UnsupportedFormat, match=message):
        write(image, tmp_path / "a.webp")
    assert not (tmp_path / "a.webp").exists()


def test_the_longest_side_is_written(tmp_path):
    image = Image(np.zeros((1, 1, 16383)), scale=255.0, stored_dtype="uint8")
    assert read_bytes(tmp_path, written(tmp_path, image)).space == (1, 16383)


def test_what_the_encoder_refuses_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("encoding error 6")

    monkeypatch.setattr(PIL.Image.Image, "save", refuse)
    with pytest.raises(UnsupportedFormat, match=r"encoding error 6.*write PNG or TIFF"):
        write(from_array(smooth(), channel_axis=-1), tmp_path / "a.webp")


def test_animations_are_refused_by_name(tmp_path, rng):
    frames = [PIL.Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)) for _ in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFormat, match="animated"):
        read_bytes(tmp_path, stream.getvalue())


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
def test_a_file_that_ends_early_is_unreadable_wherever_it_ends(tmp_path, rng, lossless, alpha):
    image = replace(picture(rng, 3), header={**METADATA, "webp_lossless": lossless})
    whole = written(tmp_path, replace(image, alpha=rng.integers(0, 256, (13, 17), dtype=np.uint8)) if alpha else image)
    for length in [*range(1, 80), *range(80, len(whole), 7), len(whole) - 1]:
        with pytest.raises(UnreadableFile) as caught:
            read_bytes(tmp_path, whole[:length])
        assert "\n" not in str(caught.value)


def test_a_header_of_a_size_that_is_not_that_of_the_file(tmp_path, caplog):
    whole = encoded(smooth(), exif=BLOCK)

    def with_size(change, data=whole):
        return data[:4] + struct.pack("<I", len(data) - 8 + change) + data[8:]

    with pytest.raises(UnreadableFile, match=f"says {len(whole) + 2} bytes, and it has {len(whole)}: it is truncated"):
        read_bytes(tmp_path, with_size(2))
    for change in (-2, -4, -len(BLOCK)):
        with pytest.raises(UnreadableFile, match="contradict each other"):
            read_bytes(tmp_path, with_size(change))
    with pytest.raises(UnreadableFile, match="contradict each other"):
        read_bytes(tmp_path, with_size(0, whole + b"abc"))
    with pytest.raises(UnreadableFile, match="holds no picture"):
        read_bytes(tmp_path, riff((b"EXIF", BLOCK)))
    with caplog.at_level(logging.WARNING):
        assert read_bytes(tmp_path, whole + bytes(100)).header["exif"] == BLOCK
        assert not caplog.text
        read_bytes(tmp_path, whole + b"more")
    assert "4 bytes after the end" in caplog.text


def test_a_canvas_that_is_not_the_picture_is_damage(tmp_path):
    (_, extended), *others = chunks_of(encoded(smooth(), exif=BLOCK))
    with pytest.raises(UnreadableFile, match="claims 97 x 64 pixels, and its picture has 96 x 64"):
        read_bytes(tmp_path, riff((b"VP8X", extended[:4] + b"\x60" + extended[5:]), *others))


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L"])
def test_a_picture_that_does_not_begin_like_one_is_damage(tmp_path, kind):
    for payload in (b"", b"\x2f\0", bytes(40)):
        with pytest.raises(UnreadableFile, match="does not begin"):
            read_bytes(tmp_path, riff((kind, payload)))


def test_damage_raises_only_our_errors(tmp_path, rng):
    for lossless in (False, True):
        whole = encoded(smooth((24, 24)), lossless=lossless, exif=BLOCK)
        for _ in range(200):
            damaged = np.frombuffer(whole, np.uint8).copy()
            damaged[rng.integers(12, len(whole), 2)] = rng.integers(0, 256, 2)
            try:
                read_bytes(tmp_path, damaged.tobytes())
            except (UnreadableFile, UnsupportedFormat):
                continue


@pytest.mark.parametrize("lossless", [False, True])
def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch, lossless):
    data = encoded(smooth(), lossless=lossless)
    monkeypatch.setattr(webp.imagecodecs, "webp_decode", None)
    monkeypatch.setattr(limits, "MAX_PIXELS", 64 * 96 - 1)
    with pytest.raises(UnreadableFile, match="96 x 64 pixels, and the limit against decompression bombs"):
        read_bytes(tmp_path, data)


@pytest.mark.shared
def test_writing_does_not_undo_the_denoising(shared_data, tmp_path):
    losses = []
    for path in sorted((shared_data / "real" / "PolyU").glob("*_real.JPG"))[::8]:
        clean = read(path.with_name(path.name.replace("_real", "_mean")))
        data = encoded(np.moveaxis(read(path).stored(), 0, -1), quality=80)
        noisy = read_bytes(tmp_path, data)
        denoised = noisy.with_pixels(0.3 * clean.pixels + 0.7 * noisy.pixels)  # 3 dB nearer to the truth
        out = written(tmp_path, denoised)
        losses.append(psnr(denoised, clean) - psnr(read_bytes(tmp_path, out), clean))
        assert len(out) < 3.5 * len(data)
    assert np.mean(losses) < 0.5  # a sixth of what was gained
