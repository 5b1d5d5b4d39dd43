import numpy as np
import pytest

from noiseless.diffusion.stencil import DIRECTIONS, MOST_FLIPS, WINDOW, weights_of

SPACINGS = [(1.0, 1.0), (1.0, 2.5), (1.0, 1.0, 1.0), (3.0, 1.0, 0.5)]


def tensors(dimensions, count, rng, least):
    """Random orientations, with eigenvalues down to ``least``; upper triangles and whole matrices."""
    bases = np.linalg.qr(rng.standard_normal((count, dimensions, dimensions)))[0]
    eigenvalues = least ** rng.random((count, dimensions))
    whole = np.einsum("nik,nk,njk->nij", bases, eigenvalues, bases)
    upper = [whole[:, i, j] for i in range(dimensions) for j in range(i, dimensions)]
    return upper, whole


def sum_of(weights, spacing):
    """sum_e weight e e^T in physical units."""
    dimensions = len(spacing)
    offsets = np.array(DIRECTIONS[dimensions]) * np.array(spacing)
    return np.einsum("kn,ki,kj->nij", np.array(weights), offsets, offsets)


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_weights_are_never_negative_and_keep_the_trace(spacing, rng):
    upper, whole = tensors(len(spacing), 5000, rng, least=1e-6)
    weights = weights_of(upper, spacing)
    assert min(weight.min() for weight in weights) >= 0.0
    again = sum_of(weights, spacing)
    assert np.trace(again, axis1=1, axis2=2) == pytest.approx(np.trace(whole, axis1=1, axis2=2), abs=1e-12)


@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_what_fits_into_the_window_is_represented_exactly(spacing, rng):
    upper, whole = tensors(len(spacing), 5000, rng, least=0.2)
    again = sum_of(weights_of(upper, spacing), spacing)
    exact = np.abs(again - whole).max((1, 2)) < 1e-12
    assert exact.mean() > 0.9 if max(spacing) == min(spacing) else exact.mean() > 0.3
    # What does not is the tensor mixed with the isotropic one: the same principal axes.
    mixed, given = again[~exact], whole[~exact]
    assert mixed @ given == pytest.approx(given @ mixed, abs=1e-12)


@pytest.mark.parametrize(("dimensions", "ratio"), [(2, 16.0), (3, 5.8)])
def test_how_thin_a_tensor_may_be_in_any_orientation(dimensions, ratio, rng):
    bases = np.linalg.qr(rng.standard_normal((20000, dimensions, dimensions)))[0]
    for eigenvalues in ([1.0] + [1 / ratio] * (dimensions - 1), [1.0] * (dimensions - 1) + [1 / ratio]):
        whole = np.einsum("nik,k,njk->nij", bases, np.array(eigenvalues), bases)
        upper = [whole[:, i, j] for i in range(dimensions) for j in range(i, dimensions)]
        spacing = (1.0,) * dimensions
        assert sum_of(weights_of(upper, spacing), spacing) == pytest.approx(whole, abs=1e-12)


def test_the_directions_are_all_there_are():
    assert len(DIRECTIONS[2]) == 8
    assert len(DIRECTIONS[3]) == 13
    for dimensions, directions in DIRECTIONS.items():
        assert max(abs(step) for direction in directions for step in direction) == WINDOW[dimensions]
        assert len({tuple(sorted((d, tuple(-s for s in d)))) for d in directions}) == len(directions)


def test_no_tensor_takes_more_flips_than_are_made(rng, monkeypatch):
    upper, _ = tensors(3, 20000, rng, least=1e-8)
    usual = weights_of(upper, (1.0, 1.0, 1.0))
    monkeypatch.setattr("noiseless.diffusion.stencil.MOST_FLIPS", 10 * MOST_FLIPS)
    assert all(np.array_equal(a, b) for a, b in zip(usual, weights_of(upper, (1.0, 1.0, 1.0)), strict=True))
