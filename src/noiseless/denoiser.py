"""The one contract: a denoiser is a function (noisy, sigma) -> image.

Diffusion filters, score networks, exact priors, tiles and ensembles are all denoisers, or functions from
denoisers to denoisers. A protocol has no code here; ``tests/laws`` proves conformance.
"""

from typing import Any, Protocol, TypeAlias

# A NumPy array or a torch tensor. Static checkers have no type for "either, with arithmetic", and a protocol of
# operators would be longer than the code it checks, so array-agnostic rooms use this alias.
Array: TypeAlias = Any

Sigma: TypeAlias = Any
"""A float, or an array that broadcasts against the image: one sigma a channel, or one a pixel."""


class Denoiser(Protocol):
    """An estimate of the clean image, E[x | y], where y = x + sigma * n and n ~ N(0, I).

    Parameters
    ----------
    noisy : (C, *space) float array of NumPy or torch
        ``space`` is YX or ZYX. Nominal range [0, 1], not clipped.
    sigma : float or array that broadcasts against ``noisy``
        Standard deviation of the noise, in the units of ``noisy``. A larger sigma removes more.

    Returns
    -------
    (C, *space) array of the shape, dtype, kind and device of ``noisy``, which is not written to.
    """

    def __call__(self, noisy: Array, sigma: Sigma, /) -> Array: ...


class LocalDenoiser(Denoiser, Protocol):
    """A denoiser whose output pixels depend on input pixels at most ``reach(sigma)`` away along each axis."""

    def reach(self, sigma: float, /) -> int: ...
