"""The front door takes any array: a right answer, or one clear line. See ``hostile_arrays``."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

import noiseless
from noiseless import InvalidImage
from noiseless.restoration import METHODS

from .hostile_arrays import (
    FLOATS,
    INTEGERS,
    LAYOUTS,
    answer,
    anything,
    examples,
    images,
    is_finite,
    laid_out,
    plain,
    same,
    span_of,
)

PICTURES = ((8, 8), (13, 11), (16, 9))
EVERYDAY = ("whole range", "constant", "two levels", "unit", "negative", "narrow", "zero")

SIGMAS = st.sampled_from((None, 0, 0.0, 0.01, 1, 25.0, np.float32(3.0), np.array(0.5), 1e6))
CHANNEL_AXES = st.sampled_from((None, 0, -1))


def check_answer(given_array, before, result):
    """What every answer is, whatever the method."""
    source = np.asarray(given_array)
    assert type(result) is np.ndarray
    assert result.shape == source.shape
    assert result.dtype == source.dtype.newbyteorder("=")
    assert is_finite(result)
    assert same(plain(given_array), before)
    assert not np.shares_memory(result, source)


def rounding_of(values):
    """Of the cosine transform in float32: some 50 roundings of the largest value, and one of the stored type.

    Integers of 64 bits are floats of 53 on the way, which is less.
    """
    values = plain(values)
    largest = float(np.abs(values.astype(np.longdouble)).max())
    own = float(np.finfo(values.dtype).eps) * largest if values.dtype.kind == "f" else 0.5
    narrow = values.dtype.kind in "iu" and values.dtype.itemsize <= 2
    return own + (0.0 if narrow else 64 * float(np.finfo(np.float32).eps) * largest)


@examples(150)
@given(anything(), SIGMAS, CHANNEL_AXES)
def test_an_image_of_that_dtype_and_shape_comes_back_or_one_line(array, sigma, channel_axis):
    before = plain(array) if isinstance(array, np.ndarray) else None
    result = answer(noiseless.denoise, array, sigma=sigma, channel_axis=channel_axis, method="heat")
    if result is None or not isinstance(array, np.ndarray):
        return
    check_answer(array, before, result)
    # heat never leaves the range of the image, so that a constant stays, and integers do not wrap around
    values = plain(array).astype(np.longdouble)
    assert result.min() >= values.min() - rounding_of(array)
    assert result.max() <= values.max() + rounding_of(array)


@examples(80)
@given(images(), SIGMAS, st.sampled_from(LAYOUTS))
def test_the_layout_in_memory_changes_no_bit(array, sigma, layout):
    first = plain(array)
    moved = laid_out(first.copy(), layout)
    whole = answer(noiseless.denoise, plain(moved), sigma=sigma, method="heat")
    other = answer(noiseless.denoise, moved, sigma=sigma, method="heat")
    assert (whole is None) == (other is None)
    if whole is not None:
        assert same(other, whole)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("heat", "ensemble")])
@examples(6)
@given(array=images(shapes=PICTURES), share=st.sampled_from((0.0, 0.01, 0.3)))
def test_every_method_takes_any_dtype_and_layout(method, array, share):
    sigma, before = share * span_of(array), plain(array)
    result = answer(noiseless.denoise, array, sigma=sigma, method=method)
    if result is None:
        return
    check_answer(array, before, result)
    assert same(result, answer(noiseless.denoise, plain(array), sigma=sigma, method=method))


@examples(30)
@given(images(dtypes=("uint8", "int8", "uint16", "int16"), shapes=PICTURES), st.sampled_from((0.7, 5.0, 40.0)))
def test_integers_are_the_floats_rounded_and_clipped(array, sigma):
    bounds = np.iinfo(plain(array).dtype)
    result = noiseless.denoise(array, sigma=sigma, method="heat")
    exact = noiseless.denoise(plain(array).astype(np.float64), sigma=sigma, method="heat")
    # half a step, and the roundings of float32 in either
    slack = 0.5 + 128 * float(np.finfo(np.float32).eps) * max(bounds.max, -bounds.min)
    assert np.abs(result.astype(np.float64) - np.clip(exact, bounds.min, bounds.max)).max() <= slack


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("ensemble", "experts")])
@examples(4)
@given(exponent=st.integers(-100, 115), seed=st.integers(0, 9))
def test_the_unit_of_the_image_does_not_matter(method, exponent, seed):
    """D(a y, a sigma) = a D(y, sigma), from 1e-30 to 1e34."""
    rng = np.random.default_rng(seed)
    noisy = np.linspace(0.2, 0.9, 12 * 14).reshape(12, 14) + 0.05 * rng.standard_normal((12, 14))
    scale = 2.0**exponent
    result = noiseless.denoise(scale * noisy, sigma=0.05 * scale, method=method) / scale
    # the unit decides what is nominal white, and with it how float32 rounds: amplified at edges, and by bfloat16
    slack = 1e-2 if method == "score" else 1e-4
    assert np.abs(result - noiseless.denoise(noisy, sigma=0.05, method=method)).max() <= slack


@examples(60)
@given(anything(), CHANNEL_AXES)
def test_an_image_made_of_an_array_gives_it_back(array, channel_axis):
    image = answer(noiseless.from_array, array, channel_axis=channel_axis)
    if image is None or not isinstance(array, np.ndarray):
        return
    stored = image.stored() if channel_axis is not None else image.stored()[0]
    values = np.moveaxis(plain(array), channel_axis, 0) if channel_axis is not None else plain(array)
    assert stored.dtype == values.dtype
    assert np.isfinite(image.pixels).all()
    error = np.abs(stored.astype(np.longdouble) - values.astype(np.longdouble)).max()
    narrow = values.dtype.kind in "iu" and values.dtype.itemsize <= 2
    assert error == 0 if narrow else error <= rounding_of(values)


@examples(60)
@given(anything(), CHANNEL_AXES, st.sampled_from((None, "gaussian", "rician", "poisson-gaussian", "correlated")))
def test_noise_is_estimated_or_refused(array, channel_axis, kind):
    before = plain(array) if isinstance(array, np.ndarray) else None
    noise = answer(noiseless.estimate_noise, array, channel_axis=channel_axis, kind=kind)
    if noise is None:
        return
    assert 0.0 <= noise.confidence <= 1.0
    assert noise.summary()["confidence"] == noise.confidence
    if isinstance(array, np.ndarray):
        assert same(plain(array), before)
        copy = answer(noiseless.estimate_noise, plain(array), channel_axis=channel_axis, kind=kind)
        assert copy.summary() == noise.summary()


@examples(15)
@given(images(shapes=PICTURES, values=EVERYDAY), st.sampled_from((None, 3.0)))
def test_a_restoration_is_what_denoise_gives_with_its_account(array, sigma):
    recipe = noiseless.Recipe(method="heat")
    restored = answer(noiseless.restore, array, recipe, sigma=sigma)
    image = answer(noiseless.denoise, array, sigma=sigma, method="heat")
    assert (restored is None) == (image is None)
    if restored is not None:
        assert same(restored.image, image)
        assert restored.report["method"] == "heat"
        of_image = noiseless.restore_image(noiseless.from_array(array), recipe, sigma=sigma)
        assert same(of_image.image.stored()[0], image)


@examples(60)
@given(anything(), anything())
def test_the_measures_of_likeness_give_a_number_or_one_line(image, clean):
    for measure in (noiseless.psnr, noiseless.ssim):
        for pair in ((image, clean), (image, image)):
            value = answer(measure, *pair)
            assert value is None or value == value  # NaN is not itself
            if value is not None and pair[0] is pair[1]:
                assert value == np.inf if measure is noiseless.psnr else value == pytest.approx(1)


@examples(6)
@given(images(dtypes=("uint8", "float32", "int16"), shapes=((40, 36),), values=EVERYDAY))
def test_tuning_finds_a_recipe_or_refuses(array):
    tuned = answer(noiseless.tune, "heat", array, {"time": [0.5, 1.0]}, budget_s=30, sigma=2.0, side=32)
    assert tuned is None or tuned.recipe.method_name == "heat"


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_what_a_mask_hides_is_no_image(dtype):
    array = np.ma.masked_equal(np.arange(64, dtype=dtype).reshape(8, 8), 5)
    with pytest.raises(InvalidImage, match="masked at 1 of 64 places"):
        noiseless.denoise(array, sigma=1)


def test_a_code_for_no_data_is_named():
    array = np.linspace(0.0, 50.0, 256, dtype=np.float32).reshape(16, 16)
    array[3, 4] = np.float32(-3.4e30)
    with pytest.raises(InvalidImage, match=r"the value -3.4e\+30 is more than 1e\+08 times"):
        noiseless.denoise(array, sigma=1)


@pytest.mark.parametrize("dtype", INTEGERS[4:] + INTEGERS[:4] + FLOATS)
def test_the_largest_value_does_not_wrap_around(dtype):
    limits = np.iinfo(dtype) if dtype in INTEGERS else None
    array = np.full((8, 8), limits.max if limits else 7.0, dtype)
    result = noiseless.denoise(array, sigma=1, method="heat")
    # 64-bit integers go through float64: the last one below the largest is 2^-53 of it away
    assert np.abs(result.astype(np.float64) - array.astype(np.float64)).max() <= rounding_of(array)
    assert (result > 0).all()
