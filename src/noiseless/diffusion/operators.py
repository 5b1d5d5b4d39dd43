"""Gradient and divergence on the pixel grid, exact adjoints of each other, with a Neumann boundary.

They belong to image diffusion. No flux crosses the border: the image continues by half-sample symmetry
(``numpy.pad`` mode "symmetric", not "reflect"), so the mean is kept. NumPy arrays and torch tensors alike.
"""

from array_api_compat import array_namespace

from noiseless.denoiser import Array
from noiseless.diffusion.arguments import check_floating, check_spacing, spacing_of


def gradient(image: Array, spacing: tuple[float, ...] = ()) -> Array:
    """Forward differences along each spatial axis.

    (grad u)_i = (u_{i+1} - u_i) / h, and 0 at the last pixel of the axis.

    Parameters
    ----------
    image : (C, *space) float array
    spacing : size h of a pixel along each spatial axis; empty means 1.

    Raises
    ------
    InvalidImage : the array holds no floats.
    InvalidParameter : ``spacing`` does not fit.

    Returns
    -------
    (len(space), C, *space) array, in units of the image per unit of ``spacing``.
    """
    check_spacing(spacing)
    check_floating(image)
    xp = array_namespace(image)
    sizes = spacing_of(image, spacing)
    return xp.stack([_forward_difference(image, axis) / size for axis, size in enumerate(sizes, start=1)])


def divergence(field: Array, spacing: tuple[float, ...] = ()) -> Array:
    """The negative adjoint of :func:`gradient`: <grad u, p> = -<u, div p> for every u and p.

    (div p)_i = (p_i - p_{i-1}) / h summed over the axes; p is taken as 0 before the first and at the last pixel.

    Parameters
    ----------
    field : (len(space), C, *space) float array
    spacing : size h of a pixel along each spatial axis; empty means 1.

    Raises
    ------
    InvalidImage : the array holds no floats.
    InvalidParameter : ``spacing`` does not fit.

    Returns
    -------
    (C, *space) array. Its sum is 0 to rounding: nothing leaves through the border.
    """
    check_spacing(spacing)
    check_floating(field)
    sizes = spacing_of(field[0, ...], spacing)
    parts = [_negative_adjoint(field[i, ...], i + 1) / size for i, size in enumerate(sizes)]
    return sum(parts[1:], start=parts[0])


def heat_smoothing(image: Array, weights: tuple[float, ...], passes: int, faces: Array | None = None) -> Array:
    """Gaussian-like smoothing by repeated steps of heat: u_i + sum over the axes of w (u_{i+1} - 2 u_i + u_{i-1}).

    The variance along an axis is exactly 2 * w * passes, in pixels squared; the border is half-sample symmetric.

    Parameters
    ----------
    image : (C, *space) float array
    weights : w of each spatial axis, >= 0, their sum at most 1/2. A larger w smooths more.
    passes : int >= 0. The result depends on pixels at most ``passes`` away.
    faces : from :func:`open_faces`; nothing crosses a closed one.
    """
    for _ in range(passes):
        differences = [_forward_difference(image, axis) for axis in range(1, image.ndim)]
        if faces is not None:
            differences = [faces[axis, ...] * difference for axis, difference in enumerate(differences)]
        for axis, (weight, difference) in enumerate(zip(weights, differences, strict=True), start=1):
            image = image + weight * _negative_adjoint(difference, axis)
    return image


def open_faces(mask: Array, like: Array) -> Array:
    """1 on the faces between two pixels of the mask, else 0.

    Parameters
    ----------
    mask : (*space) bool array
    like : array whose dtype the result takes

    Returns
    -------
    (len(space), 1, *space) array; the face of a pixel is the one after it along the axis.
    """
    xp = array_namespace(mask)
    inside = xp.astype(mask[None, ...], like.dtype)
    faces = []
    for axis in range(1, inside.ndim):
        both = inside * next_along(inside, axis)
        last = xp.zeros_like(_part(both, axis, slice(0, 1)))
        faces.append(xp.concat([_part(both, axis, slice(0, -1)), last], axis=axis))
    return xp.stack(faces)


def next_along(image: Array, axis: int) -> Array:
    """For each pixel, the one after it along an axis; the last one has itself."""
    xp = array_namespace(image)
    return xp.concat([_part(image, axis, slice(1, None)), _part(image, axis, slice(-1, None))], axis=axis)


def face_before(of_faces: Array, axis: int) -> Array:
    """For each pixel, the value on the face before it, from those on the faces after; 0 at the border."""
    xp = array_namespace(of_faces)
    zero = xp.zeros_like(_part(of_faces, axis, slice(0, 1)))
    return xp.concat([zero, _part(of_faces, axis, slice(0, -1))], axis=axis)


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
