"""Blocks: the result is that of the whole, for every method, noise, size and type."""

import itertools

import numpy as np
import pytest

from noiseless.image import from_array
from noiseless.noise import (
    Correlated,
    Gaussian,
    HotPixels,
    Poisson,
    PoissonGaussian,
    Quantisation,
    Quantised,
    Speckle,
    WithImpulses,
    gaussian_kernel,
)
from noiseless.restoration import Recipe, block_grid, removal_in_parts, restore_image
from noiseless.restoration.block_decision import PLANAR
from noiseless.restoration.block_sample import sample_of

from .chunked import EXACT, LOCAL, MEMORY, Chunked, clean, noisy, of_whole, restored


def check_equal_to_the_whole(source, recipe, grid, **options):
    found, result = restored(source, recipe, grid, **options)
    groups = [slice(0, source.channels)] if source.together else [slice(n, n + 1) for n in range(source.channels)]
    for item, group in itertools.product(range(source.items), groups):
        whole, scale = of_whole(source, item, group, recipe, **options)
        # The bar of the design, 1e-5 of the nominal range; the stored values are float32, so nothing is rounded.
        assert np.abs(found[item, group] - whole).max() <= 1e-5 * scale
    return result


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", LOCAL)
def test_every_method_whose_reach_is_known_gives_what_it_gives_in_memory(name):
    method = EXACT if name == "score" else name
    source = Chunked(noisy((1, 1, 131, 101), Gaussian(0.1)))
    result = check_equal_to_the_whole(source, Recipe(method, tile=40), (17, 23), noise=Gaussian(0.1))
    assert result.blocks > 4


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("noise", "scale"),
    [
        (Gaussian(0.1), 1.0),
        (Quantised(Gaussian(0.1), Quantisation(0.02)), 1.0),
        (Quantisation(0.2), 1.0),
        (Poisson(5.0), 2000.0),
        (PoissonGaussian(5.0, 10.0, 100.0), 2000.0),
        (Speckle(4.0), 200.0),
        (WithImpulses(PoissonGaussian(2.0, 3.0), HotPixels(0.001, 1500.0, 4000.0)), 1000.0),
    ],
)
def test_noise_of_every_kind_that_is_met_place_by_place(noise, scale):
    source = Chunked(noisy((1, 1, 131, 101), noise, scale=scale))
    check_equal_to_the_whole(source, Recipe(EXACT, tile=40, strength=0.9, bound=2.0), (16, 16), noise=noise)


@pytest.mark.parametrize(
    ("noise", "scale"),
    [
        (Gaussian(0.0005), 1.0),
        (Quantised(Gaussian(0.5), Quantisation(0.1)), 1000.0),
        (PoissonGaussian(0.01, 0.02), 2000.0),
    ],
)
def test_contrast_of_many_times_the_noise_is_met_by_the_levels_of_the_whole(noise, scale, monkeypatch):
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 152)
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
    picture = 0.1 * clean((1, 1, 300, 300))
    # In the last block bright pixels are too few for a range of their own, in the whole they are not.
    picture[..., :80, :80] = 0.8 * clean((1, 1, 80, 80)) + 0.2
    picture[..., 290:294, 290:294] = 0.6
    values = noise.sample((scale * picture)[0], np.random.default_rng(0))[np.newaxis].astype(np.float32)
    recipe, source = Recipe(EXACT, tile=152), Chunked(values)
    sample = sample_of(source, slice(0, 1), memory_bytes=MEMORY, deep=False)
    removal = removal_in_parts.removal_for(noise, removal_in_parts.local_denoiser(recipe), recipe, sample)
    assert len(removal.denoiser.nodes) > 2
    assert check_equal_to_the_whole(source, recipe, (8, 8), noise=noise).blocks == 4


def test_correlated_noise_away_from_the_border(monkeypatch):
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 192)
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
    noise, recipe = Correlated(0.1, gaussian_kernel(1.0)), Recipe("experts", tile=192)
    source = Chunked(noisy((1, 1, 336, 304), noise))
    found, result = restored(source, recipe, (16, 16), noise=noise)
    whole, _ = of_whole(source, 0, slice(0, 1), recipe, noise=noise)
    inner = (..., slice(64, -64), slice(64, -64))
    assert result.blocks == 4
    # Beyond 64 pixels filters see less than 1e-5 sigma, in each of at most 8 rounds.
    assert np.abs(found[0] - whole)[inner].max() <= 8 * 1e-5 * noise.sigma + 1e-6


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("shape", "grid", "together"),
    [
        ((2, 3, 67, 51), (16, 16), False),
        ((1, 3, 67, 51), (16, 51), True),
        ((1, 5, 67, 51), (16, 16), True),
        ((2, 2, 5, 67, 51), (2, 16, 16), False),
        ((1, 3, 4, 67, 51), (1, 16, 16), True),
        ((1, 1, 1, 1), (16, 16), False),
        ((1, 1, 5, 3), (16, 16), False),
        ((1, 1, 1, 97), (1, 1), False),
        ((1, 1, 3, 97, 2), (1, 1, 1), False),
    ],
)
@pytest.mark.parametrize("method", [EXACT, "perona-malik"])
def test_items_channels_and_sizes_of_every_kind(shape, grid, together, method):
    source = Chunked(noisy(shape, Gaussian(0.1)), together)
    check_equal_to_the_whole(source, Recipe(method, tile=40), grid, noise=Gaussian(0.1))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float64"])
def test_stored_types_come_back(dtype, small_blocks):
    values = np.rint(1000 * noisy((1, 1, 67, 51), Gaussian(0.1))) if dtype != "uint8" else 200 * clean((1, 1, 67, 51))
    source = Chunked(np.asarray(values, dtype))
    found, _ = restored(source, Recipe(EXACT), (16, 16), sigma=20.0)
    image = from_array(source.values[0], channel_axis=0)
    whole = restore_image(image, Recipe(EXACT), sigma=20.0).image
    assert found.dtype == dtype
    # Where a value lies between two steps, 1e-5 of the range may decide to which it is rounded.
    step = 1.0 if np.dtype(dtype).kind in "iu" else float(np.spacing(np.abs(found).max()))
    assert np.abs(found[0].astype(np.float64) - whole.stored().astype(np.float64)).max() <= step + 1e-5 * image.scale


def test_the_sizes_of_blocks_and_tiles_do_not_matter(monkeypatch):
    source = Chunked(noisy((1, 1, 150, 137), Gaussian(0.1)))
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
    results = []
    for side, tile, grid in ((48, 40, (16, 16)), (80, 72, (5, 7)), (2048, 512, (1, 1)), (33, 104, (33, 137))):
        monkeypatch.setattr(block_grid, "LARGEST_SIDE", side)
        results.append(restored(source, Recipe(EXACT, tile=tile), grid, sigma=0.1)[0])
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], atol=1e-5)


@pytest.mark.usefixtures("small_blocks")
def test_a_reach_that_is_too_short_would_be_seen(box_mean, monkeypatch):
    source = Chunked(noisy((1, 1, 67, 51), Gaussian(0.1)))
    check_equal_to_the_whole(source, Recipe("box-mean", tile=16), (16, 16), noise=Gaussian(0.1))
    monkeypatch.setattr(block_grid, "grown", lambda window, halo, space: window)
    with pytest.raises(AssertionError):
        check_equal_to_the_whole(source, Recipe("box-mean", tile=16), (16, 16), noise=Gaussian(0.1))


@pytest.mark.usefixtures("small_blocks")
def test_sigma_may_be_one_a_channel():
    sigmas = np.array([0.05, 0.0, 0.2])
    values = clean((1, 3, 67, 51)) + sigmas[:, None, None] * np.random.default_rng(0).standard_normal((1, 3, 67, 51))
    for together in (False, True):
        source = Chunked(values.astype(np.float32), together)
        by_sigma, _ = restored(source, Recipe(EXACT), (16, 16), sigma=sigmas)
        by_noise, _ = restored(source, Recipe(EXACT), (16, 16), noise=Gaussian(sigmas.reshape(3, 1, 1)))
        np.testing.assert_array_equal(by_sigma, by_noise)
        if together:
            whole, _ = of_whole(source, 0, slice(0, 3), Recipe(EXACT), sigma=sigmas)
            np.testing.assert_allclose(by_sigma[0], whole, atol=1e-5)
        else:
            np.testing.assert_allclose(by_sigma[0, 1], values[0, 1], atol=1e-6)


def test_planar_methods_are_those_that_take_planes():
    volume = noisy((1, 1, 3, 40, 40), Gaussian(0.1))[0]
    for name in PLANAR & set(LOCAL):
        denoiser = removal_in_parts._untiled(Recipe(EXACT if name == "score" else name).build_denoiser())
        planes = np.stack([denoiser(volume[:, number], 0.1) for number in range(3)], axis=1)
        np.testing.assert_allclose(denoiser(volume, 0.1), planes, atol=1e-6)
