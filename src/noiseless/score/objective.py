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

from noiseless.score.corruption import Corrupted, camera, white
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
    return _supervised(network, white(clean, sigma, generator))


def camera_denoising(network: Module, clean: Tensor, sigma: Tensor, generator: torch.Generator) -> Tensor:
    """The same loss on what cameras do to images, white noise among them: no score, a mean all the same.

    See :func:`~noiseless.score.corruption.camera`. The minimum is network = y - E[x | y, level told].
    """
    return _supervised(network, camera(clean, sigma, generator))


def _supervised(network: Module, made: Corrupted) -> Tensor:
    residual: Tensor = network(made.noisy, made.sigma)
    return ((residual.float() - (made.noisy - made.clean)).square() * weight_of(made.sigma)).mean()


@dataclass(frozen=True)
class Objective:
    """How an objective is used.

    Parameters
    ----------
    loss : the function
    corrupt : how validation images are made noisy, where training images are clean; None where they are noisy, and the
        objective must know their sigma
    frames : images of the same scene, with noise of their own, that it takes one after another as channels
    """

    loss: Callable[[Module, Tensor, Tensor, torch.Generator], Tensor]
    corrupt: Callable[[Tensor, Tensor, torch.Generator], Corrupted] | None = None
    frames: int = 1

    @property
    def from_noisy(self) -> bool:
        return self.corrupt is None


OBJECTIVES: Mapping[str, Objective] = {
    "score-matching": Objective(denoising_score_matching, white),
    "camera": Objective(camera_denoising, camera),
    "sure": Objective(unbiased_risk),
    "noise2score": Objective(noise_to_score),
    "recorrupt": Objective(recorrupted),
    "noise2noise": Objective(noise_to_noise, frames=2),
    "blind-spot": Objective(blind_spot),
}
