"""Tweedie's identity: score, noise and denoised image, each from the other. Density diffusion, t = sigma**2 / 2.

    E[x | y] = y + sigma**2 * score(y, sigma),      score(y, sigma) = grad_y log p_sigma(y) = -eps(y, sigma) / sigma

Source: Efron 2011, JASA 106, 1602, doi:10.1198/jasa.2011.tm11181; Robbins 1956.
"""

from noiseless.denoiser import Array, Denoiser, Sigma


def denoised_from_score(noisy: Array, score: Array, sigma: Sigma) -> Array:
    """E[x | y] from the score: y + sigma**2 * score. ``sigma`` in the units of ``noisy``."""
    return noisy + sigma**2 * score


def score_from_denoised(noisy: Array, denoised: Array, sigma: Sigma) -> Array:
    """The score from E[x | y]: (E[x | y] - y) / sigma**2, in one over the units of ``noisy``. ``sigma`` > 0."""
    return (denoised - noisy) / sigma**2


def noise_from_denoised(noisy: Array, denoised: Array, sigma: Sigma) -> Array:
    """E[n | y], the noise in units of sigma, from E[x | y]: (y - E[x | y]) / sigma. ``sigma`` > 0."""
    return (noisy - denoised) / sigma


def score(denoiser: Denoiser, noisy: Array, sigma: Sigma) -> Array:
    """The score that a denoiser stands for: (D(y, sigma) - y) / sigma**2.

    Parameters
    ----------
    denoiser : any estimate of E[x | y]
    noisy : (C, *space) array
    sigma : > 0, in the units of ``noisy``

    Returns
    -------
    Array like ``noisy``, in one over its units.
    """
    return score_from_denoised(noisy, denoiser(noisy, sigma), sigma)
