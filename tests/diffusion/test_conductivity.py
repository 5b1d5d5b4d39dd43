import numpy as np
import pytest

from noiseless.diffusion import CONDUCTIVITIES

RATIOS = np.linspace(0.0, 5.0, 5001)  # |grad u| / contrast


@pytest.fixture(params=sorted(CONDUCTIVITIES))
def conductivity(request):
    return CONDUCTIVITIES[request.param]


def test_a_flat_region_conducts_fully_and_nothing_conducts_more(conductivity):
    values = conductivity(RATIOS**2)
    assert values[0] == 1.0
    assert (values > 0.0).all()
    assert (np.diff(values) <= 0.0).all()


def test_numpy_and_torch_agree(conductivity):
    torch = pytest.importorskip("torch")
    ours, theirs = conductivity(RATIOS**2), conductivity(torch.from_numpy(RATIOS**2)).numpy()
    assert theirs == pytest.approx(ours, rel=1e-14)  # two implementations of exp and sqrt, each within a rounding


@pytest.mark.parametrize(("name", "largest_at"), [("rational", 1.0), ("exponential", 0.5**0.5), ("charbonnier", 5.0)])
def test_the_flux_is_largest_at_the_declared_contrast(name, largest_at):
    flux = CONDUCTIVITIES[name](RATIOS**2) * RATIOS
    assert RATIOS[flux.argmax()] == pytest.approx(largest_at, abs=RATIOS[1])


def test_homogeneous_is_one():
    assert (CONDUCTIVITIES["homogeneous"](RATIOS) == 1.0).all()
