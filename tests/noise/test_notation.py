import pytest

from noiseless.errors import InvalidParameter, UnknownName
from noiseless.noise import Gaussian, parse_noise


@pytest.mark.parametrize("text", ["gaussian:25", "gaussian:sigma=25", " Gaussian: 25.0 ", "gaussian:2.5e1"])
def test_a_number_by_place_or_by_name(text):
    assert parse_noise(text) == Gaussian(25.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaussian", "lacks sigma"),
        ("gaussian:", "lacks sigma"),
        ("gaussian:25,3", "too many numbers"),
        ("gaussian:gain=3", "'gain' twice or in vain"),
        ("gaussian:sigma=1,sigma=2", "'sigma' twice or in vain"),
        ("gaussian:much", "'much' is not a number"),
        ("gaussian:-1", "sigma is -1"),
        ("gaussian:nan", "sigma is nan"),
    ],
)
def test_mistakes_are_told_in_one_line_with_a_remedy(text, message):
    with pytest.raises(InvalidParameter, match=message) as raised:
        parse_noise(text)
    assert "\n" not in str(raised.value)
    assert ";" in str(raised.value)


def test_an_unknown_kind_gets_a_suggestion():
    with pytest.raises(UnknownName, match="did you mean 'gaussian'"):
        parse_noise("gausian:25")
