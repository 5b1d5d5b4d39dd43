"""Image diffusion with a tensor: u_t = div(D(J) grad u), or sum_ij D_ij d_ij u, J the smoothed structure tensor.

    J = K_rho * mean over the channels of (grad v grad v^T) / contrast^2,   v = u smoothed a little

The plain arithmetic is here, for NumPy and torch; :mod:`noiseless.diffusion.kernels.tensor` is the same, faster, for
NumPy.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from array_api_compat import array_namespace, device

from noiseless.denoiser import Array
from noiseless.diffusion.operators import face_before, gradient, heat_smoothing, open_faces
from noiseless.diffusion.stencil import DIRECTIONS, weights_of
from noiseless.diffusion.stepping import Cycle


def steepest(epsilon: float) -> float:
    """Gradients count up to so many contrasts: 2000 in float32, so that 1 beside their square is no mere rounding."""
    return math.exp(-0.475 * math.log(epsilon))


@dataclass(frozen=True)
class TensorScheme:
    """All that a run needs besides its steps, resolved to numbers.

    Parameters
    ----------
    spacing : size of a pixel along each spatial axis
    kind : a name in ``TENSORS``
    parameter : the number that its function takes
    contrasts : of each channel, in units of the image per unit of ``spacing``
    presmoothing, smoothing : (weights, passes) of :func:`~noiseless.diffusion.operators.heat_smoothing`, of the image
        and of the structure tensor
    """

    spacing: tuple[float, ...]
    kind: str
    parameter: float
    contrasts: tuple[float, ...]
    presmoothing: tuple[tuple[float, ...], int]
    smoothing: tuple[tuple[float, ...], int]

    @property
    def conservative(self) -> bool:
        """Whether the equation is in divergence form, so that the mean is kept."""
        return self.kind != "mean-curvature"


def edge_enhancing(structure: list[Array], _: float = 0.0) -> list[Array]:
    """(I + J)^-1: across an edge as little as 1 / (1 + |grad u|^2), along it freely, at a corner little at all."""
    return _inverse_of_sum(structure, None)


def mean_curvature(structure: list[Array], parameter: float) -> list[Array]:
    """(I + J)^-1 / (1 + parameter * trace J): along edges only, and slower along strong ones."""
    trace = sum(part for part, on_diagonal in _parts(structure) if on_diagonal)
    slower = 1.0 / (1.0 + parameter * trace)
    return [slower * part for part in edge_enhancing(structure)]


def coherence_enhancing(structure: list[Array], parameter: float) -> list[Array]:
    """C (a I + (1 - a) (I + J - m I)^-1) + (1 - c) / (1 + trace J) I, m the least and M the largest eigenvalue of J.

    c = (M - m)^2 / (1 + (M - m)^2) is the coherence. Where lines run in parallel, c = 1 and diffusion is along them,
    a = ``parameter`` across; where no direction prevails, it is isotropic, and stops where the gradient is large.
    """
    least, largest = _extreme_eigenvalues(structure)
    trace = sum(part for part, on_diagonal in _parts(structure) if on_diagonal)
    squared = (largest - least) ** 2
    coherence = squared / (1.0 + squared)
    isotropic = coherence * parameter + (1.0 - coherence) / (1.0 + trace)
    shifted = [part - least if on_diagonal else part for part, on_diagonal in _parts(structure)]
    along = coherence * (1.0 - parameter)
    inverse = _inverse_of_sum(shifted, 1.0 + largest - least if len(structure) == 3 else None)
    return [along * part + isotropic if on_diagonal else along * part for part, on_diagonal in _parts(inverse)]


TENSORS: Mapping[str, Callable[[list[Array], float], list[Array]]] = {
    "edge-enhancing": edge_enhancing,
    "coherence-enhancing": coherence_enhancing,
    "mean-curvature": mean_curvature,
}


def diffuse(
    image: Array, scheme: TensorScheme, cycles: list[Cycle], mask: Array | None, fixed: Array | None = None
) -> Array:
    """The image after all cycles; the arguments are those of :func:`noiseless.diffusion.scalar.diffuse`.

    ``fixed`` is an array like ``image``, True where it keeps its value.
    """
    first = image
    xp = array_namespace(image)
    directions = DIRECTIONS[len(scheme.spacing)]
    faces = None if mask is None else open_faces(mask, image)
    for cycle in cycles:
        structure = structure_of(image, scheme, cycle.contrast_factor, faces)
        if len(scheme.spacing) > 2:
            structure = _in_digits_enough(structure)
        tensor = TENSORS[scheme.kind](structure, scheme.parameter)
        weights = [xp.astype(weight, image.dtype) for weight in weights_of(tensor, scheme.spacing)]
        for step in cycle.steps:
            change = image * 0
            for direction, weight in zip(directions, weights, strict=True):
                here, there = _ends(direction, image.shape[1:])
                open_edge = 1.0 if mask is None else _both(mask, here, there, image)
                difference = (image[:, *there] - image[:, *here]) * open_edge
                if scheme.conservative:
                    # The lesser weight of both ends, so that no pixel gives more than its own weights allow.
                    flux = xp.minimum(weight[*here], weight[*there]) * difference
                    change = _added(change, here, flux)
                    change = _added(change, there, -flux)
                else:
                    change = _added(change, here, weight[*here] * difference)
                    change = _added(change, there, -weight[*there] * difference)
            image = image + step * change
            if fixed is not None:
                image = xp.where(fixed, first, image)
    return image


def structure_of(image: Array, scheme: TensorScheme, factor: float, faces: Array | None) -> list[Array]:
    """The upper triangle of J at each pixel, row by row, (*space) each, by central differences."""
    xp = array_namespace(image)
    smoothed = heat_smoothing(image, *scheme.presmoothing, faces)
    differences = gradient(smoothed, scheme.spacing)
    if faces is not None:
        differences = differences * faces
    per_contrast = [1.0 / (factor * contrast) for contrast in scheme.contrasts]
    sharpness = xp.asarray(per_contrast, dtype=image.dtype, device=device(image))
    sharpness = xp.reshape(sharpness, (-1,) + (1,) * (image.ndim - 1))
    slopes, most = [], steepest(xp.finfo(image.dtype).eps)
    for axis in range(image.ndim - 1):
        central = 0.5 * (differences[axis, ...] + face_before(differences[axis, ...], axis + 1))
        slopes.append(xp.clip(central * sharpness, min=-most, max=most))
    upper = [(i, j) for i in range(len(slopes)) for j in range(i, len(slopes))]
    products = [xp.mean(slopes[i] * slopes[j], axis=0, keepdims=True) for i, j in upper]
    return [heat_smoothing(part, *scheme.smoothing, faces)[0, ...] for part in products]


def _in_digits_enough(structure: list[Array]) -> list[Array]:
    """In float64, which the determinant of three rows needs, and with more on the diagonal than rounding took."""
    xp = array_namespace(structure[0])
    epsilon = float(xp.finfo(structure[0].dtype).eps)
    wide = [xp.astype(part, xp.float64) for part in structure]
    trace = sum(part for part, on_diagonal in _parts(wide) if on_diagonal)
    return [part + 2.0 * epsilon * trace if on_diagonal else part for part, on_diagonal in _parts(wide)]


def _parts(tensor: list[Array]) -> list[tuple[Array, bool]]:
    """Each entry of an upper triangle, and whether it is on the diagonal."""
    diagonal = (0, 2) if len(tensor) == 3 else (0, 3, 5)
    return [(part, number in diagonal) for number, part in enumerate(tensor)]


def _inverse_of_sum(tensor: list[Array], determinant: Array | None) -> list[Array]:
    """(I + T)^-1 for T without negative eigenvalues; of an image, the determinant of the sum may be known."""
    xp = array_namespace(tensor[0])
    if len(tensor) == 3:
        a, b, c = tensor
        if determinant is None:
            # The determinant of T, which is not negative, apart: rounding must not make it so.
            determinant = 1.0 + a + c + xp.clip(a * c - b * b, min=0)
        return [(1.0 + c) / determinant, -b / determinant, (1.0 + a) / determinant]
    a, b, c, d, e, f = (part + 1.0 if on_diagonal else part for part, on_diagonal in _parts(tensor))
    cofactors = [d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b]
    determinant = a * cofactors[0] + b * cofactors[1] + c * cofactors[2]
    return [part / determinant for part in cofactors]


def _extreme_eigenvalues(tensor: list[Array]) -> tuple[Array, Array]:
    """The least and the largest, by the quadratic or the trigonometric formula."""
    xp = array_namespace(tensor[0])
    if len(tensor) == 3:
        a, b, c = tensor
        middle, radius = 0.5 * (a + c), xp.sqrt(0.25 * (a - c) ** 2 + b * b)
        return middle - radius, middle + radius
    a, b, c, d, e, f = tensor
    mean = (a + d + f) / 3.0
    a, d, f = a - mean, d - mean, f - mean
    spread = xp.sqrt((a * a + d * d + f * f + 2.0 * (b * b + c * c + e * e)) / 6.0)
    safe = xp.where(spread > 0, spread, xp.ones_like(spread))
    a, b, c, d, e, f = (part / safe for part in (a, b, c, d, e, f))
    half = 0.5 * (a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d))
    angle = xp.acos(xp.clip(half, min=-1.0, max=1.0)) / 3.0
    return mean + 2.0 * spread * xp.cos(angle + 2.0 * math.pi / 3.0), mean + 2.0 * spread * xp.cos(angle)


def _ends(direction: tuple[int, ...], space: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The pixels x for which x + direction is in the image too, and those x + direction."""
    here = tuple(slice(max(-step, 0), max(size - max(step, 0), 0)) for step, size in zip(direction, space, strict=True))
    there = tuple(slice(max(step, 0), max(size + min(step, 0), 0)) for step, size in zip(direction, space, strict=True))
    return here, there


def _both(mask: Array, here: tuple[slice, ...], there: tuple[slice, ...], like: Array) -> Array:
    return array_namespace(like).astype(mask[*here] & mask[*there], like.dtype)


def _added(total: Array, where: tuple[slice, ...], part: Array) -> Array:
    """``total`` with ``part`` added at ``where``; not in place, so that gradients flow."""
    xp = array_namespace(total)
    for axis, (size, span) in enumerate(zip(total.shape[1:], where, strict=True), start=1):
        before = (*part.shape[:axis], span.start, *part.shape[axis + 1 :])
        after = (*part.shape[:axis], max(size - span.start - part.shape[axis], 0), *part.shape[axis + 1 :])
        zeros = [xp.zeros(shape, dtype=part.dtype, device=device(part)) for shape in (before, after)]
        part = xp.concat([zeros[0], part, zeros[1]], axis=axis)
    return total + part
