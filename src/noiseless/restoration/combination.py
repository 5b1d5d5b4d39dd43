"""Which mixture of denoisers has the least error, found without the clean image.

For denoisers D_i of one noisy image y, with residuals r_i = D_i(y) - y, the squared error of sum_i a_i D_i under
sum_i a_i = 1 is, but for what does not depend on a, estimated by Stein's

    a^T G a + 2 a^T d,   G_ij = r_i . r_j,   d_i = tr(C J_i),

a parabola whose least value is found in closed form. Some weights come out negative, where one denoiser blurs what
another keeps. With B a basis of the differences of weights, and e = B^T D the differences of denoisers, the chance in
the slope g = B^T (G a + d) is at most

    cov g <= (2 + 2 / probes) K,   K_kl = e_k . C e_l,

as what a difference of denoisers does to the noise is a part of that difference, and the probes have a chance of their
own. Along the step to the lowest point, chance alone would lower the estimate by tr(H^-1 cov g), H = B^T G B, so only
the share 1 - tr(H^-1 cov g) / g^T H^-1 g of the step is taken (James & Stein): from the first denoiser to the best
weights of the whole image, and from those to the best around each pixel.

References
----------
Stein 1981, Ann. Statist. 9, 1135, doi:10.1214/aos/1176345632; James & Stein 1961, Proc. 4th Berkeley Symp. 1, 361.
Blu & Luisier 2007, IEEE TIP 16, 2778, doi:10.1109/TIP.2007.906002: linear combinations of least estimated risk.
"""

import math
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from noiseless.image import FloatArray
from noiseless.names import Lazy, load
from noiseless.restoration.blocks import block_means, interpolated
from noiseless.restoration.covariance import Covariance

_GAUSSIAN_FILTER = Lazy("scipy.ndimage:gaussian_filter1d")

Values = NDArray[np.float64]

BLOCK = 8
"""Pixels along each of the last two axes that share their weights, before these are interpolated."""

WINDOW = 32.0
"""Standard deviation, in pixels, of the window around a pixel within which its weights are best. A smaller one follows
the image more closely, and more of what it follows is chance."""

RIDGE = 1e-6
"""Of the variance of the noise: denoisers whose results differ by less than a thousandth of it are as good as equal."""


def weights_of_least_risk(
    residuals: FloatArray, divergences: FloatArray, covariance: Covariance, probes: int, *, local: bool
) -> FloatArray:
    """A weight for each denoiser; they sum to 1 and begin from the first denoiser alone.

    Parameters
    ----------
    residuals, divergences : (denoisers, C, *space), as in :class:`~noiseless.restoration.risk.Response`
    covariance : of the noise
    probes : how many the divergences are means of
    local : whether weights may differ over the last two axes

    Returns
    -------
    (denoisers, 1, *space), or (denoisers, 1...) where they are the same everywhere.
    """
    count, values = len(residuals), residuals[0].size
    basis = np.linalg.svd(np.ones((1, count)))[2][1:].T
    gram = _mean_products(residuals, residuals)
    slopes = divergences.reshape(count, -1).mean(axis=1, dtype=np.float64)
    coloured = np.stack([covariance.times(residual) for residual in residuals])
    curvature, chance = (basis.T @ products @ basis for products in (gram, _mean_products(residuals, coloured)))
    ridge = RIDGE * float(np.mean(covariance.power)) * np.eye(count - 1)
    # Chance lowers the estimate by so much a value; C is nearly the same everywhere, so it does in every window.
    by_chance = (2.0 + 2.0 / probes) * float(np.trace(np.linalg.solve(curvature + ridge, chance)))
    first = np.eye(count)[0]
    weights = first + basis @ _step(basis.T @ (gram @ first + slopes), curvature + ridge, by_chance / values)
    space = residuals.shape[2:]
    if local and min(space[-2:]) >= 2 * BLOCK:
        grams, slopes = _around(residuals, divergences)
        within = residuals.shape[1] * math.prod(_values_in_window(length) for length in space[-2:])
        steps = _step((grams @ weights + slopes) @ basis, basis.T @ grams @ basis + ridge, by_chance / within)
        blocks = np.moveaxis(weights + steps @ basis.T, -1, 0)
        return np.asarray(interpolated(blocks, BLOCK, space)[:, np.newaxis], dtype=residuals.dtype)
    return np.asarray(weights.reshape(-1, *[1] * (1 + len(space))), dtype=residuals.dtype)


def _step(slope: Values, curvature: Values, by_chance: float) -> Values:
    """To the lowest point of each parabola, shortened by the share that chance has in the mean fall.

    ``slope`` is (..., n), ``curvature`` (..., n, n).
    """
    step = -np.linalg.solve(curvature, slope[..., np.newaxis])[..., 0]
    fall = -float(np.mean(np.sum(slope * step, axis=-1)))
    share = max(0.0, 1.0 - by_chance / fall) if fall > 0.0 else 0.0
    return np.asarray(share * step)


def _mean_products(a: FloatArray, b: FloatArray) -> Values:
    """The mean over all values of a_i b_j."""
    products = np.tensordot(a, b, axes=(range(1, a.ndim), range(1, b.ndim)))
    return np.asarray(products / a[0].size, dtype=np.float64)


def _around(residuals: FloatArray, divergences: FloatArray) -> tuple[Values, Values]:
    """Gram matrices (*blocks, n, n) and divergences (*blocks, n), as means over channels and window."""

    def mean(values: FloatArray) -> Values:
        means = block_means(values.mean(axis=0, dtype=np.float64), BLOCK)
        return _windowed(_windowed(means, -2), -1)

    slopes = np.stack([mean(divergence) for divergence in divergences], axis=-1)
    grams = np.empty((*slopes.shape, slopes.shape[-1]))
    for i, j in combinations_with_replacement(range(len(residuals)), 2):
        grams[..., i, j] = grams[..., j, i] = mean(residuals[i] * residuals[j])
    return grams, slopes


def _windowed(means: Values, axis: int) -> Values:
    return np.asarray(load(_GAUSSIAN_FILTER)(means, WINDOW / BLOCK, axis=axis, mode="reflect"))


def _values_in_window(length: int) -> float:
    """As many independent values vary as much in their mean as those in a window along an axis: fewer at its ends."""
    shares = _windowed(np.eye(-(-length // BLOCK)), 0)
    return BLOCK / float(np.mean(np.sum(shares**2, axis=1)))
