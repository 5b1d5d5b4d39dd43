import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from noiseless.diffusion import CONDUCTIVITIES, kernels
from noiseless.diffusion.stepping import ExplicitScheme, explicit_diffusion, smoothing_for, stability_bound

SHAPES = [(1, 13, 37), (3, 9, 10), (1, 1, 1), (1, 1, 9), (2, 9, 1), (1, 4, 5, 6), (3, 2, 7, 5), (1, 1, 4, 5)]


def scheme_for(shape, conductivity, presmoothing, steps=6):
    spacing = (1.5, 1.0, 0.8)[: len(shape) - 1]
    weights, passes = smoothing_for(presmoothing, spacing)
    return ExplicitScheme(
        steps=steps,
        step_size=stability_bound(spacing),
        spacing=spacing,
        conductivity=conductivity,
        contrasts=(0.1, 0.2, 0.05)[: shape[0]],
        smoothing_weights=weights,
        smoothing_passes=passes,
    )


@pytest.mark.parametrize("conductivity", sorted(CONDUCTIVITIES))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_kernel_equals_the_plain_arithmetic(shape, conductivity, rng):
    # No pass, one (made in a ring), two and three (the arrays between).
    for presmoothing, dtype in product((0.0, 0.5, 0.9, 1.2), (np.float32, np.float64)):
        image = (0.1 * rng.standard_normal(shape)).astype(dtype)
        before = image.copy()
        scheme = scheme_for(shape, conductivity, presmoothing)
        ours = kernels.explicit_diffusion(image, scheme)
        assert ours.dtype == dtype
        assert np.array_equal(image, before)
        # Some 50 roundings of values below 0.5; the kernel's exponential is itself within 2e-7.
        inexact = 2e-7 * 6 * 0.5 if conductivity == "exponential" else 0.0
        assert abs(ours - explicit_diffusion(image, scheme)).max() <= 50 * 0.5 * np.finfo(dtype).eps + inexact


def test_the_kernel_knows_every_conductivity():
    assert set(kernels._KINDS) == set(CONDUCTIVITIES)


def test_extreme_ratios_conduct_nothing_and_stay_finite():
    image = np.array([[[0.0, 1e30, 0.0], [0.0, 1e-30, 0.0]]], dtype=np.float32)
    for conductivity in ("rational", "exponential", "charbonnier"):
        assert np.isfinite(kernels.explicit_diffusion(image, scheme_for((1, 2, 3), conductivity, 0.5))).all()


def test_views_are_diffused_as_their_copies(rng):
    wide = rng.random((3, 20, 24), dtype=np.float32)
    view = wide[::-1, ::2, ::-1]
    scheme = scheme_for(view.shape, "rational", 0.5)
    assert np.array_equal(kernels.explicit_diffusion(view, scheme), kernels.explicit_diffusion(view.copy(), scheme))


def test_threads_do_not_disturb_each_other(rng):
    images = [rng.random((1, 64, 64), dtype=np.float32) for _ in range(8)]
    scheme = scheme_for((1, 64, 64), "rational", 0.5, steps=20)
    alone = [kernels.explicit_diffusion(image, scheme) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: kernels.explicit_diffusion(image, scheme), images))
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))


def test_the_room_is_light_until_it_works():
    code = "import sys, noiseless.diffusion; print([m for m in ('numba', 'scipy', 'torch') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
