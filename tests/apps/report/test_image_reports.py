"""One file that says what was measured of an image, loads nothing, and runs nothing but its own script."""

import hashlib
import html
import json
import re

import numpy as np
import pytest

import noiseless
from noiseless.apps import report

from .pages import HOSTILE, Page, check_policy, made, noisy_image, pixels_of, scene, unpacked, views_of


def test_a_report_says_what_was_measured_and_is_well_formed(rng, tmp_path):
    source, output = tmp_path / "scan.png", tmp_path / "out.png"
    source.write_bytes(b"in")
    output.write_bytes(b"out")
    noisy = noisy_image(rng)
    recipe = noiseless.Recipe(error=True, predict=True)
    restored, text = made(noisy, sources=(source,), outputs=(output, tmp_path / "gone.png"), recipe=recipe, sigma=10.0)
    page = check_policy(text)
    audit = restored.report["audit"]
    assert f"good to about {audit['predicted_psnr']:.1f} dB" in page.said
    assert "Noise of about 10 grey levels was removed" in page.said
    assert "Nothing of the picture was found in what was removed" in page.said
    assert "no test can say that none was lost" in page.said
    for data in (b"in", b"out"):
        assert hashlib.sha256(data).hexdigest() in page.said
    assert "no file to look at" in page.said
    assert str(tmp_path) not in text
    assert 'noise = "gaussian:sigma=10.0"' in page.said
    assert noiseless.__version__ in page.said
    assert f"{restored.report['seconds']:.2f} s" in page.said
    assert "96 × 112 (Y, X), 1 channel" in page.said
    assert {image.get("id") for image in page.all("img")} >= {"map-removed", "map-error", "map-structure"}


def test_the_recipe_in_a_report_is_one_that_can_be_read(rng, tmp_path):
    restored, text = made(noisy_image(rng), recipe=noiseless.Recipe(strength=0.8), sigma=10.0)
    toml = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code></pre>", text, re.DOTALL).group(1))
    path = tmp_path / "recipe.toml"
    path.write_text(toml, encoding="utf-8")
    read = noiseless.restoration.read_recipe(path)
    assert read.recipe == restored.recipe
    assert read.noise == noiseless.noise.Gaussian(10.0)


def test_noise_that_is_a_map_is_said_not_to_be_in_the_recipe(rng):
    noisy = noisy_image(rng)
    _, text = made(noisy, sigma=np.full((96, 112), 10.0))
    assert "The noise is not in it" in Page(text).said


def test_names_and_texts_from_outside_are_escaped(rng, tmp_path):
    noisy = noisy_image(rng)
    hostile = tmp_path / "a<script>alert(1)</script>"
    _, text = made(noisy, name=HOSTILE, sources=(hostile,), sigma=10.0)
    page = check_policy(text)
    assert "onerror" not in {name for _, attributes in page.elements for name in attributes}
    assert len(page.all("script")) == 3
    assert "<img src=x onerror=alert(1)>\"'&" in page.said
    assert "\u202e" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text).group(1))
    assert data["label"].startswith("<img src=x")


def test_bytes_are_embedded_without_loss_where_the_picture_is_small(rng):
    noisy = noisy_image(rng, channels=3)
    restored, text = made(noisy, sigma=10.0)
    page, (view,) = check_policy(text), views_of(text)
    uris = {image["id"]: image["src"] for image in page.all("img") if "id" in image}
    assert np.array_equal(pixels_of(uris[view["left"]["image"]]), np.moveaxis(noisy.stored(), 0, -1))
    assert np.array_equal(pixels_of(uris[view["right"]["image"]]), np.moveaxis(restored.image.stored(), 0, -1))
    assert "Embedded without loss." in page.said


def test_values_of_more_than_eight_bits_keep_their_window_to_be_moved(rng):
    noisy = noisy_image(rng, dtype=np.uint16, scale=100.0)
    restored, text = made(noisy, sigma=1000.0)
    (view,) = views_of(text)
    step = view["packing"]["step"]
    assert step == 62.0  # a sixteenth of sigma, whole
    for side, image in (("left", noisy), ("right", restored.image)):
        assert np.abs(unpacked(view, side) - image.stored()[0].astype(float)).max() <= step / 2
    assert "steps of 62 grey levels" in Page(text).said


def test_few_grey_levels_are_exact(rng):
    noisy = noisy_image(rng, dtype=np.int16)
    restored, text = made(noisy, sigma=10.0)
    (view,) = views_of(text)
    assert np.array_equal(unpacked(view, "right"), restored.image.stored()[0])


def test_packing_holds_the_widest_values():
    values = np.array([[-2147483648.0, 2147483647.0]]).astype(np.int32)
    packing = report.embedding.packing_for(values, 1.0)
    codes = (values.astype(float) - packing.base) / packing.step
    assert codes.max() <= 65535
    assert report.embedding.packing_for(np.zeros((2, 2), np.float32), 0.0).step == 1.0


def test_a_large_picture_is_shown_smaller_with_its_worst_part_pixel_by_pixel(rng):
    noisy = noisy_image(rng, (1100, 2300))
    pixels = noisy.stored()[0].copy()
    rows, columns = np.mgrid[0:256, 0:256]
    pixels[800:1056, 1900:2156] = np.where((rows // 2 + columns // 2) % 2, 40, 200)  # heat takes most of this away
    noisy = noiseless.from_array(pixels)
    restored, text = made(noisy, recipe=noiseless.Recipe(method="heat", strength=2.0), sigma=10.0)
    whole, part = views_of(text)
    assert (whole["width"], whole["height"]) == (2048, 979)
    (column, row), page = part["origin"], check_policy(text)
    assert 1900 - 300 < column < 2156
    assert 800 - 300 < row < 1056
    uris = {image["id"]: image["src"] for image in page.all("img") if "id" in image}
    shown = pixels_of(uris[part["right"]["image"]])
    assert np.array_equal(shown, restored.image.stored()[0, row : row + 512, column : column + 512])
    assert "is shown pixel by pixel: it is where most was removed" in page.said
    assert "Part, pixel by pixel: embedded without loss." in page.said
    assert "Some of the picture went with the noise" in page.said


def test_twelve_megapixels_of_colour_noise_stay_below_six_megabytes(rng):
    """The worst case: noise does not compress. The restoration is made up, as only its report is asked for."""
    small = noisy_image(rng, (96, 128), channels=3, sigma=20.0)
    restored = noiseless.restore_image(small, sigma=20.0)
    tiles = (1, 32, 32)
    big = noiseless.from_array(np.tile(np.moveaxis(small.stored(), 0, -1), (32, 32, 1))[:3000, :4000], channel_axis=-1)
    noise = rng.integers(-20, 21, big.pixels.shape).astype(np.float32) / 255.0
    noisy = noiseless.Image(big.pixels + noise, scale=255.0, stored_dtype="uint8")
    clean = big.with_pixels(np.tile(restored.image.pixels, tiles)[:, :3000, :4000])
    done = noiseless.Restored(clean, restored.noise, restored.recipe, restored.report, restored.audit)
    text = report.image_report(noisy, done, name="big.jpg", sources=(), outputs=())
    assert len(text) < 6_000_000
    assert len(views_of(text)) == 2


def test_a_volume_shows_its_middle_slice_and_a_strip(rng):
    volume = np.stack([scene((64, 64)) + 4 * z for z in range(9)])
    noisy = noiseless.from_array((volume + 10 * rng.standard_normal(volume.shape)).astype(np.float32))
    restored, text = made(noisy, recipe=noiseless.Recipe(error=True), sigma=10.0)
    page, (view,) = check_policy(text), views_of(text)
    assert np.abs(unpacked(view, "right") - restored.image.stored()[0, 4]).max() <= view["packing"]["step"] / 2 + 1e-4
    assert "5 of 9" in page.said
    assert len([image for image in page.all("img") if image["alt"].startswith("slice")]) == 18


@pytest.mark.parametrize(
    "values",
    [
        np.full((8, 8), 7, np.uint8) + np.arange(8, dtype=np.uint8),
        np.arange(64, dtype=np.float32).reshape(8, 8) * 1e-7,
        (np.arange(24 * 20).reshape(24, 20) * 1_000_003).astype(np.int32),
    ],
)
def test_small_and_strange_pictures_have_a_report(values):
    noisy = noiseless.from_array(values)
    _, text = made(noisy, recipe=noiseless.Recipe(method="heat"), sigma=float(np.ptp(values)) / 8)
    page = check_policy(text)
    assert "nan" not in page.said.lower()


def test_samples_are_shown_with_a_warning(rng):
    _, text = made(noisy_image(rng, (48, 48)), recipe=noiseless.Recipe(samples=2, steps=2), sigma=10.0)
    page = check_policy(text)
    assert "Sample 2" in page.said
    assert "read nothing from it" in page.said


def test_other_noise_draws_its_law(rng):
    levels = np.repeat(np.linspace(20, 200, 16), 16)[:, np.newaxis] * np.ones(256)
    noisy = noiseless.from_array(rng.poisson(levels).astype(np.uint16))
    _, text = made(noisy, noise=noiseless.noise.parse_noise("poisson:gain=1"))
    page = check_policy(text)
    (curve,) = re.findall(r'<polyline class="curve accent" points="([^"]*)"/>', text)[:1]
    places = np.array([[float(number) for number in point.split(",")] for point in curve.split()])
    slopes = np.diff(places[:, 1]) / np.diff(places[:, 0])
    assert slopes == pytest.approx(slopes.mean(), abs=0.15)  # a line, of places that are rounded to tenths
    assert slopes.mean() < -0.3
    assert "poisson" in page.said


def test_only_names_of_metadata_are_shown(rng):
    noisy = noisy_image(rng)
    noisy = noiseless.Image(
        noisy.pixels, scale=255.0, stored_dtype="uint8", header={"format": "png", "xmp": b"Jane Doe, 1970"}
    )
    _, text = made(noisy, sigma=10.0)
    assert "xmp" in Page(text).said
    assert "Jane" not in text


def test_a_report_is_written_whole_and_never_over_another(tmp_path):
    path = tmp_path / "out.HTML"
    report.write_report("Grüße", path)
    assert path.read_text(encoding="utf-8") == "Grüße"
    with pytest.raises(noiseless.UnwritableFile, match="exists"):
        report.write_report("x", path)
    report.write_report("x", path, overwrite=True)
    assert path.read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("name", ["report.pdf", "report", "html"])
def test_a_name_that_is_no_page_is_refused_before_the_work(tmp_path, name):
    with pytest.raises(noiseless.UnsupportedFormat, match=r"ends in \.html"):
        report.check(tmp_path / name)
    with pytest.raises(noiseless.UnsupportedFormat):
        report.write_report("x", tmp_path / name)
