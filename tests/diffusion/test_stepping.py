import numpy as np
import pytest

from noiseless.diffusion.cosine import cosine_transform
from noiseless.diffusion.operators import binomial_smoothing
from noiseless.diffusion.stepping import (
    ExplicitScheme,
    check_step_size,
    explicit_diffusion,
    smoothing_for,
    smoothing_passes,
    stability_bound,
)
from noiseless.errors import InvalidParameter


def homogeneous(steps, step_size, spacing, channels=1):
    return ExplicitScheme(
        steps=steps,
        step_size=step_size,
        spacing=spacing,
        conductivity="homogeneous",
        contrasts=(1.0,) * channels,
        smoothing_weights=(0.0,) * len(spacing),
        smoothing_passes=0,
    )


@pytest.mark.parametrize(
    ("spacing", "bound"),
    [((1.0, 1.0), 1 / 4), ((1.0, 1.0, 1.0), 1 / 6), ((0.5, 0.5), 1 / 16), ((1.0, 2.0), 0.4), ((3.0, 1.0, 1.0), 9 / 38)],
)
def test_the_bound_is_that_of_the_spacing(spacing, bound):
    assert stability_bound(spacing) == pytest.approx(bound)
    check_step_size(bound, spacing)
    with pytest.raises(InvalidParameter, match=f"stable only up to .* = {bound:g}"):
        check_step_size(1.02 * bound, spacing)


@pytest.mark.parametrize("step_size", [0.0, -0.1, float("nan")])
def test_a_step_goes_forward(step_size):
    with pytest.raises(InvalidParameter, match=f"step_size is {step_size:g}"):
        check_step_size(step_size, (1.0, 1.0))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 2.0, 0.5)])
def test_the_bound_is_sharp(spacing, rng):
    image = rng.random((1, *(10,) * len(spacing)))
    bound = stability_bound(spacing)
    at_bound = explicit_diffusion(image, homogeneous(400, bound, spacing))
    assert image.min() <= at_bound.min() <= at_bound.max() <= image.max()
    # The finest of 10 modes has the eigenvalue 2 / bound * cos(pi / 20)^2, so a step of 1.05 * bound multiplies it by
    # -1.049, and 400 steps by 1e8.
    beyond = explicit_diffusion(image, homogeneous(400, 1.05 * bound, spacing))
    assert abs(beyond).max() > 1000


def test_the_mean_does_not_drift_as_it_does_with_a_reflecting_pad(rng):
    image = rng.random((1, 32, 32))
    drift = explicit_diffusion(image, homogeneous(400, 0.2, (1.0, 1.0))).mean() - image.mean()
    assert abs(drift) < 400 * np.finfo(float).eps  # a rounding a step
    reflected = image
    for _ in range(400):
        # NumPy's "reflect" leaves the border pixel out: it is no Neumann boundary.
        p = np.pad(reflected, ((0, 0), (1, 1), (1, 1)), mode="reflect")
        neighbours = p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:]
        reflected = reflected + 0.2 * (neighbours - 4 * reflected)
    assert abs(reflected.mean() - image.mean()) > 1e-4


@pytest.mark.parametrize("presmoothing", [0.0, 0.3, 0.5, 0.7, 1.0, 2.5])
def test_presmoothing_has_the_declared_standard_deviation_along_every_axis(presmoothing):
    spacing = (2.0, 1.0)
    weights, passes = smoothing_for(presmoothing, spacing)
    assert passes == smoothing_passes(presmoothing)
    assert all(0.0 <= weight <= 0.25 for weight in weights)
    impulse = np.zeros((1, 41, 41))
    impulse[0, 20, 20] = 1.0
    spread = binomial_smoothing(impulse, weights, passes)[0]
    offsets = np.arange(41) - 20
    for axis, size in enumerate(spacing):
        variance = np.sum(spread.sum(axis=1 - axis) * offsets**2) * size**2  # in the unit of the spacing
        assert variance == pytest.approx(presmoothing**2, abs=1e-12)


def test_presmoothing_is_symmetric_at_the_border(rng):
    image = rng.random((1, 9, 12))
    weights, passes = smoothing_for(1.2, (1.0, 1.0))
    wide = np.pad(image, ((0, 0), (9, 9), (12, 12)), mode="symmetric")
    expected = binomial_smoothing(wide, weights, passes)[:, 9:18, 12:24]
    assert binomial_smoothing(image, weights, passes) == pytest.approx(expected, abs=1e-14)


def test_conductivity_one_is_heat_by_explicit_steps(rng):
    """Each step multiplies each cosine mode by exactly 1 - step_size * eigenvalue."""
    spacing = (1.0, 2.0)
    image = rng.random((2, 12, 15))
    stepped = explicit_diffusion(image, homogeneous(20, 0.3, spacing, channels=2))
    y, x = np.ogrid[:12, :15]
    eigenvalues = (2 * np.sin(np.pi * y / 24)) ** 2 + np.sin(np.pi * x / 30) ** 2
    expected = (1 - 0.3 * eigenvalues) ** 20 * cosine_transform(image)
    assert cosine_transform(stepped) == pytest.approx(expected, abs=1e-12)  # 20 steps of a few roundings
