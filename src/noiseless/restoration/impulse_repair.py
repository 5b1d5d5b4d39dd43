"""Replaced pixels found and filled in, before anything that averages can smear them."""

import numpy as np
from numpy.typing import NDArray

from noiseless.denoiser import Denoiser
from noiseless.diffusion import inpaint
from noiseless.noise import ImpulsiveNoise

Pixels = NDArray[np.floating]

LEVELS = (0.25, 0.12, 0.06, 0.03)
"""Noise levels, of the range of the known pixels, at which the denoiser then looks at the filled image."""


def repair(noise: ImpulsiveNoise, noisy: Pixels, denoiser: Denoiser | None = None) -> Pixels:
    """Find the replaced pixels and fill them by diffusion from the others.

    Parameters
    ----------
    noise : knows how its impulses look; its parameters are in the units of ``noisy``
    noisy : (C, *space) float array
    denoiser : where the other pixels are clean, it refines what diffusion filled in: edges and texture are carried
        into the gaps. The pixels that were not replaced come back as they are.
    """
    replaced = noise.detect(noisy)
    filled = inpaint(noisy, _with_something_known(replaced))
    if denoiser is None or not replaced.any():
        return np.asarray(filled)
    span = float(np.ptp(np.percentile(filled, [1, 99])))
    for level in LEVELS:
        filled = np.where(replaced, denoiser(filled, level * span), noisy).astype(noisy.dtype)
    return np.asarray(filled)


def _with_something_known(replaced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A channel that is nothing but impulses has nothing to be filled from: it stays as it is."""
    space = tuple(range(1, replaced.ndim))
    return replaced & ~replaced.all(axis=space, keepdims=True)
