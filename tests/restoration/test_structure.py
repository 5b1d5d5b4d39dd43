import numpy as np
import pytest

from noiseless.restoration.structure import FALSE_ALARMS, neighbour_correlation, structure_in


@pytest.mark.parametrize("shape", [(1, 128, 160), (3, 70, 90), (1, 3, 64, 64), (1, 19, 16)])
def test_noise_alone_gives_alarm_as_seldom_as_it_says(rng, shape):
    alarms = [structure_in(rng.standard_normal(shape)).found for _ in range(300)]
    # binomial: four standard errors above what is allowed
    assert sum(alarms) <= 300 * FALSE_ALARMS + 4 * np.sqrt(300 * FALSE_ALARMS)


def test_z_has_mean_zero_and_variance_one_on_noise(rng):
    z = np.concatenate([structure_in(rng.standard_normal((1, 256, 256))).z.ravel() for _ in range(12)])
    # 3072 blocks, nearly independent; skewness of chi-square widens the error of the variance
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(3.0 / z.size)


def test_an_edge_in_the_residual_is_found_where_it_is(rng):
    residual = rng.standard_normal((1, 160, 160))
    residual[0, 64:80, 66:70] += 2.0
    structure = structure_in(residual)
    assert structure.found
    assert np.unravel_index(np.argmax(structure.z), structure.z.shape) == (4, 4)
    assert 0 < structure.share < 0.05


def test_less_than_the_noise_is_no_structure(rng):
    assert not structure_in(0.8 * rng.standard_normal((1, 160, 160))).found


def test_where_there_is_no_noise_nothing_is_said(rng):
    residual = np.zeros((1, 64, 64))
    assert structure_in(residual).strongest == 0.0


def test_neighbours_of_white_noise_are_not_correlated(rng):
    over = 0
    for _ in range(50):
        found, limit = neighbour_correlation(rng.standard_normal((1, 40, 40)))
        over += found > limit
    assert over == 0  # four standard errors: once in 16 000 each
    blurred = rng.standard_normal((1, 40, 41))
    found, limit = neighbour_correlation(blurred[..., 1:] + blurred[..., :-1])
    assert found == pytest.approx(0.5, abs=limit)
    assert found > limit
