import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.noise import estimate_noise


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
