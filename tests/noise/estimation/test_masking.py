import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.noise import Correlated, estimate_noise, gaussian_kernel


def test_only_the_masked_part_is_measured(rng):
    # Noise of 5 in a disc, of 40 around it.
    disc = np.hypot(*np.mgrid[-110:110, -110:110]) < 90
    image = 100 + np.where(disc, 5.0, 40.0) * rng.standard_normal(disc.shape)
    # About 25 000 pixels and 10 of 64 coefficients of the patches inside: 1 / sqrt(2 * 3000) = 1.3 %.
    assert estimate_noise(image, mask=disc).sigma == pytest.approx(5, rel=4 * 0.013)


def test_every_channel_takes_the_same_mask(rng):
    image = 100 + 5 * rng.standard_normal((120, 120, 3))
    mask = np.zeros((120, 120), bool)
    mask[10:110, 20:100] = True
    image[~mask] = 5000
    assert np.mean(estimate_noise(image, channel_axis=-1, mask=mask).sigma) == pytest.approx(5, rel=4 * 0.016)


def test_the_spectrum_is_that_of_the_masked_part(rng):
    noise = Correlated(8.0, gaussian_kernel(1.0))
    image = 100 + noise.sample(np.zeros((1, 200, 200)), rng)[0]
    mask = np.hypot(*np.mgrid[-100:100, -100:100]) < 70
    image[~mask] = -1000  # air without any noise, in most of the image
    found = estimate_noise(image, mask=mask)
    assert isinstance(found.model, Correlated)
    # What the calm patches are chosen by leaves sigma off by up to 4 % (see correlation); their number adds as much.
    assert np.sqrt(found.model.variance(image[np.newaxis]).mean()) == pytest.approx(8, rel=0.12)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((40, 50), bool), "True at 0 of 2000 pixels"),
        (np.ones((40, 50)), "give bool"),
        (np.ones((50, 40), bool), r"the shape \(40, 50\)"),
    ],
)
def test_a_mask_that_cannot_be_used_is_refused(mask, words, rng):
    with pytest.raises(InvalidParameter, match=words):
        estimate_noise(rng.standard_normal((40, 50)), mask=mask)
