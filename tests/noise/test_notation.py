import dataclasses
from importlib.util import find_spec

import pytest

from noiseless.errors import InvalidParameter, UnknownName
from noiseless.names import Lazy
from noiseless.noise import NOISE_MODELS, Gaussian, parse_noise
from noiseless.noise.camera import Camera
from noiseless.noise.composition import Quantised, Sum, WithImpulses
from noiseless.noise.correlated import Correlated, gaussian_kernel, ramp_kernel
from noiseless.noise.impulse import HotPixels, RandomImpulses, SaltAndPepper
from noiseless.noise.notation import notation_of
from noiseless.noise.quantisation import Quantisation
from noiseless.noise.stripes import Stripes

BLURRED = Correlated(25.0, gaussian_kernel(1.5))


@pytest.mark.parametrize("text", ["gaussian:25", "gaussian:sigma=25", " Gaussian: 25.0 ", "gaussian:2.5e1"])
def test_a_number_by_place_or_by_name(text):
    assert parse_noise(text) == Gaussian(25.0)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("salt-and-pepper:0.1", SaltAndPepper(0.1)),
        ("random-impulses:density=0.1,high=1", RandomImpulses(0.1, 0, 1)),
        ("hot-pixels:0.001,100,200", HotPixels(0.001, 100, 200)),
        ("correlated:sigma=25,width=1.5", BLURRED),
        ("correlated:25,1.5", BLURRED),
        ("stripes:3,axis=1", Stripes(3.0, 0.0, 1)),
        ("quantisation:1", Quantisation(1.0)),
        ("camera:gain=1e-3,sigma=+0.01", Camera(0.001, 0.01)),
        ("gaussian:1e+1", Gaussian(10.0)),
        ("gaussian:5+hot-pixels:density=0.001", WithImpulses(Gaussian(5), HotPixels(0.001))),
        ("gaussian:1e+1 + quantisation:1", Quantised(Gaussian(10), Quantisation(1))),
        ("correlated:25,1.5+stripes:2+gaussian:1", Sum(Sum(BLURRED, Stripes(2)), Gaussian(1))),
        (
            "gaussian:5+quantisation:1+salt-and-pepper:0.1",
            WithImpulses(Quantised(Gaussian(5), Quantisation(1)), SaltAndPepper(0.1)),
        ),
    ],
)
def test_every_kind_can_be_written(text, model):
    assert parse_noise(text) == model


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
        ("gaussian:25+", r"'25\+' is not a number"),
        ("gaussian:1++gaussian:2", r"'1\+' is not a number"),
        ("+gaussian:2", "empty part"),
        ("", "empty part"),
        ("stripes:1,axis=0.5", r"'0\.5' is not a whole number"),
        ("stripes:1,axis=inf", "'inf' is not a whole number"),
        ("stripes:1,axis=2", "axis is 2; it must be 0"),
        ("correlated:1,kernel=2", "'kernel' twice or in vain; write correlated:sigma=..,width=.."),
        ("correlated:1,-2", "width is -2; it must be from 0"),
        ("camera:0.1,0.1+gaussian:1", "cannot follow Camera; after any noise can come"),
        ("salt-and-pepper:1.5", r"density is 1\.5; it must be"),
    ],
)
def test_mistakes_are_told_in_one_line_with_a_remedy(text, message):
    with pytest.raises(InvalidParameter, match=message) as raised:
        parse_noise(text)
    assert "\n" not in str(raised.value)
    assert ";" in str(raised.value)


@pytest.mark.parametrize("text", ["gausian:25", "hot-pixels:0.1+gausian:25"])
def test_an_unknown_kind_gets_a_suggestion(text):
    with pytest.raises(UnknownName, match="did you mean 'gaussian'"):
        parse_noise(text)


MODELS = [
    Gaussian(0.1 + 0.2),
    SaltAndPepper(1 / 3, -1e-7, 1e22),
    RandomImpulses(0.1),
    HotPixels(0.001),
    BLURRED,
    Correlated(1e-5, gaussian_kernel(0.0)),
    Stripes(1.0, 2.0, 1),
    Quantisation(1 / 255),
    Camera(1e-4, 0.01, white=65535),
    WithImpulses(Camera(0.001, 0.01), SaltAndPepper(0.01)),
    WithImpulses(Quantised(Sum(BLURRED, Gaussian(2)), Quantisation(1)), HotPixels(0.01)),
    Sum(Sum(Stripes(1), Gaussian(2)), BLURRED),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_what_was_written_is_read_as_the_same_model(model):
    assert parse_noise(notation_of(model)) == model


def test_the_notation_names_every_number():
    assert notation_of(Stripes(1, 2, 1)) == "stripes:stripe=1.0,sigma=2.0,axis=1"
    assert notation_of(WithImpulses(BLURRED, HotPixels(0.001, 1, 2))) == (
        "correlated:sigma=25.0,width=1.5+hot-pixels:density=0.001,low=1.0,high=2.0"
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Gaussian([1.0, 2.0]), r"sigma of gaussian noise is an array of shape \(2,\)"),
        (Correlated(1.0, ramp_kernel(8)), "not Gaussian, and has no notation"),
        (Sum(Gaussian(1), Sum(Gaussian(2), Stripes(1))), r"write Sum\(Sum\(a, b\), c\)"),
    ],
)
def test_what_has_no_notation_is_refused(model, message):
    with pytest.raises(InvalidParameter, match=message):
        notation_of(model)


def test_a_kind_outside_the_table_has_no_notation():
    @dataclasses.dataclass(frozen=True)
    class Static:
        level: float = 1.0

    with pytest.raises(InvalidParameter, match="Static is not in the table"):
        notation_of(Static())


@pytest.mark.parametrize(
    "text",
    [
        "poisson:gain=0.5,offset=1.0",
        "poisson-gaussian:gain=0.5,sigma=2.0,offset=0.0",
        "poisson-gaussian:gain=0.5,sigma=2.0,offset=0.0+hot-pixels:density=0.001,low=127.5,high=255.0",
        "rician:sigma=5.0",
        "non-central-chi:sigma=5.0,coils=8",
        "speckle:looks=4.0",
        "amplitude-speckle:looks=4.0",
    ],
)
def test_lazy_kinds_are_written_and_read_too(text):
    entry = NOISE_MODELS[text.partition(":")[0]]
    if isinstance(entry, Lazy) and find_spec(entry.target.partition(":")[0]) is None:
        pytest.skip(f"{entry.target} is not in this checkout")
    assert notation_of(parse_noise(text)) == text
