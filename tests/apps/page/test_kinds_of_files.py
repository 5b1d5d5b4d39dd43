"""What the page shows of each kind of file, and files that it cannot take."""

import base64

import numpy as np
import pytest

import noiseless

from .given_files import bomb, counts, photograph, scan, volume, waves
from .person import denoise, hand_over, problem, saved, setting, text, wait_for_colours, wait_until
from .serving import LARGEST


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
