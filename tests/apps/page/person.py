"""What a person does at the page, and sees there."""

import time

import numpy as np


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


def text(page, selector):
    return page.locator(selector).inner_text().strip()


def problem(page, place="#start-problem"):
    page.wait_for_selector(f"{place} .problem")
    assert page.get_attribute(place, "role") == "alert"
    return text(page, f"{place} .problem")


def saved(page, button):
    with page.expect_download() as download:
        page.click(button)
    return download.value


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
