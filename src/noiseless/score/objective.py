"""What training minimises: from clean images, or from noisy ones alone.

An objective is a function of (network, images, sigma, generator). ``images`` is a (batch, C, H, W) tensor in nominal
units, clean or noisy as the objective wants; ``sigma``, of the same shape, is the noise to add to clean images or the
noise that noisy ones have, in the units of the image; the network maps (noisy, sigma) to the noise it sees,
r = sigma * eps, so that it denoises by D = y - r. The result is a scalar tensor. Every objective below has, over all
functions, the minimum r = -sigma^2 * score, but the blind spot, which is said there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module

from noiseless.score.self_supervision import (
    blind_spot,
    noise_to_noise,
    noise_to_score,
    recorrupted,
    unbiased_risk,
)
from noiseless.score.weighting import weight_of


def denoising_score_matching(network: Module, clean: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """The denoising-score-matching loss, weighted by the noise level.

        y = x + sigma * n,   L = E | network(y, sigma) - sigma * n |^2 / sqrt(sigma^2 + floor^2)

    The minimum over all functions is network = sigma * E[n | y] = -sigma^2 * grad log p_sigma(y): the score of the
    density of noisy images (density diffusion, t = sigma**2 / 2).

    Parameters
    ----------
    network : maps (noisy, sigma) to the noise it sees, sigma * eps, in the units of the image.
    clean : (batch, C, H, W) float tensor, nominal range [0, 1].
    sigma : tensor of the shape of ``clean``, >= 0.
    generator : draws the noise; on the device of ``clean``.

    Returns
    -------
    Scalar tensor in the units of the image: about sigma for a network that returns nothing, less the better it is.

    References
    ----------
    Vincent 2011, Neural Computation 23, 1661, doi:10.1162/NECO_a_00142.
    """
    normal = torch.randn(clean.shape, generator=generator, device=clean.device)
    noise = sigma * normal
    residual: Tensor = network(clean + noise, sigma)
    return ((residual.float() - noise).square() * weight_of(sigma)).mean()


@dataclass(frozen=True)
class Objective:
    """How an objective is used.

    Parameters
    ----------
    loss : the function
    from_noisy : whether it learns from noisy images, of which it must know sigma
    frames : images of the same scene, with noise of their own, that it takes one after another as channels
    """

    loss: Callable[[Module, Tensor, Tensor, torch.Generator], Tensor]
    from_noisy: bool = True
    frames: int = 1


OBJECTIVES: Mapping[str, Objective] = {
    "score-matching": Objective(denoising_score_matching, from_noisy=False),
    "sure": Objective(unbiased_risk),
    "noise2score": Objective(noise_to_score),
    "recorrupt": Objective(recorrupted),
    "noise2noise": Objective(noise_to_noise, frames=2),
    "blind-spot": Objective(blind_spot),
}
