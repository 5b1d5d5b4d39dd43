"""The work on a layer, and what ends it in its thread."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("napari.components")
pytest.importorskip("magicgui.widgets", exc_type=ImportError)
# Without any Qt, or a library that Qt needs.
pytest.importorskip("qtpy.QtWidgets", exc_type=ImportError)
import dask.array

import noiseless
from noiseless.apps.napari import background
from noiseless.apps.napari.denoising import denoised
from noiseless.apps.napari.layer_data import Stack
from noiseless.apps.napari.wishes import Wishes

from .given import FAST, noisy_of, unheard


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


def test_what_ends_the_work_is_told_apart():
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
