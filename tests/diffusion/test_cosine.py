import numpy as np
import pytest

from noiseless.diffusion.cosine import cosine_transform, inverse_cosine_transform, laplacian_eigenvalues, scale_modes
from noiseless.diffusion.operators import divergence, gradient

SHAPES = [(1, 1, 1), (1, 1, 2), (2, 8, 9), (3, 17, 16), (1, 5, 6, 7)]
# An orthonormal transform of float64 values near 1 by FFT: a few roundings a factor of the length.
ROUNDING = 1e-13


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_inverse_is_the_inverse_and_energy_is_kept(shape, rng):
    image = rng.standard_normal(shape)
    coefficients = cosine_transform(image)
    assert inverse_cosine_transform(coefficients) == pytest.approx(image, abs=ROUNDING)
    assert np.sum(coefficients**2) == pytest.approx(np.sum(image**2), rel=ROUNDING)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_torch_gives_the_same_coefficients_as_scipy(shape, rng):
    torch = pytest.importorskip("torch")
    image = rng.standard_normal(shape)
    coefficients = cosine_transform(torch.from_numpy(image))
    assert coefficients.numpy() == pytest.approx(cosine_transform(image), abs=ROUNDING)
    assert inverse_cosine_transform(coefficients).numpy() == pytest.approx(image, abs=ROUNDING)


@pytest.mark.parametrize("shape", [*SHAPES, (2, 130, 70), (1, 3, 66, 5)], ids=str)
def test_scaling_modes_axis_by_axis_equals_scaling_all_coefficients(shape, rng):
    image = rng.standard_normal(shape)
    before = image.copy()
    factors = [rng.random((shape[0], size)) for size in shape[1:]]
    expected = cosine_transform(image)
    for axis, factor in enumerate(factors, start=1):
        expected *= factor.reshape([n if i in (0, axis) else 1 for i, n in enumerate(shape)])
    expected = inverse_cosine_transform(expected)
    assert scale_modes(image, factors) == pytest.approx(expected, abs=ROUNDING)
    assert scale_modes(image.T.copy().T, factors) == pytest.approx(expected, abs=ROUNDING)  # strides that run backward
    assert (image == before).all()
    torch = pytest.importorskip("torch")
    ours = scale_modes(torch.from_numpy(image), [torch.from_numpy(factor) for factor in factors])
    assert ours.numpy() == pytest.approx(expected, abs=ROUNDING)


def test_float32_stays_float32(rng):
    image = rng.standard_normal((1, 6, 5), dtype=np.float32)
    assert cosine_transform(image).dtype == np.float32
    torch = pytest.importorskip("torch")
    coefficients = cosine_transform(torch.from_numpy(image))
    assert coefficients.dtype == torch.float32
    assert inverse_cosine_transform(coefficients).dtype == torch.float32


@pytest.mark.parametrize(("size", "spacing"), [(1, 1.0), (2, 1.0), (9, 0.5), (16, 3.0)])
def test_cosines_are_eigenvectors_of_the_laplacian_of_the_operators(size, spacing):
    for k, eigenvalue in enumerate(laplacian_eigenvalues(size, spacing)):
        mode = np.cos(np.pi * k * (np.arange(size) + 0.5) / size).reshape(1, 1, size)
        laplacian = divergence(gradient(mode, (1.0, spacing)), (1.0, spacing))
        # A few roundings of numbers of the size of the largest eigenvalue, 4 / h^2.
        assert laplacian == pytest.approx(-eigenvalue * mode, abs=1e-14 * 4 / spacing**2)
