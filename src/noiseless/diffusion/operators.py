"""Gradient and divergence on the pixel grid, exact adjoints of each other, with a Neumann boundary.

They belong to image diffusion. No flux crosses the border: the image continues by half-sample symmetry
(``numpy.pad`` mode "symmetric", not "reflect"), so the mean is kept. NumPy arrays and torch tensors alike.
"""

from array_api_compat import array_namespace

from noiseless.denoiser import Array


def gradient(image: Array, spacing: tuple[float, ...] = ()) -> Array:
    """Forward differences along each spatial axis.

    (grad u)_i = (u_{i+1} - u_i) / h, and 0 at the last pixel of the axis.

    Parameters
    ----------
    image : (C, *space) float array
    spacing : size h of a pixel along each spatial axis; empty means 1.

    Returns
    -------
    (len(space), C, *space) array, in units of the image per unit of ``spacing``.
    """
    xp = array_namespace(image)
    sizes = spacing or (1.0,) * (image.ndim - 1)
    return xp.stack([_forward_difference(image, axis) / size for axis, size in enumerate(sizes, start=1)])


def divergence(field: Array, spacing: tuple[float, ...] = ()) -> Array:
    """The negative adjoint of :func:`gradient`: <grad u, p> = -<u, div p> for every u and p.

    (div p)_i = (p_i - p_{i-1}) / h summed over the axes; p is taken as 0 before the first and at the last pixel.

    Parameters
    ----------
    field : (len(space), C, *space) float array
    spacing : size h of a pixel along each spatial axis; empty means 1.

    Returns
    -------
    (C, *space) array. Its sum is 0 to rounding: nothing leaves through the border.
    """
    sizes = spacing or (1.0,) * field.shape[0]
    parts = [_negative_adjoint(field[i, ...], i + 1) / size for i, size in enumerate(sizes)]
    return sum(parts[1:], start=parts[0])


def binomial_smoothing(image: Array, weights: tuple[float, ...], passes: int) -> Array:
    """Gaussian-like smoothing by repeated three-point means (w, 1 - 2w, w), half-sample symmetric at the border.

    The variance along an axis is exactly 2 * w * passes, in pixels squared.

    Parameters
    ----------
    image : (C, *space) float array
    weights : w of each spatial axis, in [0, 1/4]. A larger w smooths more.
    passes : int >= 0. The result depends on pixels at most ``passes`` away.
    """
    for _ in range(passes):
        for axis, weight in enumerate(weights, start=1):
            image = image + weight * _negative_adjoint(_forward_difference(image, axis), axis)
    return image


def _forward_difference(image: Array, axis: int) -> Array:
    xp = array_namespace(image)
    zero = xp.zeros_like(_part(image, axis, slice(0, 1)))
    return xp.concat([_part(image, axis, slice(1, None)) - _part(image, axis, slice(0, -1)), zero], axis=axis)


def _negative_adjoint(flux: Array, axis: int) -> Array:
    xp = array_namespace(flux)
    inner = _part(flux, axis, slice(0, -1))
    zero = xp.zeros_like(_part(flux, axis, slice(0, 1)))
    return xp.concat([inner, zero], axis=axis) - xp.concat([zero, inner], axis=axis)


def _part(array: Array, axis: int, part: slice) -> Array:
    return array[(slice(None),) * axis + (part,)]
