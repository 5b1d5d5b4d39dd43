"""Images from nothing but what was learned: draws from the prior."""

import numpy as np

from noiseless.argument_checks import is_number, number, shown
from noiseless.denoiser import Array, Denoiser
from noiseless.diffusion.schedule import karras
from noiseless.errors import InvalidParameter
from noiseless.generation.randomness import normal_from_seed
from noiseless.generation.sampler import Sampler, integrate
from noiseless.generation.stochastic import Ancestral
from noiseless.score import NetworkDenoiser
from noiseless.sigma_map import LARGEST_SIGMA

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
    lengths = shape if isinstance(shape, tuple | list) else ()
    if len(lengths) not in (3, 4) or not all(is_number(length) and length >= 1 for length in lengths):
        raise InvalidParameter(f"shape is {shown(shape)}; give channels and space, such as (3, 256, 256)")
    if abs(number("level", level, "it is a grey level in nominal units, usually 0.5")) > LARGEST_SIGMA:
        raise InvalidParameter(f"level is {level:g}; it must be within {LARGEST_SIGMA:g} of 0, usually 0.5")
    if not LAST_LEVEL < number("sigma", sigma, "it is a noise level in nominal units, usually 1") <= LARGEST_SIGMA:
        raise InvalidParameter(f"sigma is {sigma:g}; drawing starts from noise of a level above 0.002, usually 1")
    normal = normal_from_seed(seed)
    flat = np.full(shape, level, dtype=np.float32)
    start = flat + np.float32(sigma) * normal(flat)
    levels = karras(steps, sigma_max=sigma, sigma_min=LAST_LEVEL)
    return integrate(sampler or Ancestral(), denoiser or NetworkDenoiser(), start, levels, normal)
