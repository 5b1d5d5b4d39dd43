"""What every entry of SCHEDULES must satisfy."""

from itertools import pairwise

import pytest

from noiseless.diffusion import SCHEDULES
from noiseless.errors import InvalidParameter


@pytest.fixture(params=sorted(SCHEDULES))
def schedule(request):
    return SCHEDULES[request.param]


@pytest.mark.parametrize("steps", [1, 2, 3, 20, 1000])
def test_a_schedule_falls_strictly_from_sigma_max_to_zero(schedule, steps):
    sigmas = schedule(steps, sigma_max=0.8, sigma_min=0.002)
    assert isinstance(sigmas, tuple)
    assert all(type(sigma) is float for sigma in sigmas)  # a NumPy scalar would widen float32 images
    assert len(sigmas) == steps + 1
    assert (sigmas[0], sigmas[-1]) == (0.8, 0.0)
    assert steps == 1 or sigmas[-2] == 0.002
    assert all(before > after for before, after in pairwise(sigmas))


def test_one_step_is_the_posterior_mean(schedule):
    assert schedule(1, sigma_max=0.3, sigma_min=0.01) == (0.3, 0.0)


def test_scaling_the_ends_scales_the_levels(schedule):
    small, large = (schedule(7, sigma_max=80 * scale, sigma_min=0.5 * scale) for scale in (1.0, 255.0))
    assert large == pytest.approx([255.0 * sigma for sigma in small], rel=1e-12)  # a few roundings of a power


@pytest.mark.parametrize("steps", [0, -3])
def test_a_schedule_has_steps(schedule, steps):
    with pytest.raises(InvalidParameter, match=rf"steps is {steps};"):
        schedule(steps, sigma_max=1.0, sigma_min=0.1)


@pytest.mark.parametrize(
    ("sigma_max", "sigma_min"),
    [(1.0, 0.0), (1.0, -0.1), (0.1, 0.1), (0.1, 0.2), (-1.0, -2.0), (float("inf"), 0.1), (1.0, float("nan"))],
)
@pytest.mark.parametrize("steps", [1, 5])
def test_the_ends_are_ordered_and_positive(schedule, steps, sigma_max, sigma_min):
    with pytest.raises(InvalidParameter, match="0 < sigma_min < sigma_max"):
        schedule(steps, sigma_max=sigma_max, sigma_min=sigma_min)


def test_levels_that_floats_cannot_tell_apart_are_refused(schedule):
    with pytest.raises(InvalidParameter, match="fewer steps or a wider range"):
        schedule(50, sigma_max=1.0, sigma_min=1.0 - 1e-15)
