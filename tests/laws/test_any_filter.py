"""Every filter and operator of image diffusion takes any array: a right answer, or one clear line."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

from noiseless import InvalidImage
from noiseless.classical import CLASSICAL
from noiseless.diffusion import (
    CONDUCTIVITIES,
    FILTERS,
    SCHEDULES,
    STEPPINGS,
    divergence,
    filter_named,
    geometric,
    gradient,
    heat_flow,
    heat_steps,
    inpaint,
    karras,
    linear,
)

from .hostile_arrays import FLOATS, INTEGERS, PLAIN_LAYOUTS, answer, examples, images, is_finite, plain, same, span_of

ARRAYS = images(
    dtypes=(*FLOATS, *INTEGERS[3:5]),
    shapes=((1, 1), (8, 8), (1, 1, 1), (1, 1, 7), (3, 8, 9), (1, 12, 13), (2, 3, 5, 8), (1, 1, 2, 3, 4)),
    layouts=PLAIN_LAYOUTS,
)
FINITE = images(
    dtypes=("float32", ">f8"),
    shapes=((1, 1, 1), (1, 1, 7), (3, 8, 9), (2, 3, 5, 8)),
    values=("unit", "negative", "narrow", "zero"),
    layouts=PLAIN_LAYOUTS,
)
SPACINGS = st.sampled_from(((), (1.0, 1.0), (0.5, 2.0), (1e-9, 1e-9), (2, 3), (5.0, 1.0, 1.0)))
SHARES = st.sampled_from((0.0, 1e-9, 0.05, 0.5))


def check_filtered(noisy, before, result):
    assert isinstance(result, np.ndarray)
    assert (result.shape, result.dtype.newbyteorder("=")) == (noisy.shape, before.dtype)
    assert is_finite(result)
    assert same(plain(noisy), before)


@pytest.mark.parametrize("name", sorted(FILTERS))
@examples(12)
@given(noisy=ARRAYS, share=SHARES)
def test_a_filter_keeps_the_range_whatever_the_layout(name, noisy, share):
    smooth, before = filter_named(name), plain(noisy)
    sigma = share * span_of(noisy)
    result = answer(smooth, noisy, sigma)
    if result is None:
        return
    check_filtered(noisy, before, result)
    assert same(result, smooth(before, sigma))
    slack = 64 * np.finfo(before.dtype).eps * np.abs(before).max()
    assert result.min() >= before.min() - slack
    assert result.max() <= before.max() + slack


@pytest.mark.parametrize("name", sorted(FILTERS))
@examples(3)
@given(exponent=st.integers(-45, 45))
def test_the_unit_of_the_image_does_not_matter_to_a_filter(name, exponent):
    noisy = np.random.default_rng(2).random((1, 7, 9))
    smooth, scale = filter_named(name), 2.0**exponent
    # a power of two changes no mantissa; heat searches for its time
    assert smooth(scale * noisy, 0.1 * scale) / scale == pytest.approx(smooth(noisy, 0.1), abs=1e-7)


@pytest.mark.parametrize("name", sorted(CLASSICAL))
@examples(10)
@given(noisy=ARRAYS, share=SHARES)
def test_a_classical_denoiser_takes_any_layout(name, noisy, share):
    denoise, before = CLASSICAL[name](), plain(noisy)
    if before.dtype.kind != "f" or not np.isfinite(before).all() or np.abs(before.astype(np.longdouble)).max() > 1e6:
        return
    sigma = share * span_of(noisy)
    result = answer(denoise, noisy, sigma)
    if result is not None:
        check_filtered(noisy, before, result)
        assert same(plain(result), denoise(before, sigma))


@examples(30)
@given(ARRAYS, st.sampled_from((0.0, 0.1, 3.0, 1e3, (1.0, 2.0))), SPACINGS)
def test_heat_takes_any_layout_and_keeps_the_range(image, time, spacing):
    before = plain(image)
    result = answer(heat_flow, image, time, spacing=spacing)
    if result is None:
        return
    check_filtered(image, before, result)
    slack = 64 * np.finfo(before.dtype).eps * np.abs(before).max()
    assert before.min() - slack <= result.min()
    assert result.max() <= before.max() + slack
    if not isinstance(time, tuple):
        sizes = spacing or (1.0,) * (image.ndim - 1)
        bound = 1.0 / (2.0 * sum(size**-2 for size in sizes))
        stepped = answer(heat_steps, image, bound, 3, spacing=spacing)
        check_filtered(image, before, stepped)


@examples(40)
@given(ARRAYS, st.sampled_from((0.0, 0.2, 1.0)), st.sampled_from(("harmonic", "edge-enhancing")))
def test_inpainting_keeps_the_known_pixels_and_their_range(image, share, kind):
    before = plain(image)
    missing = np.random.default_rng(1).random(image.shape) < share
    result = answer(inpaint, image, missing, kind=kind)
    if result is None:
        return
    check_filtered(image, before, result)
    assert np.array_equal(result[~missing], before[~missing])


@examples(40)
@given(FINITE, SPACINGS)
def test_gradient_and_divergence_take_any_layout(image, spacing):
    slopes = answer(gradient, image, spacing)
    if slopes is None:
        return
    assert same(slopes, gradient(plain(image), spacing))
    flow = answer(divergence, slopes, spacing)
    assert flow.shape == image.shape
    assert is_finite(flow)


@pytest.mark.parametrize("stepping", STEPPINGS)
@examples(4)
@given(noisy=images(dtypes=("float32", ">f8"), shapes=((1, 8, 9), (3, 5, 4)), layouts=PLAIN_LAYOUTS))
def test_every_stepping_and_conductivity_watched_as_it_goes(stepping, noisy):
    for name in ("perona-malik", "charbonnier"):
        smooth = filter_named(name, stepping=stepping, time=2.0)
        states = answer(lambda smooth=smooth: list(smooth.states(noisy, 0.05 * span_of(noisy), most=3)))
        if states is not None:
            assert same(states[0].image, plain(noisy))
            assert is_finite(states[-1].image)
    slopes = np.linspace(0.0, 1e3, 50)
    for conduct in CONDUCTIVITIES.values():
        assert is_finite(conduct(slopes))


@examples(60)
@given(
    st.sampled_from(sorted(SCHEDULES)),
    st.integers(-1, 40),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_a_schedule_falls_to_zero_or_one_line_says_why_not(name, steps, sigma_max, sigma_min):
    levels = answer(SCHEDULES[name], steps, sigma_max=sigma_max, sigma_min=sigma_min)
    if levels is not None:
        assert len(levels) == steps + 1
        assert levels[-1] == 0.0
        assert all(after < before for before, after in pairwise(levels))


def test_the_named_schedules_are_those_of_the_table():
    assert {"karras": karras, "geometric": geometric, "linear": linear}.items() <= SCHEDULES.items()


@pytest.mark.parametrize("call", [gradient, divergence])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "complex64", "object"])
def test_operators_refuse_what_holds_no_slope(call, dtype):
    with pytest.raises(InvalidImage, match="float32 or float64"):
        call(np.zeros((2, 1, 8, 8) if call is divergence else (1, 8, 8), dtype))
