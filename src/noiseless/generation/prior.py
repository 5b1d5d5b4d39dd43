"""Images from nothing but what was learned: draws from the prior."""

import numpy as np

from noiseless.denoiser import Array, Denoiser
from noiseless.diffusion.schedule import karras
from noiseless.errors import InvalidParameter
from noiseless.generation.randomness import normal_from_seed
from noiseless.generation.sampler import Sampler, integrate
from noiseless.generation.stochastic import Ancestral
from noiseless.score import NetworkDenoiser

# Half a step of 255: below it an 8-bit image cannot tell the difference.
LAST_LEVEL = 0.002


def sample(
    shape: tuple[int, ...],
    denoiser: Denoiser | None = None,
    *,
    sampler: Sampler | None = None,
    steps: int = 150,
    sigma: float = 1.0,
    level: float = 0.5,
    seed: int = 0,
) -> Array:
    """A texture drawn from the density that a denoiser stands for.

    A flat image under noise so strong that nothing else is known of it, run backwards to no noise: what comes out is
    what the denoiser takes for likely. A denoiser of small reach knows edges and textures, not objects.

    Parameters
    ----------
    shape : (C, *space) of the image
    denoiser : None: the shipped network
    sampler : see :data:`noiseless.generation.SAMPLERS`; None: :class:`~noiseless.generation.Ancestral`
    steps : denoiser calls, times those of the sampler in a step; more give finer structure.
    sigma : noise level at the start, in nominal units; less keeps the image nearer to ``level``, flat and dull.
    level : grey level at the start, nominal units
    seed : fixes the image

    Returns
    -------
    float32 array of ``shape``, nominal range [0, 1], not clipped.

    Raises
    ------
    InvalidParameter : the shape has no channels and space; or ``steps`` or ``sigma`` is out of range.
    """
    if len(shape) < 3 or min(shape) < 1:
        raise InvalidParameter(f"shape is {shape}; give channels and space, such as (3, 256, 256)")
    if not sigma > LAST_LEVEL:
        raise InvalidParameter(f"sigma is {sigma:g}; drawing starts from noise of a level above 0.002, usually 1")
    normal = normal_from_seed(seed)
    flat = np.full(shape, level, dtype=np.float32)
    start = flat + np.float32(sigma) * normal(flat)
    levels = karras(steps, sigma_max=sigma, sigma_min=LAST_LEVEL)
    return integrate(sampler or Ancestral(), denoiser or NetworkDenoiser(), start, levels, normal)
