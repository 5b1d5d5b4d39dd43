from dataclasses import dataclass

import numpy as np
import pytest

from noiseless.diffusion import PeronaMalik, TotalVariation
from noiseless.image import Image
from noiseless.noise import NOISE_MODELS, Gaussian, Quantisation, StabilisableNoise, WithImpulses, parse_noise
from noiseless.restoration import Recipe
from noiseless.restoration.ensemble import OneLevelAChannel
from noiseless.restoration.impulse_repair import repair
from noiseless.restoration.removal import remove, remove_from_image
from noiseless.restoration.stabilised import remove_stabilised

DENOISER = PeronaMalik()

ADDITIVE = [
    "gaussian:20",
    "correlated:sigma=20,width=1",
    "stripes:stripe=15,sigma=5",
    "gaussian:10+stripes:stripe=15",
    "correlated:sigma=15,width=1+gaussian:10",
]
STABILISED = [
    "poisson:gain=4",
    "poisson-gaussian:gain=2,sigma=10,offset=20",
    "srgb-photons:gain=0.005,sigma=0.01",
    "rician:sigma=20",
    "non-central-chi:sigma=15,coils=4",
    "speckle:looks=8",
    "amplitude-speckle:looks=4",
]
FEW_COUNTS = ["poisson:gain=60", "poisson-gaussian:gain=90,sigma=20,offset=10"]
REPLACED = ["salt-and-pepper:density=0.1", "random-impulses:density=0.1", "hot-pixels:density=0.01"]
COMPOSED = [
    "rician:sigma=20+salt-and-pepper:density=0.05",
    "poisson-gaussian:gain=2,sigma=10+hot-pixels:density=0.01",
    "gaussian:20+quantisation:step=16",
    "gaussian:10+quantisation:step=16+random-impulses:density=0.05",
]
ROUNDING = "quantisation:step=32"
CASES = [*ADDITIVE, *STABILISED, *FEW_COUNTS, *REPLACED, *COMPOSED, ROUNDING]


@dataclass(frozen=True)
class OnlySimulated:
    """A law without any ability but the four of every model: neither stabilised nor stationary nor impulsive.

    Noisy = 1.2 clean + 0.1 clean e, e ~ Laplace of variance 2.
    """

    def sample(self, clean, rng):
        return (1.2 * clean + 0.1 * clean * rng.laplace(size=clean.shape)).astype(clean.dtype)

    def mean(self, clean):
        return 1.2 * clean

    def variance(self, clean):
        return 2 * (0.1 * clean) ** 2

    def log_likelihood(self, noisy, clean):
        scale = 0.1 * clean
        return float(-(np.abs(noisy - 1.2 * clean) / scale + np.log(2 * scale)).sum())


@pytest.fixture
def clean():
    """A soft hill and an edge, in the units of an 8-bit file: 70 to 200."""
    rows, columns = np.mgrid[0:96, 0:120]
    return np.float32(110 + 40 * np.sin(rows / 17) * np.cos(columns / 23) + 50 * (columns > 60))[np.newaxis]


def rms(difference):
    return float(np.sqrt(np.mean(np.square(difference, dtype=np.float64))))


def test_every_kind_has_a_case():
    named = {part.partition(":")[0] for case in CASES for part in case.split("+")}
    assert named == set(NOISE_MODELS) - {"camera"}


@pytest.mark.parametrize("case", CASES)
def test_the_noise_goes(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean, rng)
    # A local mean over n pixels gains sqrt(n), and in flat parts dozens of pixels are alike, so 3 is moderate even for
    # coloured noise. What is rounded is known to a step: there is little to gain.
    least = 1.03 if case == ROUNDING else 3.0
    assert rms(remove(noise, DENOISER, noisy) - clean) < rms(noisy - clean) / least


@pytest.mark.parametrize("case", CASES)
def test_dtype_and_shape_come_back_finite_and_the_input_is_not_written_to(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean, rng)
    before = noisy.copy()
    noisy.flags.writeable = False
    removed = remove(noise, DENOISER, noisy)
    assert removed.dtype == noisy.dtype
    assert removed.shape == noisy.shape
    assert np.isfinite(removed).all()
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.parametrize("case", CASES)
def test_both_precisions_give_the_same_picture(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean, rng)
    single, double = (remove(noise, DENOISER, noisy.astype(dtype)) for dtype in ("float32", "float64"))
    assert double.dtype == np.float64
    # Some hundred operations, each rounded to 2^-24 of values of up to 1000 (few counts), and the roots of the inverse
    # maps: 100 * 1000 * 2^-24 is 0.006. Seen on the mean square, since single pixels may be decided the other way.
    assert rms(single - double) < 0.02


@pytest.mark.parametrize("case", ADDITIVE)
def test_strength_zero_leaves_additive_noise_as_it_is(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean, rng)
    np.testing.assert_array_equal(remove(noise, DENOISER, noisy, 0.0), noisy)


@pytest.mark.parametrize("case", STABILISED)
def test_strength_zero_inverts_the_mean_and_no_more(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean.astype(np.float64), rng)
    assert isinstance(noise, StabilisableNoise)
    expected = noise.unstabilise(noise.stabilise(noisy))
    # float64 rounding, and at the foot of Rician noise its square root: 1e-15^(1/2) of 20
    np.testing.assert_allclose(remove(noise, DENOISER, noisy, 0.0), expected, rtol=1e-9, atol=2e-6)


@pytest.mark.parametrize("case", FEW_COUNTS)
def test_strength_zero_leaves_the_noise_of_few_counts_in(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean.astype(np.float64), rng)
    left = remove(noise, DENOISER, noisy, 0.0)
    # The unbiased inverse moves single pixels by about half a count, the same way everywhere where counts are not 0:
    # what is left of the noise is nearly all of it.
    assert np.std(left - clean) > 0.9 * np.std(noisy - clean)


@pytest.mark.parametrize("case", REPLACED)
def test_impulses_have_no_strength(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean, rng)
    np.testing.assert_array_equal(remove(noise, DENOISER, noisy, 0.0), remove(noise, DENOISER, noisy))


def test_strength_is_a_factor_on_sigma(clean, rng):
    noisy = Gaussian(20.0).sample(clean, rng)
    np.testing.assert_array_equal(remove(Gaussian(20.0), DENOISER, noisy, 0.5), DENOISER(noisy, 10.0))


@pytest.mark.parametrize("case", [*ADDITIVE, *STABILISED])
def test_less_strength_leaves_more_of_the_noise(case, clean, rng):
    noise = parse_noise(case)
    noisy = noise.sample(clean, rng)
    weak, full = (rms(remove(noise, DENOISER, noisy, strength) - clean) for strength in (0.25, 1.0))
    assert 1.5 * full < weak < 1.1 * rms(noisy - clean)


def test_sigma_may_be_one_a_channel(clean, rng):
    colour = np.concatenate([clean, clean[:, ::-1], 0.9 * clean])
    noise = Gaussian(np.array([10.0, 0.0, 30.0]).reshape(3, 1, 1))
    noisy = noise.sample(colour, rng)
    removed = remove(noise, DENOISER, noisy)
    assert removed.dtype == np.float32
    np.testing.assert_array_equal(removed[1], noisy[1])
    for channel in (0, 2):
        assert rms(removed[channel] - colour[channel]) < rms(noisy[channel] - colour[channel]) / 3


@pytest.mark.parametrize("case", ["rician:sigma=20", "stripes:stripe=15,sigma=5", "salt-and-pepper:density=0.1"])
def test_the_noise_of_a_colour_image_goes_from_every_channel(case, clean, rng):
    colour = np.concatenate([clean, clean[:, ::-1], 0.9 * clean])
    noise = parse_noise(case)
    noisy = noise.sample(colour, rng)
    removed = remove(noise, DENOISER, noisy)
    for channel in range(3):
        assert rms(removed[channel] - colour[channel]) < rms(noisy[channel] - colour[channel]) / 3


@pytest.mark.parametrize("strength", [0.0, 1.0, 3.0])
def test_what_was_rounded_stays_within_half_a_step(strength, clean, rng):
    noise = Quantisation(32.0)
    noisy = noise.sample(clean, rng)
    removed = remove(noise, DENOISER, noisy, strength)
    # halves of steps and multiples of 32 are float32 numbers: no rounding to allow for
    assert np.abs(removed - noisy).max() <= 16


def test_impulses_are_repaired_before_the_noise_below_them_is_removed(clean, rng):
    noise = parse_noise("rician:sigma=20+salt-and-pepper:density=0.05")
    assert isinstance(noise, WithImpulses)
    noisy = noise.sample(clean, rng)
    expected = remove_stabilised(noise.background, DENOISER, repair(noise.impulses, noisy))
    np.testing.assert_array_equal(remove(noise, DENOISER, noisy), expected)


@pytest.mark.parametrize("case", ["poisson:gain=4", "poisson:gain=60", *STABILISED[3:], *REPLACED, ROUNDING])
def test_a_black_image_stays_black(case):
    noise = parse_noise(case)
    black = np.zeros((1, 24, 31), np.float32)
    # All that is black here can only have come from no light (with read noise it would be an unlikely sample). What
    # float32 leaves of a thing that is 1 is 1e-7, and of its square root 4e-4: less than a hundredth of a grey level.
    assert np.abs(remove(noise, DENOISER, black)).max() < 0.01


def test_noise_that_is_known_by_simulation_alone_goes_too(clean, rng):
    noise = OnlySimulated()
    noisy = noise.sample(clean, rng)
    before = noisy.copy()
    noisy.flags.writeable = False
    removed = remove(noise, DENOISER, noisy)
    assert removed.dtype == np.float32
    assert np.isfinite(removed).all()
    np.testing.assert_array_equal(noisy, before)
    # against the input with its mean put right, so that the bias of the law does not count as a gain
    assert rms(removed - clean) < rms(noisy / 1.2 - clean) / 3
    assert abs(np.mean(removed - clean)) < 0.02 * clean.mean()


def test_strength_zero_leaves_simulated_noise_in_and_puts_its_mean_right(clean, rng):
    noisy = OnlySimulated().sample(clean, rng)
    # straight lines between levels, of a law that is straight itself; beyond the levels the last ones go on
    np.testing.assert_allclose(remove(OnlySimulated(), DENOISER, noisy, 0.0), noisy / 1.2, rtol=0.01)


@pytest.mark.parametrize("depth", [1, 2])
def test_volumes_are_denoised_one_by_one_with_their_part_of_a_map(rng, depth):
    pixels = rng.random((1, 3 * depth, 20, 24)).astype(np.float32)
    image = Image(pixels, "CZYX", volumes=3, spacing=(2.0, 1.0, 1.0))
    recipe = Recipe("total-variation")
    full = (0.05 + 0.1 * rng.random(pixels.shape)).astype(np.float64)
    for sigma in (np.full((1, 1, 1, 1), 0.1), full):
        together = remove_from_image(Gaussian(sigma), OneLevelAChannel(TotalVariation()), image, recipe)
        for number in range(3):
            part = sigma if sigma.size == 1 else sigma[:, number * depth : (number + 1) * depth]
            one = image.volume(number)
            part = part.reshape(part.shape[0], *part.shape[2:]) if depth == 1 else part
            alone = remove_from_image(Gaussian(part), OneLevelAChannel(TotalVariation()), one, recipe)
            assert np.array_equal(together[:, number * depth : (number + 1) * depth].reshape(alone.shape), alone)


def test_an_offset_does_not_change_the_removal_of_correlated_noise(rng):
    # Hounsfield units: the same picture around -1000 and around 0.
    noise = parse_noise("correlated:sigma=20,width=1")
    clean = 100.0 * np.sin(np.mgrid[0:64, 0:64][0] / 9)
    noisy = noise.sample(clean[np.newaxis], rng).astype(np.float32)
    plain, low = (Image(noisy / 400, scale=400.0, offset=offset) for offset in (0.0, -1000.0))
    recipe = Recipe()
    denoiser = recipe.build_denoiser()
    expected = remove_from_image(noise, denoiser, plain, recipe)
    assert remove_from_image(noise, denoiser, low, recipe) == pytest.approx(expected, abs=1e-5)
