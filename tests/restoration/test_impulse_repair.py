import numpy as np
import pytest

from noiseless.diffusion import PeronaMalik
from noiseless.noise import HotPixels, RandomImpulses, SaltAndPepper
from noiseless.restoration.impulse_repair import repair

KINDS = [SaltAndPepper(0.2), RandomImpulses(0.2), HotPixels(0.02)]
names = pytest.mark.parametrize("noise", KINDS, ids=lambda noise: type(noise).__name__)


@pytest.fixture
def clean():
    """A soft hill and an edge, in the units of an 8-bit file: 70 to 200."""
    rows, columns = np.mgrid[0:96, 0:120]
    return np.float32(110 + 40 * np.sin(rows / 17) * np.cos(columns / 23) + 50 * (columns > 60))[np.newaxis]


def rms(difference):
    return float(np.sqrt(np.mean(np.square(difference, dtype=np.float64))))


@names
@pytest.mark.parametrize("denoiser", [None, PeronaMalik()], ids=["by diffusion", "refined"])
def test_pixels_that_were_not_replaced_come_back_as_they_are(noise, denoiser, clean, rng):
    noisy = noise.sample(clean, rng)
    before = noisy.copy()
    noisy.flags.writeable = False
    repaired = repair(noise, noisy, denoiser)
    kept = ~noise.detect(noisy)
    np.testing.assert_array_equal(repaired[kept], noisy[kept])
    np.testing.assert_array_equal(noisy, before)
    assert repaired.dtype == noisy.dtype
    assert np.isfinite(repaired).all()


@names
def test_the_replaced_pixels_are_filled_near_their_true_values(noise, clean, rng):
    noisy = noise.sample(clean, rng)
    # From neighbours on both sides, all but the edge of 50 is known to some grey levels; the noise was of about 100.
    # Hot pixels near the level of the image are not told from it, and stay.
    assert rms(repair(noise, noisy) - clean) < rms(noisy - clean) / (3 if isinstance(noise, HotPixels) else 5)


def test_a_fifth_of_salt_and_pepper_goes_and_a_denoiser_does_no_harm(clean, rng):
    noise = SaltAndPepper(0.2)
    noisy = noise.sample(clean, rng)
    alone, refined = (rms(repair(noise, noisy, denoiser) - clean) for denoiser in (None, PeronaMalik()))
    assert alone < rms(noisy - clean) / 5
    assert refined <= alone


def test_an_edge_is_carried_into_the_gaps_by_the_denoiser(rng):
    clean = np.full((1, 64, 64), 60, np.float32)
    clean[..., 32:] = 180
    noise = SaltAndPepper(0.3)
    noisy = noise.sample(clean, rng)
    alone, refined = (rms(repair(noise, noisy, denoiser) - clean) for denoiser in (None, PeronaMalik()))
    assert refined < 0.8 * alone


@pytest.mark.parametrize("denoiser", [None, PeronaMalik()], ids=["by diffusion", "refined"])
def test_an_image_of_nothing_but_impulses_stays_an_image(denoiser, rng):
    noise = SaltAndPepper(1.0)
    noisy = noise.sample(np.full((1, 32, 41), 100, np.float32), rng)
    repaired = repair(noise, noisy, denoiser)
    assert repaired.shape == noisy.shape
    assert np.isfinite(repaired).all()
    assert repaired.min() >= 0
    assert repaired.max() <= 255


def test_a_channel_of_nothing_but_impulses_leaves_the_others_to_be_repaired(clean, rng):
    noise = SaltAndPepper(0.2)
    lost = SaltAndPepper(1.0).sample(clean, rng)
    noisy = np.concatenate([noise.sample(clean, rng), lost])
    repaired = repair(noise, noisy)
    assert np.isfinite(repaired).all()
    assert rms(repaired[0] - clean[0]) < rms(noisy[0] - clean[0]) / 5


@names
def test_an_image_without_impulses_comes_back_as_it_is(noise, clean):
    np.testing.assert_array_equal(repair(noise, clean, PeronaMalik()), clean)


def test_units_do_not_matter(clean, rng):
    noisy = SaltAndPepper(0.2).sample(clean.astype(np.float64), rng)
    expected = repair(SaltAndPepper(0.2), noisy, PeronaMalik())
    scaled = repair(SaltAndPepper(0.2, 0.0, 1.0), noisy / 255, PeronaMalik())
    # inpainting iterates to a tolerance of its own, so it is not exact to rounding
    np.testing.assert_allclose(255 * scaled, expected, atol=0.05)
