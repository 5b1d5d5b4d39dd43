import numpy as np
import pytest

from noiseless.classical import NonLocalMeans
from noiseless.errors import InvalidImage, InvalidParameter

SIGMA = np.float32(0.1)


def texture(rng, shape=(1, 70, 61)):
    columns = np.arange(shape[-1])
    clean = np.broadcast_to(0.5 + 0.4 * np.sin(2 * np.pi * columns / 6), shape).astype(np.float32)
    return clean, clean + SIGMA * rng.standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize(("patch", "search"), [(5, 17), (7, 21), (3, 3), (9, 5)])
@pytest.mark.parametrize("shape", [(1, 40, 47), (3, 33, 20), (2, 3, 17, 18), (1, 4, 5), (1, 1, 1)])
def test_compiled_and_plain_agree(rng, shape, patch, search):
    torch = pytest.importorskip("torch")
    noisy = 0.5 + SIGMA * rng.standard_normal(shape, dtype=np.float32)
    levels = np.linspace(0.0, 0.2, shape[-1], dtype=np.float32)
    denoise = NonLocalMeans(patch, search)
    plain = denoise(torch.from_numpy(noisy), torch.from_numpy(levels)).numpy()
    # sums of squares run on over 16 rows and 9 x 9 values of up to 1: some hundred roundings, damped by the tolerance
    np.testing.assert_allclose(denoise(noisy, levels), plain, atol=1e-5)


def test_any_number_of_threads_gives_the_same_bits(rng):
    _, noisy = texture(rng, (1, 300, 170))
    one = NonLocalMeans(threads=1)(noisy, SIGMA)
    for threads in (2, 3, 5):
        np.testing.assert_array_equal(NonLocalMeans(threads=threads)(noisy, SIGMA), one)


def test_repeated_texture_is_kept_and_the_noise_goes(rng):
    clean, noisy = texture(rng)
    error = NonLocalMeans()(noisy, SIGMA) - clean
    # every period of the grating is there some 3 x 17 times within the window: more than 10 are found alike
    assert np.mean(error**2) < SIGMA**2 / 10
    slope = np.sum(error * (clean - clean.mean())) / np.sum((clean - clean.mean()) ** 2)
    assert abs(slope) < 0.05


def test_a_pixel_that_is_like_no_other_stays():
    image = np.zeros((1, 30, 30), np.float32)
    image[0, 15, 15] = 1.0
    assert NonLocalMeans()(image, 0.001)[0, 15, 15] == 1.0


def test_the_border_goes_on_by_reflection(rng):
    _, noisy = texture(rng)
    denoise = NonLocalMeans(5, 9)
    reach = denoise.reach(SIGMA)
    wider = np.pad(noisy, [(0, 0), (reach, reach), (reach, reach)], mode="reflect")
    within = denoise(wider, SIGMA)[:, reach:-reach, reach:-reach]
    np.testing.assert_allclose(denoise(noisy, SIGMA), within, atol=1e-5)


def test_a_higher_tolerance_and_a_higher_sigma_remove_more(rng):
    _, noisy = texture(rng)
    kept = [np.var(NonLocalMeans(tolerance=t)(noisy, SIGMA) - noisy) for t in (1.0, 3.5, 10.0)]
    assert kept == sorted(kept)
    kept = [np.var(NonLocalMeans()(noisy, s) - noisy) for s in (0.03, 0.1, 0.2)]
    assert kept == sorted(kept)


@pytest.mark.parametrize(
    "wrong", [{"patch": 4}, {"patch": 1}, {"search": 20}, {"search": 0}, {"tolerance": 0.0}, {"threads": -1}]
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidParameter, match=next(iter(wrong))):
        NonLocalMeans(**wrong)


def test_what_is_no_image_is_refused():
    with pytest.raises(InvalidImage, match="shape"):
        NonLocalMeans()(np.zeros((4, 4), np.float32), 0.1)
    with pytest.raises(InvalidImage, match="NaN"):
        NonLocalMeans()(np.full((1, 4, 4), np.nan, np.float32), 0.1)
    with pytest.raises(InvalidParameter, match="sigma"):
        NonLocalMeans()(np.zeros((1, 4, 4), np.float32), -1.0)
