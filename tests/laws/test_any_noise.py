"""Every model of noise, and every way to find one, takes any array: a right answer, or one clear line."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

import noiseless
from noiseless import InvalidImage, noise
from noiseless.noise import (
    NOISE_MODELS,
    ImpulsiveNoise,
    NoiseModel,
    PixelwiseNoise,
    Quantisation,
    Quantised,
    StabilisableNoise,
    StationaryNoise,
    Sum,
    WithImpulses,
    compose,
    evidence_of,
    notation_of,
    parse_noise,
)

from .hostile_arrays import FLOATS, NO_IMAGES, PLAIN_LAYOUTS, answer, examples, images, is_finite, plain, same

TEXTS = (
    "gaussian:0.1", "poisson:0.02", "poisson-gaussian:gain=0.02,sigma=0.05,offset=0.02", "rician:0.1",
    "non-central-chi:sigma=0.1,coils=4", "speckle:8", "amplitude-speckle:4",
    "salt-and-pepper:density=0.1,low=0,high=1", "random-impulses:density=0.1,low=0,high=1",
    "hot-pixels:density=0.1,low=0.5,high=1", "correlated:sigma=0.1,width=0.5", "stripes:stripe=0.1,sigma=0.1",
    "quantisation:0.01", "camera:gain=1e-4,sigma=0.005,white=1", "srgb-photons:gain=1e-4,sigma=0.005,white=1",
    "gaussian:0.1+salt-and-pepper:density=0.1,low=0,high=1", "gaussian:0.1+quantisation:0.01",
    "gaussian:0.1+stripes:stripe=0.1",
)  # fmt: skip
SPACES = ((1, 1, 1), (1, 1, 7), (3, 8, 9), (1, 12, 13), (2, 3, 5, 8))
LARGE = 1e12
"""Of images on which models of noise with parameters near 1 are still asked for numbers."""


def seeded():
    return np.random.default_rng(3)


def moderate(array):
    """Whether noise on it stays within its dtype: nothing is clipped."""
    values, most = plain(array).astype(np.longdouble), float(np.finfo(array.dtype).max)
    return np.isfinite(values).all() and np.abs(values).max() <= min(LARGE, most / 100)


def test_every_model_is_tried():
    kinds = {part.partition(":")[0] for text in TEXTS for part in text.split("+")}
    assert kinds == set(NOISE_MODELS)
    assert {Sum, WithImpulses, Quantised} <= {type(parse_noise(text)) for text in TEXTS}


@pytest.mark.parametrize("text", TEXTS)
@examples(12)
@given(clean=images(dtypes=FLOATS[:3], shapes=SPACES, layouts=PLAIN_LAYOUTS))
def test_a_sample_and_its_moments_are_finite_and_alike_whatever_the_layout(text, clean):
    model, before = parse_noise(text), plain(clean)
    assert isinstance(model, NoiseModel)
    if not moderate(clean):
        return
    sample = answer(model.sample, clean, seeded())
    if sample is not None:
        assert (sample.shape, sample.dtype.newbyteorder("=")) == (clean.shape, before.dtype)
        assert is_finite(sample)
        assert same(plain(sample), model.sample(before, seeded()))
    for moment in (model.mean, model.variance):
        found = answer(moment, clean)
        if found is not None:
            assert found.shape == clean.shape
            assert is_finite(found)
            assert same(plain(found), plain(moment(before)))
    assert same(plain(clean), before)


@pytest.mark.parametrize("text", TEXTS)
@examples(8)
@given(clean=images(dtypes=FLOATS[:3], shapes=SPACES, layouts=PLAIN_LAYOUTS))
def test_a_likelihood_is_a_number_or_minus_infinity(text, clean):
    model = parse_noise(text)
    if not moderate(clean):
        return
    noisy = answer(model.sample, plain(clean), seeded())
    if noisy is None:
        return
    likelihood = answer(model.log_likelihood, noisy, clean)
    assert likelihood is None or likelihood < np.inf
    if isinstance(model, PixelwiseNoise):
        density = answer(model.log_density, noisy, clean)
        assert density is None or (density.shape == clean.shape and (density < np.inf).all())


@pytest.mark.parametrize("text", TEXTS)
@examples(8)
@given(noisy=images(dtypes=FLOATS[:3], shapes=SPACES, layouts=PLAIN_LAYOUTS))
def test_what_a_model_can_do_besides_takes_any_layout(text, noisy):
    model = parse_noise(text)
    if not moderate(noisy):
        return
    if isinstance(model, StabilisableNoise):
        stabilised = answer(model.stabilise, noisy)
        if stabilised is not None:
            assert stabilised.shape == noisy.shape
            assert is_finite(stabilised)
            assert is_finite(model.unstabilise(stabilised))
    if isinstance(model, StationaryNoise):
        power = model.spectrum(noisy.shape[1:])
        assert (np.isfinite(power) & (power >= 0)).all()
    if isinstance(model, ImpulsiveNoise):
        found = answer(model.detect, noisy)
        assert found is None or (found.dtype == bool and found.shape == noisy.shape)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dtype", [*NO_IMAGES, "uint8"])
def test_noise_on_what_holds_none_is_refused(text, dtype):
    with pytest.raises(InvalidImage, match="floating"):
        parse_noise(text).sample(np.zeros((1, 8, 8), dtype), seeded())


@pytest.mark.parametrize("text", TEXTS[:15])
def test_a_model_removes_what_it_is_told_from_an_image_of_any_size(text):
    for shape in ((8, 8), (1, 9), (13, 3)):
        noisy = np.linspace(0.0, 1.0, shape[0] * shape[1]).reshape(shape)
        result = answer(noiseless.denoise, noisy, noise=parse_noise(text), method="heat")
        assert result is None or (result.shape == shape and is_finite(result))


@examples(30)
@given(images(shapes=((9, 9), (16, 12), (3, 12, 16), (1, 8)), dtypes=("uint8", "int16", "float32", "float64")))
def test_the_parts_of_an_estimate_take_any_image(array):
    image = answer(noiseless.from_array, array)
    if image is None:
        return
    estimate = noise.estimate_image_noise(image)
    assert 0.0 <= estimate.confidence <= 1.0
    assert answer(notation_of, estimate.model) is None or parse_noise(notation_of(estimate.model)) is not None
    level = answer(noise.estimate_sigma_map, image)
    assert level is None or (level.shape == image.pixels.shape and is_finite(level))
    for sigma in noise.estimate_sigma_per_channel(image.pixels):
        assert 0.0 <= sigma < np.inf
    for evidence in answer(evidence_of, image) or ():
        assert np.isfinite(evidence.variances).all()
    if image.channels == 3:
        assert noise.measure_colour_noise(image.pixels).luminance >= 0.0


@pytest.mark.parametrize("first", TEXTS)
@pytest.mark.parametrize("second", TEXTS[:15])
def test_any_two_noises_have_a_law_together_or_one_line_says_why_not(first, second):
    model = answer(compose, parse_noise(first), parse_noise(second))
    if model is not None:
        sample = model.sample(np.full((1, 8, 8), 0.5), seeded())
        assert is_finite(sample)


@examples(60)
@given(
    st.text(max_size=12) | st.sampled_from(("gaussian:", "gaussian:1e999", "gaussian:nan", "poisson:-1", "+", ":=,"))
)
def test_any_text_is_a_noise_or_one_line(text):
    assert isinstance(answer(parse_noise, text) or Quantisation(1.0), NoiseModel)
