import numpy as np
import pytest

from noiseless.classical import CosineShrinkage, NonLocalMeans
from noiseless.diffusion import TotalVariation
from noiseless.errors import InvalidParameter, UnknownName
from noiseless.restoration import Recipe, SelfEnsemble, Tiled, denoise
from noiseless.restoration.methods import build, ensemble_of, parsed


def test_parameters_are_read_as_numbers_or_words():
    assert parsed("heat") == ("heat", {})
    assert parsed("a:side=16, time=2.5,kind=soft") == ("a", {"side": 16, "time": 2.5, "kind": "soft"})


def test_a_method_is_built_with_its_parameters():
    assert build("non-local-means:patch=7", "base", tile=64, exact=False) == Tiled(NonLocalMeans(patch=7), 64)
    assert build("total-variation:time=3", "base", tile=64, exact=False) == TotalVariation(time=3)


def test_the_model_of_an_ensemble_is_that_of_its_networks():
    members = ensemble_of(("score", "experts", "score:model=base"), "tiny", tile=64).members
    names = {"score": "tiny", "experts": "base", "score:model=base": "base"}
    assert members == {member: build(member, model, tile=64, exact=True) for member, model in names.items()}


def test_they_reach_the_image(rng):
    noisy = rng.random((40, 40))
    mild, strong = (denoise(noisy, sigma=0.1, method=f"total-variation:time={t}") for t in (0.5, 20))
    assert np.var(strong) < 0.8 * np.var(mild)
    turned = build("cosine-shrinkage:side=4,turns=8", "base", tile=64, exact=False)
    assert turned == Tiled(SelfEnsemble(CosineShrinkage(side=4)), 64)
    assert Recipe("score:model=tiny").model_name == "tiny"


@pytest.mark.parametrize(
    ("method", "error", "message"),
    [
        ("non-local-means:patch", InvalidParameter, "parameter=value"),
        ("non-local-means:patch=5,patch=7", InvalidParameter, "parameter=value"),
        ("non-local-means:width=5", InvalidParameter, "no parameter 'width'.*patch"),
        ("non-local-means:patch=6", InvalidParameter, "patch is 6"),
        ("score:turns=4", InvalidParameter, "turned 4 times.*8"),
        ("heat:turns=8", InvalidParameter, "reach"),
        ("non-local-means:patch=wide", InvalidParameter, "whole number"),
        ("non-local-means:patch=5.5", InvalidParameter, "whole number"),
        ("cosine-shrinkage:threshold=low", InvalidParameter, "is a number"),
        ("heat:time=soon", InvalidParameter, "is a number"),
        ("heat:tim=1", InvalidParameter, "time"),
        ("heet:time=1", UnknownName, "heat"),
    ],
)
def test_wrong_words_are_refused(method, error, message):
    with pytest.raises(error, match=message):
        Recipe(method)
