"""Gradient and divergence are negative adjoints, with a Neumann boundary, in every dimension."""

import numpy as np
import pytest

from noiseless.diffusion import divergence, gradient

CASES = [
    ((1, 1, 1), ()),
    ((1, 17, 23), ()),
    ((3, 8, 1), (0.5, 2.0)),
    ((2, 9, 10), (0.7, 0.3)),
    ((1, 6, 7, 8), ()),
    ((3, 5, 4, 3), (5.0, 1.0, 1.5)),
]


@pytest.fixture(params=CASES, ids=str)
def case(request, rng):
    shape, spacing = request.param
    return rng.standard_normal(shape), rng.standard_normal((len(shape) - 1, *shape)), spacing


def rounding_of(*terms):
    """A sum of n terms is rounded at most n times, each time by half an epsilon of at most the sum of magnitudes."""
    magnitude = sum(float(np.abs(term).sum()) for term in terms)
    return max(term.size for term in terms) * np.finfo(np.float64).eps * magnitude


def test_gradient_and_divergence_are_negative_adjoints(case):
    u, p, spacing = case
    left, right = gradient(u, spacing) * p, u * divergence(p, spacing)
    assert abs(left.sum() + right.sum()) <= rounding_of(left, right)


def test_nothing_leaves_through_the_border(case):
    _, p, spacing = case
    flow = divergence(p, spacing)
    assert np.abs(flow.sum(axis=tuple(range(1, flow.ndim)))).max() <= rounding_of(flow, p / min(spacing or (1.0,)))


def test_a_constant_has_no_gradient(case):
    u, _, spacing = case
    assert not gradient(np.full_like(u, 0.3), spacing).any()


def test_a_ramp_has_the_slope_of_its_spacing(case):
    u, _, spacing = case
    for axis, size in enumerate(spacing or (1.0,) * (u.ndim - 1), start=1):
        positions = size * np.arange(u.shape[axis])
        ramp = np.broadcast_to(positions.reshape([-1 if i == axis else 1 for i in range(u.ndim)]), u.shape)
        slopes = gradient(ramp, spacing)[axis - 1]
        inner = np.take(slopes, range(u.shape[axis] - 1), axis=axis)
        assert inner == pytest.approx(np.ones_like(inner))
        assert not np.take(slopes, [-1], axis=axis).any()


def test_numpy_and_torch_agree_to_the_bit(case):
    torch = pytest.importorskip("torch")
    u, p, spacing = case
    assert np.array_equal(gradient(torch.from_numpy(u), spacing).numpy(), gradient(u, spacing))
    assert np.array_equal(divergence(torch.from_numpy(p), spacing).numpy(), divergence(p, spacing))
