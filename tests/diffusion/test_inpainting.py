import numpy as np
import pytest

from noiseless.diffusion import inpaint
from noiseless.errors import Diverged, InvalidImage, InvalidParameter, UnknownName

KINDS = ["harmonic", "edge-enhancing"]


def ramp(shape):
    return sum(np.arange(n, dtype=float).reshape(-1, *[1] * (len(shape) - 1 - i)) for i, n in enumerate(shape))[None]


@pytest.mark.parametrize("shape", [(20, 24), (9, 10, 11)])
def test_a_plane_is_filled_exactly(shape):
    # A linear function is harmonic, so away from the border nothing else solves the equation.
    image = ramp(shape)
    missing = np.zeros(image.shape, bool)
    missing[(0, *(slice(3, n - 3) for n in shape))] = True
    filled = inpaint(np.where(missing, -99.0, image), missing)
    # The residual falls to 1e-5 of its start; the inverse of the operator on n pixels across grows like n^2 / pi^2.
    assert np.abs(filled - image).max() < 1e-5 * np.ptp(image) * max(shape) ** 2 / np.pi**2


def test_spacing_weighs_the_neighbours():
    image = np.zeros((1, 3, 3))
    image[0, :, 1], image[0, 1, :] = 1.0, 5.0
    missing = np.zeros(image.shape, bool)
    missing[0, 1, 1] = True
    filled = inpaint(image, missing, spacing=(2.0, 1.0))[0, 1, 1]
    assert filled == pytest.approx((2 * 1.0 / 4 + 2 * 5.0) / (2 / 4 + 2))


def test_what_stands_in_missing_pixels_is_not_read_and_the_rest_is_kept(rng):
    image = rng.uniform(0, 255, (3, 30, 31)).astype(np.float32)
    missing = rng.uniform(size=image.shape) < 0.4
    filled = inpaint(image, missing)
    other = inpaint(np.where(missing, np.float32(1e6), image), missing)
    np.testing.assert_array_equal(filled, other)
    np.testing.assert_array_equal(filled[~missing], image[~missing])
    assert filled.dtype == np.float32


@pytest.mark.parametrize("density", [0.05, 0.5, 0.9])
def test_the_range_of_the_known_pixels_is_not_left(density, rng):
    image = rng.uniform(0, 1, (1, 50, 40))
    missing = rng.uniform(size=image.shape) < density
    filled = inpaint(image, missing)
    known = image[~missing]
    slack = 1e-4 * np.ptp(known)  # the solver stops at 1e-5 of the first residual
    assert filled.min() > known.min() - slack
    assert filled.max() < known.max() + slack


def test_each_filled_pixel_is_the_mean_of_its_neighbours(rng):
    image = rng.uniform(0, 1, (1, 40, 40))
    missing = rng.uniform(size=image.shape) < 0.3
    filled = inpaint(image, missing)
    padded = np.pad(filled, ((0, 0), (1, 1), (1, 1)), mode="edge")
    neighbours = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    assert np.abs(neighbours / 4 - filled)[missing].max() < 1e-4


def test_no_missing_pixel_changes_nothing(rng):
    image = rng.uniform(0, 1, (2, 8, 9))
    filled = inpaint(image, np.zeros(image.shape, bool))
    np.testing.assert_array_equal(filled, image)
    assert not np.shares_memory(filled, image)


def test_channels_do_not_mix(rng):
    image = rng.uniform(0, 1, (2, 20, 20))
    missing = rng.uniform(size=image.shape) < 0.2
    alone = inpaint(image[:1], missing[:1])
    np.testing.assert_allclose(inpaint(image, missing)[:1], alone, atol=1e-4)


def test_torch_agrees_with_numpy(rng):
    torch = pytest.importorskip("torch")
    image = rng.uniform(0, 1, (2, 20, 22))
    missing = rng.uniform(size=image.shape) < 0.3
    filled = inpaint(torch.from_numpy(image), torch.from_numpy(missing))
    assert isinstance(filled, torch.Tensor)
    np.testing.assert_allclose(filled.numpy(), inpaint(image, missing), atol=1e-9)


def test_bad_input_is_refused(rng):
    image = rng.uniform(0, 1, (1, 8, 8))
    with pytest.raises(InvalidImage, match="nothing to fill it from"):
        inpaint(image, np.ones(image.shape, bool))
    with pytest.raises(InvalidImage, match="missing has shape"):
        inpaint(image, np.zeros((8, 8), bool))
    with pytest.raises(InvalidParameter, match="spacing"):
        inpaint(image, np.zeros(image.shape, bool), spacing=(0.0, 1.0))


def test_a_hole_that_does_not_settle_is_said(monkeypatch, rng):
    monkeypatch.setattr("noiseless.diffusion.inpainting._MOST_STEPS", 2)
    missing = np.zeros((1, 64, 64), bool)
    missing[0, 8:56, 8:56] = True
    with pytest.raises(Diverged, match="did not settle"):
        inpaint(rng.uniform(0, 1, (1, 64, 64)), missing)


def stripes(size=48):
    y, x = np.mgrid[:size, :size]
    return 0.5 + 0.4 * np.tanh(np.sin((x + 0.5 * y) / 5.0) * 4)[np.newaxis]


def test_edges_continue_through_a_gap(rng):
    clean = stripes()
    missing = np.zeros(clean.shape, bool)
    missing[:, 20:28, 8:40] = True
    harmonic, along = (inpaint(np.where(missing, 9.0, clean), missing, kind=kind) for kind in KINDS)
    errors = [np.mean((filled - clean)[missing] ** 2) for filled in (harmonic, along)]
    assert errors[1] < 0.5 * errors[0]
    scattered = rng.random(clean.shape) < 0.7
    errors = [np.mean((inpaint(clean, scattered, kind=kind) - clean)[scattered] ** 2) for kind in KINDS]
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 30, 28), (3, 20, 21), (2, 8, 12, 10)])
def test_known_pixels_stay_and_missing_ones_keep_their_range(kind, shape, rng):
    image = rng.random(shape)
    missing = rng.random(shape) < 0.6
    filled = inpaint(np.where(missing, 7.0, image), missing, kind=kind, spacing=(2.0, 1.0, 1.0)[-len(shape) + 1 :])
    assert np.array_equal(filled[~missing], image[~missing])
    for channel, hidden, result in zip(image, missing, filled, strict=True):
        assert channel[~hidden].min() - 1e-9 <= result.min() <= result.max() <= channel[~hidden].max() + 1e-9


def test_scaling_the_image_scales_what_is_filled_in(rng):
    image, missing = stripes(), rng.random((1, 48, 48)) < 0.5
    for factor in (1 / 256, 1000.0):
        scaled = inpaint(factor * image, missing, kind="edge-enhancing") / factor
        assert scaled == pytest.approx(inpaint(image, missing, kind="edge-enhancing"), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_and_torch_fill_in_the_same(kind, rng):
    torch = pytest.importorskip("torch")
    image, missing = stripes(), rng.random((1, 48, 48)) < 0.5
    ours = inpaint(image, missing, kind=kind)
    assert inpaint(torch.from_numpy(image), torch.from_numpy(missing), kind=kind).numpy() == pytest.approx(
        ours, abs=1e-6
    )


def test_a_flat_image_is_filled_in_flat():
    missing = np.zeros((1, 9, 9), bool)
    missing[:, 3:6, 3:6] = True
    assert inpaint(np.full((1, 9, 9), 0.4), missing, kind="edge-enhancing") == pytest.approx(0.4)


def test_kind_and_contrast_are_checked():
    image, missing = np.ones((1, 4, 4)), np.zeros((1, 4, 4), bool)
    with pytest.raises(UnknownName, match="did you mean 'harmonic'"):
        inpaint(image, missing, kind="harmonik")
    with pytest.raises(InvalidParameter, match="contrast is 0;"):
        inpaint(image, missing, kind="edge-enhancing", contrast=0.0)
