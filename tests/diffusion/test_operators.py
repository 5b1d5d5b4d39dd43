import numpy as np
import pytest

from noiseless.diffusion import divergence, gradient


def test_differences_look_forward_and_stop_at_the_border():
    image = np.array([[[1.0, 4.0, 6.0], [2.0, 2.0, 2.0]]])
    down, right = gradient(image)
    assert np.array_equal(down, [[[1.0, -2.0, -4.0], [0.0, 0.0, 0.0]]])
    assert np.array_equal(right, [[[3.0, 2.0, 0.0], [0.0, 0.0, 0.0]]])


def test_the_divergence_of_the_gradient_is_the_five_point_laplacian_of_the_symmetric_extension(rng):
    image = rng.random((2, 6, 7))
    p = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="symmetric")
    vertical = p[:, :-2, 1:-1] - 2 * image + p[:, 2:, 1:-1]
    horizontal = p[:, 1:-1, :-2] - 2 * image + p[:, 1:-1, 2:]
    spacing = (2.0, 0.5)
    assert divergence(gradient(image, spacing), spacing) == pytest.approx(vertical / 4 + 4 * horizontal, abs=1e-13)
