"""From a file to a result: measured, denoised, compared, downloaded; by settings that say what is usual."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import noiseless

from .given_files import photograph
from .person import colours, denoise, hand_over, problem, saved, setting, text, wait_for_colours, wait_until


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
