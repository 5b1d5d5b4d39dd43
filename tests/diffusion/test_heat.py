import numpy as np
import pytest

from noiseless.diffusion import Heat, heat_flow, heat_steps
from noiseless.diffusion.cosine import cosine_transform
from noiseless.errors import InvalidImage, InvalidParameter


@pytest.mark.parametrize("spacing", [(), (0.5, 2.0), (1.0, 3.0, 0.7)], ids=str)
@pytest.mark.parametrize("time", [0.0, 0.3, 20.0])
def test_heat_lets_a_cosine_mode_decay_by_its_exact_eigenvalue(spacing, time):
    sizes = (9, 12, 7)[: len(spacing) or 2]
    modes = (2, 3, 1)[: len(sizes)]
    wave, eigenvalue = np.ones((1, *sizes)), 0.0
    for axis, (size, k, h) in enumerate(zip(sizes, modes, spacing or (1.0, 1.0), strict=True), start=1):
        positions = (np.arange(size) + 0.5).reshape([-1 if i == axis else 1 for i in range(wave.ndim)])
        wave = wave * np.cos(np.pi * k * positions / size)
        eigenvalue += (2 - 2 * np.cos(np.pi * k / size)) / h**2
    assert heat_flow(wave, time, spacing=spacing) == pytest.approx(np.exp(-time * eigenvalue) * wave, abs=1e-15)


def test_heat_is_a_semigroup(rng):
    image = rng.random((3, 20, 31))
    assert heat_flow(heat_flow(image, 0.7), 2.1) == pytest.approx(heat_flow(image, 2.8), abs=1e-14)


def test_heat_for_a_long_time_is_the_mean(rng):
    image = rng.random((2, 20, 31))
    # The slowest mode has the eigenvalue (pi / 31)^2 = 0.01, and exp(-0.01 * 1e4) is below any rounding.
    assert heat_flow(image, 1e4) == pytest.approx(np.broadcast_to(image.mean((1, 2), keepdims=True), image.shape))


def test_heat_blurs_by_the_root_of_twice_the_time():
    impulse = np.zeros((1, 61, 61))
    impulse[0, 30, 30] = 1.0
    blurred = heat_flow(impulse, 4.5)[0]
    offsets = np.arange(61) - 30
    # On the grid as in the continuum, the variance is exactly 2 t; the border, 10 deviations away, is not felt.
    assert np.sum(blurred.sum(axis=0) * offsets**2) == pytest.approx(9.0, abs=1e-9)


def test_heat_with_a_time_is_that_flow_whatever_the_noise(rng):
    image = rng.random((1, 12, 13))
    for sigma in (0.01, 10.0):
        assert np.array_equal(Heat(time=0.4)(image, sigma), heat_flow(image, 0.4))


@pytest.mark.parametrize("time", [-0.1, float("nan"), float("inf")])
def test_heat_refuses_times_that_are_none(time):
    with pytest.raises(InvalidParameter, match="a diffusion time is finite and >= 0"):
        Heat(time=time)
    with pytest.raises(InvalidParameter, match="a diffusion time is finite and >= 0"):
        heat_flow(np.zeros((1, 4, 4)), time)


def test_the_flow_checks_its_image_and_spacing():
    with pytest.raises(InvalidImage, match=r"\(4, 4\)"):
        heat_flow(np.zeros((4, 4)), 1.0)
    with pytest.raises(InvalidParameter, match="3 entries"):
        heat_flow(np.zeros((1, 4, 4)), 1.0, spacing=(1.0, 1.0, 1.0))


@pytest.mark.parametrize("spacing", [(), (0.5, 2.0)], ids=str)
def test_heat_may_have_a_time_for_each_axis(spacing, rng):
    image = rng.random((2, 15, 18))
    along_y, along_x = (heat_flow(image, time, spacing=spacing) for time in ((1.3, 0.0), (0.0, 0.4)))
    assert heat_flow(along_y, (0.0, 0.4), spacing=spacing) == pytest.approx(
        heat_flow(image, (1.3, 0.4), spacing=spacing), abs=1e-14
    )
    assert along_y.mean(axis=1) == pytest.approx(image.mean(axis=1))  # nothing moves across the columns
    assert along_x.mean(axis=2) == pytest.approx(image.mean(axis=2))
    assert np.array_equal(
        Heat(time=(1.3, 0.4), spacing=spacing)(image, 0.1), heat_flow(image, (1.3, 0.4), spacing=spacing)
    )


@pytest.mark.parametrize("times", [(1.0,), (1.0, 2.0, 3.0), (1.0, -2.0)])
def test_times_for_other_axes_are_refused(times):
    with pytest.raises(InvalidParameter, match="time"):
        heat_flow(np.zeros((1, 4, 4)), times)


@pytest.mark.parametrize("shape", [(1, 40, 33), (2, 9, 10, 11)])
@pytest.mark.parametrize("steps", [0, 1, 3, 70, 71, 200])
def test_explicit_heat_is_the_polynomial_of_the_steps_whichever_way_is_taken(shape, steps, rng):
    torch = pytest.importorskip("torch")
    spacing = (1.0, 0.8, 1.5)[: len(shape) - 1]
    image = rng.random(shape)
    step_size = 0.9 / (2 * sum(size**-2 for size in spacing))
    coefficients, total = cosine_transform(image), 0.0
    for axis, size in enumerate(spacing, start=1):
        eigenvalues = (2 * np.sin(np.pi * np.arange(shape[axis]) / (2 * shape[axis])) / size) ** 2
        eigenvalues = eigenvalues.reshape([-1 if i == axis else 1 for i in range(image.ndim)])
        total = total + eigenvalues
    expected = (1 - step_size * total) ** steps * coefficients
    stepped = heat_steps(image, step_size, steps, spacing=spacing)
    assert cosine_transform(stepped) == pytest.approx(expected, abs=1e-11)
    assert not np.shares_memory(stepped, image)
    plain = heat_steps(torch.from_numpy(image), step_size, steps, spacing=spacing)
    assert plain.numpy() == pytest.approx(stepped, abs=1e-12)


def test_explicit_heat_tends_to_the_flow(rng):
    image = rng.random((1, 20, 21))
    errors = [abs(heat_steps(image, 2.0 / n, n) - heat_flow(image, 2.0)).max() for n in (20, 40, 80)]
    assert [errors[0] / errors[1], errors[1] / errors[2]] == pytest.approx([2.0, 2.0], abs=0.3)  # first order


def test_explicit_heat_checks_its_steps():
    with pytest.raises(InvalidParameter, match=r"step_size is 0\.3;.* = 0\.25"):
        heat_steps(np.zeros((1, 4, 4)), 0.3, 1)
    with pytest.raises(InvalidParameter, match="steps is -1"):
        heat_steps(np.zeros((1, 4, 4)), 0.2, -1)


def test_an_image_may_have_more_channels_than_columns(rng):
    image = rng.random((4, 5, 2))
    together = heat_flow(image, 0.7)
    for channel in range(4):
        np.testing.assert_allclose(together[channel], heat_flow(image[channel : channel + 1], 0.7)[0], rtol=1e-13)
