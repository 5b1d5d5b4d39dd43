"""What training minimises."""

from torch import Tensor
from torch.nn import Module

# The error of a young network is about the same at every noise level, so plain division by sigma would hand the
# gradient to the few patches with almost no noise. Below this level, two steps of 255, the weight hardly grows.
LEVEL_FLOOR = 2 / 255


def denoising_score_matching(network: Module, clean: Tensor, sigma: Tensor, normal: Tensor) -> Tensor:
    """The denoising-score-matching loss, weighted by the noise level.

        y = x + sigma * n,   L = E | network(y, sigma) - sigma * n |^2 / sqrt(sigma^2 + floor^2)

    The minimum over all functions is network = sigma * E[n | y] = -sigma^2 * grad log p_sigma(y): the score of the
    density of noisy images (density diffusion, t = sigma**2 / 2). The squared error that a trained network leaves grows
    about as sigma, so with this weight a decibel counts the same at every noise level. Divided by sigma squared, faint
    noise counts most, and single patches have gradients twenty times as long as the usual.

    Parameters
    ----------
    network : maps (noisy, sigma) to the noise it sees, sigma * eps, in the units of the image.
    clean : (batch, C, H, W) float tensor, nominal range [0, 1].
    sigma : tensor of the shape of ``clean``, >= 0.
    normal : standard normal tensor of the shape of ``clean``.

    Returns
    -------
    Scalar tensor in the units of the image: about sigma for a network that returns nothing, less the better it is.

    References
    ----------
    Vincent 2011, Neural Computation 23, 1661, doi:10.1162/NECO_a_00142.
    """
    noise = sigma * normal
    residual: Tensor = network(clean + noise, sigma)
    return ((residual.float() - noise).square() / (sigma**2 + LEVEL_FLOOR**2).sqrt()).mean()
