"""What cannot be done by blocks, and values that are not finite."""

import numpy as np
import pytest

from noiseless.errors import Diverged, InvalidImage, InvalidParameter
from noiseless.noise import Gaussian, HotPixels, Rician, Speckle, WithImpulses
from noiseless.restoration import Recipe

from .chunked import EXACT, Chunked, clean, noisy, restored

WHOLE = [
    (Recipe("heat"), "heat looks at the whole image.*perona-malik.*score"),
    (Recipe("score", steps=4), "score in 4 steps looks at the whole image"),
    (Recipe("ensemble"), "ensemble looks at the whole image"),
    (Recipe("score:normal=y"), "looks at the whole image"),
    (Recipe(error=True), "error looks"),
    (Recipe(samples=2, steps=9), "samples looks"),
    (Recipe(budget_s=9.0), "budget_s looks"),
]


@pytest.mark.parametrize(("recipe", "reason"), WHOLE)
def test_what_looks_at_the_whole_image_is_refused(recipe, reason):
    with pytest.raises(InvalidParameter, match=reason) as caught:
        restored(Chunked(clean((1, 1, 9, 9))), recipe, (1, 1), sigma=0.1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"noise": Rician(0.1)}, "Rician noise is removed from whole images only.*poisson-gaussian"),
        ({"noise": WithImpulses(Rician(0.1), HotPixels(0.1))}, "Rician noise is removed from whole images only"),
        ({"sigma": np.full((9, 9), 0.1)}, r"shape \(9, 9\) is not one a channel"),
        ({"sigma": [0.1, 0.2]}, "not one a channel, of which there are 1"),
        ({"sigma": 0.1, "noise": Gaussian(0.1)}, "give one of them"),
        ({"sigma": 0.1, "memory": 2**20}, "least block of the file, 1 x 1 and .* needs .* GiB .* allow more"),
    ],
)
def test_noise_and_memory_that_cannot_be_are_refused(options, reason):
    source = Chunked(clean((1, 1, 9, 9)) if "memory" not in options else clean((1, 1, 999, 999)))
    with pytest.raises(InvalidParameter, match=reason):
        restored(source, Recipe(EXACT), (1, 1), **options)


def test_speckle_without_light_is_refused():
    with pytest.raises(InvalidParameter, match="light"):
        restored(Chunked(np.zeros((1, 1, 9, 9), np.float32)), Recipe(EXACT), (1, 1), noise=Speckle(4.0))


def test_a_value_that_is_not_finite_is_told_with_its_place(small_blocks):
    values = noisy((1, 2, 131, 101), Gaussian(0.1))
    values[0, 1, 100, 77] = np.nan
    with pytest.raises(InvalidImage, match=r"in channel 1 at \(100, 77\)"):
        restored(Chunked(values), Recipe(EXACT), (16, 16), sigma=0.1)


def test_a_result_that_is_not_finite_is_told(box_mean, monkeypatch):
    monkeypatch.setattr(type(box_mean), "__call__", lambda self, noisy, sigma: noisy * np.float32(np.inf))
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="box-mean"):
        restored(Chunked(clean((1, 1, 9, 9))), Recipe("box-mean"), (1, 1), sigma=0.1)
