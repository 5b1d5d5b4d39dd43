import dataclasses
import os
import subprocess
import sys
import threading
import time
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# napari and npe2 make their models as pydantic 1 did.
pytestmark = [pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")]

with warnings.catch_warnings():
    warnings.simplefilter("ignore", pytest.importorskip("pydantic.warnings").PydanticDeprecatedSince20)
    pytest.importorskip("napari.components")
    pytest.importorskip("magicgui.widgets", exc_type=ImportError)
    # Without any Qt, or a library that Qt needs.
    pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)

    import dask.array
    from napari.components import ViewerModel
    from napari.layers import Image, Labels, Layer
    from napari.utils import progress
    from napari.utils.notifications import notification_manager
    from npe2 import PluginManager, PluginManifest
    from qtpy.QtWidgets import QApplication

    import noiseless
    from noiseless.apps.napari import account, background, previewing, result_layers, sample_pictures, wishes
    from noiseless.apps.napari.denoising import Result, denoised
    from noiseless.apps.napari.layer_data import Stack, check_image_layer, described, is_volume, stack_of
    from noiseless.apps.napari.panel import APART, TOGETHER, DenoisePanel
    from noiseless.apps.napari.quick import denoise_selected
    from noiseless.apps.napari.selected_layer import in_sight
    from noiseless.apps.napari.wishes import SIGMA, Wishes

ROOM = Path(background.__file__).parent

FAST = Wishes(method="heat", noise=SIGMA, sigma=20.0)
"""Of a filter that takes milliseconds."""

LONGEST_S = 30


def unheard(share, text):
    """Progress that nobody listens to."""


@pytest.fixture(scope="module", autouse=True)
def settings_of_napari(tmp_path_factory):
    """Not those of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_CONFIG", str(tmp_path_factory.mktemp("napari") / "settings.yaml"))
        yield


@pytest.fixture(scope="module")
def application():
    return QApplication.instance() or QApplication([])


@pytest.fixture
def notices():
    """What napari was asked to tell, as (severity, text)."""
    notification_manager.records.clear()
    return lambda: [(record.severity.value, record.message) for record in notification_manager.records]


@pytest.fixture
def noisy(rng):
    """(64, 80) uint8: a step, a slope and noise of sigma 20."""
    return noisy_of(rng, (64, 80))


def noisy_of(rng, shape, sigma=20.0):
    clean = 80.0 + np.linspace(0, 40, shape[-1]) + 40.0 * (np.arange(shape[-2]) > shape[-2] // 2)[:, None]
    values = clean + sigma * rng.standard_normal(shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


# What a layer holds


def test_a_gray_layer_is_one_image(noisy):
    stack = stack_of(Image(noisy))
    assert (stack.leading, stack.count, stack.colours) == ((), 1, None)
    np.testing.assert_array_equal(stack.image(()).stored()[0], noisy)


def test_a_layer_of_frames_is_as_many_images_and_of_slices_one_volume(rng):
    data = noisy_of(rng, (2, 5, 32, 40))
    layer = Image(data)
    apart, together = stack_of(layer), stack_of(layer, together=True)
    assert apart.leading == (2, 5)
    assert together.leading == (2,)
    np.testing.assert_array_equal(apart.image((1, 3)).stored()[0], data[1, 3])
    np.testing.assert_array_equal(together.image((1,)).stored()[0], data[1])
    assert together.image((1,)).axes == "CZYX"


def test_two_axes_cannot_be_a_volume(noisy):
    assert not stack_of(Image(noisy), together=True).volumes


def test_colours_are_channels_and_alpha_is_none(rng):
    data = np.moveaxis(noisy_of(rng, (4, 32, 40)), 0, -1)
    stack = stack_of(Image(data, rgb=True))
    image = stack.image(())
    assert (stack.shape, image.channels) == ((32, 40), 3)
    np.testing.assert_array_equal(stack.like_layer((), image.stored()), data)


def test_of_several_resolutions_the_finest_is_taken(noisy):
    layer = Image([noisy, noisy[::2, ::2]], multiscale=True)
    assert stack_of(layer).data is noisy
    assert described(layer) == "64 x 80, uint8"


def test_spacing_is_in_millimetres_where_the_units_are_lengths(rng):
    data = noisy_of(rng, (4, 32, 40))
    layer = Image(data, scale=(2.0, 0.5, 0.5), units=("um", "um", "mm"))
    assert stack_of(layer, together=True).image(()).spacing == pytest.approx((2e-3, 5e-4, 0.5))
    assert stack_of(layer).image((1,)).spacing == pytest.approx((5e-4, 0.5))
    assert stack_of(Image(data, scale=(2.0, 0.5, 0.5))).spacing == ()


@pytest.mark.parametrize(("labels", "volume"), [(("z", "y", "x"), True), (("t", "y", "x"), False), (None, False)])
def test_labels_of_axes_say_what_is_a_volume(rng, labels, volume):
    assert is_volume(Image(noisy_of(rng, (4, 32, 40)), axis_labels=labels)) is volume


def test_layers_without_intensities_are_refused_in_one_line():
    with pytest.raises(noiseless.InvalidImage, match=r"'cells' is a Labels layer.*select an Image layer"):
        check_image_layer(Labels(np.zeros((8, 8), np.uint8), name="cells"))
    with pytest.raises(noiseless.InvalidImage, match="no layer is selected"):
        check_image_layer(None)
    with np.errstate(invalid="ignore"):  # napari divides by the shape
        empty = Image(np.zeros((0, 8, 8), np.uint8), name="cells", contrast_limits=(0, 1))
    with pytest.raises(noiseless.InvalidImage, match=r"'cells' is empty: its shape is \(0, 8, 8\)"):
        stack_of(empty)


# What is wished


def test_wishes_are_a_recipe_and_a_law():
    asked = Wishes(method="heat", strength=0.5, noise=SIGMA, sigma=12.0, error=True, predict=True)
    recipe = asked.recipe()
    assert (recipe.method, recipe.strength, recipe.error, recipe.predict) == ("heat", 0.5, True, True)
    assert asked.law() == noiseless.noise.Gaussian(12.0)
    assert Wishes().law() is None
    assert Wishes(noise="rician").law() == "rician"


def test_a_preset_keeps_what_the_panel_does_not_show():
    wished = wishes.wishes_of("ct")
    assert (wished.recipe().bound, wished.law()) == (3.0, "tomography")
    assert dataclasses.replace(wished, method="heat").recipe().bound == 3.0
    assert [name for name in wishes.presets() if wishes.looks_across(name)] == ["mr", "volume"]
    assert {wishes.wishes_of(name).preset for name in wishes.presets()} == set(wishes.presets())


def test_sigma_of_nothing_is_refused():
    with pytest.raises(noiseless.InvalidParameter, match="sigma is 0; give the strength"):
        Wishes(noise=SIGMA).law()


def test_choices_begin_with_the_usual_ones():
    assert (wishes.methods()[0], wishes.models()[0], wishes.presets()[0]) == ("auto", "base", "none")
    assert set(wishes.models()) == {"base", "tiny", "camera"}
    assert wishes.models()[-1] == "camera"  # which has no gray
    assert set(noiseless.METHODS) < set(wishes.methods())


# Denoising


def test_frames_are_denoised_one_by_one(rng):
    data = np.stack([noisy_of(rng, (48, 48), sigma) for sigma in (5.0, 30.0)])
    result = denoised(Stack(data), Wishes(method="perona-malik"), unheard)
    assert result.data.dtype == np.uint8
    for frame, clean in zip(data, result.data, strict=True):
        np.testing.assert_array_equal(clean, noiseless.denoise(frame, method="perona-malik"))
    weak, strong = (report["sigma"] for report in result.reports)
    assert weak < 10 < strong


def test_a_volume_is_denoised_in_three_directions(rng):
    data = noisy_of(rng, (6, 32, 32)).astype(np.float64)
    result = denoised(Stack(data, volumes=True), FAST, unheard)
    assert result.data.dtype == np.float64
    np.testing.assert_array_equal(result.data, noiseless.denoise(data, method="heat", sigma=20.0))
    assert len(result.reports) == 1


def test_colour_is_denoised_as_colour_and_alpha_is_kept(rng):
    data = np.moveaxis(noisy_of(rng, (2, 4, 32, 40)), 1, -1)
    result = denoised(Stack(data, rgb=True), FAST, unheard)
    for picture, clean in zip(data, result.data, strict=True):
        wanted = noiseless.denoise(picture[..., :3], method="heat", sigma=20.0, channel_axis=-1)
        np.testing.assert_array_equal(clean[..., :3], wanted)
        np.testing.assert_array_equal(clean[..., 3], picture[..., 3])


def test_maps_are_one_for_all_images(rng):
    data = np.moveaxis(noisy_of(rng, (3, 3, 40, 64)), 1, -1)
    result = denoised(Stack(data, rgb=True), dataclasses.replace(FAST, error=True, predict=True), unheard)
    assert result.error.shape == (3, 40, 64)
    assert (result.error > 0).all()
    assert result.structure.shape == (3, 2, 4)
    assert result.limit > 3.0
    assert all("predicted_psnr" in report["audit"] for report in result.reports)


def test_an_array_that_is_read_by_parts_is_never_read_at_once(rng):
    class Parts:
        data = noisy_of(rng, (4, 32, 32))
        shape, dtype, ndim, most = data.shape, data.dtype, 3, 0

        def __getitem__(self, index):
            part = self.data[index]
            self.most = max(self.most, part.size)
            return part

    parts = Parts()
    result = denoised(Stack(parts), FAST, unheard)
    assert parts.most == 32 * 32
    np.testing.assert_array_equal(result.data, denoised(Stack(Parts.data), FAST, unheard).data)


def test_an_error_says_which_image_it_is_of(rng):
    data = noisy_of(rng, (3, 32, 32)).astype(np.float32)
    data[1, 2, 3] = np.nan
    with pytest.raises(noiseless.InvalidImage, match=r"^image 2 of 3: 1 of 1024 pixels are NaN"):
        denoised(Stack(data), FAST, unheard)
    with pytest.raises(noiseless.InvalidImage, match=r"^1 of 1024 pixels are NaN"):
        denoised(Stack(data[1]), FAST, unheard)


def test_progress_grows_over_all_images(rng):
    told = []
    denoised(Stack(noisy_of(rng, (4, 32, 32))), FAST, lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert told[-1][1] == "image 4 of 4: removing the noise"


def test_dask_arrays_stay_lazy(rng):
    data = np.moveaxis(noisy_of(rng, (2, 2, 4, 48, 48)), 2, -1)
    wished = dataclasses.replace(FAST, method="perona-malik")
    result = denoised(Stack(dask.array.from_array(data), rgb=True), wished, unheard)
    assert type(result.data) is dask.array.Array
    assert (result.data.shape, result.data.dtype, result.reports) == (data.shape, np.uint8, ())
    wanted = denoised(Stack(data, rgb=True), wished, unheard).data
    # 1e-5 of the range, as the library promises of blocks, may round to another level.
    np.testing.assert_allclose(result.data[1, 0].compute().astype(int), wanted[1, 0], atol=1)
    np.testing.assert_array_equal(result.data[..., 3].compute(), data[..., 3])


@pytest.mark.parametrize(
    ("wished", "what"),
    [(Wishes(error=True), "an error map"), (Wishes(predict=True), "a predicted PSNR"), (Wishes("xray"), "a bound")],
)
def test_what_only_a_computed_image_has_is_refused_for_lazy_ones(wished, what):
    lazy = Stack(dask.array.zeros((2, 32, 32), dtype=np.uint8))
    with pytest.raises(noiseless.InvalidParameter, match=f"the layer is lazy .*without {what}"):
        denoised(lazy, wished, unheard)


# The preview


@pytest.mark.parametrize(
    ("shape", "sight", "rows", "columns"),
    [
        ((600, 300), None, (44, 556), (0, 300)),
        ((600, 300), (slice(-50, 100), slice(250, 900)), (0, 100), (250, 300)),
        ((2000, 2000), (slice(0, 1000), slice(500, 700)), (244, 756), (500, 700)),
        ((600, 300), (slice(700, 800), slice(0, 300)), (44, 556), (0, 300)),
    ],
)
def test_the_window_is_the_middle_of_what_is_in_sight(shape, sight, rows, columns):
    window = previewing.window_in(shape, sight)
    assert [(part.start, part.stop) for part in window] == [rows, columns]


def test_a_preview_has_the_noise_of_the_whole_picture(rng):
    data = noisy_of(rng, (3, 160, 160)).astype(np.float32)
    window = slice(100, 132), slice(96, 136)
    asked = Wishes(method="perona-malik", error=True, predict=True)
    shown = previewing.preview(Stack(data, volumes=True), (1,), window, asked, unheard)
    whole = noiseless.noise.estimate_image_noise(noiseless.from_array(data[1]))
    assert (shown.data.shape, shown.data.dtype, shown.offset) == ((1, 32, 40), np.float32, (1, 100, 96))
    assert shown.report["confidence"] == whole.confidence
    assert shown.report["parameters"] == whole.summary()["parameters"]
    # Where the whole has a map of sigma, a filter has one number a channel of it.
    level = float(np.sqrt(np.mean(np.square(whole.model.sigma))))
    wanted = noiseless.denoise(data[1][window], method="perona-malik", sigma=level)
    # The levels that are black and white are those of the whole, which moves sums of float32 by some of 2^-24.
    np.testing.assert_allclose(shown.data[0], wanted, atol=255 * 1e-5)


def test_a_map_of_sigma_is_cut_to_the_window(rng):
    sigma = 5.0 + 20.0 * rng.random((1, 64, 64))
    estimate = noiseless.noise.NoiseEstimate(noiseless.noise.Gaussian(sigma), 0.8, "a test")
    window = slice(8, 24), slice(16, 48)
    cut = previewing._law_of(estimate, window, None, filtered=False)
    np.testing.assert_array_equal(cut.sigma, sigma[:, 8:24, 16:48])
    filtered = previewing._law_of(estimate, window, None, filtered=True)
    assert np.asarray(filtered.sigma).reshape(-1) == pytest.approx([np.sqrt(np.mean(sigma**2))])


def test_a_preview_without_any_noise_to_find_is_refused():
    flat = Stack(np.full((64, 64), 7, np.uint8))
    with pytest.raises(noiseless.InvalidParameter, match=r"the noise cannot be estimated: .*; give sigma"):
        previewing.preview(flat, (), (slice(0, 32), slice(0, 32)), Wishes(), unheard)


def test_alpha_of_a_preview_is_that_of_its_window(rng):
    data = np.moveaxis(noisy_of(rng, (4, 64, 64)), 0, -1)
    window = slice(10, 30), slice(20, 50)
    shown = previewing.preview(Stack(data, rgb=True), (), window, FAST, unheard)
    assert shown.data.shape == (20, 30, 4)
    np.testing.assert_array_equal(shown.data[..., 3], data[10:30, 20:50, 3])


def test_noise_is_sought_around_the_window_of_a_wide_picture():
    around = previewing._around((10_000, 3000), (slice(9000, 9500), slice(0, 512)))
    assert [(part.start, part.stop) for part in around] == [(10_000 - previewing.WIDEST, 10_000), (0, 3000)]


# Results as layers


def placed(data):
    return Image(
        data,
        name="cells",
        scale=(3.0, 0.5, 0.25),
        translate=(10.0, 20.0, 30.0),
        rotate=30.0 if data.ndim == 2 else [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]],
        units=("um", "um", "um"),
        colormap="green",
        contrast_limits=(10.0, 200.0),
        gamma=0.8,
        metadata={"sample": 7},
    )


def test_a_result_lies_and_looks_as_the_noisy_layer(rng):
    layer = placed(noisy_of(rng, (2, 32, 48)))
    result = denoised(stack_of(layer), dataclasses.replace(FAST, error=True), unheard)
    made = [Layer.create(*data) for data in result_layers.layers_of(result, state_of(layer), structure=True)]
    clean, error, structure = made
    assert [each.name for each in made] == ["cells denoised", "cells error", "cells structure"]
    for each in (clean, error):
        assert (tuple(each.scale), tuple(each.translate), each.units) == (
            tuple(layer.scale),
            tuple(layer.translate),
            layer.units,
        )
        np.testing.assert_array_equal(each.rotate, layer.rotate)
    assert (clean.colormap.name, clean.contrast_limits, clean.gamma) == ("green", [10.0, 200.0], 0.8)
    assert clean.metadata["sample"] == 7
    assert [report["method"] for report in clean.metadata["noiseless"]["reports"]] == ["heat", "heat"]
    assert "noiseless" not in layer.metadata
    assert (error.visible, structure.visible) == (False, False)
    # A square of 16 pixels lies where its pixels lie: its corners are theirs.
    for square, corner in (((0, 0, 0), (0, 0, 0)), ((1, 1, 2), (1, 16, 32))):
        outer = np.asarray(structure.data_to_world(np.asarray(square) - (0.0, 0.5, 0.5)))
        np.testing.assert_allclose(outer, layer.data_to_world(np.asarray(corner) - (0.0, 0.5, 0.5)), atol=1e-9)


def state_of(layer):
    return layer.as_layer_data_tuple()[1]


def test_structure_that_was_found_is_shown_unasked(noisy):
    state = state_of(Image(noisy, name="cells"))
    for strongest, names in ((4.0, ["cells denoised"]), (9.0, ["cells denoised", "cells structure"])):
        result = Result(noisy, structure=np.full((4, 5), strongest, np.float32), limit=5.0)
        assert [more["name"] for _, more, _ in result_layers.layers_of(result, state, structure=False)] == names


def test_a_preview_lies_over_its_part(rng):
    layer = placed(noisy_of(rng, (3, 64, 64)))
    shown = previewing.preview(stack_of(layer), (2,), (slice(8, 40), slice(16, 56)), FAST, unheard)
    made = Layer.create(*result_layers.layer_of_preview(shown, state_of(layer)))
    for point in ((0, 0, 0), (0, 5, 7)):
        np.testing.assert_allclose(made.data_to_world(point), layer.data_to_world(np.add(point, (2, 8, 16))), atol=1e-9)


# What is said


def test_findings_of_many_images_are_told_once():
    reports = [_report(sigma) for sigma in (5.0, 10.0, 20.0)]
    assert account.summary(reports) == "Noise of about 5 to 20 (in the units of the layer) was removed from 3 images."
    texts = [finding.text for finding in account.gathered(reports)]
    assert len(texts) == len({account.NUMBER.sub("#", text) for text in texts})
    assert any(text.endswith("(in 3 of 3 images)") for text in texts)


def _report(sigma):
    image = noisy_of(np.random.default_rng(1), (48, 48), sigma)
    return dict(noiseless.restore(image, noiseless.Recipe(method="heat"), sigma=sigma).report)


def test_what_is_bad_is_worth_a_notice(noisy):
    good = _report(20.0)
    assert account.worth_a_notice([{**good, "warnings": [], "audit": {**good["audit"], "verdicts": []}}]) == []
    wrong = dict(noiseless.restore(noisy, noiseless.Recipe(method="heat", strength=4.0), sigma=20.0).report)
    assert any("picture went with the noise" in text for text in account.worth_a_notice([wrong]))


def test_nothing_is_said_of_a_lazy_layer():
    assert account.summary([]).startswith("The layer is lazy")
    assert account.gathered([]) == []


# In a thread


def test_what_ends_the_work_is_told_apart(noisy):
    watch = background.Watch(lambda: False)
    assert background.outcome_of(lambda told: 7, watch).result == 7
    assert background.outcome_of(_refusing, watch).refusal == "no"
    assert "not enough memory" in background.outcome_of(_exhausting, watch).refusal
    assert isinstance(background.outcome_of(lambda told: {}["missing"], watch).mistake, KeyError)


def _refusing(told):
    raise noiseless.InvalidParameter("no")


def _exhausting(told):
    raise MemoryError


def test_the_next_word_of_progress_ends_what_was_cancelled(rng):
    heard = []
    watch = background.Watch(lambda: len(heard) > 2)

    def work(told):
        def counted(share, text):
            heard.append(share)
            told(share, text)

        return denoised(Stack(noisy_of(rng, (50, 32, 32))), FAST, counted)

    outcome = background.outcome_of(work, watch)
    assert (outcome.result, outcome.refusal, len(heard)) == (None, "", 3)


# The panel


@pytest.fixture
def panel(application):
    """A panel beside a viewer without a window, and how to wait for it."""
    made = DenoisePanel(ViewerModel())
    yield made
    made.cancel()
    waited(made)
    made.close()


def waited(panel):
    """Let the window live until the panel has ended what it does."""
    start = time.monotonic()
    while panel.running:
        assert time.monotonic() - start < LONGEST_S
        QApplication.processEvents()
        time.sleep(0.005)


def wish(panel, method="heat", sigma=20.0):
    panel.method.value = method
    panel.noise.value = SIGMA
    panel.sigma.value = sigma


def names(panel):
    return [layer.name for layer in panel._viewer.layers]


def test_denoise_adds_a_layer_and_says_what_was_done(panel, noisy, notices):
    source = panel._viewer.add_image(noisy, name="cells", colormap="green", translate=(5, 6))
    assert panel.layer.value == "cells: 64 x 80, uint8"
    wish(panel)
    panel.denoise_button.native.click()
    assert panel.running
    assert (panel.denoise_button.enabled, panel.cancel_button.enabled) == (False, True)
    waited(panel)
    assert (panel.denoise_button.enabled, panel.cancel_button.enabled) == (True, False)
    assert names(panel) == ["cells", "cells denoised"]
    made = panel._viewer.layers[1]
    np.testing.assert_array_equal(made.data, noiseless.denoise(noisy, method="heat", sigma=20.0))
    assert (made.colormap.name, tuple(made.translate)) == ("green", (5.0, 6.0))
    assert panel._viewer.layers.selection.active is source
    assert panel.told.value.startswith("Noise of about 20 (in the units of the layer) was removed.")
    assert ("info", "Noise of about 20 (in the units of the layer) was removed.") in notices()
    assert not progress._all_instances


def test_the_network_works_in_the_thread_of_a_window(panel, rng):
    panel._viewer.add_image(noisy_of(rng, (2, 48, 48)), name="cells")
    panel.model.value = "tiny"
    panel.error.value = panel.predict.value = panel.structure.value = True
    assert (panel.slices.value, panel.noise.value) == (APART, "auto")
    panel.denoise()
    waited(panel)
    assert names(panel) == ["cells", "cells denoised", "cells error", "cells structure"]
    assert "They are good to about" in panel.told.value
    assert len(panel._viewer.layers[1].metadata["noiseless"]["reports"]) == 2


def test_preview_is_a_layer_for_a_while(panel, noisy):
    panel._viewer.add_image(noisy, name="cells")
    wish(panel)
    for _ in range(2):
        panel.preview_button.native.click()
        waited(panel)
        assert names(panel) == ["cells", "noiseless preview"]
    assert panel.told.value.startswith("Preview of 64 x 80 pixels. Noise of about 20")
    panel._viewer.layers.selection.active = panel._viewer.layers[1]
    panel.denoise()
    assert panel.told.value == "the preview is selected; select the layer that it is of"
    panel._viewer.layers.selection.active = panel._viewer.layers[0]
    panel.denoise()
    waited(panel)
    assert names(panel) == ["cells", "cells denoised"]


def test_cancel_ends_between_images_and_changes_nothing(panel, rng, monkeypatch):
    panel._viewer.add_image(noisy_of(rng, (200, 32, 32)), name="cells")
    wish(panel)
    begun, go_on, images = threading.Event(), threading.Event(), []
    whole = noiseless.restore_image

    def slow(image, *given, **more):
        images.append(image)
        begun.set()
        assert go_on.wait(LONGEST_S)
        return whole(image, *given, **more)

    monkeypatch.setattr(noiseless, "restore_image", slow)
    panel.denoise()
    assert begun.wait(LONGEST_S)
    panel.denoise()  # does nothing while something runs
    panel.cancel_button.native.click()
    go_on.set()
    waited(panel)
    assert panel.told.value == "Cancelled. Nothing was changed."
    assert names(panel) == ["cells"]
    assert len(images) == 1
    assert not progress._all_instances


def test_what_noiseless_refuses_is_one_notice(panel, rng, notices):
    values = noisy_of(rng, (3, 32, 32)).astype(np.float32)
    values[2, 0, 0] = np.inf
    panel._viewer.add_image(values, name="cells", contrast_limits=(0, 255))
    wish(panel)
    panel.denoise()
    waited(panel)
    told = "image 3 of 3: 1 of 1024 pixels are NaN or infinite, the first at (0, 0); replace them before denoising"
    assert panel.told.value == told
    assert notices() == [("error", told)]
    assert names(panel) == ["cells"]


def test_wishes_that_contradict_are_refused_before_work_begins(panel, noisy, notices):
    panel._viewer.add_image(noisy)
    panel.method.value, panel.strength.value = "ensemble", 0.5
    panel.denoise()
    assert not panel.running
    assert panel.told.value.startswith("an ensemble seeks the least error")
    assert [severity for severity, _ in notices()] == ["error"]


def test_other_layers_are_refused(panel, notices):
    panel.preview()
    assert panel.told.value == "no layer is selected, or several are; select one Image layer"
    panel._viewer.add_labels(np.zeros((8, 8), np.uint8), name="cells")
    line = "'cells' is a Labels layer, which holds no intensities; select an Image layer"
    assert panel.layer.value == line
    panel.denoise()
    assert not panel.running
    assert notices()[-1] == ("error", line)
    assert names(panel) == ["cells"]


def test_a_mistake_of_ours_leaves_the_panel_usable(panel, noisy, monkeypatch, notices):
    def wrong(*_given, **_more):
        raise ZeroDivisionError("a mistake")

    panel._viewer.add_image(noisy, name="cells")
    wish(panel)
    with monkeypatch.context() as patch:
        patch.setattr(noiseless, "restore_image", wrong)
        panel.denoise()
        waited(panel)
    assert panel.told.value.startswith("This is a mistake of noiseless")
    assert notices() == [("error", "a mistake")]
    panel.denoise()
    waited(panel)
    assert names(panel) == ["cells", "cells denoised"]


def test_a_preset_shows_what_it_wishes(panel, rng):
    panel._viewer.add_image(noisy_of(rng, (3, 32, 32)))
    panel.preset.value = "mr"
    assert (panel.method.value, panel.noise.value, panel.slices.value) == ("ensemble", "rician", TOGETHER)
    panel.preset.value = "ultrasound"
    assert (panel.method.value, panel.noise.value, panel.strength.value) == ("auto", "auto", 0.7)
    assert panel.wishes().recipe().bound == 3.0


def test_slices_and_sigma_are_asked_for_where_there_is_a_choice(panel, rng, application):
    panel.show()
    panel._viewer.add_image(noisy_of(rng, (32, 32)))
    assert (panel.slices.visible, panel.sigma.visible) == (False, False)
    panel._viewer.add_image(noisy_of(rng, (3, 32, 32)), axis_labels=("z", "y", "x"))
    panel.noise.value = SIGMA
    assert (panel.slices.visible, panel.sigma.visible) == (True, True)
    assert panel.slices.value == TOGETHER


def test_a_lazy_layer_stays_lazy(panel, rng):
    panel._viewer.add_image(dask.array.from_array(noisy_of(rng, (2, 48, 48))), name="cells", contrast_limits=(0, 255))
    assert panel.layer.value == "cells: 2 x 48 x 48, lazy, uint8"
    wish(panel, "perona-malik")
    panel.denoise()
    waited(panel)
    assert type(panel._viewer.layers["cells denoised"].data) is dask.array.Array
    assert panel.told.value == "The layer is lazy: its images are denoised when they are looked at."


def test_the_end_of_a_panel_ends_its_work(application, rng):
    panel = DenoisePanel(ViewerModel())
    panel._viewer.add_image(noisy_of(rng, (300, 32, 32)), name="cells")
    wish(panel)
    panel.denoise()
    panel._leave()
    waited(panel)
    assert names(panel) == ["cells"]
    panel._viewer.add_image(noisy_of(rng, (8, 8)))  # the panel hears of it no more
    assert panel.layer.value.startswith("cells")


# What is in sight


def test_the_picture_in_sight_is_that_of_the_sliders(rng):
    viewer = ViewerModel()
    viewer.add_image(np.zeros((2, 9, 40, 40), np.uint8))
    layer = viewer.add_image(noisy_of(rng, (9, 64, 80)), scale=(2.0, 0.5, 0.5), translate=(4.0, 0.0, 0.0))
    viewer.dims.set_point(1, 10.0)
    index, window = in_sight(viewer, layer, (9, 64, 80))
    assert index == (3,)
    assert window == (slice(0, 64), slice(0, 80))
    viewer.dims.set_point(1, 0.0)  # before the first slice of this layer
    assert in_sight(viewer, layer, (9, 64, 80))[0] == (0,)


def test_the_window_is_that_of_the_canvas(rng):
    viewer = ViewerModel()
    layer = viewer.add_image(noisy_of(rng, (600, 700)))
    layer.corner_pixels = np.array([[100, 50], [199, 259]])
    assert in_sight(viewer, layer, (600, 700))[1] == (slice(100, 200), slice(50, 260))
    viewer.dims.ndisplay = 3
    assert in_sight(viewer, layer, (600, 700))[1] == (slice(44, 556), slice(94, 606))


def test_the_window_is_one_of_the_finest_level(rng):
    viewer = ViewerModel()
    data = noisy_of(rng, (400, 400))
    layer = viewer.add_image([data, data[::2, ::2], data[::4, ::4]], multiscale=True)
    layer._data_level = 1
    layer.corner_pixels = np.array([[10, 20], [59, 79]])
    assert in_sight(viewer, layer, (400, 400))[1] == (slice(20, 120), slice(40, 160))


# What napari is told


def test_the_manifest_is_whole():
    manifest = PluginManifest.from_file(ROOM / "napari.yaml")
    manifest.validate_imports()
    manager = PluginManager()
    manager.register(manifest)
    manager.activate("noiseless")
    commands = {command.id for command in manifest.contributions.commands}
    assert all(callable(manager.commands.get(name)) for name in commands)
    assert manager.commands.get("noiseless.panel") is DenoisePanel
    asked = [*manifest.contributions.widgets, *manifest.contributions.sample_data]
    asked += [item for items in manifest.contributions.menus.values() for item in items]
    assert {each.command for each in asked} == commands


def test_the_package_names_its_manifest():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    named = tomllib.loads(text)["project"]["entry-points"]["napari.manifest"]["noiseless"]
    package, _, file = named.partition(":")
    assert (Path(sys.modules[package].__file__).parent / file).is_file()


def test_samples_are_layers_with_the_noise_that_they_name():
    manager = PluginManager()
    manager.register(PluginManifest.from_file(ROOM / "napari.yaml"))
    manager.activate("noiseless")
    picture = Layer.create(*manager.commands.execute("noiseless.noisy_picture")[0])
    stack = Layer.create(*manager.commands.execute("noiseless.noisy_stack")[0])
    found = noiseless.estimate_noise(picture.data)
    assert found.model.sigma == pytest.approx(sample_pictures.SIGMA, rel=0.05)
    assert (stack.data.dtype, is_volume(stack)) == (np.uint16, True)
    found = noiseless.noise.estimate_image_noise(stack_of(stack, together=True).image(()))
    assert found.kind == "poisson-gaussian"
    assert found.model.gain == pytest.approx(sample_pictures.PHOTONS.gain, rel=0.1)


def test_the_command_of_the_menu_needs_no_panel(application, noisy, notices):
    viewer = ViewerModel()
    denoise_selected(viewer)
    assert notices() == [("error", "no layer is selected, or several are; select one Image layer")]
    viewer.add_image(noisy, name="cells")
    denoise_selected(viewer)
    start = time.monotonic()
    while len(viewer.layers) < 2:
        assert time.monotonic() - start < LONGEST_S
        QApplication.processEvents()
        time.sleep(0.005)
    np.testing.assert_array_equal(viewer.layers["cells denoised"].data, noiseless.denoise(noisy))


def test_noiseless_loads_no_window():
    program = "import sys, noiseless, noiseless.restoration, noiseless.apps.napari\n"
    program += "sys.exit(any(name.partition('.')[0] in ('napari', 'qtpy', 'magicgui', 'npe2') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# In a real window


@pytest.fixture
def window(application):
    """A viewer with a window, where there is something to draw with: a display, be it Xvfb."""
    from qtpy.QtGui import QOpenGLContext

    if not QOpenGLContext().create():
        pytest.skip("no OpenGL, which the canvas of napari needs: start Xvfb and set DISPLAY")
    import napari

    manager = PluginManager.instance()
    manager.discover()
    if "noiseless" not in manager:  # installed before it had a plug-in
        manager.register(PluginManifest.from_file(ROOM / "napari.yaml"))
    viewer = napari.Viewer(show=False)
    yield viewer
    viewer.close()


def test_the_panel_works_beside_a_real_canvas(window):
    dock, panel = window.window.add_plugin_dock_widget("noiseless", "Denoise")
    assert dock.name == "Denoise (noiseless)"
    window.open_sample("noiseless", "noisy_stack")
    wish(panel, sigma=150.0)
    panel.preview()
    waited(panel)
    assert [layer.name for layer in window.layers] == ["noisy stack", "noiseless preview"]
    panel.denoise()
    waited(panel)
    # Heat is a bad choice for this picture, and the audit says so.
    made = ["noisy stack", "noisy stack denoised", "noisy stack structure"]
    assert [layer.name for layer in window.layers] == made
    picture = window.screenshot(canvas_only=False, flash=False)
    assert picture.shape[-1] == 4
