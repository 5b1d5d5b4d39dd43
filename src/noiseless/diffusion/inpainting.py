"""Image diffusion that fills in: a missing pixel takes the value on which diffusion from its neighbours settles."""

from array_api_compat import array_namespace, device

from noiseless.denoiser import Array
from noiseless.diffusion.arguments import check_image, check_spacing, spacing_of
from noiseless.diffusion.operators import divergence, gradient
from noiseless.errors import Diverged, InvalidImage

_TOLERANCE = 1e-5
_MOST_STEPS = 10_000


def inpaint(image: Array, missing: Array, *, spacing: tuple[float, ...] = ()) -> Array:
    """Replace the missing pixels by the steady state of the heat equation: Laplacian u = 0 there, u = image elsewhere.

    The border is Neumann. The result stays within the range of the known pixels (maximum principle), is exact for
    images that are linear along the axes away from the border, and does not read what stands in missing pixels.
    Solved by conjugate gradients with the diagonal as preconditioner, so isolated pixels cost a few passes and a
    hole of n pixels across about n.

    Parameters
    ----------
    image : (C, *space) float32 or float64 array of NumPy or torch
    missing : bool array of the shape of ``image``: True where the value is to be replaced
    spacing : size of a pixel along each spatial axis; empty means 1.

    Returns
    -------
    (C, *space) array of the kind, dtype and device of ``image``.

    Raises
    ------
    InvalidImage : a channel has no known pixel, the shapes differ, or the array is no finite image.
    Diverged : the residual did not fall to 1e-5 of its first value.
    """
    check_image(image)
    check_spacing(spacing)
    xp = array_namespace(image)
    if tuple(missing.shape) != tuple(image.shape):
        raise InvalidImage(f"missing has shape {tuple(missing.shape)}, the image has {tuple(image.shape)}")
    space = tuple(range(1, image.ndim))
    if bool(xp.any(xp.all(missing, axis=space))):
        raise InvalidImage("every pixel of a channel is missing: there is nothing to fill it from; unmask some pixels")
    if not bool(xp.any(missing)):
        return xp.asarray(image, copy=True)
    sizes = spacing_of(image, spacing)
    free = xp.astype(missing, image.dtype)
    # The mean of what is known is a fair start, and takes the digits of a large offset out of the sums below.
    count = xp.sum(1 - free, axis=space, keepdims=True)
    level = xp.sum(image * (1 - free), axis=space, keepdims=True) / count
    known = xp.where(missing, xp.zeros_like(image), image - level)

    def operator(u: Array) -> Array:
        return -free * divergence(gradient(u, sizes), sizes)

    diagonal = _diagonal(image, sizes)
    residual = -operator(known)
    solution = xp.zeros_like(image)
    weighted = residual / diagonal
    direction = weighted
    energy = _inner(residual, weighted)
    target = _TOLERANCE**2 * energy
    for _ in range(_MOST_STEPS):
        if energy <= target:
            return xp.where(missing, solution + level, image)
        image_of = operator(direction)
        step = energy / _inner(direction, image_of)
        solution = solution + step * direction
        residual = residual - step * image_of
        weighted = residual / diagonal
        previous, energy = energy, _inner(residual, weighted)
        direction = weighted + (energy / previous) * direction
    raise Diverged(f"inpainting did not settle in {_MOST_STEPS} steps; the missing region is too large for diffusion")


def _inner(a: Array, b: Array) -> float:
    xp = array_namespace(a)
    return float(xp.sum(a * b, dtype=xp.float64))


def _diagonal(image: Array, spacing: tuple[float, ...]) -> Array:
    """The diagonal of minus the Laplacian: one 1 / h^2 for each neighbour inside the image; 1 for a lone pixel."""
    xp = array_namespace(image)
    total = xp.zeros(image.shape[1:], dtype=image.dtype, device=device(image))
    for axis, size in enumerate(spacing):
        length = image.shape[axis + 1]
        position = xp.arange(length, device=device(image))
        neighbours = xp.astype(position > 0, image.dtype) + xp.astype(position < length - 1, image.dtype)
        shape = tuple(length if other == axis else 1 for other in range(image.ndim - 1))
        total = total + xp.reshape(neighbours, shape) / size**2
    return xp.where(total > 0, total, xp.ones_like(total))
