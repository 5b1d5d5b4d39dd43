import numpy as np
import pytest

from noiseless.errors import InvalidParameter
from noiseless.generation import normal_from_seed
from noiseless.generation.randomness import seed_of_sample


def test_a_seed_gives_the_same_numbers_on_numpy_and_torch():
    torch = pytest.importorskip("torch")
    like = np.zeros((2, 3, 4), np.float32)
    a = normal_from_seed(5)(like)
    b = normal_from_seed(5)(torch.from_numpy(like))
    assert b.dtype == torch.float32
    np.testing.assert_array_equal(a, b.numpy())


def test_two_draws_of_one_seed_differ_and_two_sources_agree():
    like = np.zeros((1, 4, 4), np.float32)
    first, second = normal_from_seed(1), normal_from_seed(1)
    a, b = first(like), first(like)
    assert np.abs(a - b).min() > 0
    np.testing.assert_array_equal(a, second(like))


def test_the_numbers_are_standard_normal():
    n = 100_000
    drawn = normal_from_seed(2)(np.zeros((1, 1, n), np.float64))
    assert drawn.dtype == np.float64
    assert abs(drawn.mean()) < 4 / n**0.5
    assert abs(drawn.var() - 1) < 4 * (2 / n) ** 0.5


def test_the_numbers_are_not_those_of_numpy_for_the_same_seed():
    like = np.zeros((1, 1, 10_000), np.float32)
    noise = np.random.default_rng(0).standard_normal(like.shape, dtype=np.float32)
    # independent draws: their correlation has the standard error 1 / sqrt(n)
    assert abs(np.corrcoef(noise.ravel(), normal_from_seed(0)(like).ravel())[0, 1]) < 4 / 10_000**0.5


def test_whoever_keeps_a_seed_keeps_the_numbers():
    like = np.zeros((2, 3), np.float32)
    rng = np.random.default_rng((7, int.from_bytes(b"nois", "big")))
    np.testing.assert_array_equal(normal_from_seed(7)(like), rng.standard_normal((2, 3), dtype=np.float32))
    assert seed_of_sample(7, 2) == np.random.SeedSequence((7, 2)).generate_state(1)[0]
    assert type(seed_of_sample(0, 0)) is int


@pytest.mark.parametrize("draw", [normal_from_seed, lambda seed: seed_of_sample(seed, 0)])
def test_a_seed_is_a_whole_number_from_0(draw):
    for bad in (-1, 0.5):
        with pytest.raises(InvalidParameter, match=f"seed is {bad}"):
            draw(bad)
    draw(0)
