"""Reports as people see them, in a real browser."""

import re

import numpy as np
import pytest

import noiseless
from noiseless.apps import report

from .pages import HOSTILE, VIDEO, entries, made, noisy_image, video_frames


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
