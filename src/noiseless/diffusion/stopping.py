"""When image diffusion should stop: the time of least risk, from the noisy image alone.

Nonlinear diffusion is tried with a probe, see :func:`state_of_least_risk`. For linear diffusion there is a formula: in
the cosine basis, heat diffusion for the time t shrinks the coefficient Y_k to exp(-t lambda_k) Y_k. The risk of a
shrinkage under noise of standard deviation sigma has Stein's unbiased estimate

    risk(t) = sum_k (1 - exp(-t lambda_k))^2 Y_k^2 + 2 sigma^2 sum_k exp(-t lambda_k) - N sigma^2,

so no table of times is needed: strong noise, or a smooth image, gives a long time, fine texture a short one.
Scaling image and sigma alike leaves the time as it is. The noise must be white; correlated noise looks like
texture here and stops the diffusion early.

References
----------
Stein 1981, Annals of Statistics 9, 1135, doi:10.1214/aos/1176345632.
"""

import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from noiseless.denoiser import Array, Sigma
from noiseless.diffusion.arguments import channel_sigmas
from noiseless.diffusion.cosine import laplacian_eigenvalues, like
from noiseless.names import Lazy, load

FloatArray = NDArray[np.float64]

# Frequencies are pooled along each axis: every one by itself up to the 16th, then in bands 8 % wide, because the
# shrinkage changes little within a band. A test holds the time so found against the full sum.
_SINGLE_FREQUENCIES = 16
_BAND_GROWTH = 1.08
_PROBE_SEED = 0
_PROBE_SIZE = 0.01  # of sigma: small beside the noise, large beside rounding
_MINIMIZE = Lazy("scipy.optimize:minimize_scalar")


def least_risk_times(coefficients: Array, sigmas: tuple[float, ...], spacing: tuple[float, ...]) -> tuple[float, ...]:
    """The diffusion time that minimises Stein's risk, for each channel.

    Parameters
    ----------
    coefficients : (C, *space) orthonormal cosine transform of the noisy image
    sigmas : noise standard deviation of each channel, >= 0, in the units of the image
    spacing : size of a pixel along each spatial axis

    Returns
    -------
    Times in the unit of ``spacing`` squared; 0 for a channel without noise.
    """
    xp = array_namespace(coefficients)
    sizes = coefficients.shape[1:]
    bands = [_first_frequencies(size) for size in sizes]
    # Squares of values within [-1, 1] cannot overflow, whatever the units of the image.
    largest = xp.max(xp.abs(coefficients)).tolist() or 1.0
    energy = (coefficients / largest) ** 2
    for first, size in zip(bands, sizes, strict=True):
        # Pools the first spatial axis and puts it last: after all of them, the order is the old one.
        energy = xp.tensordot(energy, like(_membership(first, size), coefficients), axes=((1,), (0,)))
    widths = [np.diff(first, append=size) for first, size in zip(bands, sizes, strict=True)]
    rates = reduce(
        np.add.outer,
        [
            np.add.reduceat(laplacian_eigenvalues(size, h), first) / width
            for size, h, first, width in zip(sizes, spacing, bands, widths, strict=True)
        ],
    )
    counts = reduce(np.multiply.outer, widths).astype(np.float64)
    # By way of a list, which knows no device and no gradient: the time counts as a constant when differentiating.
    pooled = np.array(energy.tolist(), dtype=np.float64)
    return tuple(
        _least_risk_time(channel, counts, rates, sigma / largest) if sigma > 0.0 else 0.0
        for channel, sigma in zip(pooled, sigmas, strict=True)
    )


def _least_risk_time(energy: FloatArray, counts: FloatArray, rates: FloatArray, sigma: float) -> float:
    # The mean does not diffuse: whatever its energy, it is no part of the risk.
    energy, counts, rates = energy.ravel()[1:], counts.ravel()[1:], rates.ravel()[1:]
    if rates.size == 0:
        return 0.0

    def risk(log_time: float) -> float:
        kept = np.exp(-(2.0**log_time) * rates)
        return float(np.sum((1.0 - kept) ** 2 * energy + 2.0 * sigma**2 * counts * kept))

    # From "nothing happens" to "only the mean is left"; the risk may have several minima, so first a grid.
    start, stop = np.log2(1e-12 / rates.max()), np.log2(40.0 / rates.min())
    grid = np.arange(start, stop, 0.5)
    best = float(grid[int(np.argmin([risk(float(point)) for point in grid]))])
    found = load(_MINIMIZE)(risk, bounds=(best - 0.5, best + 0.5), method="bounded", options={"xatol": 1e-8})
    return float(2.0**found.x)


def _first_frequencies(size: int) -> NDArray[np.int64]:
    """Where each band of frequencies starts."""
    firsts = list(range(min(size, _SINGLE_FREQUENCIES)))
    edge = float(_SINGLE_FREQUENCIES)
    while edge < size:
        firsts.append(int(edge))
        edge = max(edge + 1.0, edge * _BAND_GROWTH)
    return np.array(firsts)


def _membership(first: NDArray[np.int64], size: int) -> FloatArray:
    """(size, bands) array with a one where a frequency belongs to a band."""
    band = np.searchsorted(first, np.arange(size), side="right") - 1
    return np.eye(len(first))[band]


def state_of_least_risk(states: Callable[..., Iterator[Any]], noisy: Array, sigma: Sigma, **given: Any) -> Any:
    """The state of an evolution whose Stein's risk is least, with the divergence by a random probe.

        risk(t) = sum_c |D_t(y)_c - y_c|^2 - N sigma_c^2 + 2 sigma_c^2 b . (D_t(y + eps b) - D_t(y)) / eps

    with b = +1 or -1 for each pixel, and eps a hundredth of sigma. Its error falls as one over the root of the number
    of pixels: about 1 % of sigma^2 for 100 000 of them.

    Parameters
    ----------
    states : (noisy, sigma, **given) -> iterator of (time, image)
    noisy, sigma : as for the filter; the noise must be white and Gaussian.

    References
    ----------
    Ramani, Blu & Unser 2008, IEEE TIP 17, 1540, doi:10.1109/TIP.2008.2001404.
    """
    xp = array_namespace(noisy)
    sigmas = np.array(channel_sigmas(noisy, sigma))
    signs = np.random.default_rng(_PROBE_SEED).integers(0, 2, noisy.shape, dtype=np.int8) * 2 - 1
    # In float64, where the difference of both results has digits enough.
    wide = xp.astype(noisy, xp.float64)
    probe = like(signs * (_PROBE_SIZE * sigmas).reshape((-1,) + (1,) * (noisy.ndim - 1)), wide)
    best: Any = None
    least = math.inf
    space = tuple(range(1, noisy.ndim))
    for state, moved in zip(states(wide, sigma, **given), states(wide + probe, sigma, **given), strict=True):
        removed = np.array(xp.sum((state.image - wide) ** 2, axis=space).tolist())
        # probe / eps^2 is b / eps; where sigma is 0 nothing changes, and nothing counts.
        divergence = np.array(xp.sum((moved.image - state.image) * probe, axis=space).tolist()) / _PROBE_SIZE**2
        risk = float(np.sum(removed + 2.0 * divergence))
        if risk < least:
            best, least = state, risk
    return best._replace(image=xp.astype(best.image, noisy.dtype))
