"""Results as layers, and what is said of them."""

import dataclasses

import numpy as np
import pytest

import noiseless

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
from napari.layers import Image, Layer

from noiseless.apps.napari import account, previewing, result_layers
from noiseless.apps.napari.denoising import Result, denoised
from noiseless.apps.napari.layer_data import stack_of

from .given import FAST, noisy_of, unheard


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
