from itertools import pairwise

import pytest

from noiseless.diffusion import geometric, karras, linear
from noiseless.errors import InvalidParameter


def test_karras_spaces_the_seventh_root_evenly():
    sigmas = karras(5, sigma_max=80.0, sigma_min=0.002)
    roots = [sigma ** (1 / 7) for sigma in sigmas[:-1]]
    gaps = [after - before for before, after in pairwise(roots)]
    assert gaps == pytest.approx([gaps[0]] * 4)
    # Equation 5 of the paper by hand, i = 2 of N = 5: the mean of both roots, to the seventh power.
    assert sigmas[2] == pytest.approx(((80 ** (1 / 7) + 0.002 ** (1 / 7)) / 2) ** 7)


def test_a_larger_rho_spends_more_steps_on_little_noise():
    middles = [karras(3, sigma_max=1.0, sigma_min=0.01, rho=rho)[1] for rho in (1.0, 3.0, 7.0, 20.0)]
    assert middles == sorted(middles, reverse=True)
    assert middles[0] == pytest.approx(linear(3, sigma_max=1.0, sigma_min=0.01)[1])


@pytest.mark.parametrize("rho", [0.0, -7.0, float("nan"), float("inf")])
def test_rho_is_positive(rho):
    with pytest.raises(InvalidParameter, match="rho is"):
        karras(3, sigma_max=1.0, sigma_min=0.01, rho=rho)


def test_geometric_has_a_constant_ratio():
    assert geometric(4, sigma_max=8.0, sigma_min=1.0) == pytest.approx((8.0, 4.0, 2.0, 1.0, 0.0))


def test_linear_has_a_constant_difference():
    assert linear(4, sigma_max=1.0, sigma_min=0.25) == pytest.approx((1.0, 0.75, 0.5, 0.25, 0.0))
