"""The viewer in a real browser: what it draws, what moves it, and which tiles it asks for."""

from importlib import resources

import pytest

ASSETS = resources.files("noiseless.apps.viewer") / "assets"


HARNESS = """<!doctype html><html lang="en"><style>body{margin:0;--accent:#06c}#v{width:800px;height:600px}</style>
<div id="v"></div><p style="height:2000px">below</p>"""

# Each pixel knows its place and its level; the right picture has blue at 200 and above.
SCENE = """(options) => {
  window.asked = [];
  const side = (name, blue) => ({name, tile: async (level, row, column) => {
    window.asked.push([name, level, row, column]);
    if (options.wait) await new Promise((done) => setTimeout(done, level === options.levels - 1 ? 5 : options.wait));
    if (options.fails && window.asked.length <= options.fails) throw new Error("no");
    const length = (all, at) => Math.min(options.tile, Math.ceil(all / 2 ** level) - at * options.tile);
    const wide = length(options.width, column), high = length(options.height, row);
    const data = new ImageData(wide, high);
    for (let y = 0; y < high; y += 1) for (let x = 0; x < wide; x += 1)
      data.data.set([(x + column * options.tile) % 251, (y + row * options.tile) % 251, blue + level, 255],
        4 * (y * wide + x));
    return createImageBitmap(data);
  }});
  window.viewer ??= new NoiselessViewer(document.getElementById("v"), {label: "Test"});
  const right = options.one ? null : side("denoised", 200);
  viewer.show({...options, left: side("noisy", 0), right}, {keepView: options.keep});
}"""

SMALL = {"width": 700, "height": 500, "tile": 256, "levels": 2}
LARGE = {"width": 5000, "height": 3000, "tile": 256, "levels": 6}


@pytest.fixture
def viewer(browser):
    def opened(scene=SMALL, **options):
        page = browser(**options)
        page.set_content(HARNESS)
        page.add_style_tag(content=(ASSETS / "viewer.css").read_text(encoding="utf-8"))
        page.add_script_tag(content=(ASSETS / "viewer.js").read_text(encoding="utf-8"))
        page.evaluate(SCENE, scene)
        settle(page)
        return page

    return opened


def settle(page):
    page.evaluate("() => viewer.settled()")


def colour(page, x, y):
    """Of the canvas at a place in CSS pixels."""
    return page.evaluate(
        """([x, y]) => { const canvas = document.querySelector("canvas"), ratio = canvas.width / canvas.clientWidth;
        return [...canvas.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data]; }""",
        [x, y],
    )


def view(page):
    return page.evaluate("() => viewer.view")


def test_the_viewer_fits_and_shows_left_and_right(viewer):
    page = viewer()
    assert view(page) == {"zoom": 1.0, "x": 350.0, "y": 250.0}
    # At 1 the picture has its corner at (50, 50), and each pixel its place.
    assert colour(page, 60, 70) == [10, 20, 0, 255]
    assert colour(page, 700, 500) == [650 % 251, 450 % 251, 200, 255]
    assert colour(page, 20, 20)[3] == 0


def test_the_wipe_follows_the_mouse(viewer):
    page = viewer()
    handle = page.get_by_role("slider")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(200, 300, steps=4)
    page.mouse.up()
    settle(page)
    assert page.evaluate("() => viewer.split") == pytest.approx(0.25)
    assert colour(page, 198, 300)[2] == 0
    assert colour(page, 203, 300)[2] == 200
    assert handle.get_attribute("aria-valuenow") == "25"
    assert handle.get_attribute("aria-valuetext") == "25 % noisy, 75 % denoised"


def test_the_wipe_follows_the_keys(viewer):
    page = viewer()
    page.get_by_role("slider").focus()
    for key, split in (("ArrowRight", 0.52), ("ArrowLeft", 0.5), ("Home", 0.0), ("PageUp", 0.1), ("End", 1.0)):
        page.keyboard.press(key)
        assert page.evaluate("() => viewer.split") == pytest.approx(split)
    settle(page)
    assert colour(page, 700, 300)[2] == 0


def test_the_wheel_zooms_to_the_pointer_and_pixels_stay_pixels(viewer):
    page = viewer()
    page.evaluate("() => { viewer.split = 1; }")
    page.mouse.move(400 - 0.5, 250.5)  # over pixel (349, 200)
    for _ in range(12):
        page.mouse.wheel(0, -240)
    settle(page)
    zoom = view(page)["zoom"]
    assert zoom > 16.0
    # The pixel under the pointer is still there, as a square of one colour.
    under = colour(page, 399, 250)
    assert under[:2] == [349 % 251, 200]
    colours = {tuple(colour(page, x, 250)) for x in range(300, 500, 2)}
    assert all(tuple(entry)[2:] == (0, 255) for entry in colours)
    assert len(colours) <= 200 / zoom + 2
    assert page.evaluate("() => scrollY") == 0


def test_the_wheel_lets_the_page_scroll_where_there_is_nothing_left_to_zoom(viewer):
    page = viewer()
    page.mouse.move(300, 300)
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => scrollY > 0")
    assert view(page)["zoom"] == 1.0


def test_dragging_moves_the_picture_and_stops_at_its_edge(viewer):
    page = viewer(LARGE)
    page.evaluate("() => { viewer.zoom = 1; }")
    start = view(page)
    page.mouse.move(200, 300)
    page.mouse.down()
    page.mouse.move(100, 250, steps=5)
    page.mouse.up()
    assert view(page)["x"] == pytest.approx(start["x"] + 100)
    assert view(page)["y"] == pytest.approx(start["y"] + 50)
    page.evaluate("() => { viewer.view = {zoom: 1, x: -50, y: 99999}; }")
    assert view(page) == {"zoom": 1, "x": 400, "y": 2700}


def test_keys_zoom_and_move(viewer):
    page = viewer(LARGE, reduced_motion="reduce")
    page.locator("canvas").focus()
    page.keyboard.press("1")
    assert view(page)["zoom"] == 1.0
    page.keyboard.press("+")
    assert view(page)["zoom"] == pytest.approx(1.4)
    before = view(page)["x"]
    page.keyboard.press("ArrowRight")
    assert view(page)["x"] == pytest.approx(before + 60 / 1.4)
    page.keyboard.press("0")
    assert view(page) == {"zoom": pytest.approx(0.16), "x": 2500, "y": 1500}
    assert page.locator(".nv-zoom").inner_text() == "16 %"


def test_holding_space_shows_the_left_picture_alone(viewer):
    page = viewer()
    page.locator("canvas").focus()
    page.keyboard.down(" ")
    settle(page)
    assert colour(page, 700, 300)[2] == 0
    page.keyboard.up(" ")
    settle(page)
    assert colour(page, 700, 300)[2] == 200
    assert page.evaluate("() => scrollY") == 0


def test_a_double_click_toggles_all_and_one_to_one(viewer):
    page = viewer(LARGE, reduced_motion="reduce")
    page.mouse.dblclick(100, 300)
    assert view(page)["zoom"] == 1.0
    page.mouse.dblclick(100, 300)
    assert view(page)["zoom"] == pytest.approx(0.16)


def test_zooming_without_reduced_motion_arrives_at_the_same(viewer):
    page = viewer(LARGE)
    page.get_by_role("button", name="Show at 100 %").click()
    page.wait_for_function("() => viewer.zoom === 1")
    page.get_by_role("button", name="Fit the whole picture").click()
    page.wait_for_function("() => Math.abs(viewer.zoom - 0.16) < 1e-9 && viewer.view.x === 2500")


def test_only_tiles_in_sight_of_the_level_in_need_are_asked_for(viewer):
    page = viewer(LARGE)
    asked = page.evaluate("() => asked")
    # 0.16 screen pixels a pixel: level 2 has up to two pixels a screen pixel; level 5 is the coarsest.
    assert {entry[1] for entry in asked} == {2, 5}
    assert [entry[1] for entry in asked[:2]] == [5, 5]
    page.evaluate("() => { asked.length = 0; viewer.zoom = 1; }")
    settle(page)
    asked = [entry for entry in page.evaluate("() => asked") if entry[1] == 0]
    assert 0 < len(asked) <= 2 * 5 * 4
    page.evaluate("() => { asked.length = 0; viewer.view = {...viewer.view, x: viewer.view.x + 1}; }")
    settle(page)
    assert page.evaluate("() => asked.length") <= 4  # the others are kept


def test_a_coarse_level_shows_until_the_fine_one_is_there(viewer):
    page = viewer(LARGE)
    page.evaluate(SCENE, LARGE | {"wait": 300})
    page.wait_for_function(
        """() => { const canvas = document.querySelector("canvas");
        return canvas.getContext("2d").getImageData(100, 300, 1, 1).data[2] === 5; }"""
    )
    settle(page)
    assert colour(page, 100, 300)[2] == 2


def test_the_cache_is_bounded(viewer):
    page = viewer({"width": 4000, "height": 4000, "tile": 64, "levels": 7, "one": True})
    closed = page.evaluate(
        """async () => {
          let closed = 0;
          const close = ImageBitmap.prototype.close;
          ImageBitmap.prototype.close = function () { closed += 1; close.call(this); };
          viewer.zoom = 2;
          for (let y = 200; y < 3900; y += 300) { viewer.view = {zoom: 2, x: 300, y}; await viewer.settled(); }
          return [closed, asked.length];
        }"""
    )
    assert closed[1] > 300
    assert closed[1] - closed[0] <= 160


def test_more_tiles_in_sight_than_are_kept_still_settle(viewer):
    page = viewer({"width": 800, "height": 600, "tile": 32, "levels": 5, "one": True})
    assert colour(page, 5, 5) == [5, 5, 0, 255]
    assert colour(page, 795, 595) == [795 % 251, 595 % 251, 0, 255]


def test_a_tile_that_fails_is_asked_for_again(viewer):
    page = viewer(SMALL | {"fails": 3})
    page.wait_for_function(
        """() => { const canvas = document.querySelector("canvas");
        return canvas.getContext("2d").getImageData(60, 70, 1, 1).data[0] === 10; }"""
    )


def test_a_screen_of_high_density_gets_all_its_pixels(viewer):
    page = viewer(LARGE, scale=2)
    assert page.evaluate("() => [document.querySelector('canvas').width, viewer.zoom]") == [1600, 0.32]
    page.evaluate("() => { viewer.split = 1; viewer.view = {zoom: 1, x: 1000, y: 1000}; }")
    settle(page)
    first, second = (colour(page, x, 300)[0] for x in (100, 100.5))
    assert second - first == 1


def test_the_next_picture_keeps_the_view_and_the_old_one_in_sight(viewer):
    page = viewer(LARGE)
    page.evaluate("() => { viewer.view = {zoom: 0.5, x: 1200, y: 900}; }")
    settle(page)
    page.evaluate(SCENE, LARGE | {"keep": True, "wait": 400})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert view(page) == {"zoom": 0.5, "x": 1200, "y": 900}
    assert colour(page, 100, 300)[3] == 255
    page.evaluate(SCENE, SMALL | {"keep": True})  # of another size
    assert view(page) == {"zoom": 1.0, "x": 350.0, "y": 250.0}


def test_one_picture_has_no_wipe_and_nothing_has_no_picture(viewer):
    page = viewer(SMALL | {"one": True})
    assert page.get_by_role("slider").count() == 0
    assert colour(page, 700, 500)[2] == 0
    page.evaluate("() => viewer.show(null)")
    settle(page)
    assert colour(page, 300, 300)[3] == 0


def test_the_view_is_told_with_the_pixel_under_the_pointer(viewer):
    page = viewer()
    page.evaluate("() => viewer.addEventListener('view', (event) => { window.told = event.detail; })")
    page.mouse.move(60.5, 70.5)
    page.wait_for_function("() => window.told?.pixel")
    assert page.evaluate("() => told") == {"zoom": 1, "centre": {"x": 350, "y": 250}, "pixel": {"x": 10, "y": 20}}
    page.mouse.move(20, 20)
    page.wait_for_function("() => told.pixel === null")


def test_two_fingers_zoom_and_move(viewer):
    page = viewer(LARGE, touch=True)
    page.evaluate("() => { viewer.split = 1; }")
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]},
        )

    touch("touchStart", (350, 300), (450, 300))
    for spread in (100, 150, 200):
        touch("touchMove", (400 - spread, 300), (400 + spread, 300))
    touch("touchEnd")
    page.wait_for_function("() => viewer.zoom > 0.5")
    assert view(page)["zoom"] == pytest.approx(0.64, rel=0.02)
    assert view(page)["x"] == pytest.approx(2500, abs=4)


def test_a_viewer_that_changes_its_size_fits_again(viewer):
    page = viewer(LARGE)
    page.evaluate("() => { document.getElementById('v').style.width = '400px'; }")
    page.wait_for_function("() => Math.abs(viewer.zoom - 0.08) < 1e-9")


def test_a_viewer_that_is_destroyed_leaves_nothing(viewer):
    page = viewer()
    page.evaluate("() => viewer.destroy()")
    assert page.evaluate("() => document.getElementById('v').childElementCount") == 0
