"""A network on images of great contrast: the same as ever where it is usual, better where it is not."""

import numpy as np
import pytest

from noiseless.restoration import Recipe, Tiled, denoise
from noiseless.restoration.level_range import APART, USUAL_CONTRAST, ByLevels, nodes_of
from noiseless.score import NetworkDenoiser

NETWORK = NetworkDenoiser("tiny", precision="float32")


class Identity:
    def reach(self, sigma):
        return 0

    def __call__(self, noisy, sigma):
        return noisy


def head(side=96):
    """Bone around a brain with waves of a hundredth of the range."""
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2
    radius = np.hypot(y, 1.2 * x) / side
    brain = 0.3 + 0.01 * np.sin(y / 3)
    return np.where(radius > 0.45, 0.0, np.where(radius > 0.38, 1.0, brain)).astype(np.float32)[np.newaxis]


def noisy_head(rng, sigma):
    clean = head()
    return clean, clean + sigma * rng.standard_normal(clean.shape).astype(np.float32)


def test_where_contrast_is_usual_nothing_changes(rng):
    _, noisy = noisy_head(rng, 0.02)
    assert np.array_equal(ByLevels(NETWORK)(noisy, 0.02), NETWORK(noisy, 0.02))
    assert nodes_of(noisy, 0.0) == ()
    assert nodes_of(noisy, 1.0001 * float(np.ptp(noisy)) / USUAL_CONTRAST) == ()


def test_weights_of_all_ranges_add_up_to_one(rng):
    _, noisy = noisy_head(rng, 1e-3)
    assert len(nodes_of(noisy, 1e-3)) > 3
    # Sums of half a dozen float32 numbers of about 1.
    np.testing.assert_allclose(ByLevels(Identity())(noisy, 1e-3), noisy, atol=16 * 2.0**-23)


@pytest.mark.parametrize("sigma", [1 / 500, 1 / 1000, 1 / 2000])
def test_beside_great_contrast_less_is_wrong(rng, sigma):
    clean, noisy = noisy_head(rng, sigma)
    brain = (clean > 0.2) & (clean < 0.5)
    plain, ranged = (np.std((d(noisy, sigma) - clean)[brain]) for d in (NETWORK, ByLevels(NETWORK)))
    assert ranged < 0.8 * plain
    assert ranged < sigma


def test_it_scales_with_the_image(rng):
    _, noisy = noisy_head(rng, 1e-3)
    denoiser = ByLevels(NETWORK)
    scaled = denoiser(4096 * noisy, 4.096) / 4096
    # Ranges begin at other float32 numbers, an ulp of the greatest level apart; the network is that continuous.
    np.testing.assert_allclose(scaled, denoiser(noisy, 1e-3), atol=1e-5)


def test_with_the_nodes_of_the_whole_a_part_is_that_of_the_whole(rng):
    _, noisy = noisy_head(rng, 1e-3)
    whole = ByLevels(NETWORK).with_nodes_of(noisy, 1e-3)
    halo = whole.reach(1e-3)
    part = whole(noisy[..., : 48 + halo, :], 1e-3)[..., :48, :]
    np.testing.assert_allclose(part, whole(noisy, 1e-3)[..., :48, :], atol=1e-5)
    flat = rng.random((1, 40, 40)).astype(np.float32)
    assert np.array_equal(ByLevels(NETWORK).with_nodes_of(flat, 0.1)(flat, 0.1), NETWORK(flat, 0.1))


def test_nodes_go_from_end_to_end_with_room_between(rng):
    values = np.concatenate([rng.normal(0.0, 0.01, 5000), rng.normal(100.0, 10.0, 200)]).reshape(1, 52, 100)
    nodes = nodes_of(values.astype(np.float32), 0.01)
    assert nodes[0] == np.float32(values.min())
    assert nodes[-1] == pytest.approx(values.max(), rel=1e-6)
    assert np.diff(nodes).min() >= 0.99 * APART * 0.01


@pytest.mark.torch
def test_torch_goes_the_same_way(rng):
    torch = pytest.importorskip("torch")
    _, noisy = noisy_head(rng, 1e-3)
    denoiser = ByLevels(Identity())
    there = denoiser(torch.from_numpy(noisy), 1e-3)
    np.testing.assert_allclose(there.numpy(), denoiser(noisy, 1e-3), atol=16 * 2.0**-23)


def test_recipes_go_by_levels_but_for_flows():
    assert isinstance(Recipe().build_denoiser(), ByLevels)
    assert isinstance(Recipe(samples=2, steps=5).build_denoiser(), Tiled)
    assert isinstance(Recipe(steps=4).build_denoiser().denoiser, Tiled)


def test_colours_and_maps_are_taken(rng):
    colours = np.concatenate([head()] * 3)
    noisy = colours + 1e-3 * rng.standard_normal(colours.shape).astype(np.float32)
    network = NetworkDenoiser("tiny", precision="float32")
    assert np.array_equal(ByLevels(network)(noisy, 1e-3), network(noisy, 1e-3))
    level = np.full(head().shape, 1e-3)
    mapped, told = (denoise(noisy[0], sigma=sigma, model="tiny") for sigma in (level[0], 1e-3))
    np.testing.assert_allclose(mapped, told, atol=1e-5)
