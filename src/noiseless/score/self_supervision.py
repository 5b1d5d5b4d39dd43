"""Objectives that learn from noisy images alone; what they have in common is in :mod:`noiseless.score.objective`.

    y = x + sigma * n, n white and normal; D(y) = y - network(y, sigma)

Each stands for the squared error |D(y) - x|^2, which nobody can compute without x, up to a constant: exactly in the
mean (``unbiased_risk``, ``noise_to_noise``), at a higher noise level that tends to sigma (``recorrupted``,
``noise_to_score``), or for functions that do not look at the pixel they predict (``blind_spot``). Noise that is not
white and normal with the sigma given breaks the first three.
"""

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn import functional as F

from noiseless.score.weighting import weight_of

# Of sigma: so far is the network moved to measure its divergence. The ReLUs that this crosses bias the divergence by
# a part of its square; half the step doubles the rounding of bfloat16 in it.
_PROBE = 0.1
# Along each axis one pixel in so many is hidden at once. Closer ones would look out of each other's neighbours.
_PERIOD = 4
_LEAST_RECORRUPTION = 0.3


def unbiased_risk(network: Module, noisy: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """Stein's unbiased estimate of the squared error, with a Monte-Carlo divergence.

        SURE = |r|^2 + N sigma^2 - 2 sigma^2 div r,   div r = E b . (r(y + h b) - r(y)) / h,   b = +-1

    Its mean over the noise is E |D(y) - x|^2, whatever x. It needs sigma right: 1 % too much blurs, 1 % too little
    leaves noise.

    References
    ----------
    Stein 1981, Annals of Statistics 9, 1135; Ramani, Blu, Unser 2008, IEEE TIP 17, 1540.
    """
    return (risk_map(network, noisy, sigma, generator) * weight_of(sigma)).mean()


def risk_map(network: Module, noisy: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """What each pixel adds to Stein's unbiased estimate; its mean over the pixels estimates the mean squared error."""
    signs = torch.randint(2, noisy.shape, generator=generator, device=noisy.device).to(noisy.dtype) * 2 - 1
    step = _PROBE * sigma
    # One pass for both, so that a graph is built once and the network sees the same batch.
    both: Tensor = network(torch.cat([noisy, noisy + step * signs]), torch.cat([sigma, sigma]))
    residual, moved = both.float().chunk(2)
    divergence = signs * (moved - residual) / step.clamp(min=torch.finfo(step.dtype).tiny)
    return residual.square() + sigma**2 - 2 * sigma**2 * divergence


def noise_to_score(network: Module, noisy: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """Denoising score matching on the noisy images themselves.

        z = y + tau * n,  s^2 = sigma^2 + tau^2,   L = E | (tau / s)^2 * network(z, s) - tau * n |^2

    E[tau n | z] = -tau^2 * score of z, and the score of z is that of images with noise s. So the network learns the
    noise of level s in z; tau is drawn from 0 to sigma, and s tends to sigma with it.

    References
    ----------
    Kim, Ye 2021, Noise2Score, arXiv:2106.07009.
    """
    share = torch.rand(noisy.shape[0], 1, 1, 1, generator=generator, device=noisy.device)
    added = share * sigma
    noise = added * torch.randn(noisy.shape, generator=generator, device=noisy.device)
    total = (sigma**2 + added**2).sqrt()
    residual: Tensor = network(noisy + noise, total)
    part = added**2 / (total**2).clamp(min=torch.finfo(total.dtype).tiny)
    return ((part * residual.float() - noise).square() * weight_of(sigma)).mean()


def recorrupted(network: Module, noisy: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """Two images with independent noise out of one.

        z ~ N(0, 1),   y1 = y + a sigma z,   y2 = y - sigma z / a,   L = E a^2 |D(y1) - y2|^2

    The noise of y1 and y2 is uncorrelated, hence independent, so D learns E[x | y1], at the noise level
    sigma * sqrt(1 + a^2). a is drawn from 0.3 to 1; a^2 keeps the noise of y2 from drowning small ones.

    References
    ----------
    Pang, Zheng, Quan, Ji 2021, Recorrupted-to-Recorrupted, CVPR.
    """
    unit = torch.rand(noisy.shape[0], 1, 1, 1, generator=generator, device=noisy.device)
    a = _LEAST_RECORRUPTION + (1.0 - _LEAST_RECORRUPTION) * unit
    noise = sigma * torch.randn(noisy.shape, generator=generator, device=noisy.device)
    residual: Tensor = network(noisy + a * noise, sigma * (1 + a**2).sqrt())
    # y1 - y2 = (a + 1 / a) sigma z
    return (a**2 * (residual.float() - (a + 1 / a) * noise).square() * weight_of(sigma)).mean()


def noise_to_noise(network: Module, noisy: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """One noisy image predicts the other of the same scene: L = E |D(y1) - y2|^2, in either order.

    The noise of y2 adds a constant and nothing else, as long as it has mean 0 and is independent of that of y1; it
    need not be normal or white.

    Parameters
    ----------
    noisy : (batch, 2 C, H, W), the channels of the first image and then those of the second; ``sigma`` likewise.

    References
    ----------
    Lehtinen and others 2018, ICML, arXiv:1803.04189.
    """
    first, second = noisy.chunk(2, dim=1)
    sigma_first, sigma_second = sigma.chunk(2, dim=1)
    swapped = torch.rand(noisy.shape[0], 1, 1, 1, generator=generator, device=noisy.device) < 0.5
    given, wanted = torch.where(swapped, second, first), torch.where(swapped, first, second)
    level = torch.where(swapped, sigma_second, sigma_first)
    residual: Tensor = network(given, level)
    return ((given - residual.float() - wanted).square() * weight_of(level)).mean()


def blind_spot(network: Module, noisy: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """Guess hidden pixels from their surroundings.

        L = E |D(y with its pixels in J replaced) - y|^2 over J

    A pixel in J holds one of its eight neighbours instead of itself; J is one pixel in 4 along each axis, from an
    offset that is drawn for each patch. What stands there is as noisy as the pixel was, so the network cannot tell
    that it is hidden, and learns E[x_j | y but y_j]: noise must be independent from pixel to pixel, but need not be
    normal, nor sigma known (the network is told it all the same). What a pixel says about itself is not used, which
    costs 1 dB and more.

    References
    ----------
    Batson, Royer 2019, Noise2Self, arXiv:1901.11365; Krull, Buchholz, Jug 2019, Noise2Void, arXiv:1811.10980.
    """
    batch, channels, height, width = noisy.shape
    offsets = torch.randint(_PERIOD, (2, batch, 1, 1), generator=generator, device=noisy.device)
    rows = torch.arange(height, device=noisy.device).view(1, -1, 1) % _PERIOD == offsets[0]
    columns = torch.arange(width, device=noisy.device).view(1, 1, -1) % _PERIOD == offsets[1]
    # All channels of a pixel are hidden together: their noise may be related.
    hidden = (rows & columns).unsqueeze(1)
    around = F.unfold(F.pad(noisy, (1, 1, 1, 1), mode="reflect"), 3).view(batch, channels, 9, height, width)
    which = torch.randint(8, (batch, 1, 1, height, width), generator=generator, device=noisy.device)
    which = which + (which >= 4)  # the fifth of nine is the pixel itself
    neighbour = around.gather(2, which.expand(batch, channels, 1, height, width)).squeeze(2)
    given = torch.where(hidden, neighbour, noisy)
    residual: Tensor = network(given, sigma)
    error = (given - residual.float() - noisy).square() * weight_of(sigma)
    return (error * hidden).sum() / (hidden.sum() * channels).clamp(min=1)
