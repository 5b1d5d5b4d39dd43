"""What a layer holds, and what of it is in sight."""

import numpy as np
import pytest

import noiseless

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
from napari.components import ViewerModel
from napari.layers import Image, Labels

from noiseless.apps.napari.layer_data import check_image_layer, described, is_volume, stack_of
from noiseless.apps.napari.selected_layer import in_sight

from .given import noisy_of


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
