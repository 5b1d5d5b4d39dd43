"""Reports: one file that says what was measured, loads nothing, and runs nothing but its own script."""

import base64
import hashlib
import html
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image as Picture

import noiseless
from noiseless.apps import report
from noiseless.apps.report.sheets import clock

HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202e.png"

VOID = {"meta", "img", "input", "link", "br"}


class Page(HTMLParser):
    """The elements of a page; that all are closed in their order is checked on the way."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def said(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def scene(shape=(96, 112)):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return 120 + 50 * np.sin(rows / 15) * np.cos(columns / 19) + 30.0 * (columns > shape[1] // 2)


def noisy_image(rng, shape=(96, 112), *, dtype=np.uint8, scale=1.0, sigma=10.0, channels=None):
    clean = scene(shape)
    if channels:
        clean = np.stack([clean] * channels, axis=-1)
    values = scale * (clean + sigma * rng.standard_normal(clean.shape))
    if np.dtype(dtype).kind in "iu":
        values = np.clip(np.rint(values), np.iinfo(dtype).min, np.iinfo(dtype).max)
    return noiseless.from_array(values.astype(dtype), channel_axis=-1 if channels else None)


def made(noisy, name="scan.png", sources=(), outputs=(), recipe=None, **noise):
    restored = noiseless.restore_image(noisy, recipe or noiseless.Recipe(), **noise)
    return restored, report.image_report(noisy, restored, name=name, sources=sources, outputs=outputs)


def views_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text).group(1))["views"]


def bytes_of(uri):
    return base64.b64decode(uri.partition(",")[2])


def pixels_of(uri):
    return np.asarray(Picture.open(io.BytesIO(bytes_of(uri))))


def unpacked(view, side):
    both = pixels_of(view[side]["packed"]).astype(np.int64)
    high, low = np.split(both, 2)
    return view["packing"]["base"] + view["packing"]["step"] * (256 * high + low)


def check_policy(text):
    """Nothing is loaded from anywhere, and scripts and styles are those whose hashes are named."""
    page = Page(text)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        allowed = set(re.search(rf"{kind} ([^;]*)", policy).group(1).split())
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(c.encode()).digest()).decode()}'" for c in inside}
        assert allowed == (hashes or {"'none'"})
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on") or name in ("style", "srcset")}, (
            tag,
            attributes,
        )
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, attributes)
    assert not [style for style in re.findall(r"url\((.)([^)]{0,6})", text) if style[1][:5] != "data:"]
    return page


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


# ---- sheets


def entries(rng, count=2):
    noisy = noisy_image(rng)
    restored = noiseless.restore_image(noisy, noiseless.Recipe(predict=True), sigma=10.0)
    window = report.window_of(noisy)
    small = report.thumbnail(noisy, window), report.thumbnail(restored.image, window)
    return [
        report.Entry({"input": f"folder/{n}-{HOSTILE}", "output": "x", **restored.report}, *small) for n in range(count)
    ]


def test_a_thumbnail_is_small_and_in_the_window_given():
    values = np.linspace(0, 4000, 500 * 700).reshape(500, 700).astype(np.uint16)
    image = noiseless.from_array(values)
    small = np.asarray(Picture.open(io.BytesIO(report.thumbnail(image, (0.0, 8000.0)))))
    assert small.shape == (229, 320)
    assert 120 < small.max() < 135
    volume = noiseless.from_array(np.stack([values * 0, values, values * 0]))
    low, high = report.window_of(volume)
    assert (low, high) == pytest.approx((4.0, 3996.0), abs=1.0)
    assert Picture.open(io.BytesIO(report.thumbnail(volume))).size == (320, 229)


def test_a_folder_has_a_row_for_each_input_and_names_failures_first(rng):
    rows = [
        *entries(rng),
        report.Entry({"input": "folder/broken.png"}, error="cannot read 'broken.png': <truncated>"),
        report.Entry({"input": "folder/old.png", "state": "skipped"}),
    ]
    text = report.folder_report(iter(rows), title="folder & <b>more</b>")
    page = check_policy(text)
    assert "4 inputs: 2 denoised, 1 skipped, 1 failed." in page.said
    assert len(page.all("tr")) == 5
    assert page.said.index("broken.png") < page.said.index("All inputs")
    assert "cannot read 'broken.png': <truncated>" in page.said
    assert len(page.all("img")) == 4
    assert "gaussian, sigma 10" in page.said
    assert " dB (" in page.said
    assert not page.all("script")


def test_an_empty_folder_and_reports_of_other_kinds_have_rows():
    video = {"input": "a.mp4", "video": {"width": 9, "height": 9}, "noise": {"kind": "gaussian", "sigma": [3.0]}}
    text = report.folder_report([report.Entry(video)], title="x")
    assert "gaussian, sigma 3" in check_policy(text).said
    assert "0 inputs: nothing was done." in check_policy(report.folder_report([], title="x")).said


def test_many_small_pictures_are_left_out_and_counted(rng, monkeypatch):
    some = entries(rng, 3)
    need = len(some[0].before) + len(some[0].after)
    monkeypatch.setattr(report.sheets, "ROOM", 2 * need)
    page = check_policy(report.folder_report(some, title="x"))
    assert len(page.all("img")) == 4
    assert "1 inputs have no small picture here" in page.said


def video_frames(rng, *, sigma=True):
    noisy = noisy_image(rng, (90, 160))
    small = report.thumbnail(noisy)
    return [report.Frame(12.5 * n, small, small, (3.0 + n, 4.0, 5.0) if sigma else ()) for n in range(4)]


VIDEO = {
    "input": "v.mp4", "output": "w.mp4", "frames": 40, "resumed_at": 10, "model": "tiny", "strength": 1.0,
    "seconds": 4.0, "frames_per_second": 7.5, "cuts": 1, "exposure_changes": 0,
    "warnings": ["the noise is below one grey level of 255"],
    "noise": {"kind": "gaussian", "sigma": [3.0, 4.0, 5.0], "estimated": True, "levels": 255.0},
    "video": {"width": 160, "height": 90, "bits": 8, "damaged": 2},
}  # fmt: skip


def test_a_video_has_frames_with_times_and_its_noise_over_time(rng):
    text = report.video_report(VIDEO, video_frames(rng), name=HOSTILE)
    page = check_policy(text)
    assert "was removed from 40 frames" in page.said
    assert "0:37.5" in page.said
    assert "The noise is below one grey level of 255." in page.said
    assert "the first 10 frames are of an earlier run" in page.said
    assert text.count("<polyline") == 3
    assert len(views_of(text)) == 4
    assert "<polyline" not in report.video_report(VIDEO, video_frames(rng, sigma=False), name="x")
    check_policy(report.video_report(VIDEO, [], name="x"))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00.0"), (59.96, "1:00.0"), (83.25, "1:23.2"), (3723.0, "1:02:03.0")]
)
def test_times_are_told_as_on_a_clock(seconds, said):
    assert clock(seconds) == said


# ---- files


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


# ---- in a browser


@pytest.fixture
def opened(browser, tmp_path):
    def page_of(text, **options):
        path = tmp_path / "report.html"
        report.write_report(text, path, overwrite=True)
        page = browser(**options)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector(".nv-canvas, main")
        page.wait_for_load_state()
        assert not [url for url in asked if not url.startswith(("file:", "data:"))]
        return page

    return page_of


COLOUR = """([x, y]) => { const canvas = document.querySelector("canvas"), ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data]; }"""

DRAWN = """() => { const canvas = document.querySelector("canvas");
  return canvas.getContext("2d").getImageData(canvas.width / 2 - 8, canvas.height / 2, 1, 1).data[3] === 255; }"""


def test_the_page_compares_and_runs_nothing_of_a_hostile_name(rng, opened):
    noisy = noisy_image(rng)
    _, text = made(noisy, name=HOSTILE, recipe=noiseless.Recipe(error=True), sigma=10.0)
    page = opened(text)
    page.on("dialog", lambda dialog: pytest.fail("the name was run"))
    page.wait_for_function(DRAWN)
    assert page.get_by_role("heading", level=1).inner_text().startswith("<img src=x")
    before = page.evaluate(COLOUR, [500, 200])
    page.get_by_role("slider", name="Boundary").focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => ({COLOUR})([400, 200]).join() !== '{','.join(map(str, before))}'")
    for name in ("Removed", "Error", "Structure", "Whole"):
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_function(DRAWN)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_value_under_the_pointer_is_that_of_the_file(rng, opened):
    noisy = noisy_image(rng, dtype=np.uint16, scale=100.0)
    _, text = made(noisy, sigma=1000.0)
    page = opened(text)
    page.wait_for_function(DRAWN)
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2)
    page.wait_for_function("() => /denoised/.test(document.getElementById('readout').textContent)")
    said = page.locator("#readout").inner_text()
    x, y, value = map(float, re.match(r"x (\d+), y (\d+): noisy ([\d.]+)", said).groups())
    assert value == pytest.approx(float(noisy.stored()[0, int(y), int(x)]), abs=31 + 1)


def test_the_window_of_high_bit_depth_moves(rng, opened):
    noisy = noisy_image(rng, dtype=np.uint16, scale=100.0)
    _, text = made(noisy, sigma=1000.0)
    page = opened(text)
    page.wait_for_function(DRAWN)
    dark = page.evaluate(COLOUR, [400, 200])[0]
    level = page.get_by_label("Level")
    level.focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => ({COLOUR})([400, 200])[0] > {dark} + 20")
    page.get_by_role("button", name="As at first").click()
    page.wait_for_function(f"() => ({COLOUR})([400, 200])[0] === {dark}")


def test_a_folder_fits_a_phone(rng, opened):
    page = opened(report.folder_report(entries(rng, 4), title="x" * 200), width=390, height=844)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_the_pictures_are_there(rng, opened):
    _, text = made(noisy_image(rng), sigma=10.0)
    page = opened(text, java_script_enabled=False)
    assert page.get_by_role("img", name="Whole, denoised").is_visible()
    assert not page.locator("#viewer").is_visible()


def test_print_shows_pictures_instead_of_the_viewer(rng, opened):
    _, text = made(noisy_image(rng), sigma=10.0)
    page = opened(text)
    page.wait_for_function(DRAWN)
    page.emulate_media(media="print")
    assert page.get_by_role("img", name="Whole, noisy").is_visible()
    assert not page.locator("#viewer").is_visible()
    assert len(page.pdf()) > 10_000


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(rng, opened, dark):
    text = report.video_report(VIDEO, video_frames(rng), name="v.mp4")
    page = opened(text, dark=dark)
    ratios = page.evaluate(
        """() => {
          const light = (colour) => { const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]; };
          const base = light(getComputedStyle(document.body).backgroundColor), found = [];
          const probe = document.body.appendChild(document.createElement("p"));
          for (const name of ["text", "muted", "accent", "good", "doubt", "bad"]) {
            probe.style.color = `var(--${name})`;
            const colour = light(getComputedStyle(probe).color);
            found.push((Math.max(base, colour) + 0.05) / (Math.min(base, colour) + 0.05));
          }
          return found;
        }"""
    )
    assert min(ratios) >= 4.5
