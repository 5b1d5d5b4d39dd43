import numpy as np
import pytest

from noiseless.diffusion.cosine import cosine_transform
from noiseless.diffusion.operators import heat_smoothing
from noiseless.diffusion.scalar import ScalarScheme, diffuse, smoothing_for, smoothing_passes
from noiseless.diffusion.stepping import Cycle, fast_explicit_steps, stability_bound


def heat(spacing, channels=1):
    return ScalarScheme(spacing, "homogeneous", (1.0,) * channels, (0.0,) * len(spacing), 0)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 2.0, 0.5)])
def test_the_bound_is_sharp(spacing, rng):
    image = rng.random((1, *(10,) * len(spacing)))
    bound = stability_bound(spacing)
    at_bound = diffuse(image, heat(spacing), [Cycle((bound,), 1.0)] * 400, None)
    assert image.min() <= at_bound.min() <= at_bound.max() <= image.max()
    # The finest of 10 modes has the eigenvalue 2 / bound * cos(pi / 20)^2, so a step of 1.05 * bound multiplies it by
    # -1.049, and 400 steps by 1e8.
    beyond = diffuse(image, heat(spacing), [Cycle((1.05 * bound,), 1.0)] * 400, None)
    assert abs(beyond).max() > 1000


def test_the_mean_does_not_drift_as_it_does_with_a_reflecting_pad(rng):
    image = rng.random((1, 32, 32))
    drift = diffuse(image, heat((1.0, 1.0)), [Cycle((0.2,), 1.0)] * 400, None).mean() - image.mean()
    assert abs(drift) < 400 * np.finfo(float).eps  # a rounding a step
    reflected = image
    for _ in range(400):
        # NumPy's "reflect" leaves the border pixel out: it is no Neumann boundary.
        p = np.pad(reflected, ((0, 0), (1, 1), (1, 1)), mode="reflect")
        neighbours = p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:]
        reflected = reflected + 0.2 * (neighbours - 4 * reflected)
    assert abs(reflected.mean() - image.mean()) > 1e-4


@pytest.mark.parametrize("presmoothing", [0.0, 0.3, 0.5, 0.7, 1.0, 2.5])
@pytest.mark.parametrize("spacing", [(2.0, 1.0), (1.5, 1.0, 1.0)])
def test_presmoothing_has_the_declared_standard_deviation_along_every_axis(presmoothing, spacing):
    weights, passes = smoothing_for(presmoothing, spacing)
    assert passes == smoothing_passes(presmoothing, len(spacing))
    assert all(weight >= 0.0 for weight in weights)
    assert 1.0 - 2.0 * sum(weights) >= 0.25  # at the centre
    impulse = np.zeros((1, *(41,) * len(spacing)))
    impulse[(0, *(20,) * len(spacing))] = 1.0
    spread = heat_smoothing(impulse, weights, passes)[0]
    offsets = np.arange(41) - 20
    for axis, size in enumerate(spacing):
        others = tuple(other for other in range(len(spacing)) if other != axis)
        variance = np.sum(spread.sum(axis=others) * offsets**2) * size**2  # in the unit of the spacing
        assert variance == pytest.approx(presmoothing**2, abs=1e-12)


def test_presmoothing_is_symmetric_at_the_border(rng):
    image = rng.random((1, 9, 12))
    weights, passes = smoothing_for(1.2, (1.0, 1.0))
    wide = np.pad(image, ((0, 0), (9, 9), (12, 12)), mode="symmetric")
    expected = heat_smoothing(wide, weights, passes)[:, 9:18, 12:24]
    assert heat_smoothing(image, weights, passes) == pytest.approx(expected, abs=1e-14)


def eigenvalues_of(shape, spacing):
    y, x = np.ogrid[: shape[0], : shape[1]]
    along_y = (2 * np.sin(np.pi * y / (2 * shape[0])) / spacing[0]) ** 2
    return along_y, (2 * np.sin(np.pi * x / (2 * shape[1])) / spacing[1]) ** 2


@pytest.mark.parametrize("steps", [(0.3,) * 20, fast_explicit_steps(5.0, 0.4)], ids=["explicit", "fast-explicit"])
def test_conductivity_one_is_heat_by_steps(rng, steps):
    """Each step multiplies each cosine mode by exactly 1 - step_size * eigenvalue."""
    image = rng.random((2, 12, 15))
    stepped = diffuse(image, heat((1.0, 2.0), channels=2), [Cycle(tuple(steps), 1.0)], None)
    total = sum(eigenvalues_of((12, 15), (1.0, 2.0)))
    expected = np.prod([1 - step * total for step in steps], axis=0) * cosine_transform(image)
    assert cosine_transform(stepped) == pytest.approx(expected, abs=1e-12)  # 20 steps of a few roundings


def test_an_implicit_step_divides_each_mode_along_each_axis(rng):
    """The mean over the axes of 1 / (1 + 2 step eigenvalue)."""
    image = rng.random((2, 12, 15))
    stepped = diffuse(image, heat((1.0, 2.0), channels=2), [Cycle((3.0,), 1.0)], None, implicit=True)
    along_y, along_x = eigenvalues_of((12, 15), (1.0, 2.0))
    expected = 0.5 * (1 / (1 + 6 * along_y) + 1 / (1 + 6 * along_x)) * cosine_transform(image)
    assert cosine_transform(stepped) == pytest.approx(expected, abs=1e-12)


def test_nothing_crosses_the_border_of_a_mask(rng):
    """Both halves of an image evolve as images of their own, presmoothing and conductivity included."""
    image = rng.random((2, 14, 20))
    mask = np.ones((14, 20), bool)
    mask[:, 9:11] = False
    for implicit in (False, True):
        weights, passes = smoothing_for(0.9, (1.0, 1.0))
        scheme = ScalarScheme((1.0, 1.0), "rational", (0.3, 0.3), weights, passes)
        cycles = [Cycle((0.2,), 1.0)] * 5
        masked = diffuse(image, scheme, cycles, mask, implicit=implicit)
        tolerance = 1e-13  # a few roundings of values below 1, of other sums
        for half in (slice(0, 9), slice(11, 20)):
            alone = diffuse(image[:, :, half], scheme, cycles, None, implicit=implicit)
            assert masked[:, :, half] == pytest.approx(alone, abs=tolerance)
        assert masked[:, :, 9:11] == pytest.approx(image[:, :, 9:11], abs=tolerance)
