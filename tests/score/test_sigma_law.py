import pytest

torch = pytest.importorskip("torch")

from noiseless.errors import InvalidParameter  # noqa: E402
from noiseless.score.sigma_law import Uniform  # noqa: E402


def test_every_level_lies_within_the_bounds():
    law = Uniform(0.01, 0.3, varied=0.5)
    sigma = law.draw((200, 3, 8, 8), torch.Generator().manual_seed(0))
    assert sigma.shape == (200, 3, 8, 8)
    rounding = 1e-6
    assert 0.01 - rounding <= float(sigma.min())
    assert float(sigma.max()) <= 0.3 + rounding


def test_levels_are_spread_evenly():
    count = 4000
    sigma = Uniform(0.0001, 1.0, varied=0.0).draw((count, 1, 1, 1), torch.Generator().manual_seed(1))
    # the mean of a uniform variable has the standard error 1 / sqrt(12 n)
    assert abs(float(sigma.mean()) - 0.5) < 4 / (12 * count) ** 0.5


def test_the_stated_share_of_patches_varies():
    count, varied = 2000, 0.4
    sigma = Uniform(varied=varied).draw((count, 3, 4, 4), torch.Generator().manual_seed(2))
    spread = (sigma.amax(dim=(1, 2, 3)) > sigma.amin(dim=(1, 2, 3))).double().mean()
    assert abs(float(spread) - varied) < 4 * (varied * (1 - varied) / count) ** 0.5


@pytest.mark.parametrize(("low", "high", "varied"), [(0.0, 0.1, 0.1), (0.2, 0.1, 0.1), (0.1, 0.2, 1.1)])
def test_bounds_out_of_order_are_refused(low, high, varied):
    with pytest.raises(InvalidParameter):
        Uniform(low, high, varied)
