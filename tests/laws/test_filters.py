"""What every entry of FILTERS must satisfy, in 2-D and 3-D, gray and colour. A new entry is tested by being there."""

import numpy as np
import pytest

from noiseless.diffusion import FILTERS, CoherenceEnhancing, MeanCurvature
from noiseless.errors import InvalidImage, InvalidParameter

SIGMA = 0.1
SHAPES = {"gray": (1, 33, 40), "colour": (3, 24, 31), "volume": (1, 9, 14, 11), "colour volume": (3, 7, 10, 12)}
# A float64 result is a few hundred roundings of values near 1, which a sharpening equation may amplify a little.
ROUNDING = 1e-11


@pytest.fixture(params=sorted(FILTERS))
def smooth(request):
    return FILTERS[request.param]()


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def noisy(request, rng):
    """A bright box in the dark, and noise of SIGMA; float64."""
    clean = np.full(request.param, 0.2)
    clean[(slice(None), *(slice(size // 3, -size // 3) for size in request.param[1:]))] = 0.8
    return clean + SIGMA * rng.standard_normal(request.param)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sigma", [SIGMA, np.float64(SIGMA), np.array(SIGMA)])
def test_shape_dtype_and_kind_are_kept_and_the_input_is_not_written_to(smooth, noisy, dtype, sigma):
    given = noisy.astype(dtype)
    given.flags.writeable = False
    before = given.copy()
    smoothed = smooth(given, sigma)
    assert (type(smoothed), smoothed.shape, smoothed.dtype) == (np.ndarray, noisy.shape, dtype)
    assert smoothed.flags.writeable
    assert not np.shares_memory(smoothed, given)
    assert np.array_equal(given, before)


@pytest.fixture
def conserving(smooth):
    if isinstance(smooth, MeanCurvature):
        pytest.skip("an equation that is no divergence: the mean may move, see test_anisotropic")
    return smooth


def test_the_mean_of_each_channel_is_kept(conserving, noisy):
    smooth = conserving
    space = tuple(range(1, noisy.ndim))
    assert smooth(noisy, SIGMA).mean(space) == pytest.approx(noisy.mean(space), abs=ROUNDING)


def test_the_range_is_never_left(smooth, noisy):
    smoothed = smooth(noisy, SIGMA)
    assert smoothed.min() >= noisy.min() - ROUNDING
    assert smoothed.max() <= noisy.max() + ROUNDING


def test_a_constant_image_is_fixed(smooth, noisy):
    flat = np.full_like(noisy, 0.7)
    assert smooth(flat, SIGMA) == pytest.approx(flat, abs=ROUNDING)


def test_without_noise_nothing_changes(smooth, noisy):
    same = smooth(noisy, 0.0)
    assert np.array_equal(same, noisy)
    assert not np.shares_memory(same, noisy)


def test_sigma_to_zero_is_the_identity(smooth, noisy):
    if isinstance(smooth, CoherenceEnhancing):
        pytest.skip("it completes lines, however strong: only sigma 0 itself leaves the image as it is")
    changes = [abs(smooth(noisy, sigma) - noisy).max() for sigma in (1e-1, 1e-3, 1e-6, 1e-9)]
    assert changes == sorted(changes, reverse=True)
    # The few thousand differences in the image, of size 0.1, are all above 1e-6, so Perona-Malik sees ratios to the
    # contrast above 1e3 at sigma 1e-9 and conducts 1e-6 of them at most; the time of least risk falls as sigma squared.
    assert changes[-1] < 1e-6


def test_it_denoises_and_does_not_return_what_it_removed(smooth, rng):
    clean = np.full((1, 64, 64), 0.2)
    clean[:, 16:48, 16:48] = 0.8
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    smoothed = smooth(noisy, SIGMA)
    assert np.mean((smoothed - clean) ** 2) < 0.5 * SIGMA**2
    assert np.corrcoef(smoothed.ravel(), clean.ravel())[0, 1] > np.corrcoef(noisy.ravel(), clean.ravel())[0, 1]


@pytest.mark.parametrize("factor", [1 / 256, 1000.0])
def test_scaling_image_and_sigma_scales_the_result(smooth, noisy, factor):
    # Heat finds its time by a search on a smooth minimum, which rounding blurs to the root of 2e-16.
    scaled = smooth(factor * noisy, factor * SIGMA) / factor
    assert scaled == pytest.approx(smooth(noisy, SIGMA), abs=1e-7)


def test_adding_a_constant_adds_it_to_the_result(smooth, noisy):
    assert smooth(noisy + 3.0, SIGMA) == pytest.approx(smooth(noisy, SIGMA) + 3.0, abs=1e-7)  # as above


def test_no_direction_is_special(smooth, noisy):
    flipped = np.flip(noisy, axis=(1, 2))
    assert np.flip(smooth(flipped, SIGMA), axis=(1, 2)) == pytest.approx(smooth(noisy, SIGMA), abs=1e-7)  # as above
    turned = np.swapaxes(noisy, -1, -2)
    assert np.swapaxes(smooth(turned, SIGMA), -1, -2) == pytest.approx(smooth(noisy, SIGMA), abs=1e-7)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 7), (2, 5, 1), (1, 2, 2), (1, 1, 1, 1), (1, 3, 1, 2)])
def test_thin_images_are_images(smooth, rng, shape):
    noisy = rng.standard_normal(shape)
    smoothed = smooth(noisy, SIGMA)
    assert smoothed.shape == shape
    assert noisy.min() - ROUNDING <= smoothed.min() <= smoothed.max() <= noisy.max() + ROUNDING


def test_one_sigma_a_channel(smooth, rng):
    noisy = rng.standard_normal((3, 20, 20))
    same = smooth(noisy, np.full((3, 1, 1), SIGMA))
    assert np.array_equal(same, smooth(noisy, SIGMA))
    mixed = smooth(noisy, np.array([0.5, 0.0, 0.5]).reshape(3, 1, 1))
    assert np.array_equal(mixed[1], noisy[1])
    assert np.array_equal(mixed[::2], smooth(noisy[::2], 0.5))
    assert np.array_equal(smooth(noisy, np.zeros((3, 1, 1))), noisy)


def test_more_noise_is_smoothed_more(smooth, noisy):
    roughness = [np.abs(np.diff(smooth(noisy, sigma))).sum() for sigma in (0.0, 0.05, 0.1, 0.2)]
    assert roughness == sorted(roughness, reverse=True)


@pytest.mark.parametrize("sigma", [-0.1, float("nan"), float("inf"), np.array([[[0.1]], [[-1.0]]])])
def test_sigma_is_a_finite_number_from_zero_up(smooth, sigma):
    with pytest.raises(InvalidParameter, match=r"sigma is .*; a noise standard deviation is a finite number >= 0"):
        smooth(np.ones((2, 8, 8)), sigma)


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 8), (8, 8), (8,), (2,), (3, 1, 1), (1, 1, 1, 1)])
def test_a_sigma_for_each_pixel_is_refused_in_words(smooth, shape):
    with pytest.raises(InvalidParameter, match=r"one sigma an image or one a channel, \(2, 1, 1\) here"):
        smooth(np.ones((2, 8, 8)), np.full(shape, 0.1))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.ones((8, 8)), r"noisy\[None\]"),
        (np.ones((1, 1, 1, 8, 8)), r"\(1, 1, 1, 8, 8\)"),
        (np.ones((1, 0, 8)), "empty"),
        (np.ones((1, 8, 8), np.uint8), "uint8"),
        (np.ones((1, 8, 8), np.float16), "float16"),
        (np.array([[[1.0, np.nan]]]), "NaN"),
    ],
)
def test_what_is_no_image_is_refused_in_words(smooth, image, words):
    with pytest.raises(InvalidImage, match=words):
        smooth(image, SIGMA)


def test_tiles_of_a_local_filter_equal_the_whole_bit_for_bit(smooth, rng):
    if not hasattr(smooth, "reach"):
        pytest.skip("a global filter")
    noisy = rng.random((1, 40, 333), dtype=np.float32)
    whole, reach = smooth(noisy, SIGMA), smooth.reach(SIGMA)
    for start, stop in ((0, 50), (101, 166), (250, 333)):
        first = max(start - reach, 0)
        window = noisy[:, :, first : stop + reach]
        assert np.array_equal(smooth(window, SIGMA)[:, :, start - first : stop - first], whole[:, :, start:stop])


def test_no_pixel_beyond_the_reach_matters(smooth, rng):
    if not hasattr(smooth, "reach"):
        pytest.skip("a global filter")
    noisy = rng.random((1, 5, 2 * smooth.reach(SIGMA) + 7), dtype=np.float32)
    other = noisy.copy()
    other[:, :, -1] += 1.0
    changed = np.flatnonzero((smooth(noisy, SIGMA) != smooth(other, SIGMA)).any((0, 1)))
    assert changed.min() >= noisy.shape[2] - 1 - smooth.reach(SIGMA)
    assert smooth.reach(0.0) == 0


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-7), ("float32", 2e-4)])
def test_numpy_and_torch_agree(smooth, noisy, dtype, tolerance):
    # Float64: the search for the time, as above. Float32: rounding of 6e-8, which sharpening at an edge amplifies.
    torch = pytest.importorskip("torch")
    given = torch.from_numpy(noisy.astype(dtype))
    before = given.clone()
    smoothed = smooth(given, SIGMA)
    assert isinstance(smoothed, torch.Tensor)
    assert (smoothed.dtype, smoothed.device, smoothed.shape) == (given.dtype, given.device, given.shape)
    assert torch.equal(given, before)
    assert smoothed.numpy() == pytest.approx(smooth(noisy.astype(dtype), SIGMA), abs=tolerance)
    by_channel = torch.full((noisy.shape[0],) + (1,) * (noisy.ndim - 1), SIGMA, dtype=torch.float64)
    assert torch.equal(smooth(given, by_channel), smoothed)
    same = smooth(given, 0.0)
    assert torch.equal(same, given)
    assert same.data_ptr() != given.data_ptr()
