import pytest

from noiseless.errors import InvalidParameter
from noiseless.score import SIZES, ResidualShape

BUDGET = {"tiny": 0.02e6, "base": 0.15e6, "large": 0.6e6}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_keeps_to_its_budget(size, channels):
    assert ResidualShape(channels=channels, **SIZES[size]).multiply_adds <= BUDGET[size]


def test_multiply_adds_are_those_of_the_kernels():
    shape = ResidualShape(channels=3, width=16, blocks=2)
    total = sum(a * b * c * d for a, b, c, d in shape.kernel_shapes().values())
    assert shape.multiply_adds == total / shape.factor**2


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"width": -1}, {"blocks": 1.5}, {"factor": 0}])
def test_a_shape_needs_whole_positive_numbers(wrong):
    with pytest.raises(InvalidParameter, match="whole number"):
        ResidualShape(**{"channels": 1, "width": 8, "blocks": 1, **wrong})
