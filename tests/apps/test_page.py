"""The page of ``noiseless serve`` in a real browser, with a real server in a process of its own."""

import base64
import importlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import numpy as np
import pytest

import noiseless

for part in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
    # Where a browser has to be there, so has what serves the page to it; see conftest.py.
    (importlib.import_module if os.environ.get("NOISELESS_REQUIRE_BROWSER") == "1" else pytest.importorskip)(part)

PATIENCE = 60.0


TOKEN = "open-sesame-0123456789"

LARGEST = 3_000_000


class Server:
    """``noiseless serve`` in a process of its own."""

    def __init__(self, folder, *options, port=0):
        environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "noiseless", "serve", "--port", str(port), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        line = self.process.stdout.readline().strip()
        assert line.startswith("http://127.0.0.1:"), line + self.process.stdout.read()
        self.said = []
        self._listening = threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True)
        self._listening.start()
        self.url = line.partition("#")[0]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def status(self, path):
        """Of the answer to GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(PATIENCE)
        self._listening.join(PATIENCE)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory, chromium):
    """One for most tests; a server is started only where there is a browser."""
    started = Server(tmp_path_factory.mktemp("served"), "--max-bytes", str(LARGEST), "--max-pixels", "4000000")
    yield started
    started.end()
    assert started.said == []  # it had nothing to complain of


@pytest.fixture
def starting(tmp_path, chromium):
    """``starting(*options, port=0)``: another server, ended with the test."""
    started = []

    def start(*options, port=0):
        started.append(Server(tmp_path, *options, port=port))
        return started[-1]

    yield start
    for each in started:
        each.end(signal.SIGKILL)


@pytest.fixture
def page(browser, server):
    """``page(url=None, **options of a context)``: the page; when the test ends, nothing was asked of anyone else."""
    asked, wrong = [], []

    def opened(url=None, **options):
        made = browser(accept_downloads=True, reduced_motion="reduce", **options)
        made.on("request", lambda request: asked.append(request.url))
        made.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
        made.set_default_timeout(1000 * PATIENCE)
        made.goto(url or server.url)
        return made

    yield opened
    assert not [url for url in asked if not re.match(r"(http://127\.0\.0\.1:\d+/|blob:|data:)", url)]
    # A browser notes each answer of 400 and above by itself; those are what some tests are about.
    assert not [text for text in wrong if not text.startswith("Failed to load resource")]


# ---- images


def waves(height, width, sigma, seed=0):
    """A smooth picture between 60 and 190 with noise; float."""
    rows, columns = np.mgrid[0:height, 0:width] / 32.0
    clean = 125 + 60 * np.sin(2 * rows) * np.cos(1.7 * columns)
    return clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)


def photograph(folder, height=96, width=128, name="photo.png"):
    pixels = np.clip(np.rint(waves(height, width, 20)), 0, 255).astype(np.uint8)
    noiseless.write(noiseless.from_array(pixels), folder / name, overwrite=True)
    return folder / name, pixels


def counts(folder):
    pixels = (40 * waves(96, 128, 10)).astype(np.uint16)
    noiseless.write(noiseless.from_array(pixels), folder / "counts.tif")
    return folder / "counts.tif", pixels


def volume(folder):
    nibabel = pytest.importorskip("nibabel")
    values = np.stack([waves(40, 48, 6, seed) + 20 * seed for seed in range(3)], -1).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0])), folder / "volume.nii.gz")
    return folder / "volume.nii.gz"


def scan(folder):
    """A CT slice, in DICOM."""
    pydicom = pytest.importorskip("pydicom")
    stored = (waves(64, 64, 12) * 4 + 500).astype(np.uint16)  # HU + 1024
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = pydicom.uid.CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    data.Modality, data.PatientName, data.PatientID = "CT", "Nobody^Known", "0"
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.RescaleSlope, data.RescaleIntercept, data.PixelSpacing = 1, -1024, [0.7, 0.7]
    data.PixelData = stored.tobytes()
    data.save_as(folder / "scan.dcm", enforce_file_format=True)
    return folder / "scan.dcm", stored.astype(int) - 1024


def bomb(folder):
    """A PNG that claims 60000 x 60000 pixels."""
    part = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))  # noqa: E731
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(bytes(60_001))) + part(b"IEND", b"")
    (folder / "bomb.png").write_bytes(data)
    return folder / "bomb.png"


# ---- what a person does


def hand_over(page, path):
    page.set_input_files("#file", str(path))
    page.wait_for_selector("#work:not([hidden])")


def denoise(page):
    page.click("#denoise")
    page.wait_for_selector("#download:not([hidden])")


def setting(page, selector, value):
    """Choose in the form, which is folded at first."""
    page.evaluate("() => { document.querySelector('#settings').open = document.querySelector('#more').open = true; }")
    field = page.locator(selector)
    if field.evaluate("node => node.tagName") == "SELECT":
        field.select_option(value)
    elif field.get_attribute("type") == "checkbox":
        field.set_checked(value)
    else:
        field.fill(str(value))


COLOURS = """([places, width, height]) => {
  const canvas = document.querySelector(".nv-canvas");
  const zoom = parseFloat(document.querySelector(".nv-zoom").textContent) / 100;
  const left = Math.round(canvas.width / 2 - width / 2 * zoom), top = Math.round(canvas.height / 2 - height / 2 * zoom);
  return places.map(([x, y]) =>
    [...canvas.getContext("2d").getImageData(left + (x + 0.5) * zoom, top + (y + 0.5) * zoom, 1, 1).data].slice(0, 3));
}"""


def colours(page, places, shape):
    """What the canvas shows at pixels (x, y) of a fitted picture of a shape (height, width)."""
    return page.evaluate(COLOURS, [[[int(x), int(y)] for x, y in places], shape[1], shape[0]])


def wait_for_colours(page, places, shape, expected, within=1):
    """Until the canvas shows grey levels, or colours, at some pixels."""
    wanted = [[level] * 3 if np.ndim(level) == 0 else list(level) for level in expected]
    end = time.monotonic() + 15.0
    while np.abs(np.subtract(seen := colours(page, places, shape), wanted)).max() > within:
        assert time.monotonic() < end, f"{seen} for {wanted}"
        page.wait_for_timeout(40)


def wait_until(page, condition, seconds=15.0):
    """Until the picture, whose tiles come when they come, is as it should be."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        page.wait_for_timeout(40)


def text(page, selector):
    return page.locator(selector).inner_text().strip()


def saved(page, button):
    with page.expect_download() as download:
        page.click(button)
    return download.value


# ---- from a file to a result


def test_a_photograph_is_measured_denoised_compared_and_downloaded(page, tmp_path):
    path, noisy = photograph(tmp_path)
    here = page()
    hand_over(here, path)
    assert text(here, "#name") == "photo.png"
    assert text(here, "#kind") == "Grey image, PNG"
    facts = text(here, "#facts")
    assert "128 × 96 pixels" in facts
    assert "8-bit" in facts
    assert re.match(r"About (19|20|21)(\.\d+)? grey levels of Gaussian noise\.", text(here, "#noise-sentence"))
    assert text(here, "#noise-trust").startswith("Trust: ")
    assert not here.locator("#window").evaluate("node => node.open")
    places = [(10, 40), (30, 70), (100, 40), (120, 70)]
    wait_for_colours(here, places, noisy.shape, [noisy[y, x] for x, y in places])

    denoise(here)
    restored = noiseless.restore(noisy, noiseless.Recipe(predict=True))
    expected = np.where(
        np.array(places)[:, 0] < 64, *[[image[y, x] for x, y in places] for image in (noisy, restored.image)]
    )
    assert (np.abs(np.subtract(expected[2:], [int(noisy[y, x]) for x, y in places[2:]])) > 3).any()
    wait_for_colours(here, places, noisy.shape, expected)
    handle = here.get_by_role("slider", name="Boundary between noisy and denoised")
    handle.focus()
    here.keyboard.press("Home")
    wait_for_colours(here, places, noisy.shape, [restored.image[y, x] for x, y in places])
    here.keyboard.press("End")
    wait_for_colours(here, places, noisy.shape, [noisy[y, x] for x, y in places])

    psnr = restored.report["audit"]["predicted_psnr"]
    assert float(text(here, "#psnr-number").removesuffix(" dB")) == pytest.approx(psnr, abs=0.11)
    assert "in 95 of 100 cases" in text(here, "#psnr-label")
    findings = here.locator("#findings li")
    assert findings.count() >= 3
    assert all(re.match("(Good|Doubt|Bad): ", words) for words in findings.all_inner_texts())

    result = saved(here, "#download")
    assert result.suggested_filename == "photo.denoised.png"
    stored = noiseless.read(Path(result.path())).in_stored_units()[0]
    # Another number of threads may round another way.
    assert np.abs(stored - restored.image).max() <= 1
    assert np.abs(stored - restored.image).mean() < 0.01
    as_json = saved(here, "#report-json")
    assert as_json.suggested_filename == "photo.report.json"
    assert json.loads(Path(as_json.path()).read_text())["audit"]["predicted_psnr"] == pytest.approx(psnr, abs=0.05)
    as_html = saved(here, "#report-html")
    assert as_html.suggested_filename == "photo.report.html"
    assert Path(as_html.path()).read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


def test_what_was_removed_its_error_and_its_structure_are_shown(page, tmp_path):
    path, noisy = photograph(tmp_path)
    here = page()
    hand_over(here, path)
    setting(here, "#predict", False)
    setting(here, "#strength", 1.5)
    denoise(here)
    assert not here.is_visible("#psnr")
    clean = np.asarray(noiseless.denoise(noisy, strength=1.5), int)
    removed = noisy.astype(int) - clean
    highest, lowest = (np.unravel_index(index, removed.shape) for index in (removed.argmax(), removed.argmin()))
    here.get_by_role("radio", name="Removed").check()
    assert not here.is_visible("#window")

    def red_above_nought_and_blue_below():
        up, down = colours(here, [(highest[1], highest[0]), (lowest[1], lowest[0])], noisy.shape)
        return up[0] > up[2] + 80 and down[2] > down[0] + 80

    wait_until(here, red_above_nought_and_blue_below)
    assert "levels" in text(here, "#scale-high")
    here.get_by_role("radio", name="Structure").check()

    def blocks():
        corners, ends = (
            [(16 * column + at, 16 * row + at) for row in range(6) for column in range(8)] for at in (1, 14)
        )
        first, last = (colours(here, places, noisy.shape) for places in (corners, ends))
        return first == last and len({tuple(colour) for colour in first}) > 3

    wait_until(here, blocks)  # of 16 x 16 pixels
    here.get_by_role("radio", name="Error").check()
    assert "No map of the error was made" in text(here, "#no-picture")
    here.click("#make-error")
    here.wait_for_selector("#history:not([hidden])")
    assert not here.is_visible("#no-picture")
    error = noiseless.restore(noisy, noiseless.Recipe(strength=1.5, error=True)).error.half68
    most, least = (np.unravel_index(index, error.shape) for index in (error.argmax(), error.argmin()))

    def light_where_it_errs_more():
        far, near = colours(here, [(most[1], most[0]), (least[1], least[0])], noisy.shape)
        return sum(far) > sum(near) + 150

    wait_until(here, light_where_it_errs_more)
    # Two results by now; the first is without a map, and can be gone back to.
    results = here.locator("#history input")
    assert results.count() == 2
    results.nth(0).check()
    assert here.is_visible("#make-error")
    assert "strength 1.5" in text(here, "#history")


def test_sixteen_bits_are_shown_by_a_window_that_can_be_moved(page, tmp_path):
    path, pixels = counts(tmp_path)
    here = page()
    hand_over(here, path)
    assert "16-bit" in text(here, "#facts")
    assert here.locator("#window").evaluate("node => node.open")
    places = [(20, 20), (64, 48), (100, 80)]

    def expected(low, high):
        return [255 * np.clip((pixels[y, x] - low) / (high - low), 0, 1) for x, y in places]

    low, high = (float(here.input_value(selector)) for selector in ("#low", "#high"))
    assert pixels.min() <= low < high <= pixels.max() + 1
    wait_for_colours(here, places, pixels.shape, expected(low, high))
    here.fill("#low", "3000")
    here.fill("#high", "6000")
    here.press("#high", "Enter")
    wait_for_colours(here, places, pixels.shape, expected(3000, 6000))
    here.focus("#high-thumb")
    for _ in range(20):
        here.keyboard.press("ArrowLeft")
    narrower = float(here.input_value("#high"))
    assert narrower < 6000
    assert here.get_attribute("#high-thumb", "aria-valuetext") == f"{narrower:.0f} grey levels"
    wait_for_colours(here, places, pixels.shape, expected(3000, narrower))
    here.click("#window-auto")
    wait_for_colours(here, places, pixels.shape, expected(low, high))
    here.click("#window-whole")
    wait_for_colours(here, places, pixels.shape, expected(float(pixels.min()), float(pixels.max())))


def test_a_scan_has_its_units_its_preset_and_the_windows_of_its_field(page, tmp_path):
    path, values = scan(tmp_path)
    here = page()
    hand_over(here, path)
    assert text(here, "#kind") == "CT, DICOM"
    assert "HU" in text(here, "#facts")
    assert "0.7 × 0.7 mm" in text(here, "#facts")
    assert text(here, "#settings-now") == "CT"
    assert here.input_value("#preset") == "ct"
    here.get_by_role("button", name="Soft tissue").click()
    assert (here.input_value("#low"), here.input_value("#high")) == ("-160", "240")
    places = [(10, 10), (30, 30), (50, 20)]
    expected = [255 * np.clip((values[y, x] + 160) / 400, 0, 1) for x, y in places]
    wait_for_colours(here, places, values.shape, expected)
    assert "level 40, width 400" in text(here, "#window")


def test_a_volume_is_shown_slice_by_slice(page, tmp_path):
    path = volume(tmp_path)
    planes = noiseless.read(path).in_stored_units()[0]
    here = page()
    hand_over(here, path)
    assert "3 slices" in text(here, "#kind")
    assert text(here, "#slice-now") == "2 of 3"
    low, high = (float(here.input_value(selector)) for selector in ("#low", "#high"))
    places = [(10, 10), (20, 30), (35, 15)]
    for number in (1, 0):
        expected = [255 * np.clip((planes[number, y, x] - low) / (high - low), 0, 1) for x, y in places]
        wait_for_colours(here, places, planes.shape[1:], expected)
        here.focus("#slice")
        here.keyboard.press("ArrowLeft")
    assert text(here, "#slice-now") == "1 of 3"
    setting(here, "#predict", False)
    denoise(here)
    here.get_by_role("slider", name="Boundary").focus()
    here.keyboard.press("Home")
    clean = noiseless.restore_image(noiseless.read(path)).image.in_stored_units()[0, 0]
    expected = [255 * np.clip((clean[y, x] - low) / (high - low), 0, 1) for x, y in places]
    wait_for_colours(here, places, planes.shape[1:], expected, within=2)


def test_a_picture_is_zoomed_to_its_pixels(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    before = int(text(here, ".nv-zoom").removesuffix(" %"))
    here.focus(".nv-canvas")
    for _ in range(6):
        here.keyboard.press("+")
    zoom = int(text(here, ".nv-zoom").removesuffix(" %"))
    assert zoom > 5 * before

    def squares():  # of one colour for each pixel
        row = here.evaluate("""() => { const canvas = document.querySelector(".nv-canvas");
          const data = canvas.getContext("2d").getImageData(0, Math.floor(canvas.height / 2), canvas.width, 1).data;
          return [...data].filter((_, index) => index % 4 === 0); }""")
        return 0 < np.count_nonzero(np.diff(row)) <= len(row) / (zoom / 100) + 2

    wait_until(here, squares)
    here.keyboard.press("1")
    assert text(here, ".nv-zoom") == "100 %"
    here.keyboard.press("0")
    assert int(text(here, ".nv-zoom").removesuffix(" %")) == before


def test_a_video_has_no_picture_but_a_result(page, tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "film.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(4):
            grey = np.clip(waves(48, 64, 10, number), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.dstack([grey] * 3), format="rgb24")))
        container.mux(stream.encode())
    here = page()
    hand_over(here, path)
    assert text(here, "#kind") == "Video, AVI"
    assert "not shown here" in text(here, "#no-picture")
    assert not here.is_visible("#viewer")
    assert not here.is_visible("#views")
    setting(here, "#strength", 0.8)
    assert not here.is_visible("#method")
    denoise(here)
    assert "4 frames" in text(here, "#headline")
    assert not here.is_visible("#report-html")
    assert saved(here, "#report-json").suggested_filename == "film.report.json"
    assert saved(here, "#download").suggested_filename.startswith("film.denoised.")


def test_settings_say_what_is_usual_and_send_what_was_changed(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    sent = []
    here.route("**/api/jobs", lambda route: (sent.append(route.request.post_data_json), route.abort()))

    def settings():
        here.click("#denoise")
        here.wait_for_selector("#work-problem .problem")
        return sent[-1]["settings"]

    assert settings() == {"predict": True}
    setting(here, "#preset", "ultrasound")
    setting(here, "#method", "non-local-means")
    setting(here, "#steps", 3)
    setting(here, "#sigma", 12.5)
    setting(here, "#bound", 4)
    setting(here, "#error", True)
    assert "Ultrasound" in text(here, "#strength-now")
    assert "patches that look alike" in text(here, "#method-help")
    assert settings() == {
        "preset": "ultrasound", "method": "non-local-means", "steps": 3, "sigma": 12.5, "bound": 4.0, "error": True,
        "predict": True,
    }  # fmt: skip
    here.click("#to-usual")
    assert text(here, "#settings-now") == "usual"
    setting(here, "#noise", "poisson-gaussian")
    assert not here.is_visible("#sigma")
    assert settings() == {"noise": "poisson-gaussian", "predict": True}
    here.fill("#noise-gain", "0.5")
    here.fill("#noise-sigma", "2")
    assert settings() == {"noise": "poisson-gaussian:gain=0.5,sigma=2", "predict": True}


# ---- what goes wrong


def problem(page, place="#start-problem"):
    page.wait_for_selector(f"{place} .problem")
    assert page.get_attribute(place, "role") == "alert"
    return text(page, f"{place} .problem")


def test_files_that_cannot_be_taken_are_refused_in_words(page, tmp_path):
    here = page()
    (tmp_path / "notes.txt").write_text("<b>no image</b>")
    here.set_input_files("#file", str(tmp_path / "notes.txt"))
    assert "Not a kind of file that can be read" in problem(here)
    (tmp_path / "<img src=x onerror=alert(1)>.png").write_text("no image either")
    here.set_input_files("#file", str(tmp_path / "<img src=x onerror=alert(1)>.png"))
    here.wait_for_selector("#start-problem .problem:has-text('cannot be read')")
    assert here.locator("main img").count() == 0
    here.set_input_files("#file", str(bomb(tmp_path)))
    here.wait_for_selector("#start-problem .problem:has-text('60000')")
    (tmp_path / "large.png").write_bytes(bytes(LARGEST + 1))
    here.set_input_files("#file", str(tmp_path / "large.png"))
    here.wait_for_selector("#start-problem .problem:has-text('Too large')")
    assert "At most 3 MB" in problem(here)
    (tmp_path / "empty.png").write_bytes(b"")
    here.set_input_files("#file", str(tmp_path / "empty.png"))
    here.wait_for_selector("#start-problem .problem:has-text('empty')")
    here.get_by_role("button", name="Close").click()
    assert here.locator(".problem:visible").count() == 0
    hand_over(here, photograph(tmp_path)[0])  # and the page still works


DROP = """(contents) => {
  const data = new DataTransfer();
  const read = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  for (const [name, text] of contents) data.items.add(new File([read(text)], name));
  document.body.dispatchEvent(new DragEvent("dragenter", {bubbles: true, dataTransfer: data}));
  const shown = !document.querySelector("#overlay").hidden;
  document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: data}));
  return shown && document.querySelector("#overlay").hidden;
}"""

PASTE = """(bytes) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "image.png", {type: "image/png"}));
  document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
}"""


def test_files_are_dropped_and_pasted(page, tmp_path):
    content = base64.b64encode(photograph(tmp_path)[0].read_bytes()).decode()
    here = page()
    assert here.evaluate(DROP, [["a.png", content], ["b.png", content]])
    assert "One file at a time" in problem(here)
    assert here.evaluate(DROP, [["dropped.png", content]])
    here.wait_for_selector("#work:not([hidden])")
    assert text(here, "#name") == "dropped.png"
    here.evaluate(PASTE, content)
    here.wait_for_selector("#name:has-text('image.png')")


def test_a_refused_setting_is_told_beside_the_button(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    setting(here, "#noise", "gaussian")
    here.fill("#noise-sigma", "-3")
    here.click("#denoise")
    assert "This setting does not work" in problem(here, "#work-problem")
    assert "Sigma is -3" in problem(here, "#work-problem")
    assert here.is_enabled("#denoise")
    here.click("#to-usual")
    denoise(here)
    assert not here.is_visible("#work-problem .problem")


def test_a_running_job_is_cancelled(page, server, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path, 700, 700)[0])
    setting(here, "#method", "ensemble")
    with here.expect_response(lambda answer: answer.url.endswith("/api/jobs")) as created:
        here.click("#denoise")
    key = created.value.json()["id"]
    here.wait_for_function("() => Number(document.querySelector('#running-bar').getAttribute('aria-valuenow')) > 0")
    assert text(here, "#running-text")
    assert here.evaluate("() => document.activeElement.id") == "cancel"
    with here.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        here.click("#cancel")
    assert deleted.value.status == 204
    assert here.is_visible("#denoise")
    assert not here.is_visible("#running")
    assert server.status(f"api/jobs/{key}") == 404
    assert here.evaluate("() => document.activeElement.id") == "denoise"


def test_a_full_queue_is_waited_for(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    setting(here, "#predict", False)
    asked = []

    def answer(route):
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
            return
        body = {"error": {"name": "QueueFull", "message": "16 wait already"}}
        route.fulfill(status=429, json=body, headers={"Retry-After": "1"})

    here.route("**/api/jobs", answer)
    here.click("#denoise")
    here.wait_for_selector("#running-text:has-text('Trying again in 1 s')")
    here.wait_for_selector("#download:not([hidden])")
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 0.95


def test_a_service_that_is_gone_and_comes_back_is_told_and_the_file_sent_again(page, starting, tmp_path):
    first = starting()
    here = page(first.url)
    hand_over(here, photograph(tmp_path, 400, 400)[0])
    setting(here, "#method", "ensemble")
    here.click("#denoise")
    here.wait_for_function("() => document.querySelector('#running-bar').hasAttribute('aria-valuenow')")
    first.end(signal.SIGKILL)
    here.wait_for_selector("#running-text:has-text('does not answer')")
    assert "The service does not answer" in problem(here, "#work-problem")
    starting(port=first.port)
    here.get_by_role("button", name="Try again").click()
    here.wait_for_selector("#work-problem .problem:has-text('no longer has this file')")
    here.get_by_role("button", name="Send the file again").click()
    here.wait_for_selector("#work:not([hidden])")
    assert text(here, "#name") == "photo.png"
    assert not here.is_visible(".problem")
    assert here.is_enabled("#denoise")


def test_a_service_that_never_answers_is_told_at_the_start(page, tmp_path):
    here = page()
    here.route("**/api/**", lambda route: route.abort())
    here.set_input_files("#file", str(photograph(tmp_path)[0]))
    assert "The service does not answer" in problem(here)
    here.unroute_all()
    here.get_by_role("button", name="Try again").click()
    here.wait_for_selector("#work:not([hidden])")


def test_a_token_is_asked_for_kept_in_this_tab_and_taken_from_the_address(page, starting, tmp_path):
    guarded = starting("--token", TOKEN)
    here = page(guarded.url)
    here.wait_for_selector("#token-dialog[open]")
    here.keyboard.press("Escape")
    assert "A token is needed" in problem(here)
    here.get_by_role("button", name="Try again").click()
    here.wait_for_selector("#token-dialog[open]")
    assert not here.is_visible("#token-wrong")
    here.fill("#token", "wrong-wrong-wrong-wrong")
    here.keyboard.press("Enter")
    here.wait_for_selector("#token-wrong:visible")
    here.fill("#token", TOKEN)
    here.keyboard.press("Enter")
    here.wait_for_selector("#token-dialog:not([open])", state="attached")
    here.wait_for_selector("#formats:has-text('PNG')")
    hand_over(here, photograph(tmp_path)[0])
    assert here.evaluate("() => [sessionStorage.token, localStorage.length]") == [TOKEN, 0]

    other = page(f"{guarded.url}#token={TOKEN}")
    other.wait_for_selector("#formats:has-text('PNG')")
    assert other.url == guarded.url
    hand_over(other, photograph(tmp_path)[0])
    wait_for_colours(other, [(9, 9)], (96, 128), [photograph(tmp_path)[1][9, 9]])


# ---- more than one, and leaving


def test_two_tabs_do_not_disturb_each_other_and_leaving_deletes_the_file(page, server, tmp_path):
    path = photograph(tmp_path)[0]
    left, right = page(), page()
    keys = []
    for tab in (left, right):
        with tab.expect_response(lambda answer: answer.url.endswith("/api/files")) as created:
            hand_over(tab, path)
        keys.append(created.value.json()["id"])
    setting(right, "#predict", False)
    assert [server.status(f"api/files/{key}") for key in keys] == [200, 200]
    left.goto("about:blank")
    end = time.monotonic() + 10
    while server.status(f"api/files/{keys[0]}") != 404:
        assert time.monotonic() < end
        time.sleep(0.05)
    denoise(right)
    assert server.status(f"api/files/{keys[1]}") == 200
    # A reload asks first while there is a result that nobody has saved.
    asked = []
    right.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    right.evaluate("() => { setTimeout(() => location.reload(), 0); }")
    right.wait_for_timeout(400)
    assert asked == ["beforeunload"]
    assert right.is_visible("#download")
    saved(right, "#download")
    right.reload()
    assert asked == ["beforeunload"]
    right.wait_for_selector("#start:not([hidden])")


def test_a_page_that_comes_back_from_the_memory_of_the_browser_says_that_its_file_is_gone(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    here.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    here.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert "deleted when the page was left" in problem(here)
    here.get_by_role("button", name="Send the file again").click()
    here.wait_for_selector("#work:not([hidden])")


def test_another_file_takes_the_place_of_the_first(page, server, tmp_path):
    here = page()
    with here.expect_response(lambda answer: answer.url.endswith("/api/files")) as created:
        hand_over(here, photograph(tmp_path)[0])
    key = created.value.json()["id"]
    here.set_input_files("#file", str(photograph(tmp_path, name="other.png")[0]))
    here.wait_for_selector("#name:has-text('other.png')")
    assert here.is_visible("#work")
    assert server.status(f"api/files/{key}") == 404


# ---- for everybody


def tab_to(page, name, most=60):
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.id || document.activeElement.className") == name:
            outline = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.boxShadow]; }"
            )
            return outline
    raise AssertionError(f"no way by Tab to {name}")


def test_the_example_is_done_by_keyboard_and_tells_the_truth_beside_the_prediction(page):
    here = page()
    here.wait_for_selector("#formats:has-text('PNG')")
    assert tab_to(here, "example")[0] == "solid"  # the focus is seen
    here.keyboard.press("Enter")
    here.wait_for_selector("#work:not([hidden])")
    assert here.evaluate("() => document.activeElement.id") == "name"
    tab_to(here, "denoise")
    here.keyboard.press("Enter")
    here.wait_for_selector("#download:not([hidden])")
    assert here.evaluate("() => document.activeElement.id") == "download"
    assert text(here, "#live").startswith("Done. ")
    words = text(here, "#psnr")
    predicted, truth, before = (float(re.search(form, words)[1]) for form in (
        r"^([\d.]+) dB", r"([\d.]+) dB in truth", r"([\d.]+) dB before",
    ))  # fmt: skip
    assert truth > before + 8
    assert predicted == pytest.approx(truth, abs=1.0)
    with here.expect_download():
        here.keyboard.press("Enter")
    here.evaluate("() => document.querySelector('#another').focus()")
    tab_to(here, "theme")
    here.keyboard.press("Enter")
    assert here.get_attribute("html", "data-theme") == "dark"
    here.keyboard.press("Tab")
    assert here.evaluate("() => document.activeElement.value") == "compare"
    here.keyboard.press("ArrowRight")
    assert here.is_checked("input[value=removed]")
    here.keyboard.press("ArrowLeft")
    tab_to(here, "nv-canvas")
    tab_to(here, "nv-wipe")
    here.keyboard.press("ArrowLeft")
    assert here.get_attribute(".nv-wipe", "aria-valuenow") == "48"


NAMELESS = """() => {
  const texts = (nodes) => [...(nodes || [])].map((node) => node?.textContent || "").join("");
  const by = (node) => (node.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id));
  const name = (node) => node.getAttribute("aria-label") || texts(node.labels) || texts(by(node))
    || (["INPUT", "SELECT"].includes(node.tagName) ? "" : node.textContent);
  const controls = document.querySelectorAll(
    "button, input, select, summary, a[href], [role=slider], [role=progressbar], [tabindex='0'], dialog");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  return [
    ...[...controls].filter((node) => node.checkVisibility() && !name(node)?.trim()).map((node) => node.outerHTML),
    ...ids.filter((id, index) => ids.indexOf(id) !== index),
    ...[...document.querySelectorAll("[aria-describedby], [for]")]
      .flatMap((node) => [node.getAttribute("aria-describedby"), node.getAttribute("for")])
      .filter((id) => id && !document.getElementById(id)),
  ];
}"""


def test_every_control_has_a_name_and_the_page_its_landmarks(page, tmp_path):
    here = page()
    hand_over(here, scan(tmp_path)[0])
    setting(here, "#noise", "speckle")
    assert here.evaluate(NAMELESS) == []
    assert here.get_attribute("html", "lang") == "en"
    for role in ("banner", "main", "complementary"):
        assert here.get_by_role(role).count() == 1
    assert here.locator("h1:visible").count() == 1
    assert here.locator("[role=status][aria-live=polite]").count() == 1
    assert "scan.dcm" in here.title()


def luminance(colour):
    values = [int(colour.lstrip("#")[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(page, dark):
    here = page(dark=dark)
    assert here.get_attribute("html", "data-theme") == ("dark" if dark else "light")
    names = (
        "text", "muted", "accent", "accent-strong", "good", "doubt", "bad", "surface", "ground", "raised", "edge",
        "accent-soft", "bad-soft", "doubt-soft", "on-accent",
    )  # fmt: skip
    value = "name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"
    of = {name: here.evaluate(value, name) for name in names}
    grounds = {
        "text": ("surface", "ground", "raised", "bad-soft", "doubt-soft"), "muted": ("surface", "ground", "raised"),
        "accent": ("surface", "ground", "accent-soft"), "accent-strong": ("surface", "accent-soft"),
        "good": ("surface",), "doubt": ("surface", "doubt-soft"), "bad": ("surface", "bad-soft"),
        "on-accent": ("accent", "accent-strong"),
    }  # fmt: skip
    low = {(name, on): contrast(of[name], of[on]) for name, all_ in grounds.items() for on in all_}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}
    assert contrast(of["edge"], of["surface"]) >= 3.0  # the edges of fields


SMALL = """() => [...document.querySelectorAll("button, select, input, summary")]
  .map((node) => (["radio", "checkbox"].includes(node.type) ? node.closest("label") : node))
  .filter((node) => node.checkVisibility() && !node.classList.contains("unseen"))
  .filter((node) => node.getBoundingClientRect().height > 0)
  .filter((node) => node.getBoundingClientRect().height < 43.9 || node.getBoundingClientRect().width < 40)
  .map((node) => `${node.id || node.className || node.textContent} ${node.getBoundingClientRect().height}`)"""


def test_a_phone_shows_all_of_it_without_scrolling_sideways(page, tmp_path):
    here = page(width=390, height=780, touch=True, scale=2)

    def check():
        for width in (360, 390):
            here.set_viewport_size({"width": width, "height": 780})
            assert here.evaluate("() => document.documentElement.scrollWidth") == width
            assert here.evaluate(SMALL) == []

    check()
    hand_over(here, counts(tmp_path)[0])
    here.evaluate("() => { document.querySelector('#window').open = true; }")
    setting(here, "#predict", False)
    denoise(here)
    setting(here, "#noise", "poisson-gaussian")
    check()
    # The button is in sight wherever the page is scrolled to.
    for place in ("0", "document.body.scrollHeight"):
        here.evaluate(f"() => window.scrollTo(0, {place})")
        box = here.locator("#download").bounding_box()
        assert box["y"] + box["height"] <= 780


def test_a_laptop_shows_picture_and_button_without_scrolling(page, tmp_path):
    here = page()
    hand_over(here, counts(tmp_path)[0])
    for selector in ("#viewer", "#denoise", "#low"):
        box = here.locator(selector).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800
    assert here.locator("#viewer").bounding_box()["height"] > 400


def test_the_page_asks_nothing_of_others_and_runs_no_script_of_others(page, server):
    here = page()
    with socket.create_connection(("127.0.0.1", server.port)):
        answer = here.request.get(server.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    source = answer.text()
    assert not re.search(r"https?://(?!www\.w3\.org)|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", source)
