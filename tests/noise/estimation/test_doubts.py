import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from noiseless.image import from_array
from noiseless.noise import Correlated, Gaussian, Poisson, estimate_noise
from noiseless.noise.estimation.doubts import CLEAN, COARSE, DOUBTFUL, HALF_TRUST, LITTLE_FLAT, doubts_of, percent
from noiseless.noise.estimation.examination import examine

JPEG = "grid of 8x8 blocks"
HOLLOW = "highest frequencies are empty"
ENLARGED = "enlarged by interpolation"
CORRELATED = "correlated between neighbouring pixels"
TEXTURE = "as likely fine texture as noise"
COLOURED = "even the flattest patches are not white"
CLEAN_WORDS = "below one grey level of 255"
LITTLE = "less than 2 % of the image is flat"
SMOOTH = "changes with the brightness in a way that no model here has"
TOO_LITTLE = "too little flat image to know sigma better"
ROUNDED = "spaced wider than the noise"
CONSTANT = "flat patches are exactly constant"


def eight_bits(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def scene():
    y, x = np.mgrid[:200, :240]
    return 128 + 60 * np.sin(y / 60) * np.cos(x / 50)


def shaken(sigma, rng):
    return scene() + sigma * rng.standard_normal((200, 240))


def jpeg(rng):
    stream = io.BytesIO()
    PillowImage.fromarray(eight_bits(shaken(15, rng))).save(stream, "JPEG", quality=60)
    return np.asarray(PillowImage.open(stream))


def enlarged(rng):
    return np.asarray(
        PillowImage.fromarray(eight_bits(shaken(15, rng))).resize((360, 300), PillowImage.Resampling.BICUBIC)
    )


def blurred(rng):
    return Correlated(10, np.outer([1, 2, 1], [1, 2, 1])).sample(scene()[np.newaxis], rng)[0]


def fine_texture(rng):
    """Clouds whose power falls with the square of the frequency, and whose strength is not the same everywhere."""
    y, x = np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256), indexing="ij")
    y[0, 0] = 1.0
    clouds = np.fft.ifft2(np.fft.fft2(rng.standard_normal((256, 256))) / np.hypot(y, x)).real
    rows, columns = np.mgrid[:256, :256]
    return 128 + 15 * np.exp(2 * np.sin(rows / 30) * np.sin(columns / 40)) * clouds / clouds.std()


def rings(rng):
    """A zone plate: all frequencies, each in its place."""
    y, x = np.mgrid[-100:100, -120:120]
    return 128 + 60 * np.sin(0.5 * (y**2 + x**2) / 200) + 3 * rng.standard_normal((200, 240))


def midtones(rng):
    """Noise in the midtones, none in the dark nor in the bright: no law of the sensor."""
    return scene() + (3 + 12 * np.exp(-(((scene() - 128) / 35) ** 2))) * rng.standard_normal((200, 240))


def drawing(rng):
    return np.kron(rng.integers(20, 230, (12, 15)), np.ones((16, 16))).astype(np.uint8)


@pytest.mark.parametrize(
    ("make", "expected", "failed"),
    [
        (jpeg, JPEG, True),
        (enlarged, ENLARGED, True),
        (blurred, CORRELATED, False),
        (fine_texture, TEXTURE, True),
        (rings, COLOURED, True),
        (lambda rng: eight_bits(shaken(0.6, rng)), CLEAN_WORDS, False),
        (midtones, SMOOTH, False),
        (lambda rng: shaken(10, rng)[:16, :16], TOO_LITTLE, False),
        (lambda rng: eight_bits(shaken(0.1, rng)), ROUNDED, True),
        (lambda rng: eight_bits(100 + 0.25 * rng.standard_normal((200, 240))), CONSTANT, True),
        (drawing, "it was rounded away, or", True),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_image_that_makes_each_doubt(make, expected, failed, rng):
    estimate = estimate_noise(make(rng))
    assert expected in " / ".join(estimate.warnings)
    assert not failed or estimate.confidence <= DOUBTFUL


@pytest.mark.parametrize("sigma", [3, 10, 40])
def test_white_noise_on_a_smooth_scene_leaves_no_doubt(sigma, rng):
    assert estimate_noise(shaken(sigma, rng)).warnings == ()


@pytest.mark.parametrize("factor", [2, 4])
def test_an_enlargement_by_a_whole_factor_is_not_called_jpeg(factor, rng):
    small = PillowImage.fromarray(eight_bits(shaken(10, rng)))
    large = small.resize((240 * factor, 200 * factor), PillowImage.Resampling.BICUBIC)
    estimate = estimate_noise(np.asarray(large))
    assert JPEG not in " / ".join(estimate.warnings)
    assert CORRELATED in " / ".join(estimate.warnings)


@pytest.fixture(scope="module")
def plain():
    """The findings of an image without any doubt; each test changes one of them."""
    findings = examine(from_array(shaken(10, np.random.default_rng(0))))
    assert doubts_of(findings, Gaussian(10.0)) == ((), False)
    return findings


def with_white(findings, **changes):
    return replace(findings, white=[replace(noise, **changes) for noise in findings.white])


def only(findings, model=None):
    """The one doubt there is, and whether it is a failure."""
    said, failed = doubts_of(findings, model or Gaussian(10.0))
    assert len(said) == 1
    return said[0], failed


def test_empty_high_frequencies_are_told_where_nothing_else_explains_them(plain, rng):
    doubt, failed = only(replace(plain, hollow=True))
    assert HOLLOW in doubt
    assert failed
    doubt, failed = only(replace(plain, hollow=True, enlarged=True))
    assert ENLARGED in doubt
    smooth = examine(from_array(blurred(rng)))
    doubt, failed = only(replace(smooth, hollow=True), Correlated(10, np.ones((2, 2))))
    assert CORRELATED in doubt
    assert not failed


def test_each_sign_of_processing_is_a_failed_assumption(plain):
    assert only(replace(plain, jpeg=True))[1]
    assert only(replace(plain, enlarged=True))[1]


def test_little_flat_image_is_told_below_one_in_fifty(plain):
    doubt, failed = only(with_white(plain, flat=0.99 * LITTLE_FLAT))
    assert LITTLE in doubt
    assert not failed
    assert doubts_of(with_white(plain, flat=LITTLE_FLAT), Gaussian(10.0)) == ((), False)


def test_noise_below_one_grey_level_is_told_for_gaussian_noise_only(plain):
    faint = with_white(plain, sigma=0.99 * CLEAN, step=0.0)
    assert CLEAN_WORDS in only(faint)[0]
    assert doubts_of(faint, Poisson(0.001))[0] == ()
    assert doubts_of(with_white(plain, sigma=CLEAN, step=0.0), Gaussian(1.0))[0] == ()


def test_too_little_image_is_told_only_where_nothing_worse_is(plain):
    unsure = with_white(plain, error=1.01 * HALF_TRUST)
    doubt, failed = only(unsure)
    assert doubt.endswith("about 5.1 %")
    assert not failed
    assert doubts_of(with_white(plain, error=HALF_TRUST), Gaussian(10.0)) == ((), False)
    assert TOO_LITTLE not in only(with_white(unsure, flat=0.01))[0]
    assert doubts_of(unsure, Poisson(1.0)) == ((), False)


def test_coarse_steps_and_constant_patches_are_told_apart(plain):
    sigma = plain.white[0].sigma
    doubt, failed = only(with_white(plain, step=1.01 * sigma / COARSE))
    assert ROUNDED in doubt
    assert failed
    assert doubts_of(with_white(plain, step=0.99 * sigma / COARSE), Gaussian(10.0)) == ((), False)
    doubt, failed = only(with_white(plain, sigma=0.0, step=0.0))
    assert CONSTANT in doubt
    assert failed


@pytest.mark.parametrize(
    ("lower_bound", "usable", "effect", "failed"),
    [
        (True, 0.5, "sigma is a lower bound", True),
        (False, 0.5, "what sigma lost by it was given back", False),
        (False, 0.01, "what sigma lost by it was given back", True),
    ],
)
def test_what_clipping_did_is_told(plain, lower_bound, usable, effect, failed):
    doubt, told = only(with_white(plain, clipped=0.12, lower_bound=lower_bound, usable=usable))
    assert doubt == f"12 % of the pixels are piled up at the extreme values: {effect}"
    assert told == failed


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0.0 %"), (0.005, "0.5 %"), (0.0949, "9.5 %"), (0.095, "10 %"), (0.424, "42 %"), (1, "100 %")],
)
def test_shares_have_two_digits(share, words):
    assert percent(share) == words
