"""The compiled form of each filter equals the plain one, and itself in bands, in threads and on views."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from noiseless.diffusion import CONDUCTIVITIES, PeronaMalik, scalar, tensor
from noiseless.diffusion.kernels import compiling, conduction, implicit, tensors
from noiseless.diffusion.kernels import scalar as scalar_kernel
from noiseless.diffusion.kernels import tensor as tensor_kernel
from noiseless.diffusion.scalar import ScalarScheme, smoothing_for
from noiseless.diffusion.stepping import cycles_for
from noiseless.diffusion.tensor import TENSORS, TensorScheme

SHAPES = [(1, 13, 37), (3, 9, 10), (1, 1, 1), (1, 1, 9), (2, 9, 1), (1, 4, 5, 6), (3, 2, 7, 5), (1, 1, 4, 5)]
STEPPINGS = ["explicit", "fast-explicit", "semi-implicit"]
SPACING = (1.5, 1.0, 0.8)


def scalar_case(shape, conductivity, presmoothing, stepping):
    spacing = SPACING[: len(shape) - 1]
    scheme = ScalarScheme(spacing, conductivity, (0.1, 0.2, 0.05)[: shape[0]], *smoothing_for(presmoothing, spacing))
    return scheme, cycles_for(1.1, stepping, None, spacing, 0.2)


def tensor_case(shape, kind, stepping):
    spacing = SPACING[: len(shape) - 1]
    smoothing = smoothing_for(0.5, spacing), smoothing_for(1.2, spacing)
    scheme = TensorScheme(spacing, kind, 0.05, (0.1, 0.2, 0.05)[: shape[0]], *smoothing)
    return scheme, cycles_for(1.1, stepping, None, spacing, 0.2, 3)


def with_and_without_mask(shape, rng):
    return (None, rng.random(shape[1:]) < 0.7)


@pytest.mark.parametrize("stepping", STEPPINGS)
@pytest.mark.parametrize("conductivity", sorted(CONDUCTIVITIES))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_scalar_kernels_equal_the_plain_arithmetic(shape, conductivity, stepping, rng):
    kernel = implicit if stepping == "semi-implicit" else scalar_kernel
    for presmoothing in (0.0, 0.5, 1.2):  # no pass, one, and several
        for dtype in (np.float32, np.float64):
            for mask in with_and_without_mask(shape, rng):
                image = (0.1 * rng.standard_normal(shape)).astype(dtype)
                before = image.copy()
                scheme, cycles = scalar_case(shape, conductivity, presmoothing, stepping)
                ours = kernel.diffuse(image, scheme, cycles, mask, 1)
                plain = scalar.diffuse(image, scheme, cycles, mask, implicit=stepping == "semi-implicit")
                assert ours.dtype == dtype
                assert np.array_equal(image, before)
                # Some 100 roundings of values below 0.5; the kernel's exponential is itself within 2e-7.
                inexact = 2e-7 * 20 * 0.5 if conductivity == "exponential" else 0.0
                assert abs(ours - plain).max() <= 100 * 0.5 * np.finfo(dtype).eps + inexact


@pytest.mark.parametrize("stepping", STEPPINGS[:2])
@pytest.mark.parametrize("kind", sorted(TENSORS))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_tensor_kernel_equals_the_plain_arithmetic(shape, kind, stepping, rng):
    for dtype in (np.float32, np.float64):
        for mask in with_and_without_mask(shape, rng):
            image = (0.1 * rng.standard_normal(shape)).astype(dtype)
            before = image.copy()
            scheme, cycles = tensor_case(shape, kind, stepping)
            ours = tensor_kernel.diffuse(image, scheme, cycles, mask, 1)
            assert ours.dtype == dtype
            assert np.array_equal(image, before)
            # As above; the trigonometric eigenvalues lose the square root of the digits where two are equal.
            tolerance = 100 * 0.5 * np.finfo(dtype).eps
            if kind == "coherence-enhancing" and len(shape) == 4:
                tolerance += np.finfo(dtype).eps ** 0.5 * 0.05
            assert abs(ours - tensor.diffuse(image, scheme, cycles, mask)).max() <= tolerance


@pytest.mark.parametrize("stepping", STEPPINGS)
def test_bands_of_any_number_give_the_same_bits(rng, monkeypatch, stepping):
    monkeypatch.setattr(compiling, "_LEAST_WORK", 1)
    for shape in ((2, 41, 30), (1, 11, 9, 14)):
        image = rng.random(shape, dtype=np.float32)
        for mask in with_and_without_mask(shape, rng):
            scheme, cycles = scalar_case(shape, "rational", 0.9, stepping)
            kernel = implicit if stepping == "semi-implicit" else scalar_kernel
            alone = kernel.diffuse(image, scheme, cycles, mask, 1)
            assert all(np.array_equal(kernel.diffuse(image, scheme, cycles, mask, n), alone) for n in (2, 3, 7))
            if stepping != "semi-implicit":
                for kind in TENSORS:
                    scheme, cycles = tensor_case(shape, kind, stepping)
                    alone = tensor_kernel.diffuse(image, scheme, cycles, mask, 1)
                    several = [tensor_kernel.diffuse(image, scheme, cycles, mask, n) for n in (2, 5)]
                    assert all(np.array_equal(one, alone) for one in several)


@pytest.mark.parametrize("room", [1, 4000, 10**9])
def test_the_number_of_steps_a_pass_changes_no_bit(rng, monkeypatch, room):
    scheme, cycles = scalar_case((2, 21, 30), "rational", 0.5, "explicit")
    image = rng.random((2, 21, 30), dtype=np.float32)
    usual = scalar_kernel.diffuse(image, scheme, cycles, None, 1)
    monkeypatch.setattr(scalar_kernel, "_CACHE_BYTES", room)
    monkeypatch.setattr(scalar_kernel, "_PLANES_BYTES", room)
    assert np.array_equal(scalar_kernel.diffuse(image, scheme, cycles, None, 1), usual)


def test_the_kernels_know_every_name():
    assert set(conduction.KINDS) == set(CONDUCTIVITIES)
    assert set(tensors.KINDS) == set(TENSORS)


def test_extreme_ratios_conduct_nothing_and_stay_finite():
    image = np.array([[[0.0, 1e30, 0.0], [0.0, 1e-30, 0.0]]], dtype=np.float32)
    for conductivity in ("rational", "exponential", "charbonnier"):
        for stepping in STEPPINGS:
            scheme, cycles = scalar_case((1, 2, 3), conductivity, 0.5, stepping)
            kernel = implicit if stepping == "semi-implicit" else scalar_kernel
            assert np.isfinite(kernel.diffuse(image, scheme, cycles, None, 1)).all()
    for kind in TENSORS:
        scheme, cycles = tensor_case((1, 2, 3), kind, "explicit")
        assert np.isfinite(tensor_kernel.diffuse(image, scheme, cycles, None, 1)).all()
        tiny = replace(scheme, contrasts=(1e-30,))
        assert np.isfinite(tensor_kernel.diffuse(image, tiny, cycles, None, 1)).all()


def test_views_are_diffused_as_their_copies(rng):
    wide = rng.random((3, 20, 24), dtype=np.float32)
    view = wide[::-1, ::2, ::-1]
    scheme, cycles = scalar_case(view.shape, "rational", 0.5, "explicit")
    of_copy = scalar_kernel.diffuse(view.copy(), scheme, cycles, None, 1)
    assert np.array_equal(scalar_kernel.diffuse(view, scheme, cycles, None, 1), of_copy)


def test_callers_in_several_threads_do_not_disturb_each_other(rng):
    images = [rng.random((1, 300, 300), dtype=np.float32) for _ in range(6)]
    smooth = PeronaMalik(threads=2)
    alone = [smooth(image, 0.1) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: smooth(image, 0.1), images))
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))


def test_the_room_is_light_until_it_works():
    code = "import sys, noiseless.diffusion; print([m for m in ('numba', 'scipy', 'torch') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
