"""How much a noise level counts in training."""

from torch import Tensor

# The error of a young network is about the same at every noise level, so plain division by sigma would hand the
# gradient to the few patches with almost no noise. Below this level, two steps of 255, the weight hardly grows.
LEVEL_FLOOR = 2 / 255


def weight_of(sigma: Tensor) -> Tensor:
    """1 / sqrt(sigma^2 + floor^2), for squared errors.

    The squared error that a trained network leaves grows about as sigma, so with this weight a decibel counts the
    same at every noise level. Divided by sigma squared, faint noise counts most, and single patches have gradients
    twenty times as long as the usual.
    """
    return (sigma**2 + LEVEL_FLOOR**2).rsqrt()
