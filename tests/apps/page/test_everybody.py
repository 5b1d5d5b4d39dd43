"""For everybody: keyboard, names for screen readers, contrast, phones and laptops."""

import re

import pytest

from .given_files import counts, scan
from .person import denoise, hand_over, setting, text


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
