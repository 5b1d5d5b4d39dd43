"""How sure the posterior mean is, pixel by pixel, and what may be wrong together: the Jacobian of a denoiser.

Under y = x + sigma n the posterior covariance is Tweedie's identity of second order, Cov[x | y] = sigma^2 dD / dy,
exact for the ideal denoiser. One product of the Jacobian J = dD / dy with an image costs one more call of the denoiser.

References
----------
Hutchinson 1990, Commun. Stat. Simul. Comput. 19, 433, doi:10.1080/03610919008812866: probes.
Manor & Michaeli, ICLR 2024, arXiv:2309.13598: components.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np

from noiseless.argument_checks import whole
from noiseless.denoiser import Array, Denoiser, Sigma
from noiseless.diffusion import heat_flow
from noiseless.errors import InvalidParameter
from noiseless.generation.randomness import normal_from_seed
from noiseless.names import Lazy, load
from noiseless.sigma_map import sigma_array

_FORWARD = Lazy("noiseless.score.differentiation:forward_product", extra="torch")

STEP = 0.05
"""The length of a finite difference, in standard deviations of the noise. A network is linear in pieces: longer steps
cross into others (at 0.5 the rank correlation with the true error falls by a fifth), much shorter ones are lost in
float32."""

WINDOW = 1.5
"""Energies of probes are smoothed by a Gaussian of so many pixels: the chance in 8 probes goes, edges stay."""


def jacobian_product(denoiser: Denoiser, noisy: Array, sigma: Sigma, direction: Array, /) -> Array:
    """J v: how the result changes as the noisy image moves along v, for any denoiser.

    Torch tensors are differentiated forwards, exactly; NumPy arrays by a difference,

        J v = (D(y + h v) - D(y - h v)) / (2 h),   h |v| = 0.05 sigma (root mean squares),

    whose error is of the second order in h where D is smooth.

    Parameters
    ----------
    denoiser, noisy, sigma : as in D(noisy, sigma)
    direction : v, of the shape of ``noisy``

    Raises
    ------
    InvalidParameter : the direction has another shape, or sigma is 0 everywhere, so that no step has a length.
    """
    if tuple(direction.shape) != tuple(noisy.shape):
        raise InvalidParameter(f"the direction has shape {tuple(direction.shape)}, the image {tuple(noisy.shape)}")
    xp = array_api_compat.array_namespace(noisy)
    level = float(xp.max(sigma_array(sigma, noisy, xp)))
    length = float(xp.mean(direction * direction)) ** 0.5
    if not level > 0.0:
        raise InvalidParameter(f"sigma is {level:g}; without noise there is nothing to be unsure of, give one above 0")
    if length == 0.0:
        return xp.zeros_like(noisy)
    if array_api_compat.is_torch_array(noisy):
        product: Array = load(_FORWARD)(denoiser, noisy, sigma, direction)
        return product
    step = STEP * level / length
    return (denoiser(noisy + step * direction, sigma) - denoiser(noisy - step * direction, sigma)) / (2.0 * step)


@dataclass(frozen=True, eq=False)
class PropagatedNoise:
    """What a restoration lets through of the noise, of covariance C, by its Jacobian J. Of the shape of the image.

    Parameters
    ----------
    std : the square root of the diagonal of J C J^T, estimated: the raw measure of the error
    trace : the diagonal of J C, estimated without a bias and without smoothing: its sum is what Stein's risk needs
    """

    std: Array
    trace: Array


def propagated_noise(
    denoise: Callable[[Array], Array], noisy: Array, denoised: Array, probes: Iterable[Array]
) -> PropagatedNoise:
    """How much of the noise comes through at every pixel.

        std^2 = mean over probes w and a small window of |J w|^2,   J w = (D(y + h w) - D(y)) / h,   h = 0.05
        trace = mean over probes of w * J w

    Good denoisers are nearly projections, J J^T = J, and then std^2 is the posterior variance, the diagonal of J C;
    unlike the trace, which estimates that without a bias, it is never negative, and it follows the true error as
    closely with less smoothing. The channels of an image are wrong together, so they share the mean of their
    variances. Recalibrate it: :class:`~noiseless.generation.Calibration`.

    Parameters
    ----------
    denoise : what was done to the noisy image, whole
    noisy, denoised : (C, *space), the image and what ``denoise`` gave for it
    probes : draws w of the noise, of the same shape, without the image; each costs one call. 8 are enough.

    Raises
    ------
    InvalidParameter : there is no probe.
    """
    xp = array_api_compat.array_namespace(noisy)
    energy, trace, count = xp.zeros_like(noisy), xp.zeros_like(noisy), 0
    for probe in probes:
        change = (denoise(noisy + STEP * probe) - denoised) / STEP
        energy, trace, count = energy + change * change, trace + probe * change, count + 1
    if count == 0:
        raise InvalidParameter("there is no probe; an error map needs one or more, usually 8")
    shared = xp.mean(energy / count, axis=0, keepdims=True)
    times = (0.0,) * (shared.ndim - 3) + (WINDOW**2 / 2,) * 2
    smooth = xp.clip(heat_flow(shared, times), 0.0, None)
    std = xp.astype(xp.broadcast_to(xp.sqrt(smooth), tuple(noisy.shape)), noisy.dtype, copy=True)
    return PropagatedNoise(std, trace / count)


def sign_probes(like: Array, sigma: Sigma, count: int, seed: int) -> Iterator[Array]:
    """Probes for white noise: sigma times random signs, which have the least chance in them; alike on every device."""
    normal = normal_from_seed(seed)
    xp = array_api_compat.array_namespace(like)
    for _ in range(count):
        yield xp.astype(sigma * xp.sign(normal(like)), like.dtype, copy=False)


@dataclass(frozen=True, eq=False)
class Components:
    """What varies together in a region under the posterior.

    Parameters
    ----------
    images : (count, C, *space) orthonormal within the region, 0 outside it, the most uncertain first. The clean image
        is likely to be D + t * std * image for t of the order of 1.
    stds : (count,) posterior standard deviation along each, in the units of the image
    """

    images: Array
    stds: Array


def posterior_components(
    denoiser: Denoiser,
    noisy: Array,
    sigma: float,
    region: tuple[slice, ...],
    *,
    count: int = 4,
    rounds: int = 12,
    seed: int = 0,
) -> Components:
    """The leading principal components of the posterior in a region: eigenvectors of Cov[x | y] = sigma^2 J there.

    By subspace iteration, V <- orthonormal basis of J V. The components of a stroke of a letter, say, show the shapes
    that the noise does not exclude, where an error bar a pixel says only that something is unsure.

    Parameters
    ----------
    denoiser : any; local ones are asked only around the region if that is what the caller hands over
    noisy, sigma : the observation, (C, *space), and its noise
    region : slices of the last axes, such as ``(slice(20, 40), slice(50, 70))``
    count : components; 2 * count calls of the denoiser a round
    rounds : of iteration; the error of a component falls by the ratio of its variance to the next one in each
    seed : of the directions at the start

    Raises
    ------
    InvalidParameter : the region is empty or has fewer values than ``count``; or ``count`` or ``rounds`` is below 1.
    """
    whole("count", count, 1, "it is a number of components")
    whole("rounds", rounds, 1, "usually 12")
    xp = array_api_compat.array_namespace(noisy)
    place: Any = (..., *region)
    values = int(np.prod(noisy[place].shape))
    if values < count:
        raise InvalidParameter(
            f"the region {region} holds {values} values of the image {tuple(noisy.shape)}; {count} components need more"
        )
    shape = tuple(noisy[place].shape)
    normal = normal_from_seed(seed)

    def embedded(column: Array) -> Array:
        whole = xp.zeros_like(noisy)
        whole[place] = xp.reshape(column, shape)
        return whole

    basis = xp.stack([xp.reshape(normal(noisy[place]), (-1,)) for _ in range(count)], axis=1)
    scales = xp.zeros(count, dtype=noisy.dtype)
    for _ in range(rounds):
        basis, _ = xp.linalg.qr(basis)
        products = [
            xp.reshape(jacobian_product(denoiser, noisy, sigma, embedded(basis[:, i]))[place], (-1,))
            for i in range(count)
        ]
        image = xp.stack(products, axis=1)
        # Rayleigh-Ritz within the subspace: the small matrix is made symmetric, as the ideal Jacobian is.
        small = xp.matmul(xp.matrix_transpose(basis), image)
        scales, turn = xp.linalg.eigh((small + xp.matrix_transpose(small)) / 2.0)
        ritz = xp.matmul(basis, xp.flip(turn, axis=1))
        basis = xp.matmul(image, xp.flip(turn, axis=1))
    scales = xp.flip(scales, axis=0)
    return Components(
        xp.stack([embedded(ritz[:, i]) for i in range(count)]), sigma * xp.sqrt(xp.clip(scales, 0.0, None))
    )
