"""The scatter against laws of noise that are known, over ramps that show every level."""

import numpy as np
import pytest

from noiseless.errors import InvalidImage
from noiseless.noise.estimation.intensity_scatter import GROUPS, LEAST_ERROR, Scatter, scatter


def ramp(low=0.1, high=1.0, shape=(256, 320)):
    return np.broadcast_to(np.linspace(low, high, shape[1]), shape).copy()


def poisson(clean, gain, rng):
    return gain * rng.poisson(clean / gain)


def deviations(points, law):
    """(v - law(m)) / (relative error of v, of the law): the error of a low variance is low, which would bias it."""
    return (points.variances / law(points.levels) - 1) / (points.errors / points.variances)


def test_constant_noise_has_the_same_variance_at_every_level(rng):
    points = scatter(ramp() + 0.05 * rng.standard_normal((256, 320)))
    assert len(points.levels) == GROUPS
    assert np.all(np.diff(points.levels) > 0)
    assert points.used == pytest.approx(1, abs=0.01)
    assert points.clipped == 0
    z = deviations(points, lambda m: np.full_like(m, 0.05**2))
    # 24 groups; the errors are upper bounds, so the mean deviation is below 1 / sqrt(24) = 0.2.
    assert abs(z.mean()) < 4 * 0.2
    assert np.abs(z).max() < 4


@pytest.mark.parametrize("gain", [0.002, 0.02])
def test_photon_noise_has_variances_on_a_line_through_zero(gain, rng):
    points = scatter(poisson(ramp(0.05), gain, rng))
    z = deviations(points, lambda m: gain * m)
    assert abs(z.mean()) < 4 * 0.2
    assert np.abs(z).max() < 4


def test_a_volume_and_float32_are_read_like_an_image(rng):
    clean = np.broadcast_to(ramp(shape=(96, 120)), (6, 96, 120))
    points = scatter(poisson(clean, 0.02, rng).astype(np.float32))
    z = deviations(points, lambda m: 0.02 * m)
    assert abs(z.mean()) < 4 * 0.2


def test_texture_beside_flat_areas_raises_no_variance_beyond_its_error(rng):
    columns = ramp()[:, ::2]
    texture = rng.standard_normal((258, 162))
    texture = sum(texture[i : i + 256, j : j + 160] for i in range(3) for j in range(3)) / 9
    textured = np.clip(columns + 0.2 * texture, 0.01, None)
    points = scatter(poisson(np.hstack([columns, textured]), 0.01, rng))
    # Texture at three times the noise is left out; at the ends, where only it is found, a group may hold nothing else.
    z = deviations(points, lambda m: 0.01 * m)
    assert np.mean(np.abs(z) < 4) > 0.8
    assert np.median(np.abs(z)) < 1


def test_groups_near_a_bound_are_left_out_and_the_others_keep_the_law(rng):
    noisy = np.clip(ramp(-0.2, 1.2) + 0.1 * rng.standard_normal((256, 320)), 0, 1)
    points = scatter(noisy)
    assert 0.2 < points.used < 0.8
    assert points.clipped > 0.2
    assert points.levels.min() > 0.15
    assert points.levels.max() < 0.85
    # With 1 % of the pixels at a bound 5 % of the variance is lost.
    assert np.all(points.variances / 0.01 < 1 + 4 * points.errors / points.variances)
    assert np.all(points.variances / 0.01 > 0.95 - 4 * points.errors / points.variances)


def test_bright_groups_lose_their_tail_to_the_bound_without_a_pile_and_are_left_out(rng):
    # Noise of 0.05 + 0.1 m is 2.5 deviations below 1 at the level 0.7; 18 of 320 columns are brighter.
    clean = np.hstack([ramp(0.1, 0.5, (256, 288)), ramp(0.5, 0.95, (256, 32))])
    noisy = np.minimum(clean + (0.05 + 0.1 * clean) * rng.standard_normal(clean.shape), 1)
    points = scatter(noisy)
    z = deviations(points, lambda m: (0.05 + 0.1 * m) ** 2)
    # At 2.5 deviations 1 % of the variance is lost, half of the least error that is declared.
    assert np.all(points.levels + 2.5 * (0.05 + 0.1 * points.levels) < 1 + 0.02)
    assert z.min() > -4


def test_a_masked_background_is_not_looked_at(rng):
    noisy = ramp() + 0.02 * rng.standard_normal((256, 320))
    noisy[:128] = 0
    points = scatter(noisy)
    assert points.levels.min() > 0.08
    assert np.abs(points.variances / 0.02**2 - 1).max() < 0.3


def test_an_image_that_is_all_clipped_has_no_groups(rng):
    points = scatter(np.clip(0.5 + 5 * rng.standard_normal((64, 64)), 0, 1))
    assert points.levels.size == points.variances.size == points.errors.size == 0
    assert points.used == 0


def test_units_scale_and_a_pedestal_only_shifts(rng):
    noisy = poisson(ramp(), 0.01, rng)
    points, scaled = scatter(noisy), scatter(256.0 * noisy + 64.0)
    np.testing.assert_allclose(scaled.levels, 256 * points.levels + 64, rtol=1e-4)
    # float32 has 24 bits: a group may choose one patch more or less.
    np.testing.assert_allclose(scaled.variances, 256**2 * points.variances, rtol=0.01)


def test_the_image_is_not_written_to_and_the_answer_is_always_the_same(rng):
    noisy = poisson(ramp(), 0.01, rng)
    noisy.flags.writeable = False
    first, second = scatter(noisy), scatter(noisy)
    np.testing.assert_array_equal(first.variances, second.variances)


def test_degrees_of_freedom_are_those_of_a_chi_square_with_the_same_relative_error():
    points = Scatter(np.array([1.0, 2.0]), np.array([4.0, 4.0]), np.array([0.4, 1e-9]), 0.0, 1.0)
    assert points.degrees == pytest.approx([2 / 0.1**2, 2 / LEAST_ERROR**2])


@pytest.mark.parametrize("shape", [(7, 100), (100, 7), (50, 3, 3), (1, 1)])
def test_no_patch_no_scatter(shape):
    assert scatter(np.zeros(shape)) is None


def test_few_patches_give_few_groups_and_a_constant_image_no_noise():
    assert len(scatter(np.zeros((20, 20))).levels) <= 3
    assert not scatter(np.zeros((64, 64))).variances.any()
    assert scatter(np.zeros((8, 8))).levels.size == 0


@pytest.mark.parametrize("image", [np.full((64, 64), np.nan), np.full((64, 64), np.inf), np.zeros((2, 2, 64, 64))])
def test_what_is_not_a_channel_is_refused(image):
    with pytest.raises(InvalidImage):
        scatter(image)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_refused(bad):
    channel = ramp()
    channel[7, 9] = bad
    with pytest.raises(InvalidImage, match="replace them first"):
        scatter(channel)
