import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.restoration import METHODS, Tiled
from noiseless.restoration.tiling import _cores, sides_of_tiles
from noiseless.score import LEARNED, NetworkDenoiser

LOCAL = [name for name, build in METHODS.items() if hasattr(build, "reach")]


def built(name):
    return NetworkDenoiser(precision="float32") if name in LEARNED else METHODS[name]()


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("shape", [(1, 101, 230), (3, 97, 64), (1, 2, 70, 90)])
def test_tiles_equal_the_whole(name, shape, rng):
    noisy = rng.random(shape, dtype=np.float32)
    denoiser = built(name)
    # the bar of the design; a local denoiser adds the same numbers in the same order, so it is met with room
    np.testing.assert_allclose(Tiled(denoiser, 64)(noisy, 0.1), denoiser(noisy, 0.1), atol=1e-5)


@pytest.mark.parametrize("name", LOCAL)
def test_the_size_of_the_tile_does_not_matter(name, rng):
    noisy = rng.random((1, 150, 140), dtype=np.float32)
    denoiser = built(name)
    np.testing.assert_allclose(Tiled(denoiser, 40)(noisy, 0.1), Tiled(denoiser, 72)(noisy, 0.1), atol=1e-5)


@pytest.mark.parametrize("space", [(1080, 1920), (3000, 4000), (20000, 20000), (9, 100_000), (100_000, 9), (64, 64)])
@pytest.mark.parametrize("tile", [8, 512, 1536])
def test_tiles_cover_an_image_once_and_are_no_larger_than_allowed(space, tile):
    if space[0] * space[1] > 10**8 * (tile >= 512) + 10**7:
        pytest.skip("as many tiles as pixels")
    sides = sides_of_tiles(space, tile**2, 64)
    assert all(side % 8 == 0 for side in sides)
    assert sides[0] * sides[1] <= tile**2
    seen = 0
    edges = set()
    for rows, columns in _cores(space, sides):
        seen += (rows.stop - rows.start) * (columns.stop - columns.start)
        edges.add((rows.start, columns.start))
    assert seen == space[0] * space[1]
    assert len(edges) == -(-space[0] // sides[0]) * -(-space[1] // sides[1])


def test_little_is_computed_twice():
    # 6 tiles are the least; two seams one way and one the other are 1.11 times the image, five of one way 1.16
    rows, columns = sides_of_tiles((3000, 4000), 1536**2, 64)
    down, across = -(-3000 // rows), -(-4000 // columns)
    assert (3000 + 128 * (down - 1)) * (4000 + 128 * (across - 1)) < 1.12 * 3000 * 4000


def test_a_map_of_sigma_is_cut_with_the_image(rng):
    noisy = rng.random((3, 100, 90), dtype=np.float32)
    denoiser = built("score")
    for shape in [(1, 100, 90), (3, 1, 1), (1, 100, 1), (3, 100, 90), (100, 90)]:
        sigma = np.float32(0.2) * rng.random(shape, dtype=np.float32)
        np.testing.assert_allclose(Tiled(denoiser, 48)(noisy, sigma), denoiser(noisy, sigma), atol=1e-5)


def test_a_wrong_reach_would_be_seen(box_mean, rng):
    class TooShort(type(box_mean)):
        def reach(self, sigma):
            return 0

    noisy = rng.random((1, 40, 40), dtype=np.float32)
    np.testing.assert_allclose(Tiled(box_mean, 16)(noisy, 0.1), box_mean(noisy, 0.1), atol=1e-6)
    assert np.abs(Tiled(TooShort(), 16)(noisy, 0.1) - box_mean(noisy, 0.1)).max() > 1e-3


def test_an_array_that_fits_one_tile_is_passed_on_whole(box_mean, rng):
    noisy = rng.random((1, 16, 16), dtype=np.float32)
    np.testing.assert_array_equal(Tiled(box_mean, 16)(noisy, 0.1), box_mean(noisy, 0.1))


@pytest.mark.parametrize("tile", [0, -8, 100, 7])
def test_a_tile_off_the_grid_is_refused(box_mean, tile):
    with pytest.raises(InvalidParameter, match="multiple of 8"):
        Tiled(box_mean, tile)
