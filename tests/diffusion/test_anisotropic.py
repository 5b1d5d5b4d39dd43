import numpy as np
import pytest

from noiseless.diffusion import CoherenceEnhancing, EdgeEnhancing, MeanCurvature, PeronaMalik
from noiseless.diffusion.tensor import TENSORS
from noiseless.errors import InvalidParameter

SIGMA = 0.1


def whole(upper):
    """(n, D, D) from an upper triangle."""
    dimensions = {3: 2, 6: 3}[len(upper)]
    result = np.empty((upper[0].size, dimensions, dimensions))
    pairs = [(i, j) for i in range(dimensions) for j in range(i, dimensions)]
    for (i, j), part in zip(pairs, upper, strict=True):
        result[:, i, j] = result[:, j, i] = part
    return result


@pytest.fixture(params=[2, 3])
def structure(request, rng):
    """Upper triangles of positive matrices, some of one eigenvalue, some of rank one, some zero."""
    factors = rng.standard_normal((500, request.param, request.param)) * 3
    factors[:100, :, 1:] = 0.0
    matrices = factors @ factors.transpose(0, 2, 1)
    matrices[100:110] = 0.0
    matrices[110:120] = 2.0 * np.eye(request.param)
    pairs = [(i, j) for i in range(request.param) for j in range(i, request.param)]
    return [matrices[:, i, j] for i, j in pairs]


def test_the_tensor_of_edges_is_the_conductivity_of_a_matrix(structure):
    """1 / (1 + mu) for each eigenvalue mu of J, along its own direction."""
    eigenvalues, vectors = np.linalg.eigh(whole(structure))
    expected = np.einsum("nik,nk,njk->nij", vectors, 1 / (1 + eigenvalues), vectors)
    assert whole(TENSORS["edge-enhancing"](structure, 0.0)) == pytest.approx(expected, abs=1e-10)


def test_the_tensor_of_curvature_is_slower_at_strong_edges(structure):
    slower = 1 / (1 + 0.05 * np.trace(whole(structure), axis1=1, axis2=2))
    expected = slower[:, None, None] * whole(TENSORS["edge-enhancing"](structure, 0.0))
    assert whole(TENSORS["mean-curvature"](structure, 0.05)) == pytest.approx(expected, abs=1e-12)


def test_the_tensor_of_coherence_runs_along_what_is_coherent(structure):
    eigenvalues, vectors = np.linalg.eigh(whole(structure))
    above = eigenvalues - eigenvalues[:, :1]
    coherence = (above[:, -1:] ** 2) / (1 + above[:, -1:] ** 2)
    conductivities = coherence * (0.01 + 0.99 / (1 + above)) + (1 - coherence) / (
        1 + eigenvalues.sum(axis=1, keepdims=True)
    )
    expected = np.einsum("nik,nk,njk->nij", vectors, conductivities, vectors)
    # The extreme eigenvalues of the formula have half the digits where two are equal.
    assert whole(TENSORS["coherence-enhancing"](structure, 0.01)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", sorted(TENSORS))
def test_conductivities_are_between_0_and_1(kind, structure):
    eigenvalues = np.linalg.eigvalsh(whole(TENSORS[kind](structure, 0.05)))
    assert eigenvalues.min() > 0.0
    assert eigenvalues.max() <= 1.0 + 1e-9


def slanted_edge(size, rng):
    y, x = np.mgrid[:size, :size] - size / 2
    distance = (0.4 * y + x) / np.hypot(0.4, 1.0)
    clean = 0.2 + 0.6 * np.clip(distance / 2 + 0.5, 0.0, 1.0)[np.newaxis]  # as a camera would see it
    return clean, clean + SIGMA * rng.standard_normal(clean.shape), np.abs(distance) < 3


def test_noise_goes_on_edges_too(rng):
    """Where Perona-Malik leaves it, because it can only stop there."""
    clean, noisy, near = slanted_edge(96, rng)
    errors = [np.mean((smooth(noisy, SIGMA) - clean)[:, near] ** 2) for smooth in (EdgeEnhancing(), PeronaMalik())]
    assert errors[0] < 0.9 * errors[1]


def test_coherence_closes_the_gaps_of_lines():
    """Slanted stripes with a gap of 3 pixels: the stripes grow together, whatever their slope."""
    y, x = np.mgrid[:64, :64]
    for slope in (0.0, 0.35, 1.0, -2.4):
        phase = 2 * np.pi * (x * np.cos(np.arctan(slope)) + y * np.sin(np.arctan(slope))) / 8
        clean = 0.5 + 0.4 * np.sin(phase)
        broken = clean.copy()
        gap = np.hypot(y - 32, x - 32) < 4
        broken[gap] = 0.5
        closed = CoherenceEnhancing(contrast=0.02, time=15.0)(broken[np.newaxis], SIGMA)[0]
        assert np.mean((closed - clean)[gap] ** 2) < 0.5 * np.mean((broken - clean)[gap] ** 2)
        faded = PeronaMalik(contrast=0.02, time=15.0)(broken[np.newaxis], SIGMA)[0]
        assert np.mean((closed - clean)[gap] ** 2) < np.mean((faded - clean)[gap] ** 2)


def test_a_disc_shrinks_at_the_speed_of_its_curvature():
    """Without selectivity and far above the contrast: radius^2 falls by 2 t in two dimensions."""
    y, x = np.mgrid[:80, :80] - 39.5
    distance = np.hypot(y, x)
    cone = np.clip((25.0 - distance) / 10.0 + 0.5, 0.0, 1.0)[np.newaxis]
    curvature = MeanCurvature(selectivity=0.0, contrast=1e-3, presmoothing=0.5, integration=0.0, time=60.0)
    shrunk = curvature(cone, SIGMA)[0]
    # The level 1/2 was a circle of radius 25; area inside it.
    radius = np.sqrt(np.sum(shrunk > 0.5) / np.pi)
    assert radius**2 == pytest.approx(25.0**2 - 2 * 60.0, rel=0.03)
    # The equation is no divergence: the mean moves, here down.
    assert shrunk.mean() < cone.mean() - 0.01


def test_the_volume_of_a_sphere_shrinks_at_twice_the_speed():
    grid = np.mgrid[:40, :40, :40] - 19.5
    distance = np.sqrt((grid**2).sum(axis=0))
    cone = np.clip((13.0 - distance) / 8.0 + 0.5, 0.0, 1.0)[np.newaxis]
    curvature = MeanCurvature(selectivity=0.0, contrast=1e-3, integration=0.0, time=12.0)
    radius = (np.sum(curvature(cone, SIGMA)[0] > 0.5) / (4 / 3 * np.pi)) ** (1 / 3)
    assert radius**2 == pytest.approx(13.0**2 - 4 * 12.0, rel=0.05)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (EdgeEnhancing, {"integration": -1.0}, "integration is -1;"),
        (EdgeEnhancing, {"integration": float("nan")}, "integration is nan;"),
        (EdgeEnhancing, {"steps_per_tensor": 0}, "steps_per_tensor is 0;"),
        (CoherenceEnhancing, {"across": 1.5}, r"across is 1\.5;"),
        (MeanCurvature, {"selectivity": -0.5}, r"selectivity is -0\.5;"),
    ],
)
def test_parameters_out_of_range_are_refused(kind, fields, words):
    with pytest.raises(InvalidParameter, match=words):
        kind(**fields)
