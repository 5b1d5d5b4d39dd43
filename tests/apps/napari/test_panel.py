"""The panel, beside a viewer without a window."""

import threading

import numpy as np
import pytest

import noiseless

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
import dask.array
from napari.components import ViewerModel
from napari.utils import progress

from noiseless.apps.napari.panel import APART, TOGETHER, DenoisePanel
from noiseless.apps.napari.wishes import SIGMA

from .given import noisy_of
from .panels import LONGEST_S, names, waited, wish


@pytest.fixture
def panel(application):
    """A panel beside a viewer without a window, and how to wait for it."""
    made = DenoisePanel(ViewerModel())
    yield made
    made.cancel()
    waited(made)
    made.close()


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
