"""Every kind of noise is named as what it is, with its parameters; and the traps in which estimators fail quietly."""

import io

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy import stats

from noiseless.errors import UnknownName
from noiseless.noise import (
    KINDS,
    Correlated,
    Gaussian,
    HotPixels,
    Poisson,
    PoissonGaussian,
    RandomImpulses,
    Rician,
    SaltAndPepper,
    Speckle,
    SrgbPhotons,
    Stripes,
    estimate_noise,
    parse_noise,
)

BINOMIAL = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0])


@pytest.fixture(scope="module")
def picture():
    """Shading over most grey levels, waves, and two objects with sharp edges: 200 x 240, from 18 to 222."""
    y, x = np.mgrid[:200, :240]
    image = 30 + 180 * x / 239 + 12 * np.sin(y / 17) * np.cos(x / 23)
    image[60:120, 40:100] = 200
    image[130:180, 150:220] = 40
    return image


def ramp(side=64):
    """Power that rises with the frequency and falls again, as kernels for soft tissue have it; its root mean is 9."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, np.newaxis], np.fft.fftfreq(side))
    power = frequency * np.exp(-((frequency / 0.3) ** 2))
    return 81.0 * power / power.mean()


def noisy(model, clean, rng):
    return model.sample(clean[np.newaxis], rng)[0]


def said(estimate):
    return " / ".join(estimate.warnings)


def strength(estimate):
    """The standard deviation of the noise that an estimate speaks of, at any place."""
    return float(np.sqrt(np.mean(estimate.model.variance(np.zeros((1, 1, 1))))))


def photographs(shared_data):
    for file in sorted((shared_data / "train" / "BSD400").glob("*.jpg"))[::100]:
        yield np.asarray(PillowImage.open(file).convert("L"), dtype=np.float64)


def test_gaussian(picture, rng):
    estimate = estimate_noise(noisy(Gaussian(12), picture, rng))
    assert estimate.kind == "gaussian"
    # 48 000 pixels, 15/64 of the coefficients of a half of the patches: 0.94 %.
    assert estimate.sigma == pytest.approx(12, rel=4 * 0.0094)
    assert estimate.trust == "high"
    assert estimate.warnings == ()


# The confidence of laws is of the relative error of the gain or the looks, half of which is that of sigma: 10 % is
# one of 5 %. By chance, 48 000 pixels would know either to 1 %; the rest is for the levels, which are noisy themselves.


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_poisson(gain, picture, rng):
    estimate = estimate_noise(noisy(Poisson(gain), picture, rng))
    assert estimate.kind in ("poisson", "poisson-gaussian")
    assert estimate.model.gain == pytest.approx(gain, rel=0.1)
    # What is more than the photons must not matter: less than a third of the noise of the mean pixel.
    assert getattr(estimate.model, "sigma", 0.0) < (gain * picture.mean()) ** 0.5 / 3
    assert estimate.trust == "high"


def test_poisson_gaussian(picture, rng):
    estimate = estimate_noise(noisy(PoissonGaussian(2.0, 10.0), picture, rng))
    assert estimate.kind == "poisson-gaussian"
    assert estimate.model.gain == pytest.approx(2, rel=0.15)
    assert estimate.model.sigma == pytest.approx(10, rel=0.15)


@pytest.mark.parametrize("looks", [1.0, 6.0])
def test_speckle(looks, picture, rng):
    estimate = estimate_noise(noisy(Speckle(looks), picture, rng))
    assert estimate.kind == "speckle"
    assert estimate.model.looks == pytest.approx(looks, rel=0.15)
    assert estimate.trust == "high"


@pytest.mark.shared
def test_clipping_does_not_hide_the_photons_nor_texture_pass_for_speckle(shared_data):
    # A house, every wall of it textured, in sunlight. Noise of 30 at white is clipped long before a pile of pixels
    # shows, and the contrast of the texture goes with the light.
    with PillowImage.open(shared_data / "eval" / "Kodak24" / "kodim08.png") as file:
        house = np.moveaxis(np.asarray(file, dtype=np.float64), -1, 0)
    law = parse_noise("poisson-gaussian:gain=4,sigma=6+hot-pixels:density=0.002,low=127.5,high=255")
    noise = law.sample(house, np.random.default_rng(1))
    estimate = estimate_noise(np.clip(np.rint(noise), 0, 255).astype(np.uint8), channel_axis=0)
    assert estimate.kind == "poisson-gaussian + hot-pixels"
    # Three channels, each known to 5 % by the fit; the texture adds to it.
    assert estimate.model.background.gain == pytest.approx(4, rel=0.1)
    assert estimate_noise(house, channel_axis=0).kind != "speckle"


def test_rician_noise_is_that_of_the_complex_signal_and_not_of_the_air(rng):
    # F9 of the survey: in air the magnitude is a Rayleigh variable, whose standard deviation is 0.655 sigma.
    y, x = np.mgrid[-100:100, -100:100]
    radius = np.hypot(y, x)
    image = noisy(Rician(8.0), np.where(radius < 70, 100 + 40 * np.sin(y / 20), 0), rng)
    assert image[radius > 75].std() == pytest.approx((2 - np.pi / 2) ** 0.5 * 8, rel=4 / (2 * 22_000) ** 0.5)
    estimate = estimate_noise(image)
    assert estimate.kind == "rician"
    assert estimate.model.sigma == pytest.approx(8, rel=0.05)
    assert estimate.trust == "high"


def test_correlated_noise_is_not_told_three_times_too_low(picture, rng):
    # F8 of the survey: the median of the diagonal details says a third.
    estimate = estimate_noise(noisy(Correlated(10, BINOMIAL), picture, rng))
    assert estimate.kind == "correlated"
    # The squared correlations add up to 1.94^2, so 48 000 pixels are worth 12 700: 0.6 %; the rest is for texture.
    assert estimate.model.sigma == pytest.approx(10, rel=0.15)
    power = estimate.model.spectrum((64, 64))
    assert power[32, 32] < 0.1 * power[8, 8]  # it is (1 + cos pi / 4)^4 = 8.5 and 0 in truth


@pytest.mark.parametrize("axis", [0, 1])
def test_stripes(axis, rng, picture):
    model = Stripes(6.0, 4.0, axis)
    estimate = estimate_noise(noisy(model, picture, rng))
    assert estimate.kind == "stripes"
    assert estimate.model.axis == axis
    # 200 lines: 1 / sqrt(400) = 5 %, of which 4 are 20 %.
    assert estimate.model.stripe == pytest.approx(6, rel=0.2)
    # White noise is read with the stripes still there; the bar is that of the stripes.
    assert estimate.model.sigma == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize("density", [0.05, 0.3])
@pytest.mark.parametrize("is_clipped", [True, False])
def test_salt_and_pepper(density, is_clipped, picture, rng):
    background = picture + 8 * rng.standard_normal(picture.shape)
    assert background.min() < 0  # not clipped, the noise reaches beyond pepper in a few pixels
    image = noisy(SaltAndPepper(density, 0, 255), background, rng)
    estimate = estimate_noise(np.clip(image, 0, 255) if is_clipped else image)
    assert estimate.kind == "gaussian + salt-and-pepper"
    # 2400 impulses: 2 %. The values that replace them are means of neighbours with the residuals of others.
    assert estimate.model.impulses.density == pytest.approx(density, rel=0.15)
    assert (estimate.model.impulses.low, estimate.model.impulses.high) == pytest.approx((0, 255), abs=1e-3)
    assert estimate.model.background.sigma == pytest.approx(8, rel=4 * 0.0094 + 0.1 * density)


def test_pepper_alone_is_as_good_as_salt_alone(picture, rng):
    for value in (0, 255):
        image = picture.astype(np.uint8)
        image[rng.random(image.shape) < 0.05] = value
        estimate = estimate_noise(image)
        assert estimate.kind.endswith("salt-and-pepper")
        assert value in (estimate.model.impulses.low, estimate.model.impulses.high)
        assert estimate.model.impulses.low < estimate.model.impulses.high


def test_random_impulses(picture, rng):
    image = noisy(RandomImpulses(0.1, 0, 255), picture + 2 * rng.standard_normal(picture.shape), rng)
    estimate = estimate_noise(image)
    assert estimate.kind == "gaussian + random-impulses"
    # 4800 impulses: 1.4 %. Of uniform values, those within 5 sigma of what they replace are not seen: 20 / 255 = 8 %.
    assert estimate.model.impulses.density == pytest.approx(0.1, rel=0.15)


def test_hot_pixels_over_gaussian_noise(picture, rng):
    image = noisy(HotPixels(0.005, 300, 400), picture + 8 * rng.standard_normal(picture.shape), rng)
    estimate = estimate_noise(image)
    assert estimate.kind == "gaussian + hot-pixels"
    # 240 hot pixels: 6.5 %, of which 4 are 26 %.
    assert estimate.model.impulses.density == pytest.approx(0.005, rel=0.26)
    assert 300 <= estimate.model.impulses.low < estimate.model.impulses.high <= 400
    assert estimate.model.background.sigma == pytest.approx(8, rel=4 * 0.0094)


def test_a_different_sigma_in_every_channel(picture, rng):
    levels = np.array([4.0, 8.0, 16.0])
    image = picture[..., np.newaxis] + levels * rng.standard_normal((*picture.shape, 3))
    estimate = estimate_noise(image, channel_axis=-1)
    assert estimate.kind == "gaussian"
    assert estimate.sigma.ravel() == pytest.approx(levels, rel=4 * 0.0094)
    assert "sigma" in estimate.summary()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("scene", ["flat", "waves"])
def test_noise_that_grows_across_the_image_gets_a_map(axis, scene, rng):
    y, x = np.mgrid[:200, :240]
    clean = 100.0 if scene == "flat" else 128 + 60 * np.sin(y / 60) * np.cos(x / 50)
    ramp = 5 + 20 * (y / 199, x / 239)[axis]
    estimate = estimate_noise(clean + ramp * rng.standard_normal(ramp.shape))
    assert isinstance(estimate.model, Gaussian)
    sigma = np.broadcast_to(estimate.sigma, (1, *ramp.shape))[0]
    # The map of a ramp errs by 7 to 9 % on photographs; one number would err by 37 % at the least.
    assert np.sqrt(np.mean((sigma / ramp - 1) ** 2)) < 0.2


@pytest.mark.parametrize("image", [np.full((60, 70), 3.0), np.zeros((9, 9, 9)), np.arange(30.0).reshape(5, 6)])
def test_where_nothing_can_be_known_the_trust_is_none(image):
    estimate = estimate_noise(image)
    assert estimate.trust == "none"
    assert estimate.kind == "gaussian"
    assert len(estimate.warnings) == 1


@pytest.mark.shared
@pytest.mark.parametrize(
    ("notation", "kinds", "parameter", "tolerance"),
    [
        ("gaussian:sigma=15", ("gaussian",), "sigma", 0.066),  # twice the 3.3 % of high trust
        ("poisson:gain=2", ("poisson", "poisson-gaussian"), "gain", 0.15),
        ("poisson-gaussian:gain=2,sigma=10", ("poisson-gaussian",), "gain", 0.15),
        ("speckle:looks=6", ("speckle",), "looks", 0.15),
        ("stripes:stripe=10,sigma=8", ("stripes",), "stripe", 0.2),
    ],
)
def test_photographs_with_one_kind_of_noise(notation, kinds, parameter, tolerance, shared_data, rng):
    model = parse_noise(notation)
    for image in photographs(shared_data):
        estimate = estimate_noise(noisy(model, image, rng))
        assert estimate.kind in kinds
        assert getattr(estimate.model, parameter) == pytest.approx(getattr(model, parameter), rel=tolerance)


@pytest.mark.shared
def test_texture_alone_is_not_trusted_as_noise(shared_data):
    # F8 of the survey: texture inflates. These photographs have noise of a grey level or so.
    for image in photographs(shared_data):
        estimate = estimate_noise(image.astype(np.uint8))
        assert estimate.confidence <= 0.2 or strength(estimate) < 1.5
        assert estimate.warnings


@pytest.mark.shared
def test_noise_processed_as_jpeg_is_flagged_and_trusted_little(shared_data, rng):
    # F14 of the survey.
    for image in photographs(shared_data):
        stream = io.BytesIO()
        eight = np.clip(np.rint(image + 15 * rng.standard_normal(image.shape)), 0, 255).astype(np.uint8)
        PillowImage.fromarray(eight).save(stream, "JPEG", quality=60)
        estimate = estimate_noise(np.asarray(PillowImage.open(stream)))
        assert "JPEG took part of the noise away" in said(estimate)
        assert estimate.confidence <= 0.2


def test_the_inverse_of_the_anscombe_transform_has_no_bias_at_one_count(rng):
    # F10 of the survey: the algebraic inverse of the mean is (E / 2)^2 - 3/8, too low by a quarter of the variance.
    model = PoissonGaussian(1.0)
    counts = np.arange(40.0)  # P(k >= 40) = 5e-49
    mean = np.sum(stats.poisson.pmf(counts, 1.0) * model.stabilise(counts[np.newaxis])[0])
    assert model.unstabilise(np.full((1, 1), mean)) == pytest.approx(1.0, abs=5e-5)
    assert (mean / 2) ** 2 - 3 / 8 < 1.0 - 0.1
    # The same by chance: a million draws of variance 0.72, and E grows by 0.83 for each count.
    drawn = model.stabilise(noisy(model, np.ones((1000, 1000)), rng)[np.newaxis]).mean()
    assert model.unstabilise(np.full((1, 1), drawn)) == pytest.approx(1.0, abs=4 * 0.85e-3 / 0.83)


@pytest.mark.parametrize(
    ("kind", "model", "numbers"),
    [
        ("gaussian", Gaussian(9.0), {"sigma": (9.0, 0.1)}),
        ("poisson-gaussian", PoissonGaussian(0.8, 4.0), {"gain": (0.8, 0.15)}),
        ("rician", Rician(9.0), {"sigma": (9.0, 0.1)}),
        ("speckle", Speckle(60.0), {"looks": (60.0, 0.15)}),
        ("correlated", Correlated(9.0, BINOMIAL), {"sigma": (9.0, 0.15)}),
        # A flat image of this size is read 11 % too low: the calmest of few patches are chosen. Chance adds to it.
        ("tomography", Correlated.from_spectrum(ramp()), {"sigma": (9.0, 0.2)}),
    ],
)
def test_a_kind_that_is_told_has_its_parameters_found(picture, rng, kind, model, numbers):
    found = estimate_noise(noisy(model, picture, rng), kind=kind)
    assert type(found.model) is type(model)
    for name, (value, tolerance) in numbers.items():
        assert getattr(found.model, name) == pytest.approx(value, rel=tolerance)
    assert found.confidence > 0.0


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
@pytest.mark.parametrize("kind", [None, "srgb-photons"])
def test_photons_are_counted_in_the_light_of_a_stored_picture(picture, rng, dtype, white, kind):
    law = SrgbPhotons(0.005, 0.01, white)
    values = noisy(law, picture / 255 * white, rng).clip(0, white)
    found = estimate_noise((np.rint(values) if dtype.startswith("u") else values).astype(dtype), kind=kind)
    assert isinstance(found.model, SrgbPhotons)
    assert found.model.gain == pytest.approx(0.005, rel=0.1)
    # Read noise is a quarter of the variance where the picture is darkest (18 of 255), and next to none elsewhere.
    assert found.model.sigma == pytest.approx(0.01, rel=0.5)
    assert found.model.white == white
    assert found.confidence > 0.5


def test_without_a_known_white_there_is_no_light(picture, rng):
    values = noisy(SrgbPhotons(0.005, 0.01), picture, rng)  # floats up to 255 may be of any scale
    assert estimate_noise(values).kind != "srgb-photons"
    assert estimate_noise(values, kind="srgb-photons").confidence == 0.0


def test_a_kind_goes_before_what_the_image_looks_like(picture, rng):
    image = noisy(Gaussian(9.0), picture, rng).clip(0)
    assert isinstance(estimate_noise(image).model, Gaussian)
    told = estimate_noise(image, kind="rician").model
    assert isinstance(told, Rician)
    assert told.sigma == pytest.approx(9.0, rel=0.15)  # in bright tissue the two are alike


def test_a_kind_that_cannot_be_has_no_confidence(rng):
    image = rng.normal(0.0, 5.0, (96, 96))  # a magnitude is never negative
    assert estimate_noise(image, kind="rician").confidence == 0.0
    with pytest.raises(UnknownName, match="did you mean 'rician'"):
        estimate_noise(image, kind="ricean")
    assert set(KINDS) == {
        "gaussian",
        "poisson-gaussian",
        "srgb-photons",
        "rician",
        "speckle",
        "correlated",
        "tomography",
    }
