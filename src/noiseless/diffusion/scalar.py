"""Image diffusion with a scalar conductivity: u_t = div(g(|grad v|^2 / contrast^2) grad u), v = u smoothed a little.

The conductivity belongs to a pixel; a face between two pixels has the mean of both. The plain arithmetic is here, for
NumPy and torch; :mod:`noiseless.diffusion.kernels.scalar` and ``.implicit`` are the same, faster, for NumPy.
"""

import math
from dataclasses import dataclass

from array_api_compat import array_namespace, device

from noiseless.denoiser import Array
from noiseless.diffusion.conductivity import CONDUCTIVITIES
from noiseless.diffusion.operators import divergence, face_before, gradient, heat_smoothing, next_along, open_faces
from noiseless.diffusion.stepping import Cycle

_LEAST_CENTRE = 0.25  # of the weights of a smoothing pass: with less, it would leave the finest checkerboard


@dataclass(frozen=True)
class ScalarScheme:
    """All that a run needs besides its steps, resolved to numbers.

    Parameters
    ----------
    spacing : size of a pixel along each spatial axis
    conductivity : a name in ``CONDUCTIVITIES``
    contrasts : of each channel, in units of the image per unit of ``spacing``
    smoothing_weights, smoothing_passes : of :func:`~noiseless.diffusion.operators.heat_smoothing`
    """

    spacing: tuple[float, ...]
    conductivity: str
    contrasts: tuple[float, ...]
    smoothing_weights: tuple[float, ...]
    smoothing_passes: int


def diffuse(
    image: Array, scheme: ScalarScheme, cycles: list[Cycle], mask: Array | None, *, implicit: bool = False
) -> Array:
    """The image after all cycles.

    Parameters
    ----------
    image : (C, *space) array
    scheme : the equation
    cycles : the time, cut into steps
    mask : (*space) bool array, True where there is image; nothing flows across its border. None: everywhere.
    implicit : whether a step solves for its result by additive operator splitting
    """
    faces = None if mask is None else open_faces(mask, image)
    for cycle in cycles:
        conductivity = conductivity_of(image, scheme, cycle.contrast_factor, faces)
        for step in cycle.steps:
            if implicit:
                image = _split_step(image, conductivity, step, scheme.spacing, faces)
            else:
                flux = _on_faces(conductivity) * _gradient(image, scheme.spacing, faces)
                image = image + step * divergence(flux, scheme.spacing)
    return image


def conductivity_of(image: Array, scheme: ScalarScheme, factor: float, faces: Array | None) -> Array:
    """G of each pixel, (1, *space): of the mean over the channels of its squared gradient, in units of the contrast.

    The squared gradient of a pixel is the mean of the squared differences on both of its sides, summed over the axes.
    """
    xp = array_namespace(image)
    smoothed = heat_smoothing(image, scheme.smoothing_weights, scheme.smoothing_passes, faces)
    per_contrast = [1.0 / (factor * contrast) for contrast in scheme.contrasts]
    sharpness = xp.asarray(per_contrast, dtype=image.dtype, device=device(image))
    sharpness = xp.reshape(sharpness, (-1,) + (1,) * (image.ndim - 1))
    # The largest root of a finite number keeps squares of extreme ratios finite.
    sharpness = xp.clip(sharpness, max=float(xp.finfo(image.dtype).max) ** 0.25)
    squares = _gradient(smoothed, scheme.spacing, faces) ** 2
    both = [0.5 * (squares[i, ...] + face_before(squares[i, ...], i + 1)) for i in range(len(scheme.spacing))]
    squared = xp.mean(sum(both[1:], start=both[0]) * sharpness**2, axis=0, keepdims=True)
    return CONDUCTIVITIES[scheme.conductivity](squared)


def smoothing_for(presmoothing: float, spacing: tuple[float, ...]) -> tuple[tuple[float, ...], int]:
    """Weights and passes of the smoothing with standard deviation ``presmoothing``.

    Parameters
    ----------
    presmoothing : float >= 0, in units of the finest pixel; the same length along every axis.

    Returns
    -------
    (weights of each axis, passes). A pass smooths by at most 0.6 of a pixel in an image, 0.5 in a volume.
    """
    passes = smoothing_passes(presmoothing, len(spacing))
    finest = min(spacing)
    weights = tuple((presmoothing * finest / size) ** 2 / (2.0 * passes) if passes else 0.0 for size in spacing)
    return weights, passes


def smoothing_passes(presmoothing: float, dimensions: int) -> int:
    """How many passes :func:`smoothing_for` makes: each leaves at least a quarter of a pixel where it is."""
    return math.ceil(presmoothing**2 * dimensions / (1.0 - _LEAST_CENTRE) - 1e-9)


def _gradient(image: Array, spacing: tuple[float, ...], faces: Array | None) -> Array:
    differences = gradient(image, spacing)
    return differences if faces is None else differences * faces


def _on_faces(conductivity: Array) -> Array:
    """The mean of both pixels of each face, (D, 1, *space)."""
    xp = array_namespace(conductivity)
    axes = range(1, conductivity.ndim)
    return xp.stack([0.5 * (conductivity + next_along(conductivity, axis)) for axis in axes])


def _split_step(
    image: Array, conductivity: Array, step: float, spacing: tuple[float, ...], faces: Array | None
) -> Array:
    """One step of additive operator splitting: the mean over the axes of what each would do in D times the step."""
    dimensions = len(spacing)
    on_faces = _on_faces(conductivity)
    if faces is not None:
        on_faces = on_faces * faces
    solutions = []
    for axis, size in enumerate(spacing):
        solutions.append(_solve(image, on_faces[axis, ...] * (dimensions * step / size**2), axis + 1))
    return sum(solutions[1:], start=solutions[0]) / dimensions


def _solve(image: Array, couplings: Array, axis: int) -> Array:
    """Solve u_i - c_i (u_{i+1} - u_i) + c_{i-1} (u_i - u_{i-1}) = image_i along one axis; a tridiagonal elimination.

    Every pivot is at least 1, so there is no need to exchange rows.
    """
    xp = array_namespace(image)
    values, couplings = xp.moveaxis(image, axis, 0), xp.moveaxis(couplings, axis, 0)
    size = values.shape[0]
    before = xp.zeros_like(couplings[0, ...])
    pivots: list[Array] = []
    eliminated: list[Array] = []
    for i in range(size):
        after = couplings[i, ...] if i + 1 < size else xp.zeros_like(before)
        if i == 0:
            pivot, value = 1.0 + after, values[0, ...]
        else:
            share = before / pivots[-1]
            # 1 + after + before - before^2 / pivot, without the cancellation.
            pivot = 1.0 + after + share * (pivots[-1] - before)
            value = values[i, ...] + share * eliminated[-1]
        pivots.append(pivot)
        eliminated.append(value)
        before = after
    solved = [eliminated[-1] / pivots[-1]]
    for i in range(size - 2, -1, -1):
        solved.append((eliminated[i] + couplings[i, ...] * solved[-1]) / pivots[i])
    return xp.moveaxis(xp.stack(solved[::-1]), 0, axis)
